"""What Alipay's verified words mean for an attempt, a refund or a payout. Pure: fields in, results out.

Sources: Alipay open platform documents, the error table of each method, "asynchronous notification".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from providers.alipay import wire
from providers.alipay.wire import Answer, Fields
from providers.sdk.contract import Intent, PayoutRequest, RefundRef, RefundRequest
from providers.sdk.errors import ReplyError
from providers.sdk.money import wire_decimal
from providers.sdk.results import (
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    PayoutSnapshot,
    RefundSnapshot,
    Returned,
    Snapshot,
    Unknown,
    Verified,
)
from providers.sdk.wallets import Wallet

_REASONS: Final = {
    "ACQ.TRADE_HAS_SUCCESS": DeclineReason.ALREADY_PAID,
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": DeclineReason.BALANCE,
    "PAYER_BALANCE_NOT_ENOUGH": DeclineReason.BALANCE,  # of a payout: the payer is the merchant
    **dict.fromkeys(
        ("ACQ.CONTEXT_INCONSISTENT", "ACQ.DISCORDANT_REPEAT_REQUEST", "PAYMENT_INFO_INCONSISTENCY"),
        DeclineReason.CONFLICT,
    ),
    **dict.fromkeys(
        (
            "ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_NOT_ALLOW_REFUND",
            "ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID",
        ),
        DeclineReason.WINDOW,
    ),
    **dict.fromkeys(
        (
            "ACQ.TOTAL_FEE_EXCEED", "ACQ.BEYOND_PAY_RESTRICTION", "ACQ.BEYOND_PER_RECEIPT_RESTRICTION",
            "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "EXCEED_LIMIT_SM_AMOUNT",
            "EXCEED_LIMIT_SM_MIN_AMOUNT", "EXCEED_LIMIT_DM_AMOUNT", "EXCEED_LIMIT_DC_RECEIVED",
            "PAYMENT_AMOUNT_LIMIT_ERROR",
        ),
        DeclineReason.LIMIT,
    ),
    **dict.fromkeys(
        (
            "ACQ.PAYMENT_AUTH_CODE_INVALID", "ACQ.BUYER_SELLER_EQUAL", "ACQ.TRADE_BUYER_NOT_MATCH",
            "ACQ.BUYER_ENABLE_STATUS_FORBID", "ACQ.BUYER_BALANCE_NOT_ENOUGH",
            "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", "ACQ.ERROR_BALANCE_PAYMENT_DISABLE", "ACQ.PAYMENT_FAIL",
            "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "ACQ.PULL_MOBILE_CASHIER_FAIL",
            "ACQ.MOBILE_PAYMENT_SWITCH_OFF", "ACQ.PAYMENT_REQUEST_HAS_RISK",
        ),
        DeclineReason.PAYER,
    ),
    **dict.fromkeys(
        (
            "ACQ.ACCESS_FORBIDDEN", "ACQ.PARTNER_ERROR", "ACQ.INVALID_STORE_ID", "PERMIT_CHECK_PERM_LIMITED",
            "PAYER_STATUS_ERROR", "PAYER_CERTIFY_CHECK_FAIL",
        ),
        DeclineReason.MISCONFIGURED,
    ),
    **dict.fromkeys(
        (
            "ACQ.INVALID_PARAMETER", "ACQ.EXIST_FORBIDDEN_WORD", "ACQ.REASON_TRADE_BEEN_FREEZEN",
            wire.NOT_EXISTING, "INVALID_PARAMETER", "PAYEE_NOT_EXIST", "PAYEE_USER_INFO_ERROR",
            "PERM_AML_NOT_REALNAME_REV",
        ),
        DeclineReason.OTHER,
    ),
}  # fmt: skip
# AQC is not our slip: Alipay's documents list both spellings.
_LATER: Final = {"ACQ.SYSTEM_ERROR", "AQC.SYSTEM_ERROR", "SYSTEM_ERROR", "REQUEST_PROCESSING"}
_ACCOUNT_WORDS: Final = ("sign", "app", "cert", "permission", "token", "encrypt")
_NOTHING: Final = frozenset({"", "0", "0.0", "0.00"})
_AHEAD_MAX: Final = timedelta(hours=1)  # of Alipay's clock before ours


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are in Alipay's messages, and which promises of money count as money."""

    app_id: str
    seller_id: str
    credit_pay_modes: frozenset[str]
    notification_age_max: timedelta


def refused(answer: Answer, *, moves_money: bool) -> Declined | Unknown:
    """A verified no. Where money may have moved, a code that this house does not know proves nothing."""
    word = answer.sub_code or answer.code
    reason = _reason(answer)
    if word in _LATER or (reason is None and (moves_money or answer.code != "40004")):
        return Unknown(f"Alipay answered {answer.code} {word}: ask again.")
    return Declined(reason or DeclineReason.OTHER, word, answer.message)


def _reason(answer: Answer) -> DeclineReason | None:
    match answer.code:
        case "20001" | "40006":
            return DeclineReason.MISCONFIGURED
        case "40001" | "40002":
            ours = any(word in answer.sub_code for word in _ACCOUNT_WORDS)
            return DeclineReason.MISCONFIGURED if ours else DeclineReason.OTHER
        case "40004":
            return _REASONS.get(answer.sub_code)
    return None


def not_found(answer: Answer, *words: str) -> NotFound | Unknown:
    """`NotFound` only by the institution's own word."""
    if answer.code == "40004" and answer.sub_code in words:
        return NotFound(answer.sub_code)
    return Unknown(f"Alipay answered {answer.code} {answer.sub_code}: ask again.")


def check_number(fields: Fields, name: str, number: str) -> None:
    """Raise `ReplyError` when an answer speaks of something else."""
    if wire.text(fields, name) != number:
        raise ReplyError("Alipay's answer speaks of another number.")


def snapshot(fields: Fields, account: Account) -> Snapshot:
    """What `alipay.trade.query` says. Its answer names no merchant: it speaks of the application that asked."""
    return _snapshot(fields, account, account.app_id, wire.text(fields, "trade_status"))


def payer_code_paid(fields: Fields, account: Account) -> Snapshot:
    """`alipay.trade.pay` answered 10000: paid."""
    return _snapshot(fields, account, account.app_id, "TRADE_SUCCESS")


def payer_busy(answer: Answer, intent: Intent, account: Account) -> Snapshot:
    """`alipay.trade.pay` answered 10003: the payer is entering a password. Nothing has moved."""
    return Snapshot(
        number=intent.number,
        merchant=account.app_id,
        amount=intent.amount,
        state=Paid.PAYING,
        provider_ref=wire.optional(answer.fields, "trade_no"),
        code=answer.code,
        message=answer.message,
    )


def refund_accepted(fields: Fields, request: RefundRequest) -> RefundSnapshot:
    """`fund_change` Y: this call moved the money. N: a repetition, or not yet; only the refund query tells.

    `refund_fee` is what has gone back of the whole trade so far, so the amount is the one we asked for.
    """
    check_number(fields, "out_trade_no", request.attempt.number)
    moved = wire.text(fields, "fund_change") == "Y"
    if moved and wire_decimal(fields.get("refund_fee"), request.amount.currency) < request.amount:
        raise ReplyError("Alipay says that less has gone back than was asked.")
    return RefundSnapshot(
        number=request.number,
        attempt_number=request.attempt.number,
        amount=request.amount,
        state=Returned.DONE if moved else Returned.PENDING,
        provider_ref=wire.optional(fields, "trade_no"),
        done_at=wire.moment(fields, "gmt_refund_pay") if moved else None,
        code=f"fund_change={wire.optional(fields, 'fund_change')}",
    )


def refund_snapshot(fields: Fields, ref: RefundRef, *, settled: bool) -> RefundSnapshot | NotFound | Unknown:
    """What the refund query says. Its code is 10000 even for a refund that does not exist: the status decides.

    Without a status the refund was not received or has failed, says Alipay, once some seconds have passed (`settled`).
    Either way the same number may be sent again.
    """
    status = wire.optional(fields, "refund_status")
    if not status:
        return NotFound("no refund_status") if settled else Unknown("Too early to ask about this refund.")
    if status != "REFUND_SUCCESS":
        return Unknown(f"Alipay answered refund_status {status[:40]}: ask again.")
    check_number(fields, "out_trade_no", ref.attempt.number)
    check_number(fields, "out_request_no", ref.number)
    return RefundSnapshot(
        number=ref.number,
        attempt_number=ref.attempt.number,
        amount=wire_decimal(fields.get("refund_amount"), ref.amount.currency),
        state=Returned.DONE,
        provider_ref=wire.optional(fields, "trade_no"),
        done_at=wire.moment(fields, "gmt_refund_pay"),
        code=status,
    )


def payout_snapshot(fields: Fields, request: PayoutRequest) -> PayoutSnapshot:
    """What a transfer, or the query of one, says."""
    check_number(fields, "out_biz_no", request.number)
    states = {
        "SUCCESS": Returned.DONE,
        "DEALING": Returned.PENDING,
        "FAIL": Returned.FAILED,
        "REFUND": Returned.FAILED,  # it came back
    }
    status = wire.text(fields, "status")
    if status not in states:
        raise ReplyError(f"Alipay answered with an unknown transfer status, {status[:40]}.")
    amount = fields.get("trans_amount")
    return PayoutSnapshot(
        number=request.number,
        amount=request.amount if amount is None else wire_decimal(amount, request.amount.currency),
        state=states[status],
        provider_ref=wire.optional(fields, "order_id"),
        code=status,
    )


def fresh(form: Mapping[str, str], account: Account, now: datetime) -> bool:
    """Whether a notification was sent lately. `notify_time` is signed; one without it is taken as it is."""
    sent = wire.moment(form, "notify_time")
    return sent is None or -_AHEAD_MAX <= now - sent <= account.notification_age_max


def verified(form: Mapping[str, str], account: Account) -> Verified:
    """A notification's meaning; its signature holds.

    A refund comes in the clothes of a payment: the same form, `trade_status` still TRADE_SUCCESS, and `refund_fee` the
    running total. It is no payment, and which part went back it does not say for certain, so it is no fact either:
    the refund query tells. After a full refund the trade is TRADE_CLOSED, which says everything.
    """
    status = form.get("trade_status", "")
    if not status:
        kind = form.get("msg_method") or form.get("notify_type") or "unknown"
        return Verified(event_key=_event_key(form), fact=None, event=kind[:80])
    if form.get("app_id") != account.app_id:
        raise ReplyError("The notification is for another application.")
    returning = _refunding(form)
    event = f"{status[:60]}/refund" if returning else status[:60]
    if returning and status != "TRADE_CLOSED":
        wire_decimal(form.get("refund_fee", "0"), "CNY")
        return Verified(event_key=_event_key(form), fact=None, event=event)
    fact = _snapshot(form, account, _merchant(form, account), status)
    return Verified(event_key=_event_key(form), fact=fact, event=event)


def _snapshot(fields: Fields, account: Account, merchant: str, status: str) -> Snapshot:
    payer = next(
        (
            wire.optional(fields, name)
            for name in ("buyer_open_id", "open_id", "buyer_user_id", "buyer_id")
            if fields.get(name)
        ),
        "",
    )
    currency = wire.optional(fields, "trans_currency") or "CNY"
    state = _state(fields, status, account)
    return Snapshot(
        number=wire.text(fields, "out_trade_no"),
        merchant=merchant,
        amount=wire_decimal(fields.get("total_amount"), currency),
        state=state,
        provider_ref=wire.optional(fields, "trade_no"),
        paid_at=wire.moment(fields, "send_pay_date", "gmt_payment") if _had_money(state) else None,
        wallet=Wallet.ALIPAY if payer and _had_money(state) else None,
        payer=payer,
        code=status,
        message=wire.optional(fields, "additional_status")[:80],
    )


def _state(fields: Fields, status: str, account: Account) -> Paid:
    match status:
        case "WAIT_BUYER_PAY":
            return Paid.UNPAID
        case "TRADE_SUCCESS" | "TRADE_FINISHED":
            # "Pay later" products: Alipay asks to count only the modes one knows as paid.
            mode = wire.optional(fields, "credit_pay_mode")
            return Paid.PAID if not mode or mode in account.credit_pay_modes else Paid.PAYING
        case "TRADE_CLOSED":
            # Never paid, or paid and then returned in full: a time of payment or a refund tells the two apart.
            paid = any(fields.get(name) for name in ("send_pay_date", "gmt_payment"))
            return Paid.REFUNDED if paid or _refunding(fields) else Paid.CLOSED
    raise ReplyError(f"Alipay answered with an unknown trade_status, {status[:40]}.")


def _had_money(state: Paid) -> bool:
    return state in {Paid.PAID, Paid.REFUNDED}


def _refunding(fields: Fields) -> bool:
    fee = wire.optional(fields, "refund_fee")
    return fee not in _NOTHING or bool(fields.get("gmt_refund") or fields.get("out_biz_no"))


def _merchant(form: Fields, account: Account) -> str:
    """Ours, or the seller that was paid in our place: the host compares and sounds the alarm."""
    seller = wire.optional(form, "seller_id")
    return account.app_id if not account.seller_id or seller == account.seller_id else seller


def _event_key(form: Mapping[str, str]) -> str:
    """`notify_id` stays the same when Alipay repeats a notification."""
    known = form.get("notify_id")
    if known:
        return known[:128]
    parts = ("out_trade_no", "trade_no", "trade_status", "out_biz_no", "refund_fee")
    return "-".join(form.get(name, "") for name in parts)[:255]
