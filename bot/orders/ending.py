"""Leading an order, or one attempt of it, to its end. The institution's word ends it; a clock or a tap only asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.crashpoint import crashpoint
from bot.orders import facts, institution, schedule
from bot.orders.answers import Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.table import AttemptEvent, OrderEvent
from bot.orders.till import Till, UnknownOrderError
from providers.sdk.results import AlreadyPaid, Closed, NotFound, NotSent, Paid, Snapshot, Unknown

_EVENTS: Final = {OrderState.EXPIRED: OrderEvent.EXPIRED, OrderState.CANCELLED: OrderEvent.CANCELLED}
# Where an institution closes by time only, its own clock is given this long after the attempt's end.
_GRACE: Final = timedelta(seconds=schedule.IN_FLIGHT_S)

Answer = Snapshot | NotFound | NotSent | Unknown


class Ending:
    """Cancels, expires, and leaves attempts for others."""

    def __init__(self, till: Till) -> None:
        self._till = till

    async def cancel(self, order_id: str, user_id: int) -> Order | Refused:
        """See `Checkout.cancel`."""
        async with self._till.hold(order_id):
            cause = Cause(CauseKind.PAYER, f"user:{user_id}")
            try:
                order, refused = await self._till.change(
                    order_id, cause, lambda posting: _start_cancelling(posting, user_id)
                )
            except UnknownOrderError:
                return Refused(Why.UNKNOWN_ORDER)
            if refused is not None:
                return replace(refused, order=order)
            # What is being led to its expiry already gets no shorter way there.
            order = await self._bring_to_end(order, cause, patient=order.ending is OrderState.EXPIRED)
        if order.paid:
            return Refused(Why.ALREADY_PAID, "", order)
        if order.state is OrderState.CANCELLED:
            return order
        return Refused(Why.CHECKING, "The institution has not confirmed the closing yet.", order)

    async def expire(self, order_id: str) -> Order:
        """The sweeper's call, when the order's time is over or its ending was not reached yet."""
        cause = Cause(CauseKind.HOUSE, f"expiry:{order_id}")
        async with self._till.hold(order_id):
            order, _ = await self._till.change(order_id, cause, _start_expiring)
            if order.state is not OrderState.PENDING or order.ending is None:
                return order
            return await self._bring_to_end(order, cause, patient=True)

    async def let_go(self, order: Order, attempt: Attempt, answer: Answer) -> Order:
        """An attempt that is no longer wanted was asked about: it has ended by itself, or is closed now."""
        account = self._till.account_of(attempt)
        if account is not None and attempt.open and gone(attempt, answer, account, self._till):
            return await self._hear_close(order, attempt, Closed(code="asked"))
        return await self.leave(order, attempt)

    async def leave(self, order: Order, attempt: Attempt) -> Order:
        """Close one attempt that is no longer wanted. When that cannot be known now, the sweeper goes on."""
        if attempt.by_payer_code and attempt.open:
            return await self.reverse(order, attempt)
        account = self._till.account_of(attempt)
        if account is None:
            return await self._not_yet(order, attempt)
        crashpoint("attempt.leaving")
        answer = await institution.close(account, attempt)
        crashpoint("close.answered")
        order = await self._hear_close(order, attempt, answer)
        if isinstance(answer, AlreadyPaid):
            order, _ = await self.ask(order, attempt, account)
        return order

    async def reverse(self, order: Order, attempt: Attempt) -> Order:
        """Ask, close, ask again: a charge by payer code that has not ended in its time, or is no longer wanted.

        Closed only when the institution agrees; until then the sweeper goes on, and a payment that was faster counts.
        """
        cause = Cause(CauseKind.HOUSE, f"reversal:{attempt.number}")
        order, _ = await self._till.change(order.id, cause, lambda posting: _give_up(posting, attempt.number))
        return await self.shut(order, order.attempt(attempt.number), patient=True)

    async def _bring_to_end(self, order: Order, asked: Cause, *, patient: bool) -> Order:
        for attempt in order.attempts:
            if attempt.open:
                order = await self.shut(order, attempt, patient=patient)
            if order.state is not OrderState.PENDING:
                return order
        called = any(attempt.called_at for attempt in order.attempts)
        cause = Cause(CauseKind.QUERY, f"ending:{order.id}") if called and patient else asked
        order, _ = await self._till.change(order.id, cause, _end)
        return order

    async def shut(self, order: Order, attempt: Attempt, *, patient: bool) -> Order:
        """Query, close, query when `patient`; close alone is enough for a payer who waits: late money is watched for.

        Not by payer code: the payer is at it this very moment.
        """
        account = self._till.account_of(attempt)
        if account is None:
            return await self._not_yet(order, attempt)
        if attempt.by_payer_code and schedule.in_flight(attempt, self._till.clock.now()):
            return await self._not_yet(
                order, attempt
            )  # "no such number" says nothing while the call may arrive
        if not patient and account.info.can_close and not attempt.by_payer_code:
            return await self.leave(order, attempt)
        order, answer = await self.ask(order, attempt, account)
        if not order.attempt(attempt.number).open:
            return order
        if gone(attempt, answer, account, self._till):
            return await self._hear_close(order, attempt, Closed(code="asked"))
        closing = await institution.close(account, attempt)
        if isinstance(closing, Closed | AlreadyPaid):
            order, answer = await self.ask(order, attempt, account)
        if not order.attempt(attempt.number).open:
            return order
        if isinstance(closing, Closed) and _agrees(answer):
            return await self._hear_close(order, attempt, closing)
        return await self._not_yet(order, attempt)

    async def ask(self, order: Order, attempt: Attempt, account: Account) -> tuple[Order, Answer]:
        """Query one attempt and apply the answer."""
        answer = await institution.query(account, attempt)
        crashpoint("query.answered")
        cause = Cause(CauseKind.QUERY, f"query:{attempt.number}:{attempt.checks + 1}")
        order, _ = await self._till.change(
            order.id, cause, lambda posting: facts.hear_query(posting, attempt.number, answer, account)
        )
        return order, answer

    async def _hear_close(
        self, order: Order, attempt: Attempt, answer: Closed | AlreadyPaid | NotSent | Unknown
    ) -> Order:
        cause = Cause(CauseKind.REPLY, f"close:{attempt.number}")
        order, _ = await self._till.change(
            order.id, cause, lambda posting: facts.hear_close(posting, attempt.number, answer)
        )
        return order

    async def _not_yet(self, order: Order, attempt: Attempt) -> Order:
        return await self._hear_close(order, attempt, Unknown("Not closed yet."))


def _give_up(posting: Posting, number: str) -> None:
    attempt = posting.order.attempt(number)
    if attempt.open and not attempt.leaving:
        posting.set_attempt(replace(attempt, leaving=True, checks=0))
        posting.move_order(OrderEvent.CHANGED, f"{number} is being reversed.")


def gone(attempt: Attempt, answer: Answer, account: Account, till: Till) -> bool:
    """Asked, and it can no longer be paid, although the institution does not say `closed`.

    Before the attempt's own end nothing is gone: Alipay knows of no trade until a code is scanned, and the code that it
    does not know of can be paid all the same.
    """
    now = till.clock.now()
    if now <= attempt.expires_at + _GRACE:
        return False
    if isinstance(answer, NotFound):
        return not schedule.recent(attempt.called_at, now)
    return isinstance(answer, Snapshot) and answer.state is Paid.UNPAID and not account.info.can_close


def _agrees(answer: Answer) -> bool:
    """The last query does not contradict the closing. `UNPAID` right after it is an answer from before it."""
    return isinstance(answer, NotFound) or (
        isinstance(answer, Snapshot) and answer.state in {Paid.CLOSED, Paid.FAILED}
    )


def _start_cancelling(posting: Posting, user_id: int) -> Refused | None:
    order = posting.order
    if order.user_id != user_id:
        return Refused(Why.NOT_YOURS)
    if order.paid:
        return Refused(Why.ALREADY_PAID)
    if order.state is not OrderState.PENDING:
        whys = {OrderState.EXPIRED: Why.EXPIRED, OrderState.CANCELLED: Why.CANCELLED}
        return Refused(whys.get(order.state, Why.IN_REVIEW))
    _lead(posting, OrderState.CANCELLED)
    return None


def _start_expiring(posting: Posting) -> None:
    order = posting.order
    if order.state is OrderState.PENDING and (order.ending or posting.now >= order.expires_at):
        _lead(posting, OrderState.EXPIRED)


def _lead(posting: Posting, ending: OrderState) -> None:
    if posting.order.ending is None:
        posting.note("order", "ending", f"Led to {ending}: nothing new is opened.")
        for attempt in posting.order.attempts:
            if attempt.open:
                posting.set_attempt(replace(attempt, leaving=True, checks=0))
    posting.lead_to(ending)
    _try_again_later(posting)
    for attempt in posting.order.attempts:
        if attempt.state is AttemptState.INTENT:
            posting.move_attempt(attempt, AttemptEvent.CLOSED, "never sent")


def _end(posting: Posting) -> None:
    order = posting.order
    if order.state is not OrderState.PENDING or order.ending is None:
        return
    if any(attempt.open for attempt in order.attempts):
        _try_again_later(posting)
    else:
        posting.move_order(_EVENTS[order.ending])


def _try_again_later(posting: Posting) -> None:
    tries = max((attempt.checks for attempt in posting.order.attempts if attempt.open), default=0)
    at = schedule.next_ending(tries, posting.now)
    posting.order = replace(posting.order, next_check_at=at)
