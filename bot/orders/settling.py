"""An order under review, led out of it. A person says that it is time, and why; the institution's word decides.

So nobody can type an order paid. What is still open there is closed first, and an answer that does not match our book
keeps the order where it is.
"""

from dataclasses import replace
from typing import Final

from bot.orders import schedule
from bot.orders.answers import Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.ending import Answer, Ending, gone
from bot.orders.order import Attempt, Order, OrderState
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.table import OrderEvent
from bot.orders.till import Till, UnknownOrderError
from providers.sdk.results import NotFound, Paid, Snapshot

_OVER: Final = frozenset({Paid.CLOSED, Paid.FAILED, Paid.REFUNDED})


class Settling:
    """The operator's door to the one function behind all doors."""

    def __init__(self, till: Till, ending: Ending) -> None:
        self._till = till
        self._ending = ending

    async def settle(self, order_id: str, actor: str, reason: str) -> Order | Refused:
        """See `Checkout.settle`."""
        cause = Cause(CauseKind.OPERATOR, actor)
        async with self._till.hold(order_id):
            try:
                order, refused = await self._till.change(
                    order_id, cause, lambda posting: _begin(posting, reason)
                )
            except UnknownOrderError:
                return Refused(Why.UNKNOWN_ORDER)
            if refused is not None:
                return replace(refused, order=order)
            return await self._ask_all(order, cause, reason)

    async def _ask_all(self, order: Order, cause: Cause, reason: str) -> Order | Refused:
        doubts = []
        for attempt in order.attempts:
            if attempt.called_at is None:
                continue  # nobody outside has ever heard of it
            order, doubt = await self._ask(order, attempt)
            if order.paid:
                return order
            doubts += [f"{attempt.number}: {doubt}"] if doubt else []
        if doubts:
            return Refused(Why.CHECKING, " ".join(doubts), order)
        order, _ = await self._till.change(
            order.id, cause, lambda posting: posting.move_order(OrderEvent.FAILED, reason)
        )
        return order

    async def _ask(self, order: Order, attempt: Attempt) -> tuple[Order, str]:
        """What still speaks against calling this attempt unpaid; nothing when the institution says that it is over."""
        account = self._till.account_of(attempt)
        if account is None:
            return order, f"{attempt.provider}/{attempt.account} is not configured, so it cannot be asked."
        if attempt.open:
            order = await self._ending.shut(order, attempt, patient=True)
        order, answer = await self._ending.ask(order, order.attempt(attempt.number), account)
        return order, self._doubt(order.attempt(attempt.number), answer, account)

    def _doubt(self, attempt: Attempt, answer: Answer, account: Account) -> str:
        match answer:
            case Snapshot(state=Paid.PAID):
                return f"{account.info.name_en} reports {answer.amount} as paid; give it back there, then settle."
            case Snapshot(state=state) if state in _OVER:
                return ""
            case NotFound() if not schedule.recent(attempt.called_at, self._till.clock.now()):
                return ""
            case Snapshot() | NotFound():
                over = gone(attempt, answer, account, self._till)
                return "" if over else f"{account.info.name_en} would still take the money; try again later."
            case _:
                return f"{account.info.name_en} gives no clear answer ({answer.reason}); try again later."


def _begin(posting: Posting, reason: str) -> Refused | None:
    state = posting.order.state
    if state is not OrderState.NEEDS_REVIEW:
        why = Why.ALREADY_PAID if posting.order.paid else Why.NOT_IN_REVIEW
        return Refused(why, f"Order {posting.order.id} is {state}, not under review.")
    posting.note("order", "settling", reason)
    return None
