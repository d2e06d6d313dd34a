"""Money out: offered of a paid order, claimed once, sent under a number that stays; or, unclaimed, back to the payer.

The amount is held from the offer on, in the budget that refunds of the payment share, so it is never in two places:
whatever moves it out of an offer moves it into a refund, or into the next offer, in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import institution, payout_facts, rows, schedule
from bot.orders.answers import PayoutRefusedError, Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.numbers import new_token
from bot.orders.offering import add_payout
from bot.orders.order import (
    Attempt,
    AttemptState,
    Order,
    Payee,
    Payout,
    PayoutDraft,
    PayoutState,
    Withdrawal,
)
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.schema import orders, payouts
from bot.orders.table import PayoutEvent
from bot.orders.till import Till, UnknownOrderError
from miniprograms.sdk.payout import PayoutStatus
from providers.sdk.money import Money
from providers.sdk.results import Declined, NotFound, NotSent, PayoutSnapshot, Unknown
from providers.sdk.wallets import Wallet

_DAY: Final = timedelta(days=1)
_OVER: Final = (PayoutState.FAILED, PayoutState.WITHDRAWN)
_STATUS: Final = {
    PayoutState.OFFERED: PayoutStatus.OPEN,
    PayoutState.DONE: PayoutStatus.PAID,
    PayoutState.WITHDRAWN: PayoutStatus.RETURNED,
    PayoutState.FAILED: PayoutStatus.RETURNED,  # the newest of its claim: otherwise it were offered again
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLimits:
    """Against abuse, in minor units: of one offer, and of what one person offers or one payee claims in 24 hours."""

    each_minor: int = 2_000_00
    day_minor: int = 5_000_00


def payout_status(payout: Payout) -> PayoutStatus:
    """The newest payout of a claim, in the words of mini programs."""
    return _STATUS.get(payout.state, PayoutStatus.CLAIMED)


class Payouting:
    """Offers, withdraws, sends and asks about payouts."""

    def __init__(self, till: Till, limits: PayoutLimits) -> None:
        self._till = till
        self._limits = limits

    async def offer(self, drafts: Sequence[PayoutDraft]) -> None:
        """See `Checkout.offer_payouts`."""

        async def transaction(connection: AsyncConnection) -> None:
            for draft in drafts:
                await self._offer(connection, draft)

        await self._till.book.write(transaction)
        self._till.bell.ring()

    async def withdraw(self, asked: Withdrawal) -> None:
        """See `Checkout.withdraw_payout`."""
        order = await self.find(claim_id=asked.claim_id)
        if order is None or (order.app_id, order.user_id) != (asked.app_id, asked.user_id):
            raise PayoutRefusedError(f"There is no claim {asked.claim_id} of this person.")
        cause = Cause(CauseKind.PAYER, f"user:{asked.user_id}")
        await self._till.change(order.id, cause, lambda posting: _take_back(posting, asked.claim_id))

    async def find(self, *, claim_id: str = "", token: str = "") -> Order | None:
        """The order of a claim."""

        async def query(connection: AsyncConnection) -> Order | None:
            return await rows.find_by_claim(connection, claim_id=claim_id, token=token)

        return await self._till.book.read(query)

    def accounts_for(self, amount: Money) -> dict[Wallet, Account]:
        """The wallets that this amount can be paid into, each with the account that does it, in the house's order."""
        found: dict[Wallet, Account] = {}
        for account in self._till.accounts.values():
            if _pays_out(account, amount):
                found |= {wallet: account for wallet in account.info.wallets if wallet not in found}
        return {wallet: found[wallet] for wallet in Wallet if wallet in found}

    async def room(self, user_id: int, currency: str) -> Money:
        """How much that person may still offer now."""

        async def query(connection: AsyncConnection) -> int:
            return await self._room(connection, user_id, currency)

        return Money(max(0, await self._till.book.read(query)), currency)

    async def claim(self, token: str, payee: Payee) -> Payout | Refused:
        """See `Checkout.claim_payout`."""
        found = await self.find(token=token)
        if found is None:
            return Refused(Why.UNKNOWN_ORDER)
        order_id, currency = found.id, found.amount.currency
        cause = Cause(CauseKind.PAYER, f"payee:{payee.provider}/{payee.account}")

        async def transaction(connection: AsyncConnection) -> tuple[Order, str | Refused]:
            gone_out = await self._claimed_lately(connection, payee, currency)
            room = self._limits.day_minor - gone_out
            return await self._till.change_in(
                connection, order_id, cause, lambda posting: _claim(posting, token, payee, room)
            )

        async with self._till.hold(order_id):
            order, number = await self._till.book.write(transaction)
            self._till.bell.ring()
            if isinstance(number, Refused):
                return replace(number, order=order)
            payout = order.payout(number)
            return payout if payout.called_at or payout.sends else await self._send(order.id, number)

    async def check(self, number: str) -> None:
        """The sweeper's call: give back what nobody claimed, send what was claimed, ask about what was sent."""
        found = await self._till.find_by_number(number)
        async with self._till.hold(found.id):
            order = await self._till.find_by_number(number)
            payout = order.payout(number)
            if payout.next_check_at is None:
                return  # settled while it stood in the queue
            account = self._account_of(payout)
            if payout.state is PayoutState.OFFERED or _in_vain(payout, self._till.clock.now()):
                await self._expire(payout)
            elif payout.state is PayoutState.RESERVED or account is None:
                await self._send(order.id, number)
            else:
                await self._follow(account, payout)

    async def ask(self, number: str) -> bool:
        """Ask the institution about a payout and apply the answer; whether there was one. Nothing is sent."""
        order = await self._till.find_by_number(number)
        async with self._till.hold(order.id):
            payout = order.payout(number)
            account = self._account_of(payout)
            if account is None:
                return False
            return not isinstance(await self._ask(account, payout), NotSent | Unknown)

    async def _follow(self, account: Account, payout: Payout) -> None:
        answer = await self._ask(account, payout)
        lost = isinstance(answer, NotFound) and payout.state is PayoutState.UNKNOWN
        if lost and not schedule.recent(payout.called_at, self._till.clock.now()):
            await self._send(payout.order_id, payout.number)
        order = await self._till.find_by_number(payout.number)
        now = order.payout(payout.number)
        if now.state is PayoutState.AWAITS_PAYEE and now.confirm is None:
            await self._send(payout.order_id, payout.number)

    async def _ask(self, account: Account, payout: Payout) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        answer = await institution.query_payout(account, payout)
        # That the question never left says nothing about the payout itself.
        heard = Unknown(answer.reason) if isinstance(answer, NotSent) else answer
        cause = Cause(CauseKind.QUERY, f"query:{payout.number}:{payout.checks + 1}")
        await self._till.change(
            payout.order_id,
            cause,
            lambda posting: payout_facts.hear_payout_answer(posting, payout.number, heard),
        )
        return answer

    async def _send(self, order_id: str, number: str) -> Payout:
        """Mark it as called, call, store what was answered. The same number with the same words is one payout there."""
        cause = Cause(CauseKind.HOUSE, f"payout:{number}")
        order, account = await self._till.change(
            order_id, cause, lambda posting: self._mark_called(posting, number)
        )
        payout = order.payout(number)
        if account is None:
            return payout
        answer = await institution.payout(account, payout)
        reply = Cause(CauseKind.REPLY, f"payout:{number}:{payout.sends}")
        order, _ = await self._till.change(
            order_id, reply, lambda posting: payout_facts.hear_payout_answer(posting, number, answer)
        )
        if isinstance(answer, Declined) and order.payout(number).state is PayoutState.UNKNOWN:
            await self._settle_refusal(account, order.payout(number), answer)
            order = await self._till.find_by_number(number)
        return order.payout(number)

    async def _settle_refusal(self, account: Account, payout: Payout, refusal: Declined) -> None:
        if isinstance(await self._ask(account, payout), NotFound):
            cause = Cause(CauseKind.QUERY, f"refused:{payout.number}:{payout.sends}")
            await self._till.change(
                payout.order_id,
                cause,
                lambda posting: payout_facts.hear_refused_repeat(posting, payout.number, refusal),
            )

    async def _expire(self, payout: Payout) -> None:
        def work(posting: Posting) -> None:
            known = posting.order.payout(payout.number)
            if self._till.closed:  # somebody may have been paid in the hours that this book has lost
                posting.set_payout(
                    replace(known, next_check_at=schedule.after(posting.now, schedule.IN_FLIGHT_S))
                )
            elif known.state is PayoutState.OFFERED and posting.now >= known.claim_until:
                posting.move_payout(known, PayoutEvent.WITHDRAWN, "Nobody claimed it in time")
            elif _in_vain(known, posting.now):
                posting.move_payout(known, PayoutEvent.WITHDRAWN, "It could not be paid out in time")

        await self._till.change(payout.order_id, Cause(CauseKind.HOUSE, f"claim:{payout.number}"), work)

    def _mark_called(self, posting: Posting, number: str) -> Account | None:
        payout = posting.order.payout(number)
        if payout.state not in {PayoutState.RESERVED, PayoutState.UNKNOWN, PayoutState.AWAITS_PAYEE}:
            return None
        account, later = self._account_of(payout), schedule.after(posting.now, schedule.IN_FLIGHT_S)
        if self._till.closed:
            posting.set_payout(replace(payout, next_check_at=later))
            return None
        if account is None:
            posting.alert(f"Payout {number} waits: its account is no longer configured.")
            posting.set_payout(replace(payout, next_check_at=later))
            return None
        called = replace(
            payout,
            called_at=payout.called_at or posting.now,
            sends=payout.sends + 1,
            next_check_at=later,
        )
        posting.move_payout(called, PayoutEvent.CALLED, f"send {called.sends}")
        return account

    def _account_of(self, payout: Payout) -> Account | None:
        payee = payout.payee
        return None if payee is None else self._till.accounts.get((payee.provider, payee.account))

    # --- offers

    async def _offer(self, connection: AsyncConnection, draft: PayoutDraft) -> None:
        room = await self._room(connection, draft.user_id, draft.offer.amount.currency)
        cause = Cause(CauseKind.PAGE, f"{draft.app_id}:{draft.offer.payout_key}")
        work: Callable[[Posting], None] = lambda posting: self._write_down(posting, draft, room)  # noqa: E731  # named for its type
        try:
            await self._till.change_in(connection, draft.offer.order_id, cause, work)
        except UnknownOrderError as error:
            raise PayoutRefusedError(str(error)) from error

    def _write_down(self, posting: Posting, draft: PayoutDraft, room_minor: int) -> None:
        order, offer = posting.order, draft.offer
        attempt = self._payable_from(order, draft)
        known = next((one for one in reversed(order.payouts) if one.payout_key == offer.payout_key), None)
        if known is not None:
            posting.tell_payout(known, payout_status(known), again=True)
            return
        if offer.amount.minor > attempt.amount.minor - attempt.refunding_minor:
            raise PayoutRefusedError(f"Less than {offer.amount} is left of the payment of {attempt.amount}.")
        payout = self._new(posting, attempt, draft)
        add_payout(posting, payout)
        if offer.amount.minor > room_minor:  # the money is here already, so it goes back instead of staying
            posting.move_payout(payout, PayoutEvent.WITHDRAWN, "limit")

    def _payable_from(self, order: Order, draft: PayoutDraft) -> Attempt:
        if (order.app_id, order.user_id) != (draft.app_id, draft.user_id):
            raise PayoutRefusedError(f"Order {order.id} is not one of this person in this program.")
        attempt = next((one for one in order.attempts if one.state is AttemptState.PAID), None)
        if attempt is None or draft.offer.amount.currency != attempt.amount.currency:
            raise PayoutRefusedError(f"Order {order.id} has no payment that could be paid out.")
        account = self._till.account_of(attempt)
        if account is None or account.info.refund_window is None:
            raise PayoutRefusedError(f"What {attempt.provider} takes cannot go back, so it is not offered.")
        return attempt

    def _new(self, posting: Posting, attempt: Attempt, draft: PayoutDraft) -> Payout:
        offer, until = draft.offer, schedule.after(posting.now, draft.offer.expires_after_s)
        return Payout(
            number=posting.draw_number(),
            order_id=posting.order.id,
            attempt_number=attempt.number,
            amount=offer.amount,
            title=offer.title,
            page=offer.page,
            actor=f"user:{draft.user_id}",
            payout_key=offer.payout_key,
            claim_id=new_token(self._till.random),
            claim_token=new_token(self._till.random),
            claim_until=until,
            for_open_id=offer.for_open_id,
            state=PayoutState.OFFERED,
            created_at=posting.now,
            next_check_at=until,
        )

    async def _room(self, connection: AsyncConnection, user_id: int, currency: str) -> int:
        mine = payouts.c.order_id.in_(select(orders.c.id).where(orders.c.user_id == user_id))
        offered = await self._sum(connection, currency, mine, payouts.c.created_at >= self._yesterday())
        return min(self._limits.each_minor, self._limits.day_minor - offered)

    async def _claimed_lately(self, connection: AsyncConnection, payee: Payee, currency: str) -> int:
        theirs = (payouts.c.provider == payee.provider) & (payouts.c.payee == payee.id)
        return await self._sum(connection, currency, theirs, payouts.c.claimed_at >= self._yesterday())

    async def _sum(self, connection: AsyncConnection, currency: str, *which: ColumnElement[bool]) -> int:
        counted = (payouts.c.currency == currency, payouts.c.state.not_in(_OVER))
        query = select(func.coalesce(func.sum(payouts.c.amount_minor), 0)).where(*counted, *which)
        return int(await connection.scalar(query) or 0)

    def _yesterday(self) -> datetime:
        return self._till.clock.now() - _DAY


def _pays_out(account: Account, amount: Money) -> bool:
    """It does such payouts, and it is set up to learn who claims one."""
    info = account.info
    if not (info.can_payout and info.identifies and amount.currency in info.currencies):
        return False
    within = info.payout_min_minor <= amount.minor <= info.payout_max_minor
    return within and bool(institution.authorize_url(account, "state", account.notify_url))


def _in_vain(payout: Payout, now: datetime) -> bool:
    """Claimed, but its time is over and nothing that could still pay it has ever left."""
    return payout.state is PayoutState.RESERVED and payout.called_at is None and now >= payout.claim_until


def _take_back(posting: Posting, claim_id: str) -> None:
    payout = posting.order.claim(claim_id)
    if payout.state is PayoutState.OFFERED:
        posting.move_payout(payout, PayoutEvent.WITHDRAWN, "Taken back by the payer")
    else:
        posting.tell_payout(payout, payout_status(payout), again=True)


def _claim(posting: Posting, token: str, payee: Payee, room_minor: int) -> str | Refused:
    payout = next(one for one in reversed(posting.order.payouts) if one.claim_token == token)
    if payout.payee == payee and payout.state is not PayoutState.FAILED:
        return payout.number  # the same person again
    if not payout.claimable(posting.now):
        return Refused(Why.NOT_CLAIMABLE, f"Claim {payout.claim_id} is {payout.state}.")
    if payout.amount.minor > room_minor:
        left = Money(max(0, room_minor), payout.amount.currency)
        return Refused(Why.LIMIT, f"This payee can claim {left} more today.")
    claimed = replace(payout, payee=payee, claimed_at=posting.now, next_check_at=posting.now)
    posting.move_payout(claimed, PayoutEvent.CLAIMED, f"{payee.wallet}, {payee.provider}/{payee.account}")
    return payout.number
