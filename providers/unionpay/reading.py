"""What ACP's verified words mean for an attempt or a refund. Pure: fields in, results out.

Code lists: published response-code table. A query answer carries the `txnType` of the order it speaks of, and leaves
`currencyCode` and `queryId` out while nothing has been paid.
"""

import re
from collections.abc import Mapping
from typing import Final

from providers.sdk.contract import AttemptRef, Intent, RefundRef, RefundRequest, Way
from providers.sdk.errors import ReplyError
from providers.sdk.results import (
    Declined,
    Paid,
    RefundSnapshot,
    Returned,
    Snapshot,
    Verified,
)
from providers.unionpay import wire

_CODE: Final = re.compile(r"[0-9A-Z]{2}", re.ASCII)
_MONEY_MOVED: Final = frozenset(
    {wire.TIMED_OUT, wire.STATE_UNCLEAR, "42"}
)  # or may have: no timer ends these
_PAYMENT, _RETURNS = "01", frozenset({wire.REFUND.txn_type, wire.VOID.txn_type})


def paid_state(code: str, way: Way, *, over: bool) -> Paid:
    """Where an attempt stands by its own response code; `over` once its code can no longer be scanned.

    A refused card ends a payer-code attempt. It does not end a merchant code: that may be scanned again, with another
    card, until `payTimeout`; only then is anything but 00 and A6 a no.
    """
    if not _CODE.fullmatch(code):
        raise ReplyError("UnionPay's answer has no response code of two characters.")
    if code in wire.PAID_CODES:
        return Paid.PAID
    if code in {wire.REVERSED, wire.RETURNED}:
        return Paid.CLOSED if code == wire.REVERSED else Paid.REFUNDED
    if way is Way.PAYER_CODE:
        return Paid.PAYING if code in wire.OPEN_CODES else Paid.FAILED
    if code in _MONEY_MOVED:
        return Paid.PAYING
    return Paid.CLOSED if over else Paid.UNPAID


def returned_state(code: str) -> Returned:
    """Where a refund stands by its own response code."""
    if not _CODE.fullmatch(code):
        raise ReplyError("UnionPay's answer has no response code of two characters.")
    if code in wire.PAID_CODES:
        return Returned.DONE
    return Returned.PENDING if code in wire.OPEN_CODES else Returned.FAILED


def declined(answer: Mapping[str, str]) -> Declined:
    """UnionPay's definite no, in its own words."""
    code = answer["respCode"]
    if not _CODE.fullmatch(code):
        raise ReplyError("UnionPay's answer has no response code of two characters.")
    return Declined(wire.decline_reason(code), code, answer.get("respMsg", ""))


def payer_code_accepted(answer: Mapping[str, str], intent: Intent) -> Snapshot:
    """Accepted is not paid: the payer may be entering a password. A query or notification tells."""
    return Snapshot(
        number=intent.number,
        merchant=answer["merId"],
        amount=wire.amount_of(_in_cny(answer)) if answer.get("txnAmt") else intent.amount,
        state=Paid.PAYING,
        provider_ref=answer.get("queryId", ""),
        code=answer["respCode"],
        message=answer.get("respMsg", ""),
    )


def snapshot(answer: Mapping[str, str], ref: AttemptRef, *, over: bool) -> Snapshot:
    """What a query says about an attempt."""
    code = _original_code(answer, frozenset({_PAYMENT}))
    return _snapshot(answer, code, paid_state(code, ref.way, over=over))


def refund_accepted(answer: Mapping[str, str], request: RefundRequest) -> RefundSnapshot:
    """Accepted is not returned: a query or notification tells."""
    return RefundSnapshot(
        number=request.number,
        attempt_number=request.attempt.number,
        amount=wire.amount_of(_in_cny(answer)) if answer.get("txnAmt") else request.amount,
        state=Returned.PENDING,
        provider_ref=answer.get("queryId", ""),
        code=answer["respCode"],
    )


def refund_snapshot(answer: Mapping[str, str], ref: RefundRef) -> RefundSnapshot:
    """What a query says about a refund or a void."""
    code = _original_code(answer, _RETURNS)
    return _refund_snapshot(answer, code, ref.attempt.number)


def verified(fields: Mapping[str, str], merchant: str) -> Verified:
    """A notification's meaning. Payments and returns are facts; anything else is kept and ignored.

    A payment carries its merchant to the host, which compares it. A return has no place for one: it is compared here.
    """
    kind, code = fields.get("txnType", ""), fields.get("respCode", "")
    event = f"{kind}/{fields.get('txnSubType', '')}"
    if not fields.get("merId") or not fields.get("orderId"):
        raise ReplyError("The notification names no merchant or no order.")
    fact: Snapshot | RefundSnapshot | None = None
    if kind == _PAYMENT:
        by_payer_code = fields.get("txnSubType") == wire.PAY_BY_PAYER_CODE.txn_sub_type
        way = Way.PAYER_CODE if by_payer_code else Way.MERCHANT_CODE
        fact = _snapshot(fields, code, paid_state(code, way, over=False))
    elif kind in _RETURNS:
        if fields["merId"] != merchant:
            raise ReplyError("The notification is for another merchant.")
        original = fields.get("origOrderId") or fields.get("reqReserved", "")
        fact = _refund_snapshot(fields, code, original)
    key = f"{event}-{fields.get('queryId') or fields['orderId']}-{code}"
    return Verified(event_key=key, fact=fact, event=event)


def voidable(request: RefundRequest) -> bool:
    """Whether a void may return it: the full amount, asked for on the clearing day of the payment.

    The attempt's birth stands for the payment, so that the same request gets the same answer for ever.
    """
    born = wire.clearing_day(request.attempt.created_at)
    return request.amount == request.attempt.amount and born == wire.clearing_day(request.created_at)


def ref_of(request: RefundRequest) -> RefundRef:
    """The refund that a request asks for."""
    return RefundRef(
        number=request.number,
        attempt=request.attempt,
        amount=request.amount,
        created_at=request.created_at,
    )


def _original_code(answer: Mapping[str, str], kinds: frozenset[str]) -> str:
    if answer["respCode"] != wire.ACCEPTED:
        raise ReplyError(f"UnionPay did not answer the query: {answer['respCode']}.")
    if answer.get("txnType") not in kinds:
        raise ReplyError("UnionPay's answer speaks of another kind of order.")
    return answer.get("origRespCode", "")


def _snapshot(fields: Mapping[str, str], code: str, state: Paid) -> Snapshot:
    moved = state in {Paid.PAID, Paid.REFUNDED}
    return Snapshot(
        number=fields["orderId"],
        merchant=fields["merId"],
        amount=wire.amount_of(fields if moved else _in_cny(fields)),
        state=state,
        provider_ref=fields.get("queryId", ""),
        paid_at=wire.traced_at(fields) if moved else None,
        code=code,
        message=fields.get("origRespMsg") or fields.get("respMsg", ""),
    )


def _refund_snapshot(fields: Mapping[str, str], code: str, attempt_number: str) -> RefundSnapshot:
    state = returned_state(code)
    return RefundSnapshot(
        number=fields["orderId"],
        attempt_number=attempt_number,
        amount=wire.amount_of(_in_cny(fields)),
        state=state,
        provider_ref=fields.get("queryId", ""),
        done_at=wire.traced_at(fields) if state is Returned.DONE else None,
        code=code,
    )


def _in_cny(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Leaving the currency out is how ACP says CNY; only a payment that moved money must name it."""
    return fields if fields.get("currencyCode") else {**fields, "currencyCode": "156"}
