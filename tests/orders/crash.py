"""A purchase with a refund, that can be killed at any step, and what must be true when it has been taken up again.

Every commit, call and message is a step with a point before and a point after its effect. `fuse` counts them down.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bot.orders.checkout import Opened
from bot.orders.order import AttemptState, OrderState, Refund, RefundState
from bot.orders.rows import ledger_of
from providers.sdk.gateway import BillGone
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import PRICE, Shop

BACK = Money.cny("6.00")
_ROUNDS = 40


class Killed(BaseException):
    """The process is gone; nothing catches this."""


class Fuse:
    """Burns down by one at every point; at the end it blows, and a dead process takes no further step."""

    def __init__(self, points: int, blow: Callable[[], None]) -> None:
        self.left, self.blow, self.lit = points, blow, False

    def point(self) -> None:
        if self.left <= 0:
            self.lit = True
            self.blow()
        self.left -= 1

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step with a point before and after its effect."""

        async def fused(*arguments: Any) -> Any:
            self.point()
            result = await step(*arguments)
            self.point()
            return result

        return fused


def wire(shop: Shop, fuse: Fuse) -> None:
    """Put points around everything that leaves a trace."""
    write = shop.book.write

    async def commit(work: Any) -> Any:
        async def half(connection: Any) -> Any:
            result = await work(connection)
            fuse.point()  # written, not committed
            return result

        result = await write(half)
        fuse.point()  # committed, nobody knows yet
        return result

    shop.book.write = commit  # type: ignore[method-assign]  # a fuse around the real one
    shop.teller.show = fuse.around(shop.teller.show)  # type: ignore[method-assign]  # likewise
    shop.teller.tell = fuse.around(shop.teller.tell)  # type: ignore[method-assign]  # likewise
    stall = shop.stalls["plainpay"]
    stall.transport.send = fuse.around(stall.transport.send)  # type: ignore[method-assign]  # likewise


async def purchase(shop: Shop) -> None:
    """What a person, their bank and an operator do, however often they have to start over."""
    order = await shop.place()
    opened = await shop.checkout.open(order.id, Wallet.BANK)
    if isinstance(opened, Opened):
        shop.pay(opened)
    await _deliver(shop)
    await shop.checkout.refund(order.id, BACK, "冷了", "operator:li", refund_key="ticket-9")
    await shop.worker.drain()


async def recover(shop: Shop) -> None:
    """The process is back; the person looks again, pays if they have not, time goes by."""
    for _ in range(_ROUNDS):
        order = await shop.place()
        if not order.paid:
            opened = await shop.checkout.open(order.id, Wallet.BANK)
            if isinstance(opened, Opened):
                with suppress(BillGone):  # it was paid before the kill, which we do not know yet
                    shop.pay(opened)
        await _deliver(shop)
        refund = await shop.checkout.refund(order.id, BACK, "冷了", "operator:li", refund_key="ticket-9")
        if isinstance(refund, Refund) and refund.state is RefundState.DONE:
            break
        shop.clock.advance(5)
        await shop.worker.drain()
    await shop.pass_time(120, step=10)


async def check(shop: Shop) -> None:
    """One payment, one refund, told; the books add up."""
    [order] = await shop.checkout.orders_of(None)
    assert order.state is OrderState.PARTLY_REFUNDED, order
    assert [attempt.state for attempt in order.attempts] == [AttemptState.PAID], order.attempts
    assert [refund.state for refund in order.refunds] == [RefundState.DONE], order.refunds
    drawer = shop.stalls["plainpay"].drawer
    charged = [trade for _, trade in drawer.scan("order:") if trade.get("paid_at")]
    assert [trade["refunded"] for trade in charged] == [BACK.minor], charged
    assert len(list(drawer.scan("refund:"))) == 1
    lines = await shop.book.read(lambda connection: ledger_of(connection, order.id))
    assert (
        sum(line.minor for line in lines if line.account in {"orders", "revenue"}) == BACK.minor - PRICE.minor
    )
    await shop.check_books()


async def _deliver(shop: Shop) -> None:
    """Post stays in the bag until it is acknowledged."""
    for notification in shop.post("plainpay"):
        try:
            await shop.receive("plainpay", notification)
        except Killed:
            shop.stalls["plainpay"].courier.post(notification)
            raise
    await shop.worker.drain()
