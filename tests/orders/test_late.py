"""Money after the end: `paid` with the detail `late`, or back to the payer, as the order says."""

import pytest

from bot.orders.checkout import Checkout
from bot.orders.order import AttemptState, OrderState, RefundState
from bot.orders.rows import ledger_of
from bot.orders.worker import Worker
from miniprograms.sdk.payment import IfLate, PaymentRequest
from miniprograms.sdk.refund import RefundStatus
from providers.sdk.gateway import Fault
from providers.sdk.results import Closed
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import PRICE, USER


def asking(if_late):
    return PaymentRequest(amount=PRICE, title="拿铁", order_key="cart-1", if_late=if_late)


@pytest.fixture
def late_money(shop, monkeypatch):
    """An order that the payer cancels while their confirmed payment is on its way, which then arrives."""

    async def happen(**more):
        opened = await shop.open(await shop.place(**more), Wallet.BANK)
        shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LATE)
        shop.pay(opened)
        with monkeypatch.context() as patch:
            patch.setattr(shop.stalls["plainpay"].provider, "close", closed)
            await shop.checkout.cancel(opened.order.id, USER)
        await shop.worker.drain()
        [late] = shop.stalls["plainpay"].courier.late
        await shop.receive("plainpay", late)
        await shop.worker.drain()
        return await shop.look(opened.order)

    return happen


async def closed(*_):
    return Closed()


@pytest.mark.fault("E2", "C6")
async def test_kept_money_is_told_as_paid_late(shop, late_money):
    order = await late_money()

    assert order.state is OrderState.PAID_LATE
    assert shop.teller.results == ["cancelled", "paid late"]
    assert order.refunds == ()


@pytest.mark.fault("E2")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_returned_money_goes_back_once_and_the_page_hears_of_the_refund_alone(shop, late_money):
    before = shop.stalls["plainpay"].purses.left[Wallet.BANK]

    order = await late_money(request=asking(IfLate.REFUND))
    await shop.pass_time(600)

    order = await shop.look(order)
    [refund] = order.refunds
    assert (order.state, refund.state, refund.actor) == (OrderState.REFUNDED, RefundState.DONE, "house")
    assert shop.teller.results == ["cancelled"]
    assert [word.result.status for word in shop.teller.refunds] == [RefundStatus.DONE]
    assert shop.stalls["plainpay"].purses.left[Wallet.BANK] == before
    lines = await shop.book.read(lambda one: ledger_of(one, order.id))
    assert sum(line.minor for line in lines if line.account == "orders") == 0


@pytest.mark.parametrize(
    ("host", "page", "state"),
    [
        (IfLate.REFUND, None, OrderState.REFUNDED),
        (IfLate.REFUND, IfLate.KEEP, OrderState.PAID_LATE),
        (IfLate.KEEP, None, OrderState.PAID_LATE),
    ],
)
async def test_the_page_decides_and_else_the_host(shop, late_money, host, page, state):
    shop.checkout = Checkout(
        shop.book, shop.accounts(), clock=shop.clock, random=shop.random, watch=shop.watch, if_late=host
    )
    shop.worker = Worker(shop.checkout, shop.teller)

    order = await late_money(request=asking(page))

    assert order.state is state


async def test_money_in_time_is_kept_whatever_the_order_says(shop):
    opened = await shop.open(await shop.place(request=asking(IfLate.REFUND)), Wallet.BANK)
    shop.pay(opened)

    await shop.deliver()

    order = await shop.look(opened.order)
    assert (order.state, order.refunds) == (OrderState.PAID, ())
    assert order.attempts[0].state is AttemptState.PAID
