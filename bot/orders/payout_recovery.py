"""Offers and payouts of a book that was set back: in the lost hours somebody may have claimed them, and been paid.

An offer that this book calls unclaimed is asked about, under its number, at every institution that could have paid it;
given back to its payer unasked, its money could be in both places.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import institution, payout_facts
from bot.orders.audit import Cause, CauseKind
from bot.orders.order import PAYOUT_IS_OPEN, Payee, Payout, PayoutState
from bot.orders.payouting import Payouting
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.schema import payouts
from bot.orders.table import PayoutEvent
from bot.orders.till import Till
from providers.sdk.results import NotFound, NotSent, PayoutSnapshot, Unknown

_LOST: Final = "(lost)"  # whose wallet it was; the institution knows it under our number
_WORDS: Final = "The book was restored from a backup: it may have been sent since."


async def open_payouts(connection: AsyncConnection) -> list[str]:
    """The numbers of all that is offered or on its way."""
    query = select(payouts.c.number).where(payouts.c.state.in_(PAYOUT_IS_OPEN)).order_by(payouts.c.number)
    return list(await connection.scalars(query))


class PayoutRecovery:
    """Asks about payouts while the till is closed."""

    def __init__(self, till: Till, payouting: Payouting) -> None:
        self._till = till
        self._payouting = payouting

    async def answered(self, number: str) -> bool:
        """Ask about one, and apply what is said; False when an institution that must know it did not answer."""
        order = await self._till.find_by_number(number)
        payout = order.payout(number)
        if payout.state is PayoutState.OFFERED:
            return await self._looked_for(payout, self._till.accounts.values())
        if payout.state is PayoutState.RESERVED:
            cause = Cause(CauseKind.HOUSE, "recovery")
            await self._till.change(order.id, cause, lambda posting: _may_have_been_sent(posting, number))
        return await self._payouting.ask(number)

    async def _looked_for(self, payout: Payout, accounts: Iterable[Account]) -> bool:
        """At every institution that pays out; the first that knows the number has paid it, or is about to."""
        for account in accounts:
            if not account.info.can_payout:
                continue
            answer = await institution.query_payout(account, payout)
            match answer:
                case PayoutSnapshot():
                    await self._adopt(payout, account, answer)
                    return True
                case NotSent() | Unknown():
                    return False
                case NotFound():
                    pass
        return True

    async def _adopt(self, payout: Payout, account: Account, fact: PayoutSnapshot) -> None:
        cause = Cause(CauseKind.QUERY, f"query:{payout.number}:recovery")
        await self._till.change(
            payout.order_id, cause, lambda posting: _claimed_there(posting, payout.number, account, fact)
        )


def _may_have_been_sent(posting: Posting, number: str) -> None:
    payout = posting.order.payout(number)
    if payout.state is PayoutState.RESERVED:
        sent = replace(payout, called_at=posting.now, sends=payout.sends + 2)
        posting.move_payout(sent, PayoutEvent.CALLED, _WORDS)


def _claimed_there(posting: Posting, number: str, account: Account, fact: PayoutSnapshot) -> None:
    """Written down as what it must have been: claimed, called, and as the institution says. Whose it is, is lost."""
    payout = posting.order.payout(number)
    if payout.state is not PayoutState.OFFERED:
        return
    payee = Payee(
        provider=account.provider_id, account=account.name, wallet=min(account.info.wallets), id=_LOST
    )
    claimed = replace(payout, payee=payee, claimed_at=posting.now, next_check_at=posting.now)
    posting.move_payout(claimed, PayoutEvent.CLAIMED, f"In the lost hours, at {account.info.name_en}")
    _may_have_been_sent(posting, number)
    payout_facts.hear_payout(posting, fact, number)
