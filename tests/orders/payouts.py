"""What tests of payouts begin with: a shop at two more institutions, an offer, a claim."""

from bot.orders.order import Order, Payee, Payout, PayoutDraft
from miniprograms.sdk.payout import PayoutOffer
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER, Shop

AMOUNT = Money.cny("18.00")
ALIPAY = Payee(provider="alipay", account="main", wallet=Wallet.ALIPAY, id="2088123412341234")
WECHAT = Payee(provider="wechatpay", account="main", wallet=Wallet.WECHAT, id="oPayee4711")
DAY = 86400


def offer(order: Order, **more: object) -> PayoutDraft:
    fields = {
        "order_id": order.id,
        "amount": AMOUNT,
        "title": "for you",
        "payout_key": "gift",
        "page": "pages/gift/gift",
    }
    return PayoutDraft(app_id="coffee", user_id=USER, offer=PayoutOffer(**{**fields, **more}))


async def offered(shop: Shop, **more: object) -> tuple[Order, Payout]:
    order = await shop.paid_order()
    await shop.checkout.offer_payouts([offer(order, **more)])
    await shop.worker.drain()
    order = await shop.look(order)
    return order, order.payouts[-1]


async def claimed(shop: Shop, payee: Payee = ALIPAY) -> Payout:
    _, payout = await offered(shop)
    answer = await shop.checkout.claim_payout(payout.claim_token, payee)
    assert isinstance(answer, Payout), answer
    return answer


def heard(shop: Shop) -> list[str]:
    return [f"{result.status} {result.detail}".strip() for _, result in shop.teller.paid_out]


def received(shop: Shop, name: str, wallet: Wallet) -> int:
    """What that wallet was given, in minor units."""
    return sum(minor for kind, minor, _ in shop.stalls[name].purses.moves if kind is wallet and minor > 0)


async def shop_paid(shop: Shop, key: str) -> Order:
    opened = await shop.open(await shop.place(key))
    shop.pay(opened)
    await shop.deliver()
    return await shop.look(opened.order)
