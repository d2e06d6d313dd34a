"""The whole story of an order in plain words, for the person who must answer for it. Pure: paperwork in, lines out.

Times are Beijing's, as on every statement. Words of others (titles, reasons, notes) lose what a terminal would obey.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.orders.audit import CauseKind, Entry
from bot.orders.order import Attempt, Order, Payout, Refund
from bot.orders.table import AttemptEvent, OrderEvent, PayoutEvent, RefundEvent
from providers.sdk.clock import beijing

_TIME: Final = "%Y-%m-%d %H:%M:%S"

_OF_ORDER: Final[Mapping[str, str]] = {
    OrderEvent.PLACED: "was placed",
    OrderEvent.ASKED_AGAIN: "was asked for again by its page",
    OrderEvent.UNPAYABLE: "can be taken by no account",
    OrderEvent.CHANGED: "has news for the payer",
    OrderEvent.UNSURE: "waits: nobody knows yet what became of the call",
    OrderEvent.PAID: "is paid",
    OrderEvent.PAID_AGAIN: "was paid a second time",
    OrderEvent.EXPIRED: "expired unpaid",
    OrderEvent.CANCELLED: "was cancelled",
    OrderEvent.FAILED: "failed",
    OrderEvent.DOUBTED: "is in doubt: what was reported does not match",
    OrderEvent.REFUNDED_PART: "is partly refunded",
    OrderEvent.REFUNDED_ALL: "is refunded",
    "ending": "is being brought to its end",
    "settling": "is looked into by an operator; the institution is asked",
    "earned": "has been told to its page",
    "refund_refused": "was asked back by a program, and refused",
}
_OF_ATTEMPT: Final[Mapping[str, str]] = {
    AttemptEvent.REPOINTED: "was turned to another institution before anything was sent",
    AttemptEvent.CALLED: "is being sent to the institution",
    AttemptEvent.NOT_SENT: "never left the house",
    AttemptEvent.UNSURE: "got no clear answer; the institution will be asked",
    AttemptEvent.OPENED: "is open at the institution",
    AttemptEvent.PAID: "is paid",
    AttemptEvent.OVERPAID: "was paid although the order already was; all of it goes back",
    AttemptEvent.CLOSED: "is closed",
    AttemptEvent.DECLINED: "was declined",
    AttemptEvent.DOUBTED: "is in doubt: what was reported does not match",
    "added": "was written down",
}
_OF_REFUND: Final[Mapping[str, str]] = {
    RefundEvent.CALLED: "is being sent to the institution",
    RefundEvent.NOT_SENT: "never left the house",
    RefundEvent.BALANCE_LOW: "waits for the merchant's balance",
    RefundEvent.UNSURE: "got no clear answer; the institution will be asked",
    RefundEvent.ACCEPTED: "was accepted by the institution",
    RefundEvent.DONE: "is done: the money is back",
    RefundEvent.FAILED: "failed",
    RefundEvent.DOUBTED: "is in doubt: what was reported does not match",
    "reserved": "was reserved of the payment",
    "imported": "was made at the institution, not by us, and is written down",
}
_OF_PAYOUT: Final[Mapping[str, str]] = {
    "offered": "was offered: the amount is held until somebody claims it",
    PayoutEvent.CLAIMED: "was claimed",
    PayoutEvent.WITHDRAWN: "was withdrawn: the amount goes back to the payer",
    PayoutEvent.CALLED: "is being sent to the institution",
    PayoutEvent.NOT_SENT: "never left the house",
    PayoutEvent.BALANCE_LOW: "waits for the merchant's balance",
    PayoutEvent.ACCEPTED: "was accepted by the institution",
    PayoutEvent.AWAITS_PAYEE: "waits for the payee to confirm it in the wallet",
    PayoutEvent.DONE: "is done: the payee has the money",
    PayoutEvent.FAILED: "failed: no money has left",
    PayoutEvent.DOUBTED: "is in doubt: what was reported does not match",
}
_WHOSE_WORD: Final[Mapping[CauseKind, str]] = {
    CauseKind.NOTIFICATION: "The institution told us",
    CauseKind.QUERY: "We asked",
    CauseKind.REPLY: "The answer to our call",
    CauseKind.PAYER: "The payer's wish",
    CauseKind.PAGE: "The page's wish",
    CauseKind.OPERATOR: "An operator's word",
    CauseKind.HOUSE: "The house's own bookkeeping",
}


def told(order: Order, entries: Sequence[Entry]) -> Iterator[str]:
    """Line by line: what it is, who tried to pay it, what went back or out, and everything that happened."""
    yield f"Order {order.id}: {order.amount} for “{plain(order.title)}”"
    yield f"  state       {order.state}" + (f", being led to {order.ending}" if order.ending else "")
    yield f"  asked by    {order.app_id} ({order.page}), key {plain(order.order_key)}"
    yield f"  for         user {order.user_id} in chat {order.chat_id}"
    yield f"  placed      {at(order.created_at)}, payable until {at(order.expires_at)}"
    if order.paid_at is not None:
        yield f"  paid        {at(order.paid_at)}"
    for n, attempt in enumerate(order.attempts, 1):
        yield from _attempt(n, attempt)
    for n, refund in enumerate(order.refunds, 1):
        yield from _refund(n, refund)
    for n, payout in enumerate(order.payouts, 1):
        yield from _payout(n, payout)
    names = _names(order)
    yield "What happened (Beijing time)"
    for entry in entries:
        yield from _happened(entry, *names.get(entry.subject, (entry.subject, {})))


def row(order: Order) -> str:
    """An order on one line."""
    paid = next((one for one in order.attempts if one.paid_at is not None), None)
    through = f"{paid.provider}/{paid.account}" if paid else "-"
    title = plain(order.title)
    return (
        f"{order.id}  {at(order.created_at)}  {order.state:<15}  {order.amount!s:>12}  "
        f"{through:<16}  {order.app_id}: {title}"
    )


def at(moment: datetime | None) -> str:
    """Beijing's wall clock, or a dash."""
    return "-" if moment is None else beijing(moment, _TIME)


def plain(text: str) -> str:
    """Without what would move a terminal's cursor, colour it, or turn its writing round."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _attempt(n: int, attempt: Attempt) -> Iterator[str]:
    yield f"Attempt {n}: {attempt.number}"
    way = attempt.way.replace("_", " ")
    yield f"  through     {attempt.provider}/{attempt.account} by {way}, for {attempt.wallet}"
    yield f"  state       {attempt.state}, sent {attempt.sends} times" + _reason(attempt.reason)
    if attempt.paid_at is not None:
        used = attempt.paid_wallet or "a wallet that the institution does not name"
        yield f"  paid        {at(attempt.paid_at)} with {used}, {attempt.amount}"
        yield f"  going back  {attempt.refunding_minor} of {attempt.amount.minor} minor units"
    if attempt.provider_ref:
        yield f"  theirs      {plain(attempt.provider_ref)}"
    if attempt.next_check_at is not None:
        yield f"  next asked  {at(attempt.next_check_at)}"


def _refund(n: int, refund: Refund) -> Iterator[str]:
    yield f"Refund {n}: {refund.number}, {refund.amount}"
    yield f"  because     {plain(refund.reason) or '-'} ({plain(refund.actor)})"
    yield f"  state       {refund.state}, sent {refund.sends} times" + _reason(refund.note)
    if refund.done_at is not None:
        yield f"  done        {at(refund.done_at)}"
    if refund.provider_ref:
        yield f"  theirs      {plain(refund.provider_ref)}"
    if refund.next_check_at is not None:
        yield f"  next asked  {at(refund.next_check_at)}"


def _payout(n: int, payout: Payout) -> Iterator[str]:
    payee = payout.payee
    yield f"Payout {n}: {payout.number}, {payout.amount}"
    yield f"  for         “{plain(payout.title)}”, claim {payout.claim_id} until {at(payout.claim_until)}"
    if payee is not None:
        yield f"  claimed     {at(payout.claimed_at)} with {payee.wallet}, through {payee.provider}/{payee.account}"
    yield f"  state       {payout.state}, sent {payout.sends} times" + _reason(payout.note)
    if payout.done_at is not None:
        yield f"  done        {at(payout.done_at)}"
    if payout.provider_ref:
        yield f"  theirs      {plain(payout.provider_ref)}"
    if payout.next_check_at is not None:
        yield f"  next asked  {at(payout.next_check_at)}"


def _reason(text: str) -> str:
    return f": {plain(text)}" if text else ""


def _names(order: Order) -> dict[str, tuple[str, Mapping[str, str]]]:
    names = {"order": ("The order", _OF_ORDER)}
    names |= {one.number: (f"Attempt {n}", _OF_ATTEMPT) for n, one in enumerate(order.attempts, 1)}
    names |= {one.number: (f"Refund {n}", _OF_REFUND) for n, one in enumerate(order.refunds, 1)}
    return names | {one.number: (f"Payout {n}", _OF_PAYOUT) for n, one in enumerate(order.payouts, 1)}


def _happened(entry: Entry, name: str, words: Mapping[str, str]) -> Iterator[str]:
    said = words.get(entry.event, entry.event)
    moved = f" [{entry.before or 'new'} → {entry.after}]" if entry.before != entry.after else ""
    yield f"{entry.n:>4}  {at(entry.at)}  {name} {said}{moved}"
    whose = "The payee's wish" if entry.cause_id.startswith("payee:") else _WHOSE_WORD[entry.cause_kind]
    yield f"      {whose} ({plain(entry.cause_id)})."
    if entry.note:
        yield f"      {plain(entry.note)}"
