"""What a verified word of an institution means for an order. Pure: facts in, events out.

A signature proves who speaks, not that they speak of this order. So merchant, amount and currency are compared with
our own book first, in this one place, whatever door the word came through.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.orders import schedule
from bot.orders.order import (
    ATTEMPT_HAS_MONEY,
    PAYER_IS_AT_IT,
    Attempt,
    AttemptState,
    Refund,
    RefundState,
)
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.table import AttemptEvent, RefundEvent
from providers.sdk.clock import BEIJING
from providers.sdk.interconnection import payers
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    RefundSnapshot,
    Returned,
    Snapshot,
    Unknown,
)
from providers.sdk.wallets import Wallet

_PAYER_SHOWN: Final = 4


def payment_doubt(fact: Snapshot, attempt: Attempt, merchant: str) -> str | None:
    """What does not match, in words; None when all does."""
    if fact.merchant != merchant:
        return f"Attempt {attempt.number} is reported for another merchant account."
    return _amount_doubt("Attempt", attempt.number, fact.amount, attempt.amount)


def refund_doubt(fact: RefundSnapshot, refund: Refund) -> str | None:
    """The same for a refund."""
    if fact.attempt_number != refund.attempt_number:
        return f"Refund {refund.number} is reported for another payment."
    return _amount_doubt("Refund", refund.number, fact.amount, refund.amount)


def hear_payment(posting: Posting, fact: Snapshot, account: Account) -> None:
    """A verified snapshot of one attempt, by notification, query or create."""
    attempt = posting.order.attempt(fact.number)
    doubt = payment_doubt(fact, attempt, account.merchant)
    if doubt is not None:
        posting.move_attempt(attempt, AttemptEvent.DOUBTED, doubt)
        return
    match fact.state:
        case Paid.PAID | Paid.REFUNDED:
            _hear_paid(posting, fact, attempt, account)
        case Paid.CLOSED:
            _hear_end(posting, attempt, AttemptEvent.CLOSED, fact.code)
        case Paid.FAILED:
            _hear_end(posting, attempt, AttemptEvent.DECLINED, fact.message or fact.code)
        case Paid.PAYING:
            _hear_paying(posting, attempt)
        case Paid.UNPAID:
            pass  # nothing new; the schedule goes on


def hear_create(
    posting: Posting,
    number: str,
    answer: Created | Snapshot | Declined | NotSent | Unknown,
    account: Account,
) -> None:
    """The answer to `create`. Anything odd leaves the attempt `unknown`, for the sweeper to ask."""
    attempt = replace(posting.order.attempt(number), heard_at=posting.now)
    match answer:
        case Created() if _showable(answer, account):
            posting.move_attempt(_with_code(attempt, answer), AttemptEvent.OPENED)
        case Created():
            posting.alert(f"{account.info.name_en} issued a code that is not its own; it was not shown.")
            _unsure(posting, replace(attempt, leaving=True), "A code with a strange beginning.")
        case Snapshot() if answer.number == number:
            hear_payment(posting, answer, account)
            _hear_undecided(posting, number, answer.code)
        case Snapshot():
            _unsure(posting, attempt, "The answer was about another number.")
        case Declined():
            _hear_declined(posting, attempt, answer)
        case NotSent() if attempt.sends == 1:
            unsent = replace(attempt, called_at=None, heard_at=None, sends=0, reason=answer.reason)
            posting.move_attempt(unsent, AttemptEvent.NOT_SENT, answer.reason)
        case NotSent() | Unknown():
            _unsure(posting, attempt, answer.reason)


def hear_query(
    posting: Posting, number: str, answer: Snapshot | NotFound | NotSent | Unknown, account: Account
) -> None:
    """The answer to `query`: apply it, and set the next check."""
    before = posting.order.attempt(number).state
    if isinstance(answer, Snapshot) and answer.number == number:
        hear_payment(posting, answer, account)
    attempt = posting.order.attempt(number)
    if attempt.state is not before or attempt.state in ATTEMPT_HAS_MONEY:
        return  # a new state has its own ladder, and is on its first rung
    checks = attempt.checks + 1
    at = schedule.next_attempt_check(
        attempt.state, checks, posting.order, posting.now, at_till=attempt.by_payer_code
    )
    posting.set_attempt(replace(attempt, checks=checks, next_check_at=at))


def hear_close(posting: Posting, number: str, answer: Closed | AlreadyPaid | NotSent | Unknown) -> None:
    """The answer to `close` of an attempt that is no longer wanted."""
    attempt = posting.order.attempt(number)
    match answer:
        case Closed():
            posting.move_attempt(replace(attempt, leaving=True), AttemptEvent.CLOSED, answer.code)
        case _ if attempt.open:
            at = _asked_again(posting, attempt, attempt.checks)
            posting.set_attempt(replace(attempt, leaving=True, next_check_at=at))


def hear_refund(posting: Posting, fact: RefundSnapshot, number: str) -> None:
    """A verified snapshot of the refund that has this number in our book, by notification, query or reply."""
    refund = posting.order.refund(number)
    doubt = refund_doubt(fact, refund)
    if doubt is not None:
        posting.move_refund(refund, RefundEvent.DOUBTED, doubt)
        return
    refund = replace(refund, provider_ref=fact.provider_ref or refund.provider_ref)
    match fact.state:
        case Returned.DONE:
            done = replace(refund, done_at=fact.done_at or posting.now)
            posting.move_refund(done, RefundEvent.DONE, fact.code)
        case Returned.FAILED:
            posting.move_refund(refund, RefundEvent.FAILED, f"Refund {refund.number} failed: {fact.code}")
        case Returned.PENDING | Returned.AWAITS_PAYEE if refund.state is not RefundState.SENT:
            posting.move_refund(refund, RefundEvent.ACCEPTED, fact.code)
        case Returned.PENDING | Returned.AWAITS_PAYEE:
            pass


def hear_refund_answer(
    posting: Posting, number: str, answer: RefundSnapshot | Declined | NotFound | NotSent | Unknown
) -> None:
    """The answer to `refund` or `query_refund`: apply it, and set the next check."""
    refund = posting.order.refund(number)
    match answer:
        case RefundSnapshot() if answer.number == refund.number_there:
            hear_refund(posting, answer, number)
        case Declined(reason=DeclineReason.BALANCE):
            later = replace(refund, next_check_at=schedule.after(posting.now, schedule.LOW_BALANCE_S))
            text = f"Refund {number} waits: the merchant's balance at the institution is too low."
            posting.move_refund(later, RefundEvent.BALANCE_LOW, text)
            return
        case Declined(reason=DeclineReason.CONFLICT):
            words = f"Refund {number} is known with other parameters: {answer.code} {answer.message}"
            posting.move_refund(refund, RefundEvent.DOUBTED, words)
        # A repeat is refused for good only when the first call can no longer be on its way.
        case Declined() if refund.sends == 1 or not schedule.recent(refund.called_at, posting.now):
            words = f"Refund {number} was refused: {answer.code} {answer.message}"
            posting.move_refund(refund, RefundEvent.FAILED, words)
        case NotSent() if refund.sends == 1:
            unsent = replace(refund, called_at=None, sends=0)
            posting.move_refund(unsent, RefundEvent.NOT_SENT, answer.reason)
        case NotSent() | Unknown() if refund.state is RefundState.UNKNOWN and not refund.checks:
            posting.move_refund(refund, RefundEvent.UNSURE, answer.reason)
    refund = posting.order.refund(number)
    if refund.next_check_at is not None:
        at = schedule.next_refund_check(refund.checks, posting.now)
        posting.set_refund(replace(refund, checks=refund.checks + 1, next_check_at=at))


def _amount_doubt(what: str, number: str, theirs: Money, ours: Money) -> str | None:
    return None if theirs == ours else f"{what} {number} is reported with {theirs}, our book says {ours}."


def _hear_paid(posting: Posting, fact: Snapshot, attempt: Attempt, account: Account) -> None:
    others = any(one.state is AttemptState.PAID for one in posting.order.attempts if one != attempt)
    event = AttemptEvent.OVERPAID if others else AttemptEvent.PAID
    paid = replace(
        attempt,
        provider_ref=fact.provider_ref or attempt.provider_ref,
        paid_at=fact.paid_at or posting.now,
        paid_wallet=fact.wallet or _unnamed(posting, attempt, account),
        payer=fact.payer[-_PAYER_SHOWN:],
    )
    note = f"Order {posting.order.id} was paid a second time; the refund is reserved." if others else ""
    posting.move_attempt(paid, event, note)
    if fact.state is Paid.REFUNDED and attempt.state not in ATTEMPT_HAS_MONEY:
        posting.alert(f"Attempt {attempt.number} was paid and refunded at the institution, not by us.")


def _hear_paying(posting: Posting, attempt: Attempt) -> None:
    """Whoever stands at the till is told once; the schedule goes on."""
    if attempt.by_payer_code and attempt.state is AttemptState.UNKNOWN and not attempt.entering_password:
        posting.move_attempt(replace(attempt, reason=PAYER_IS_AT_IT), AttemptEvent.UNSURE, PAYER_IS_AT_IT)


def _unnamed(posting: Posting, attempt: Attempt, account: Account) -> Wallet | None:
    """The payer's wallet where the institution names none: the one that was chosen, where that can be true.

    An institution of one wallet, whose codes others pay too, names its own. When it does not, it was one of the others,
    and only a choice of such a one says which.
    """
    info, day = account.info, posting.now.astimezone(BEIJING).date()
    if info.issuer is None or info.wallets != {attempt.wallet}:
        return attempt.wallet
    return attempt.wallet if payers(info.issuer, day) == (attempt.wallet,) else None


def _hear_end(posting: Posting, attempt: Attempt, event: AttemptEvent, words: str) -> None:
    """Repeats of an end we know are not news; a paid attempt that is reported ended is."""
    if attempt.state in ATTEMPT_HAS_MONEY:
        posting.move_attempt(
            attempt, event, f"Attempt {attempt.number} is paid, but is now reported {event}."
        )
    elif attempt.open:
        posting.move_attempt(replace(attempt, reason=words), event, words)


def _hear_declined(posting: Posting, attempt: Attempt, answer: Declined) -> None:
    words = f"{answer.code} {answer.message}".strip()
    attempt = replace(attempt, reason=words)
    match answer.reason:
        case DeclineReason.CONFLICT:
            note = f"{attempt.number} is known to the institution with other parameters: {words}"
            posting.move_attempt(attempt, AttemptEvent.DOUBTED, note)
        case DeclineReason.ALREADY_PAID:
            _unsure(posting, attempt, words)
        case _ if attempt.sends > 1:  # an earlier call under this number may have been taken
            _unsure(posting, attempt, words)
        case _:
            if answer.reason is DeclineReason.MISCONFIGURED:
                posting.alert(f"{attempt.provider}/{attempt.account} refuses our account: {words}")
            posting.move_attempt(attempt, AttemptEvent.DECLINED, words)


def _hear_undecided(posting: Posting, number: str, words: str) -> None:
    """The call is answered, and decides nothing yet."""
    attempt = replace(posting.order.attempt(number), heard_at=posting.now)
    if attempt.entering_password:
        soon = _asked_again(posting, attempt)
        posting.set_attempt(replace(attempt, checks=0, next_check_at=soon))
    elif attempt.state is AttemptState.UNKNOWN:
        _unsure(posting, attempt, words)


def _unsure(posting: Posting, attempt: Attempt, words: str) -> None:
    unsure = replace(attempt, reason=words, checks=0, next_check_at=_asked_again(posting, attempt))
    posting.move_attempt(unsure, AttemptEvent.UNSURE, words)


def _asked_again(posting: Posting, attempt: Attempt, checks: int = 0) -> datetime | None:
    return schedule.next_attempt_check(
        AttemptState.UNKNOWN, checks, posting.order, posting.now, at_till=attempt.by_payer_code
    )


def _showable(created: Created, account: Account) -> bool:
    prefixes = account.info.code_prefixes
    return created.code is None or not prefixes or created.code.startswith(prefixes)


def _with_code(attempt: Attempt, created: Created) -> Attempt:
    return replace(
        attempt,
        code=created.code,
        link=created.link,
        in_app=created.in_app,
        invoice=created.invoice,
        provider_ref=created.provider_ref,
        memo=created.memo,
        usable_until=created.usable_until,
        reason="",
    )
