"""The worker: applies stored notifications, sweeps what is due, sends what the chat must hear.

Three loops, each woken by the bell after a commit and looking by itself now and then. A round of each can be called
on its own. This is one of the three edges where any exception is caught: what failed is left for later, the rest
goes on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crashpoint import crashpoint
from bot.orders import due, outbox, word
from bot.orders.audit import Cause, CauseKind
from bot.orders.book import Work
from bot.orders.checkout import Checkout
from bot.orders.due import Queue
from bot.orders.order import Order
from bot.orders.outbox import Letter
from bot.orders.ports import HookFailedError, Teller
from bot.orders.posting import Kind, Posting
from miniprograms.sdk.payment import PaymentResult, PaymentStatus
from miniprograms.sdk.payout import PayoutResult, PayoutStatus

_log: Final = structlog.get_logger("moongate.orders")

T = TypeVar("T")

_BATCH: Final = 50
_AT_ONCE: Final = 8
_LOOK_EVERY_S: Final = 1
_FORGET_EVERY: Final = timedelta(hours=1)
# After days asleep everything is due at once: so many of each kind a second, whatever the bell says.
_CATCH_UP_PAUSE_S: Final = 1
_DRAIN_ROUNDS_MAX: Final = 200


class Worker:
    """One per process that serves. On PostgreSQL several may run; each leaves the others' work alone."""

    def __init__(self, checkout: Checkout, teller: Teller) -> None:
        self._checkout = checkout
        self._till = checkout.till
        self._teller = teller
        self._lease = not checkout.till.book.single_writer
        self._forget_at = checkout.till.clock.now() + _FORGET_EVERY
        self._turns = {name: asyncio.Lock() for name in ("inbox", "sweep", "outbox")}

    async def run(self) -> None:
        """Work until cancelled. Being killed at any point loses nothing."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(self.process_inbox))
            group.create_task(self._loop(self.sweep, pause_s=_CATCH_UP_PAUSE_S))
            group.create_task(self._loop(self.send_outbox))

    async def process_inbox(self) -> int:
        """Apply the notifications that are due; how many were taken up."""
        async with self._turns["inbox"]:
            notices = await self._checkout.intake.due(_BATCH)
            for notice in notices:
                try:
                    await self._checkout.intake.work_off(notice)
                except Exception as error:  # noqa: BLE001  # the worker's edge
                    _log.exception("notification_failed", inbox_id=notice.id)
                    await self._checkout.intake.postpone(notice, type(error).__name__)
            return len(notices)

    async def sweep(self) -> int:
        """Ask about the attempts, refunds and payouts that are due, end the orders whose time is over; how many were taken up."""
        async with self._turns["sweep"]:
            await self._forget()
            return sum(
                [
                    await self._visit(due.ATTEMPTS, self._checkout.checking.check),
                    await self._visit(due.REFUNDS, self._checkout.refunding.check),
                    await self._visit(due.PAYOUTS, self._checkout.payouting.check),
                    await self._visit(due.ORDERS, self._checkout.ending.expire),
                ]
            )

    async def send_outbox(self) -> int:
        """Send the messages that are due; how many were taken up. The messages of one order go in their order."""
        async with self._turns["outbox"]:
            letters = await self._take_letters()
            by_order: dict[str, list[Letter]] = defaultdict(list)
            for letter in letters:
                by_order[letter.order_id].append(letter)
            await _a_few_at_once(self._send_all(batch) for batch in by_order.values())
            return len(letters)

    async def drain(self) -> None:
        """Work until nothing is due now."""
        for _ in range(_DRAIN_ROUNDS_MAX):
            if not await self.process_inbox() + await self.sweep() + await self.send_outbox():
                return

    async def _loop(self, work: Callable[[], Awaitable[int]], *, pause_s: int = 0) -> None:
        """A full batch is followed by the next after `pause_s`; else there is time for a rest."""
        ear = self._till.bell.ear()
        while True:
            ear.clear()
            try:
                done = await work()
            except Exception as error:  # noqa: BLE001  # the worker's edge
                if _is_away(error):
                    _log.warning("book_away", work=work.__qualname__, cause=type(error).__name__)
                else:
                    _log.exception("worker_round_failed", work=work.__qualname__)
                done = 0
            if done < _BATCH:
                await self._rest(ear)
            else:
                await self._till.clock.sleep(pause_s)

    async def _forget(self) -> None:
        """Raw notifications are kept for as long as somebody may ask about them, and no longer."""
        now = self._till.clock.now()
        if now >= self._forget_at:
            more = await self._checkout.intake.forget()
            self._forget_at = now if more else now + _FORGET_EVERY

    async def _rest(self, ear: asyncio.Event) -> None:
        """Until the bell rings, or a second of the house's clock has passed."""
        waits = [
            asyncio.ensure_future(ear.wait()),
            asyncio.ensure_future(self._till.clock.sleep(_LOOK_EVERY_S)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self, work: Work[T]) -> T:
        """Only a lease is written; without one, looking for work takes no writer's turn."""
        book = self._till.book
        return await (book.write(work) if self._lease else book.read(work))

    async def _visit(self, queue: Queue, visit: Callable[[str], Awaitable[object]]) -> int:
        async def transaction(connection: AsyncConnection) -> list[str]:
            now = self._till.clock.now()
            return await due.take(connection, queue, now, _BATCH, lease=self._lease)

        names = await self._look(transaction)
        await _a_few_at_once(self._visit_one(queue, name, visit) for name in names)
        return len(names)

    async def _visit_one(self, queue: Queue, name: str, visit: Callable[[str], Awaitable[object]]) -> None:
        try:
            await visit(name)
        except Exception:  # noqa: BLE001  # the worker's edge
            _log.exception("check_failed", table=queue.table.name, name=name)
            self._till.watch.count("check_failed")

            async def transaction(connection: AsyncConnection) -> None:
                await due.postpone(connection, queue, name, self._till.clock.now())

            await self._till.book.write(transaction)

    async def _take_letters(self) -> list[Letter]:
        async def transaction(connection: AsyncConnection) -> list[Letter]:
            return await outbox.take(connection, self._till.clock.now(), _BATCH, lease=self._lease)

        return await self._look(transaction)

    async def _send_all(self, letters: list[Letter]) -> None:
        drawn = -1
        for letter in letters:
            if letter.kind is Kind.SHOW and letter.version <= drawn:
                continue
            try:
                drawn = max(drawn, await self._send(letter))
            except ConnectionError as error:
                _log.warning("message_waits", outbox_id=letter.id, kind=letter.kind.value, cause=str(error))
                await self._failed(letter, away=True)
                return
            except HookFailedError:
                _log.warning(
                    "hook_failed", outbox_id=letter.id, order_id=letter.order_id, tries=letter.tries + 1
                )
                await self._failed(letter, tries_max=outbox.HOOK_TRIES_MAX)
            except Exception:  # noqa: BLE001  # the worker's edge
                _log.exception("message_failed", outbox_id=letter.id, kind=letter.kind.value)
                await self._failed(letter)
                return  # what comes after it waits its turn

    async def _send(self, letter: Letter) -> int:
        order = await self._till.find(letter.order_id)
        if order is None:
            raise LookupError(f"Order {letter.order_id} is not in the book.")
        match letter.kind:
            case Kind.SHOW:
                return await self._show(order)
            case Kind.TELL if letter.answer:
                await self._teller.tell_refund(f"o{letter.id}", order, word.read(letter.answer))
            case Kind.TELL:
                await self._teller.tell(f"o{letter.id}", order, _result(order, letter))
                crashpoint("outbox.told")
            case Kind.PAYOUT:
                page, told = _payout_result(order, letter)
                await self._teller.tell_payout(f"o{letter.id}", order, page, told)
            case Kind.ALERT:
                self._till.watch.alert(letter.text, order.id)

        async def transaction(connection: AsyncConnection) -> None:
            await outbox.sent(connection, letter, self._till.clock.now())
            if letter.kind is Kind.TELL and letter.status == PaymentStatus.PAID:
                cause = Cause(CauseKind.HOUSE, f"outbox:{letter.id}")
                await self._till.change_in(connection, order.id, cause, Posting.earn)

        await self._till.book.write(transaction)
        crashpoint("outbox.marked")
        return -1

    async def _show(self, order: Order) -> int:
        """One drawing fulfils every wish up to the version that was drawn."""
        message_id = await self._teller.show(order)
        crashpoint("outbox.shown")

        async def transaction(connection: AsyncConnection) -> None:
            await outbox.shown(connection, order.id, order.version, message_id, self._till.clock.now())

        await self._till.book.write(transaction)
        return order.version

    async def _failed(self, letter: Letter, *, tries_max: int | None = None, away: bool = False) -> None:
        async def transaction(connection: AsyncConnection) -> bool:
            now = self._till.clock.now()
            return await outbox.failed(connection, letter, now, tries_max=tries_max, away=away)

        self._till.watch.count("message_failed")
        if await self._till.book.write(transaction):
            self._till.watch.alert(f"Message {letter.id} ({letter.kind}) was given up.", letter.order_id)


def _result(order: Order, letter: Letter) -> PaymentResult:
    return PaymentResult(
        order_id=order.id,
        order_key=order.order_key,
        status=PaymentStatus(letter.status),
        amount=order.amount,
        detail=letter.text,
    )


def _payout_result(order: Order, letter: Letter) -> tuple[str, PayoutResult]:
    number, _, detail = letter.text.partition(" ")
    payout = order.payout(number)
    result = PayoutResult(
        order_id=order.id,
        payout_key=payout.payout_key,
        claim_id=payout.claim_id,
        status=PayoutStatus(letter.status),
        amount=payout.amount,
        detail=detail,
    )
    return payout.page, result


def _is_away(error: Exception) -> bool:
    """The store cannot be reached, which a trace every second would not make clearer."""
    return isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


async def _a_few_at_once(works: Iterable[Awaitable[None]]) -> None:
    """Institutions and the messenger are slow, not us; but never all of them at once."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Awaitable[None]) -> None:
        async with gate:
            await work

    await asyncio.gather(*(one(work) for work in works))
