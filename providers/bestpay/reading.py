"""What BestPay's verified words mean for an attempt or a refund. Pure: fields in, results out.

`success` says that a call was taken, never that money moved: the state stands in `transStatus` (payer codes) or
`tradeStatus` (MAPI). A state word that is not known here or in the settings is no answer.
"""

import re
from collections.abc import Mapping
from typing import Final

from providers.bestpay.wire import CCY, Message, own_number, part, read_moment, word
from providers.sdk.contract import AttemptRef, RefundRef
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money, wire_minor
from providers.sdk.results import Paid, RefundSnapshot, Returned, Snapshot, Verified
from providers.sdk.wallets import Wallet

# Payer codes: user guide 6.2. A: asked for, the payer may be typing. G: void.
_TRANS: Final = {"A": Paid.PAYING, "B": Paid.PAID, "C": Paid.FAILED, "G": Paid.CLOSED}
_RETURNED: Final = {
    Paid.UNPAID: Returned.PENDING,
    Paid.PAYING: Returned.PENDING,
    Paid.PAID: Returned.DONE,
    Paid.CLOSED: Returned.FAILED,
    Paid.FAILED: Returned.FAILED,
}
REVERSED: Final = "3"
_REFUNDED: Final = frozenset({"1", "2"})
_SUCCEEDED: Final = "0000"
_RETURN_CODE: Final = re.compile(r"[0-9A-Za-z_-]{1,16}", re.ASCII)

# MAPI: `WAITFORPAY` of uniformReceipt, the other words of the aggregate products.
_TRADE: Final = {
    "WAITFORPAY": Paid.UNPAID,
    "NOTPAY": Paid.UNPAID,
    "SUCCESS": Paid.PAID,
    "FAIL": Paid.FAILED,
    "CLOSE": Paid.CLOSED,
}
_TOOLS: Final = {
    "BESTPAY": Wallet.BESTPAY,
    "WECHAT": Wallet.WECHAT,
    "ALIPAY": Wallet.ALIPAY,
    "QUICKPASS": Wallet.QUICKPASS,
    "CTDIGICCY": Wallet.ECNY,
}


# --- the payer-code gateway ---


def payer_code_state(result: Message) -> Paid:
    """Where the attempt stands. `refundFlag` is not signed: see `Counter.look_up` for what a reversal needs more."""
    state = _TRANS.get(word(result, "transStatus"))
    if state is None:
        raise ReplyError("BestPay's answer has no transStatus that is known.")
    flag = word(result, "refundFlag")
    return Paid.REFUNDED if state is Paid.PAID and flag in {*_REFUNDED, REVERSED} else state


def payer_code_snapshot(result: Message, number: str, merchant: str) -> Snapshot:
    """What placeOrder or queryOrder says about an attempt."""
    return Snapshot(
        number=number,
        merchant=merchant,
        amount=wire_minor(word(result, "transAmt"), "CNY"),
        state=payer_code_state(result),
        provider_ref=word(result, "ourTransNo"),
        wallet=Wallet.BESTPAY,
        payer=word(result, "customerId") or word(result, "customerID"),
        code=word(result, "transStatus"),
    )


def payer_code_refund(result: Message, ref: RefundRef) -> RefundSnapshot:
    """What queryOrder says about a refund."""
    state = _TRANS.get(word(result, "transStatus"))
    if state is None:
        raise ReplyError("BestPay's answer has no transStatus that is known.")
    return RefundSnapshot(
        number=ref.number,
        attempt_number=ref.attempt.number,
        amount=wire_minor(word(result, "transAmt"), "CNY"),
        state=_RETURNED[state],
        provider_ref=word(result, "ourTransNo"),
        code=word(result, "transStatus"),
    )


def payment_notice(fields: Mapping[str, str], merchant: str) -> Verified:
    """A `backUrl` notification. Any RETNCODE but 0000 is a failed payment (user guide 7)."""
    code = fields["RETNCODE"]
    if not _RETURN_CODE.fullmatch(code) or not fields["UPTRANSEQ"] or fields.get("CURTYPE", "RMB") != "RMB":
        raise ReplyError("The payment notification has an odd RETNCODE, UPTRANSEQ or CURTYPE.")
    fact = Snapshot(
        number=own_number(fields["ORDERSEQ"]),
        merchant=merchant,
        amount=wire_minor(fields["ORDERAMOUNT"], "CNY"),
        state=Paid.PAID if code == _SUCCEEDED else Paid.FAILED,
        provider_ref=fields["UPTRANSEQ"],
        wallet=Wallet.BESTPAY,
        code=code,
        message=fields["RETNINFO"],
    )
    return Verified(event_key=f"pay-{fields['UPTRANSEQ']}-{code}", fact=fact, event="payment")


def refund_notice(fields: Mapping[str, str]) -> Verified:
    """A `bgUrl` notification: B done, C failed."""
    state = {"B": Returned.DONE, "C": Returned.FAILED}.get(fields["transStatus"])
    if state is None or not fields["ourTransNo"]:
        raise ReplyError("The refund notification has an odd transStatus or ourTransNo.")
    fact = RefundSnapshot(
        number=own_number(fields["refundReqNo"]),
        attempt_number=own_number(fields["oldOrderNo"]),
        amount=wire_minor(fields["transAmt"], "CNY"),
        state=state,
        provider_ref=fields["ourTransNo"],
        code=fields["transStatus"],
    )
    key = f"refund-{fields['refundReqNo']}-{fields['ourTransNo']}-{fields['transStatus']}"
    return Verified(event_key=key, fact=fact, event="refund")


# --- MAPI ---


class Reader:
    """Reads MAPI's results with the operator's further words of `tradeStatus`."""

    def __init__(self, more: Mapping[str, Paid]) -> None:
        self._states = {**_TRADE, **more}

    def state(self, result: Message) -> Paid:
        """Where a trade stands. Raises `ReplyError` for a word nobody explained."""
        state = self._states.get(word(result, "tradeStatus"))
        if state is None:
            raise ReplyError("BestPay's answer has no tradeStatus that is known; see more_statuses.")
        return state

    def snapshot(self, result: Message, ref: AttemptRef | None = None) -> Snapshot:
        """What a query or notification says about an attempt.

        An answer about an order that nobody has paid may leave the amount out; it is then the one that we asked for.
        """
        state = self.state(result)
        moved = state in {Paid.PAID, Paid.REFUNDED}
        named = word(result, "totalAmt") or word(result, "tradeAmt")
        amount = ref.amount if ref is not None and not moved and not named else _fen(result, named)
        ended = read_moment(word(result, "payFinishedDate") or word(result, "tradeFinishedDate"))
        return Snapshot(
            number=_filled(result, "outTradeNo"),
            merchant=_filled(result, "merchantNo"),
            amount=amount,
            state=state,
            provider_ref=word(result, "tradeNo"),
            paid_at=ended if moved else None,
            wallet=_TOOLS.get(word(result, "payTool"), Wallet.BESTPAY if moved else None),
            payer=word(result, "buyerLoginNo"),
            code=word(result, "tradeStatus"),
            message=word(result, "tradeResultDesc"),
        )

    def refund(self, result: Message, ref: RefundRef) -> RefundSnapshot:
        """What the answer to a refund, or to the query of one, says about it."""
        named = word(result, "refundAmt") or word(result, "tradeAmt")
        state = _RETURNED[self.state(result)]
        return RefundSnapshot(
            number=ref.number,
            attempt_number=ref.attempt.number,
            amount=ref.amount if not named and state is not Returned.DONE else _fen(result, named),
            state=state,
            provider_ref=word(result, "tradeNo"),
            done_at=read_moment(word(result, "refundFinishedDate")) if state is Returned.DONE else None,
            code=word(result, "tradeStatus"),
        )

    def notice(self, message: Message) -> Verified:
        """A JSON notification. The older uniformReceipt product's has no `notifyType`, and is always of a payment."""
        kind = word(message, "notifyType") or "PAY"
        if kind not in {"PAY", "REFUND"}:
            return Verified(event_key=f"{kind}-{word(message, 'tradeNo')}", fact=None, event=kind)
        fact = self.snapshot(message) if kind == "PAY" else self._refund_notice(message)
        key = f"{kind}-{fact.number}-{fact.provider_ref}-{fact.code}"
        return Verified(event_key=key, fact=fact, event=kind)

    def _refund_notice(self, message: Message) -> RefundSnapshot:
        state = _RETURNED[self.state(message)]
        return RefundSnapshot(
            number=_filled(message, "outRefundNo"),
            attempt_number=_filled(message, "outTradeNo"),
            amount=_fen(message, word(message, "refundAmt")),
            state=state,
            provider_ref=word(message, "tradeNo"),
            done_at=read_moment(word(message, "refundFinishedDate")) if state is Returned.DONE else None,
            code=word(message, "tradeStatus"),
        )


def result_of(message: Message) -> Message | None:
    """The `result` of an answer that took the call; None when BestPay refused it."""
    taken = message.get("success")
    if taken is True or taken == "true":
        return part(message, "result")
    if taken is False or taken == "false":
        return None
    raise ReplyError("BestPay's answer does not say whether the call was taken.")


def _fen(message: Message, named: str) -> Money:
    if (word(message, "ccy") or CCY) != CCY:
        raise ReplyError("BestPay's answer is not in yuan.")
    return wire_minor(named, "CNY")


def _filled(message: Message, name: str) -> str:
    value = word(message, name)
    if not value:
        raise ReplyError(f"BestPay's message has no {name}.")
    return value
