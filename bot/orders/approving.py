"""The last word before a messenger takes a payer's money: yes or no, from our own book alone.

A messenger's invoice cannot be taken back, can be paid twice, and can be passed on. So the messenger asks before every
payment, and this is where an order gets its rules back: it waits for a payment, of this amount, by this person, once.
The yes is stored before it is said; a payment that never comes after it blocks the next one for a minute only.

Nobody outside is called here, and nothing waits for a call that somebody else has open: the messenger waits ten
seconds. On any doubt the answer is no, which costs nobody anything.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.orders import schedule
from bot.orders.answers import Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.posting import Posting
from bot.orders.till import Till, UnknownOrderError
from providers.sdk.handover import PASSED_AT, PAYER
from providers.sdk.money import Money

_PASSED: Final = "passed"  # the key of the question that was answered with yes
_ON_ITS_WAY_S: Final = 60
_WITHIN_S: Final = 5.0
_ENDS: Final = {
    OrderState.EXPIRED: Why.EXPIRED,
    OrderState.CANCELLED: Why.CANCELLED,
    OrderState.FAILED: Why.FAILED,
    OrderState.NEEDS_REVIEW: Why.IN_REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this person pay this now? `key` is the messenger's own number of the question: a repeat is the same."""

    key: str
    provider_id: str
    account: str
    number: str
    amount: Money
    user_id: int


class Approving:
    """Answers such questions."""

    def __init__(self, till: Till) -> None:
        self._till = till

    async def approve(self, question: Question) -> Refused | None:
        """None is yes. Raises `TimeoutError`, or what the store raises, when there is no answer in time."""
        if self._till.closed:
            return Refused(Why.CHECKING, self._till.closed)
        cause = Cause(CauseKind.PAYER, f"user:{question.user_id}")
        async with asyncio.timeout(_WITHIN_S):
            try:
                order = await self._till.find_by_number(question.number)
                _, refused = await self._till.change(
                    order.id, cause, lambda posting: _judge(posting, question)
                )
            except UnknownOrderError:
                return Refused(Why.UNKNOWN_ORDER)
        return refused


def _judge(posting: Posting, question: Question) -> Refused | None:
    order, now = posting.order, posting.now
    attempt = next((one for one in order.attempts if one.number == question.number), None)
    asked_of = (question.provider_id, question.account)
    if attempt is None or (attempt.provider, attempt.account) != asked_of:
        return Refused(Why.UNKNOWN_ORDER)
    if attempt.memo.get(_PASSED) == question.key and attempt.state is AttemptState.OPENED:
        return _objection(order, attempt, question, now)  # asked again: the yes is stored already
    refused = _objection(order, attempt, question, now) or _crowd(attempt, now)
    if refused is None:
        passed = {_PASSED: question.key, PASSED_AT: now.isoformat(), PAYER: str(question.user_id)}
        posting.note(attempt.number, "passed", "The payment was let pass.")
        posting.set_attempt(replace(attempt, memo={**attempt.memo, **passed}))
    return refused


def _objection(order: Order, attempt: Attempt, question: Question, now: datetime) -> Refused | None:
    if question.user_id != order.user_id:
        return Refused(Why.NOT_YOURS)
    if order.paid:
        return Refused(Why.ALREADY_PAID)
    if order.state is not OrderState.PENDING:
        return Refused(_ENDS.get(order.state, Why.CHECKING))
    if question.amount != attempt.amount:
        return Refused(Why.WRONG_AMOUNT, f"{question.amount} is asked for, the book says {attempt.amount}.")
    if now >= min(order.expires_at, attempt.expires_at):
        return Refused(Why.EXPIRED)
    if order.ending is not None or not attempt.usable(now):
        return Refused(Why.CHECKING, "This invoice is no longer wanted.")
    return None


def _crowd(attempt: Attempt, now: datetime) -> Refused | None:
    """Two payments at once: the second waits until it is certain that the first does not come."""
    passed_at = attempt.memo.get(PASSED_AT)
    if passed_at and now < schedule.after(datetime.fromisoformat(passed_at), _ON_ITS_WAY_S):
        return Refused(Why.CHECKING, "Another payment of this invoice was let pass a moment ago.")
    return None
