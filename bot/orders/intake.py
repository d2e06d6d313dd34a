"""Notifications: verified, stored, acknowledged; and later, from the store, applied. One function applies every fact."""

import asyncio
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crashpoint import crashpoint
from bot.orders import facts, foreign, inbox, payout_facts, rows
from bot.orders.audit import Cause, CauseKind
from bot.orders.inbox import Notice
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.schema import InboxState
from bot.orders.sealing import Seal
from bot.orders.till import Till
from providers.sdk.results import Fact, PayoutSnapshot, RefundSnapshot, Rejected, Snapshot, Verified
from providers.sdk.transport import HttpReply, HttpRequest

# An institution waits a few seconds for our word; a store that hangs longer than this is down.
_STORE_WITHIN_S: Final = 3
_KEEPS: Final = timedelta(days=400)
_FORGETS: Final = 200


class OrphanError(LookupError):
    """A verified word about something that is not in our book, or is not this account's."""


class Intake:
    """The door for institutions."""

    def __init__(self, till: Till, seal: Seal | None = None, keeps: timedelta = _KEEPS) -> None:
        self._till = till
        self._storing: set[asyncio.Future[bool]] = set()
        self._seal = seal
        self._keeps = keeps

    async def receive(self, provider_id: str, account_name: str, request: HttpRequest) -> HttpReply:
        """See `Checkout.receive`."""
        account = self._till.accounts.get((provider_id, account_name))
        if account is None:
            return HttpReply(404)
        verdict = self._read(account, request)
        if isinstance(verdict, Rejected):
            self._till.watch.count("probe" if verdict.probe else "notification_rejected", provider_id)
            return account.provider.reply(accepted=False, request=request)
        crashpoint("notification.verified")
        try:
            fresh = await self._store(account, request, verdict)
        except (SQLAlchemyError, OSError, TimeoutError):
            self._till.watch.count("notification_not_stored", provider_id)
            refusal = account.provider.reply(accepted=False, request=request)
            return HttpReply(503, refusal.headers, refusal.body)
        crashpoint("notification.stored")
        self._till.watch.count("notification_stored" if fresh else "notification_repeated", provider_id)
        self._till.bell.ring()
        return account.provider.reply(accepted=True, request=request)

    async def due(self, limit: int) -> list[Notice]:
        """The oldest stored notifications that are to be worked off."""

        async def query(connection: AsyncConnection) -> list[Notice]:
            return await inbox.due(connection, self._till.clock.now(), limit)

        return await self._till.book.read(query)

    async def work_off(self, notice: Notice) -> None:
        """Apply it and mark it done in one transaction. Raises whatever goes wrong, having changed nothing."""

        async def transaction(connection: AsyncConnection) -> str:
            if not await inbox.claim(connection, notice):
                return ""
            try:
                await self._apply(connection, notice)
            except OrphanError as error:
                await inbox.finish(connection, notice, InboxState.ORPHAN, str(error))
                return str(error)
            await inbox.finish(connection, notice, InboxState.DONE)
            crashpoint("notice.applied")
            return ""

        crashpoint("notice.taken")
        orphaned = await self._till.book.write(transaction)
        crashpoint("notice.committed")
        if orphaned:
            self._till.watch.count("notification_orphan", notice.provider)
            self._till.watch.alert(orphaned)
        self._till.bell.ring()

    async def forget(self) -> int:
        """Drop the raw bytes whose time is over, some at a time; how many."""
        before = self._till.clock.now() - self._keeps
        return await self._till.book.write(lambda one: inbox.forget(one, before, _FORGETS))

    async def postpone(self, notice: Notice, why: str) -> None:
        """After a mishap: again later, or, after many tries, to a person."""

        async def transaction(connection: AsyncConnection) -> bool:
            return await inbox.postpone(connection, notice, self._till.clock.now(), why)

        if await self._till.book.write(transaction):
            self._till.watch.alert(
                f"Notification {notice.id} of {notice.provider} could not be applied: {why}"
            )

    async def apply(self, fact: Fact, cause: Cause, provider_id: str, account_name: str) -> None:
        """See `Checkout.apply`."""

        async def transaction(connection: AsyncConnection) -> None:
            await self._apply_fact(connection, fact, cause, (provider_id, account_name))

        await self._till.book.write(transaction)
        self._till.bell.ring()

    def _read(self, account: Account, request: HttpRequest) -> Verified | Rejected:
        """A plugin that trips over junk has not verified it."""
        try:
            return account.provider.read_notification(request, self._till.clock.now())
        except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
            return Rejected(f"The notification could not be read ({type(error).__name__}).")

    async def _store(self, account: Account, request: HttpRequest, verified: Verified) -> bool:
        now = self._till.clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            return await inbox.keep(
                connection,
                request,
                verified,
                provider=account.provider_id,
                account=account.name,
                now=now,
                seal=self._seal,
            )

        return await self._in_time(asyncio.ensure_future(self._till.book.write(transaction)))

    async def _in_time(self, storing: asyncio.Future[bool]) -> bool:
        """Raises `TimeoutError`. A driver takes seconds to let go of a line that is dead; nobody waits for that.

        Should it be stored after all, the repeat is recognised.
        """
        self._storing.add(storing)
        storing.add_done_callback(self._let_go)
        done, _ = await asyncio.wait({storing}, timeout=_STORE_WITHIN_S)
        if not done:
            storing.cancel()
            raise TimeoutError
        return storing.result()

    def _let_go(self, storing: asyncio.Future[bool]) -> None:
        self._storing.discard(storing)
        if not storing.cancelled():
            storing.exception()  # whoever waited has heard it

    async def _apply(self, connection: AsyncConnection, notice: Notice) -> None:
        cause = Cause(CauseKind.NOTIFICATION, f"inbox:{notice.id}")
        await self._apply_fact(connection, notice.read(), cause, (notice.provider, notice.account))

    async def _apply_fact(
        self, connection: AsyncConnection, fact: Fact, cause: Cause, source: tuple[str, str]
    ) -> None:
        account = self._till.accounts.get(source)
        order_id = await rows.find_by_number(connection, fact.number)
        if order_id is None and isinstance(fact, RefundSnapshot):
            order_id = await rows.find_by_number(connection, fact.attempt_number)
        if account is None or order_id is None:
            raise OrphanError(f"{source[0]}/{source[1]} reports {fact.number}, which is not in the book.")
        hear = _hear_payout if isinstance(fact, PayoutSnapshot) else _hear
        await self._till.change_in(connection, order_id, cause, lambda posting: hear(posting, fact, account))  # type: ignore[arg-type]  # chosen by the fact's kind


def _hear_payout(posting: Posting, fact: PayoutSnapshot, account: Account) -> None:
    payout = next((one for one in posting.order.payouts if one.number == fact.number), None)
    payee = None if payout is None else payout.payee
    if payee is None or (payee.provider, payee.account) != (account.provider_id, account.name):
        raise OrphanError(
            f"{account.provider_id}/{account.name} reports payout {fact.number}, which was not made with it."
        )
    payout_facts.hear_payout(posting, fact, fact.number)


def _hear(posting: Posting, fact: Snapshot | RefundSnapshot, account: Account) -> None:
    refund = None if isinstance(fact, Snapshot) else foreign.known(posting.order, fact.number)
    number = fact.number if isinstance(fact, Snapshot) else fact.attempt_number
    number = number if refund is None else refund.attempt_number
    attempt = next((one for one in posting.order.attempts if one.number == number), None)
    if attempt is None:
        raise OrphanError(
            f"{account.provider_id}/{account.name} reports {fact.number} of no payment of ours."
        )
    if (attempt.provider, attempt.account) != (account.provider_id, account.name):
        raise OrphanError(
            f"{account.provider_id}/{account.name} reports {fact.number}, made with another account."
        )
    if isinstance(fact, Snapshot):
        facts.hear_payment(posting, fact, account)
    elif refund is not None:
        facts.hear_refund(posting, fact, refund.number)
    else:
        foreign.hear(posting, fact, attempt)
