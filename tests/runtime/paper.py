"""Orders in hand and an eye for screens: what the tests of the money side's screens share."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import zxingcpp
from PIL import Image

from bot.orders.order import Attempt, AttemptState, Order, OrderState, Refund, RefundState
from bot.orders.routing import Offer
from bot.runtime.cashier import order_screen, read_key
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

NOON = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
LINK = "https://pay.example/p/5f0cTq9AzX"
ID = "0Zk3vQ9sX7bT1mL5"

ORDER = Order(
    id=ID,
    app_id="coffee",
    page="pages/menu/menu",
    chat_id=1,
    user_id=1,
    language="en",
    order_key="k1",
    amount=Money.cny("18.00"),
    title="Latte",
    state=OrderState.PENDING,
    version=3,
    created_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    link_token="t",
)
ATTEMPT = Attempt(
    number="A1B2C3",
    order_id=ID,
    provider="wechatpay",
    account="main",
    wallet=Wallet.WECHAT,
    way=Way.MERCHANT_CODE,
    amount=Money.cny("18.00"),
    state=AttemptState.OPENED,
    created_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    code="weixin://wxpay/bizpayurl?pr=p4lpSuKzz",
)
REFUND = Refund(
    number="R1B2C3",
    order_id=ID,
    attempt_number="A1B2C3",
    amount=Money.cny("5.00"),
    reason="cold",
    actor="shop",
    state=RefundState.DONE,
    created_at=NOON,
    done_at=NOON + timedelta(hours=1),
)
PAID_ATTEMPT = replace(
    ATTEMPT, state=AttemptState.PAID, paid_at=NOON + timedelta(minutes=2), paid_wallet=Wallet.WECHAT
)
OFFERS = (
    Offer(Wallet.WECHAT, "wechatpay", "main", Way.MERCHANT_CODE, ""),
    Offer(Wallet.QUICKPASS, "unionpay", "main", Way.MERCHANT_CODE, ""),
    Offer(Wallet.WECHAT, "unionpay", "main", Way.LINK, ""),
    Offer(Wallet.UNICOMPAY, "unicompay", "main", Way.MERCHANT_CODE, ""),
    Offer(Wallet.ECNY, "ecny", "main", Way.MERCHANT_CODE, ""),
)


def with_attempt(order=ORDER, **changes):
    return replace(order, attempts=(*order.attempts, replace(ATTEMPT, **changes)))


def ended(state, **changes):
    return replace(ORDER, state=state, **changes)


def draw(order, offers=OFFERS, code_text=LINK, language="en", now=NOON):
    return order_screen(order, offers, code_text, language, now)


def said(screen):
    return "".join(text.content for text in screen.body)


def keys(screen):
    return [key for row in screen.rows for key in row]


def verbs(screen):
    return [read_key(key.data).verb for key in keys(screen) if key.data]


def code_in(screen):
    return zxingcpp.read_barcode(Image.open(io.BytesIO(screen.picture))).text
