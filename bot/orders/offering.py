"""What an offer does to the order it is made of. Pure: the effects of payouts, for `Posting` to carry out.

Whatever takes money out of an offer puts it elsewhere in the same change: into the ledger, into the next offer of the
claim, or into a refund.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bot.orders.ledger import payout_lines, released_lines, reserved_lines
from bot.orders.order import Attempt, Payout, PayoutState, RefundWish
from bot.orders.table import Effect
from miniprograms.sdk.payout import PayoutStatus

if TYPE_CHECKING:
    from bot.orders.posting import Posting

_TELLS: Final[Mapping[Effect, PayoutStatus]] = {
    Effect.TELL_CLAIMED: PayoutStatus.CLAIMED,
    Effect.TELL_PAID_OUT: PayoutStatus.PAID,
    Effect.TELL_RETURNED: PayoutStatus.RETURNED,
}


def add_payout(posting: "Posting", payout: Payout, detail: str = "") -> None:
    """A new offer, its amount reserved of the attempt's budget. The store checks the budget once more."""
    attempt = posting.order.attempt(payout.attempt_number)
    posting.set_attempt(replace(attempt, refunding_minor=attempt.refunding_minor + payout.amount.minor))
    posting.order = replace(posting.order, payouts=(*posting.order.payouts, payout))
    posting.lines.extend(reserved_lines(posting.order, payout))
    posting.note_offer(payout, f"{payout.amount} {detail}".strip())
    posting.tell_payout(payout, PayoutStatus.OPEN, detail)


def carry_out(posting: "Posting", effect: Effect, payout: Payout, note: str) -> None:
    """An effect of the table."""
    attempt = posting.order.attempt(payout.attempt_number)
    match effect:
        case Effect.BOOK_PAYOUT:
            posting.lines.extend(payout_lines(payout))
        case Effect.RELEASE:
            left = attempt.refunding_minor - payout.amount.minor
            posting.set_attempt(replace(attempt, refunding_minor=left))
            posting.lines.extend(released_lines(posting.order, payout))
        case Effect.GIVE_BACK:
            _give_back(posting, attempt, payout, note)
        case Effect.OFFER_AGAIN if posting.now < payout.claim_until:
            add_payout(posting, _offered_again(payout, posting.draw_number(), posting.now), note)
        case Effect.OFFER_AGAIN:
            _give_back(posting, attempt, payout, note)
            posting.tell_payout(payout, PayoutStatus.RETURNED, note)
        case _ if effect in _TELLS:
            detail = note if effect is Effect.TELL_RETURNED else ""
            posting.tell_payout(payout, _TELLS[effect], detail)


def _give_back(posting: "Posting", attempt: Attempt, payout: Payout, why: str) -> None:
    wish = RefundWish(
        amount=payout.amount, reason=why, actor="house", refund_key=f"unclaimed:{payout.number}"
    )
    posting.reserve(attempt, payout.amount, wish)


def _offered_again(payout: Payout, number: str, now: datetime) -> Payout:
    """The same claim under a number that nobody has heard of."""
    return replace(
        payout,
        number=number,
        state=PayoutState.OFFERED,
        created_at=now,
        payee=None,
        claimed_at=None,
        confirm=None,
        called_at=None,
        sends=0,
        provider_ref="",
        next_check_at=payout.claim_until,
        checks=0,
        note="",
    )
