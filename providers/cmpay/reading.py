"""What China Mobile's verified words mean for an attempt or a refund. Pure: fields in, results out.

The hmac joins bare values, so two messages with differently cut fields have the same one. Every value that is believed
is therefore held to its shape: amounts whole, numbers alphanumeric, our own number where one was asked for.

China Mobile names a payment by the merchant's own `orderId`: queries, refunds and cancellations take nothing else. Its
`payNo` stands in notifications alone (a query's `payNo` is the query's), so it tells events apart and no more.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from providers.cmpay import messages, wire
from providers.sdk.contract import AttemptRef, Intent, RefundRef, RefundRequest, Way
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import (
    Declined,
    DeclineReason,
    Paid,
    RefundSnapshot,
    Returned,
    Snapshot,
    Verified,
)
from providers.sdk.wallets import Wallet

SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"
PAID_WORD: Final = "支付完成"
CLOSED_WORD: Final = "订单关闭"
WAITING_WORD: Final = "等待付款"

_NUMBER: Final = re.compile(r"[0-9A-Za-z]{6,50}", re.ASCII)
_PAY_NO: Final = re.compile(r"[0-9A-Za-z]{1,50}", re.ASCII)
_VERSION: Final = re.compile(r"2\.0\.[0-9]", re.ASCII)
_NOTIFIES: Final = frozenset({"OfflineNotify", "PageNotify"})
_RETURNED: Final = {SUCCESS: Returned.DONE, FAILED: Returned.FAILED}


def accepted(fields: Mapping[str, str]) -> bool:
    """`returnCode` says that the request was taken; of money it says nothing."""
    return fields.get("returnCode", "") in wire.DONE


def declined(fields: Mapping[str, str]) -> Declined:
    """China Mobile's no, in its own words."""
    code = fields["returnCode"]
    return Declined(wire.decline_reason(code) or DeclineReason.OTHER, code, fields.get("message", ""))


def definite(fields: Mapping[str, str]) -> Declined:
    """The same where money may have moved: only a code that the tables explain ends anything. Raises `ReplyError`."""
    if wire.decline_reason(fields["returnCode"]) is None:
        raise ReplyError(f"China Mobile answered {fields['returnCode']}, which settles nothing.")
    return declined(fields)


def payer_code_taken(fields: Mapping[str, str], intent: Intent) -> Snapshot:
    """Taken is not paid: the payer may be entering a password. A query or notification tells."""
    return Snapshot(
        number=intent.number,
        merchant=fields["merchantId"],
        amount=wire.amount_of(fields) if fields.get("amount") else intent.amount,
        state=Paid.PAYING,
        code=fields["returnCode"],
        message=fields.get("message", ""),
    )


def snapshot(
    fields: Mapping[str, str], ref: AttemptRef, *, over: bool, refunded_words: Collection[str] = ()
) -> Snapshot:
    """What a query says about an attempt; `over` once it can no longer be paid."""
    word = fields["ordSts"] if "ordSts" in fields else fields.get("status", "")
    state = _state(word, ref.way, over=over, refunded_words=refunded_words)
    moved = state in {Paid.PAID, Paid.REFUNDED}
    return Snapshot(
        number=fields["orderId"],
        merchant=fields["merchantId"],
        amount=wire.amount_of(fields) if moved or fields.get("amount") else ref.amount,
        state=state,
        provider_ref=fields["orderId"],
        paid_at=wire.paid_at(fields) if moved else None,
        wallet=Wallet.CMPAY if moved else None,
        payer=(fields.get("mblNo") or fields.get("mobile", "")) if moved else "",
        code=word,
        message=fields.get("message", ""),
    )


def refunded(
    fields: Mapping[str, str], number: str, attempt_number: str, *, provider_ref: str = ""
) -> RefundSnapshot:
    """What a refund's answer, or a query of it, says. Raises `ReplyError` for a status that is neither yes nor no."""
    status = fields.get("status", "")
    if status not in _RETURNED:
        raise ReplyError("China Mobile's answer does not say what became of the refund.")
    return RefundSnapshot(
        number=number,
        attempt_number=attempt_number,
        amount=wire.amount_of(fields),
        state=_RETURNED[status],
        provider_ref=provider_ref,
        code=status,
    )


def refund_made(fields: Mapping[str, str], request: RefundRequest) -> RefundSnapshot:
    """The answer to a refund. Its amount is of this refund, so another one is no answer to it."""
    if wire.amount_of(fields) != request.amount:
        raise ReplyError("China Mobile's answer speaks of a refund of another amount.")
    return refunded(fields, request.number, request.attempt.number, provider_ref=fields.get("payNo", ""))


def ref_of(request: RefundRequest) -> RefundRef:
    """The refund that a request asks for."""
    return RefundRef(
        number=request.number,
        attempt=request.attempt,
        amount=request.amount,
        created_at=request.created_at,
    )


def verified(fields: Mapping[str, str]) -> Verified:
    """A notification's meaning. Raises `ReplyError` when a believed value is not of its shape."""
    _check_shapes(fields)
    online = "type" in fields
    status = fields["status"]
    paid = status == SUCCESS and accepted(fields)
    unpaid = (
        Paid.UNPAID if online else Paid.FAILED
    )  # a code may be paid at the next try, a payer code may not
    fact = Snapshot(
        number=fields["orderId"],
        merchant=fields["merchantId"],
        amount=wire.amount_of(fields),
        state=Paid.PAID if paid else unpaid,
        provider_ref=fields["orderId"],
        paid_at=wire.paid_at(fields) if paid else None,
        wallet=Wallet.CMPAY if paid else None,
        payer=fields.get("mobile", ""),
        code=status,
        message=fields.get("message", ""),
    )
    event = "online" if online else "counter"
    return Verified(event_key=f"{fields['orderId']}-{fields['payNo']}-{status}", fact=fact, event=event)


def order_of_notification(fields: Mapping[str, str]) -> str:
    """Which message it is: the barcode product's notification names no `type`."""
    return messages.NOTIFY_ONLINE if "type" in fields else messages.NOTIFY_COUNTER


def _state(word: str, way: Way, *, over: bool, refunded_words: Collection[str]) -> Paid:
    if word in {PAID_WORD, SUCCESS}:
        return Paid.PAID
    if word in refunded_words:
        return Paid.REFUNDED
    if word == CLOSED_WORD:
        return Paid.CLOSED
    if word not in {WAITING_WORD, FAILED}:  # FAILED is also said of an order that nobody has paid yet
        raise ReplyError("China Mobile's answer has a state that its tables do not know.")
    if over:
        return Paid.CLOSED
    return Paid.PAYING if way is Way.PAYER_CODE else Paid.UNPAID


def _check_shapes(fields: Mapping[str, str]) -> None:
    if not _NUMBER.fullmatch(fields.get("orderId", "")) or not _PAY_NO.fullmatch(fields.get("payNo", "")):
        raise ReplyError("The notification names no order or no payment.")
    if fields.get("status") not in {SUCCESS, FAILED}:
        raise ReplyError("The notification has a status that is neither SUCCESS nor FAILED.")
    if fields.get("signType") != "MD5" or not fields.get("merchantId", "").isalnum():
        raise ReplyError("The notification names no merchant, or another kind of signature.")
    if "type" in fields and (
        fields["type"] not in _NOTIFIES or not _VERSION.fullmatch(fields.get("version", ""))
    ):
        raise ReplyError("The notification is of a kind or version that China Mobile does not publish.")
    if not re.match(r"[A-Z]|$", fields.get("amtItem", "")):  # stands right behind the amount
        raise ReplyError("The notification's amtItem is not made of named amounts.")
    if not wire.amount_of(fields) > Money(0, "CNY"):
        raise ReplyError("The notification is about no money.")
