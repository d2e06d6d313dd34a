"""A book that was set back, from yesterday's backup say: asked about at the institutions before it takes new payments.

What it calls unsent may have been sent since, so every number that it holds open is called unknown and asked about, and
the recent ones that it calls final are asked about too. Notifications are stored, acknowledged and applied meanwhile.
Orders of the lost hours themselves are gone: their money comes to light in the statements, and hangs in suspense.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import Checkout
from bot.orders.order import ATTEMPT_IS_OPEN, REFUND_IS_OPEN, AttemptState, OrderState, RefundState
from bot.orders.payout_recovery import PayoutRecovery, open_payouts
from bot.orders.posting import Posting
from bot.orders.schema import attempts, audit, orders, refunds
from bot.orders.table import AttemptEvent, RefundEvent
from bot.orders.tide import Mark, Marks, tide_of
from providers.sdk.clock import BEIJING
from providers.sdk.results import NotSent, Paid, Snapshot, Unknown

_log: Final = structlog.get_logger("moongate.orders")

_LOOK_EVERY_S: Final = 5
_RECENT: Final = timedelta(days=7)
_DAYS_MAX: Final = 31
_CAUSE: Final = Cause(CauseKind.HOUSE, "recovery")
CLOSED: Final = (
    "The order book is behind what it was (a backup was restored): its orders are asked about at the institutions "
    "before new payments are taken."
)


@dataclass(slots=True)
class _Progress:
    statements: bool = False
    asked: int = 0
    silent: int = 0


class Recovery:
    """One per host. `begin` before the doors open, then `run`."""

    def __init__(self, checkout: Checkout, marks: Marks) -> None:
        self._checkout = checkout
        self._till = checkout.till
        self._marks = marks
        self._payouts = PayoutRecovery(checkout.till, checkout.payouting)
        self._progress = _Progress()

    async def begin(self) -> None:
        """Compare the book with its mark, and close the till when the book is behind."""
        await self._look()

    async def run(self) -> None:
        """Until cancelled: keep the mark while all is well, and lead a book that is behind back to the present.

        A store that is away, or a disk that is full, is no reason to end the house: the next look may see more.
        """
        while True:
            try:
                await self.step()
            except (OSError, SQLAlchemyError, RedisError) as error:
                _log.warning("recovery_waits", cause=type(error).__name__)
            await self._till.clock.sleep(_LOOK_EVERY_S)

    async def step(self) -> None:
        """One look, and when the book is behind one round of questions."""
        await self._look()
        if self._till.closed and await self._catch_up():
            await self._open()

    async def _look(self) -> None:
        tide, mark = await self._till.book.read(tide_of), await self._marks.read()
        behind = mark.recovering or tide < mark.tide
        if behind and not self._till.closed:
            self._till.closed = CLOSED
            self._progress = _Progress()
            await self._marks.write(Mark(tide=max(tide, mark.tide), recovering=True))
            _log.error("book_is_behind", text=CLOSED, tide=tide, mark=mark.tide)
            self._till.watch.alert(CLOSED)
        elif not behind and self._till.closed:
            self._till.closed = ""  # an operator has opened it
            _log.warning("book_opened_by_operator")
        elif not behind and tide > mark.tide:
            await self._marks.write(Mark(tide=tide))

    async def _catch_up(self) -> bool:
        """One round; whether everything has been answered."""
        if not self._progress.statements:
            await self._distrust()
            await self._import_statements()
            self._progress.statements = True
        self._progress.asked = self._progress.silent = 0
        for number in await self._till.book.read(_numbers):
            self._progress.asked += 1
            self._progress.silent += not await self._answered(number)
        for number in await self._till.book.read(open_payouts):
            self._progress.asked += 1
            self._progress.silent += not await self._payouts.answered(number)
        _log.info("recovery_round", asked=self._progress.asked, silent=self._progress.silent)
        return not self._progress.silent

    async def _open(self) -> None:
        await self._marks.write(Mark(tide=await self._till.book.read(tide_of)))
        self._till.closed = ""
        words = (
            f"The order book is open again: {self._progress.asked} payments, refunds and payouts were asked about. Orders of the "
            "lost time are not in it; run `moongate reconcile` for today when the day is over."
        )
        _log.warning("book_is_open", text=words)
        self._till.watch.alert(words)
        self._till.bell.ring()

    async def _distrust(self) -> None:
        """What stands as never sent may have been sent: unknown is the truth."""
        for order_id in await self._till.book.read(_unsent):
            await self._till.change(order_id, _CAUSE, _may_have_been_sent)

    async def _import_statements(self) -> None:
        """Of every day since the last entry of the book that is over."""
        newest = await self._till.book.read(lambda one: one.scalar(select(func.max(audit.c.at))))
        today = self._till.clock.now().astimezone(BEIJING).date()
        day = today if newest is None else newest.astimezone(BEIJING).date()
        day = max(day, today - timedelta(days=_DAYS_MAX))
        while day < today:
            for found in await self._checkout.reconcile(day):
                if found.problem:
                    _log.warning("no_statement", account=found.account, day=str(day), problem=found.problem)
            day += timedelta(days=1)

    async def _answered(self, number: str) -> bool:
        order = await self._till.find_by_number(number)
        if any(refund.number == number for refund in order.refunds):
            return await self._checkout.refunding.ask(number)
        async with self._till.hold(order.id):
            order = await self._till.find_by_number(number)
            attempt = order.attempt(number)
            account = self._till.account_of(attempt)
            if account is None:
                self._till.watch.alert(
                    f"{attempt.provider}/{attempt.account} is not configured: {number}.", order.id
                )
                return True
            order, answer = await self._checkout.ending.ask(order, attempt, account)
        if isinstance(answer, Snapshot) and answer.state is Paid.REFUNDED and not order.refunds:
            text = f"{number} is refunded at the institution, and this book knows no refund: compare before refunding."
            self._till.watch.alert(text, order.id)
        return not isinstance(answer, NotSent | Unknown)


def _may_have_been_sent(posting: Posting) -> None:
    words = "The book was restored from a backup: it may have been sent since."
    for attempt in posting.order.attempts:
        if attempt.state is AttemptState.INTENT:
            called = replace(attempt, called_at=posting.now, sends=attempt.sends + 1)
            posting.move_attempt(called, AttemptEvent.CALLED, words)
    for refund in posting.order.refunds:
        if refund.state is RefundState.RESERVED:
            sent = replace(refund, called_at=posting.now, sends=refund.sends + 2)
            posting.move_refund(sent, RefundEvent.CALLED, words)


async def _unsent(connection: AsyncConnection) -> list[str]:
    """Orders that wait, with an attempt or refund that stands as never sent."""
    intents = select(attempts.c.order_id).where(attempts.c.state == AttemptState.INTENT)
    waiting = select(orders.c.id).where(orders.c.state == OrderState.PENDING, orders.c.id.in_(intents))
    reserved = select(refunds.c.order_id).where(refunds.c.state == RefundState.RESERVED)
    return sorted({*(await connection.scalars(waiting)), *(await connection.scalars(reserved))})


async def _numbers(connection: AsyncConnection) -> list[str]:
    """What is open, and what was begun within a week of the last entry."""
    newest = await connection.scalar(select(func.max(audit.c.at)))
    if newest is None:
        return []
    recent = newest - _RECENT
    tries = select(attempts.c.number).where(
        attempts.c.called_at.is_not(None),
        attempts.c.state.in_(ATTEMPT_IS_OPEN) | (attempts.c.created_at >= recent),
    )
    backs = select(refunds.c.number).where(
        refunds.c.called_at.is_not(None),
        refunds.c.state.in_(REFUND_IS_OPEN) | (refunds.c.created_at >= recent),
    )
    return [*(await connection.scalars(tries)), *(await connection.scalars(backs))]
