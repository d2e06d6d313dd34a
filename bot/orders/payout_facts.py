"""What a verified word of an institution means for a payout. Pure, as `facts.py` is for payments and refunds.

Money that leaves is the one thing that cannot be asked back. So a payout is believed to have failed only on a word that
no call of ours can still contradict.
"""

from dataclasses import replace

from bot.orders import schedule
from bot.orders.order import Payout, PayoutState
from bot.orders.posting import Posting
from bot.orders.table import PayoutEvent
from providers.sdk.results import (
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    PayoutSnapshot,
    Returned,
    Unknown,
)

Answer = PayoutSnapshot | Declined | NotFound | NotSent | Unknown


def hear_payout(posting: Posting, fact: PayoutSnapshot, number: str) -> None:
    """A verified snapshot of the payout of that number, by notification, query or reply."""
    payout = posting.order.payout(number)
    if fact.amount != payout.amount:
        words = f"Payout {number} is reported with {fact.amount}, our book says {payout.amount}."
        posting.move_payout(payout, PayoutEvent.DOUBTED, words)
        return
    payout = replace(
        payout,
        provider_ref=fact.provider_ref or payout.provider_ref,
        confirm=dict(fact.confirm) or payout.confirm,
        called_at=payout.called_at or posting.now,
    )
    match fact.state:
        case Returned.DONE:
            done = replace(payout, confirm=None, done_at=payout.done_at or posting.now)
            posting.move_payout(done, PayoutEvent.DONE, fact.code)
        case Returned.FAILED:
            posting.move_payout(replace(payout, confirm=None), PayoutEvent.FAILED, fact.code)
        case Returned.AWAITS_PAYEE if payout.state is PayoutState.AWAITS_PAYEE:
            posting.set_payout(payout)
        case Returned.AWAITS_PAYEE:
            posting.move_payout(payout, PayoutEvent.AWAITS_PAYEE, fact.code)
        case Returned.PENDING if payout.state is not PayoutState.SENT:
            posting.move_payout(payout, PayoutEvent.ACCEPTED, fact.code)
        case Returned.PENDING:
            pass


def hear_payout_answer(posting: Posting, number: str, answer: Answer) -> None:
    """The answer to `payout` or `query_payout`: apply it, and set the next check."""
    payout = posting.order.payout(number)
    match answer:
        case PayoutSnapshot() if answer.number == number:
            hear_payout(posting, answer, number)
        case Declined(reason=DeclineReason.BALANCE) if payout.state is PayoutState.UNKNOWN:
            _wait_for_balance(posting, payout)
            return
        case Declined(reason=DeclineReason.CONFLICT):
            words = f"Payout {number} is known with other parameters: {answer.code} {answer.message}"
            posting.move_payout(payout, PayoutEvent.DOUBTED, words)
        case Declined() if payout.sends == 1:  # on a repeat, only a query can tell; see `hear_refused_repeat`
            if answer.reason is DeclineReason.MISCONFIGURED:
                posting.alert(f"Payouts are refused by our institution: {answer.code} {answer.message}")
            posting.move_payout(payout, PayoutEvent.FAILED, _words(answer))
        case NotSent() if payout.sends == 1:
            unsent = replace(payout, called_at=None, sends=0)
            posting.move_payout(unsent, PayoutEvent.NOT_SENT, answer.reason)
    _schedule(posting, number)


def hear_refused_repeat(posting: Posting, number: str, refusal: Declined) -> None:
    """A repeat was refused, the institution was asked after it, and it has no such number: it never was.

    Only once the first call can no longer be on its way.
    """
    payout = posting.order.payout(number)
    if payout.state is PayoutState.UNKNOWN and not schedule.recent(payout.called_at, posting.now):
        posting.move_payout(payout, PayoutEvent.FAILED, _words(refusal))


def _wait_for_balance(posting: Posting, payout: Payout) -> None:
    later = replace(payout, next_check_at=schedule.after(posting.now, schedule.LOW_BALANCE_S))
    if payout.sends == 1:
        later = replace(later, called_at=None, sends=0)  # definitely not done
    text = f"Payout {payout.number} waits: the merchant's balance at the institution is too low."
    posting.move_payout(later, PayoutEvent.BALANCE_LOW, text)


def _schedule(posting: Posting, number: str) -> None:
    payout = posting.order.payout(number)
    if payout.next_check_at is not None:
        at = schedule.next_payout_check(payout.checks, posting.now)
        posting.set_payout(replace(payout, checks=payout.checks + 1, next_check_at=at))


def _words(refusal: Declined) -> str:
    return f"{refusal.code} {refusal.message}".strip()
