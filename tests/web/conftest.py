import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from yarl import URL

from bot.orders.answers import Opened
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.routing import Offer, Refusal
from bot.runtime.signboard import Signboard
from bot.web import Tally, build_web, listen
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply
from providers.sdk.wallets import Wallet

NOON = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
TOKEN = "tokenTOKENtoken0123456"
CODES = {
    Wallet.WECHAT: "weixin://wxpay/bizpayurl?pr=abc123",
    Wallet.ALIPAY: "https://qr.alipay.com/bax0001",
    Wallet.QUICKPASS: "https://qr.95516.com/00010000/6200001",
    Wallet.BANK: "https://qr.95516.com/00010000/6200001",
    Wallet.CMPAY: "https://www.10086.cn/pay?c=1",
}

ORDER = Order(
    id="o1",
    app_id="coffee",
    page="pages/menu/menu",
    chat_id=778899,
    user_id=665544,
    language="en",
    order_key="k",
    amount=Money.cny("18.00"),
    title="Latte <b>&",
    state=OrderState.PENDING,
    version=1,
    created_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    link_token=TOKEN,
)


class StillClock:
    def now(self):
        return NOON


@dataclass
class Till:
    """Remembers what it was asked; opens whatever it has a code for."""

    order: Order = ORDER
    codes: dict = field(default_factory=lambda: CODES)
    answer: object = None
    reply: object = HttpReply(200, Headers.of({"Content-Type": "application/json"}), b'{"code":"SUCCESS"}')
    opened: list = field(default_factory=list)
    received: list = field(default_factory=list)

    async def find_by_link(self, token):
        return self.order if token == TOKEN else None

    def offers(self, _order):
        invoice = Offer(Wallet.TELEGRAM, "telegramstars", "main", Way.INVOICE, "")
        return (*(Offer(wallet, "p", "main", Way.MERCHANT_CODE, "") for wallet in self.codes), invoice)

    def refusals(self, _order):
        return (
            Refusal("UnionPay rests.", "unionpay", "main"),
            Refusal("No configured account takes e-CNY.", wallet=Wallet.ECNY),
            Refusal("No configured account takes Telegram Stars.", wallet=Wallet.TELEGRAM),
        )

    async def open(self, order_id, wallet, *, user_id=None, way=None):
        self.opened.append((order_id, wallet))
        if self.answer is not None:
            return self.answer
        attempt = Attempt(
            number=f"a{len(self.opened)}",
            order_id=order_id,
            provider="p",
            account="main",
            wallet=wallet,
            way=Way.MERCHANT_CODE,
            amount=self.order.amount,
            state=AttemptState.OPENED,
            created_at=NOON,
            expires_at=self.order.expires_at,
            code=self.codes[wallet],
        )
        self.order = replace(self.order, attempts=(attempt,))
        return Opened(self.order, attempt)

    async def receive(self, provider, account, request):
        self.received.append((provider, account, request))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


class Browser:
    def __init__(self, session, base):
        self.session = session
        self.base = base

    async def get(self, path, agent="Mozilla/5.0", **options):
        return await self._send("GET", path, agent, **options)

    async def post(self, path, agent="Mozilla/5.0", **options):
        return await self._send("POST", path, agent, **options)

    async def _send(self, method, path, agent, *, headers=None, **options):
        headers = {"User-Agent": agent, **(headers or {})}
        url = URL(self.base + path, encoded=True)
        async with self.session.request(
            method, url, headers=headers, allow_redirects=False, **options
        ) as response:
            return Answer(response.status, response.headers, await response.read())


@dataclass
class Answer:
    status: int
    headers: object
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def code(self):
        found = re.search(r'<meta name="payment-code" content="([^"]*)">', self.text)
        return found and found[1]


@pytest.fixture
def till():
    return Till()


@pytest.fixture
def serving():
    @asynccontextmanager
    async def serve(app, **limits):
        async with listen(app, "127.0.0.1", 0, **limits) as listener, aiohttp.ClientSession() as session:
            yield Browser(session, f"http://127.0.0.1:{listener.port}")

    return serve


@pytest.fixture
async def browser(till, serving):
    board = Signboard(base_url="https://pay.example.org", name="MOON TEA")
    app = build_web(till, StillClock(), checks={}, signboard=board, metrics=Tally().registry)
    async with serving(app) as browser:
        yield browser
