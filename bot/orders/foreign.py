"""Refunds that were made at the institution, in its own console, and not by us. Pure.

They arrive under a number we never drew, and name a payment we know. Such a refund is written down under a number of
ours, with theirs as its `refund_key`, and from then on it is a refund like every other: booked, counted, told.
"""

from typing import Final

from bot.orders import facts, schedule
from bot.orders.order import ATTEMPT_HAS_MONEY, FOREIGN, Attempt, Order, Refund, RefundState
from bot.orders.posting import Posting
from providers.sdk.results import RefundSnapshot, Returned

_ACTOR: Final = "institution"
_REASON: Final = "Made at the institution, not by us."


class TooEarlyError(Exception):
    """The book has no room for it yet: its payment is not known as paid, or what is left of it is reserved. Try later."""


def known(order: Order, number_there: str) -> Refund | None:
    """The refund that the institution calls so, ours or its own."""
    return next((one for one in order.refunds if one.number_there == number_there), None)


def hear(posting: Posting, fact: RefundSnapshot, attempt: Attempt) -> None:
    """A verified word about a refund that is not in the book, of a payment that is. Raises `TooEarlyError`."""
    if fact.state is Returned.FAILED:
        posting.note(attempt.number, "refund_failed_there", f"{fact.number} of {fact.amount}: {fact.code}")
        return
    if fact.amount.currency != attempt.amount.currency or not fact.amount:
        words = f"Refund {fact.number} of {fact.amount} is reported for a payment of {attempt.amount}."
        posting.note(attempt.number, "doubted", words)
        posting.alert(words)
        return
    left = attempt.amount.minor - attempt.refunding_minor
    if attempt.state not in ATTEMPT_HAS_MONEY or fact.amount.minor > left:
        raise TooEarlyError(
            f"Refund {fact.number} of {fact.amount} was made at the institution, but attempt {attempt.number} is "
            f"{attempt.state} here with {left} minor units left. Compare with the institution's console."
        )
    refund = _written_down(posting, fact, attempt)
    posting.add_refund(refund, event="imported")
    posting.alert(f"Refund {fact.number} of {fact.amount} was made at the institution, not by us.")
    facts.hear_refund(posting, fact, refund.number)


def _written_down(posting: Posting, fact: RefundSnapshot, attempt: Attempt) -> Refund:
    return Refund(
        number=posting.draw_number(),
        order_id=posting.order.id,
        attempt_number=attempt.number,
        amount=fact.amount,
        reason=_REASON,
        actor=_ACTOR,
        refund_key=f"{FOREIGN}{fact.number}",
        state=RefundState.SENT,
        created_at=posting.now,
        provider_ref=fact.provider_ref,
        next_check_at=schedule.next_refund_check(0, posting.now),
    )
