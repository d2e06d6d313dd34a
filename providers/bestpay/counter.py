"""The payer-code gateway: forms with macs out, JSON back. For attempts by payer code, from placing to refund.

The gateway knows an order by `orderNo` and `orderReqNo` together, which are one number here, and a refund by the order's
`orderNo` with its own serial number as `orderReqNo`. A refusal carries no sign on this wire (its `result` is null); it
is believed only where it can never cost anybody money: it refuses, or says that there is no such order.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from providers.bestpay import reading, signing, wire
from providers.bestpay.settings import BestPaySettings
from providers.sdk.clock import beijing
from providers.sdk.contract import AttemptRef, Call, Intent, RefundRef, RefundRequest
from providers.sdk.errors import ConfigurationError, ReplyError, SignatureError
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    RefundSnapshot,
    Returned,
    Snapshot,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpRequest

_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_CODE_LIFE: Final = timedelta(seconds=120)  # twice the minute that a payer code is shown
_CHANNEL: Final = "05"
_PRODUCT: Final = "0000001"
_MD5: Final = "1"
_NO_PASSWORD: Final = "BestPay refunds and reverses payer codes only with merchant_pwd; set it."  # noqa: S105  # a sentence


class Counter:
    """One merchant account at the payer-code gateway. Holds the keys, no state."""

    def __init__(self, settings: BestPaySettings) -> None:
        self._settings = settings
        self._mac = settings.mac()

    async def take(self, intent: Intent, call: Call) -> Snapshot | Declined:
        """Charge the shown code: paid at once, or the payer is asked for a password and a query tells later."""
        digits = intent.payer_code.get_secret_value() if intent.payer_code else ""
        objection = self._objection(intent, digits)
        if objection is not None:
            return objection
        fields = self._order(intent) | {"barcode": digits}
        result = await self._ask(wire.PLACE, fields, signing.PLACE_MAC, signing.ORDER_SIGN, call)
        if isinstance(result, wire.Refused):
            return _declined(result)
        self._same(result, fields, "orderNo", "orderReqNo")
        seen = reading.payer_code_snapshot(result, intent.number, self._merchant(result))
        if seen.state is Paid.FAILED:
            return Declined(DeclineReason.PAYER, seen.code, "BestPay did not take this payer code.")
        return seen

    async def look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        """Ask by our number.

        A payment with `refundFlag` 3 was reversed. That flag is not signed, so our own reversal is asked for by its
        number: its signed answer makes the attempt one that nobody paid. Without it, the money was here and has left.
        """
        number = wire.wire_number(ref.number)
        result = await self._query(number, number, beijing(ref.created_at, wire.DAY), call)
        if isinstance(result, NotFound):
            return result
        seen = reading.payer_code_snapshot(result, ref.number, self._merchant(result))
        if seen.state is Paid.REFUNDED and wire.word(result, "refundFlag") == reading.REVERSED:
            return await self._reversed(seen, ref, call)
        return seen

    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown:
        """Reverse what is not paid yet, on the day it was placed. A paid attempt is left alone."""
        verdict = _closed(await self.look_up(ref, call), ref, call)
        if verdict is not None:
            return verdict
        if beijing(call.clock.now(), wire.DAY) != beijing(ref.created_at, wire.DAY):
            return Unknown("BestPay reverses an order on its own day only; ask again.")
        answer = await self._reverse(ref, call)
        verdict = _closed(await self.look_up(ref, call), ref, call)
        word = wire.shown_code(answer.code) if isinstance(answer, wire.Refused) else "success"
        return verdict or Unknown(f"The reversal was answered with {word}; ask again.")

    async def refund(self, request: RefundRequest, call: Call) -> RefundSnapshot | Declined | Unknown:
        """Accepted is not returned: a query or a notification tells.

        A refused number may be one that was taken before; what became of it is asked before a refusal is believed.
        """
        if not self._settings.merchant_pwd.get_secret_value():
            return Declined(DeclineReason.MISCONFIGURED, "", _NO_PASSWORD)
        fields = self._return(request.attempt, wire.wire_number(request.number), request.amount.minor)
        fields |= {
            "refundReqDate": beijing(request.created_at, wire.DAY),
            "ledgerDetail": "",
            "bgUrl": request.notify_url,
        }
        if max(len(fields["oldOrderNo"]), len(fields["refundReqNo"])) > wire.NUMBER_MAX:
            return _too_long()
        result = await self._ask(wire.REFUND, fields, signing.REFUND_MAC, signing.RETURN_SIGN, call)
        ref = _ref_of(request)
        if isinstance(result, wire.Refused):
            return await self._refused_refund(result, ref, call)
        self._same(result, fields, "oldOrderNo", "refundReqNo", "transAmt")
        return RefundSnapshot(
            number=request.number,
            attempt_number=request.attempt.number,
            amount=request.amount,
            state=Returned.PENDING,
        )

    async def look_up_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound:
        """Ask by our refund number beside the order's."""
        order, serial = wire.wire_number(ref.attempt.number), wire.wire_number(ref.number)
        result = await self._query(order, serial, beijing(ref.created_at, wire.DAY), call)
        return result if isinstance(result, NotFound) else reading.payer_code_refund(result, ref)

    def read(self, fields: Mapping[str, str]) -> Verified:
        """Verify and read a form that was posted to us. Raises `ReplyError`."""
        if "UPTRANSEQ" in fields:
            if fields.get("ENCODETYPE", _MD5) != _MD5:
                raise SignatureError("The notification says of itself that it is not signed.")
            mobile = self._settings.notification_names == "mobile"
            signing.same(fields.get("SIGN", ""), self._mac.of_payment(fields, mobile=mobile))
            named = fields["MERCHANTID"]
            return reading.payment_notice(fields, self._ours(named))
        signing.same(fields.get("mac", ""), self._mac.of(fields, signing.REFUND_NOTICE))
        if fields["merchantCode"] != self._settings.payer_merchant:
            raise ReplyError("The notification is for another merchant.")
        return reading.refund_notice(fields)

    async def _reversed(self, seen: Snapshot, ref: AttemptRef, call: Call) -> Snapshot:
        order, serial = wire.wire_number(ref.number), wire.reversal_number(ref.number)
        proof = await self._query(order, serial, beijing(ref.created_at, wire.DAY), call)
        if isinstance(proof, NotFound) or reading.payer_code_state(proof) not in {Paid.PAID, Paid.REFUNDED}:
            return seen
        return Snapshot(
            number=seen.number,
            merchant=seen.merchant,
            amount=seen.amount,
            state=Paid.CLOSED,
            provider_ref=seen.provider_ref,
            code="reversed",
        )

    async def _refused_refund(
        self, refused: wire.Refused, ref: RefundRef, call: Call
    ) -> RefundSnapshot | Declined | Unknown:
        known = await self.look_up_refund(ref, call)
        if isinstance(known, RefundSnapshot):
            return known
        if refused.code == wire.BUSY:
            return Unknown("BestPay is busy; ask again.")
        reason = wire.certain_reason(refused.code) or DeclineReason.OTHER
        return Declined(reason, refused.code, refused.message)

    async def _reverse(self, ref: AttemptRef, call: Call) -> wire.Message | wire.Refused:
        fields = self._return(ref, wire.reversal_number(ref.number), ref.amount.minor)
        fields["refundReqDate"] = beijing(ref.created_at, wire.DAY)
        return await self._ask(wire.REVERSE, fields, signing.REVERSE_MAC, signing.RETURN_SIGN, call)

    async def _query(self, order: str, serial: str, day: str, call: Call) -> wire.Message | NotFound:
        """One order, or one of its refunds; BestPay looks from the day before to the day after `day`."""
        fields = {
            "merchantId": self._settings.payer_merchant,
            "orderNo": order,
            "orderReqNo": serial,
            "orderDate": day,
        }
        result = await self._ask(wire.QUERY, fields, signing.QUERY_MAC, signing.ORDER_SIGN, call)
        if isinstance(result, wire.Refused):
            if result.code == wire.NO_SUCH_ORDER:
                return NotFound(result.code)
            raise ReplyError(f"BestPay did not answer the query: {wire.shown_code(result.code)}.")
        self._same(result, fields, "orderNo", "orderReqNo")
        return result

    async def _ask(
        self, path: str, fields: dict[str, str], names: tuple[str, ...], signed: tuple[str, ...], call: Call
    ) -> wire.Message | wire.Refused:
        """Send one form with its mac; return the verified `result`, or the refusal."""
        whole = fields | {"mac": self._mac.of(fields, names)}
        url = self._settings.payer_code_url.rstrip("/") + path
        reply = await call.transport.send(HttpRequest("POST", url, _FORM, wire.encode_form(whole)))
        if reply.status != 200:  # noqa: PLR2004  # the one status this gateway answers with
            raise ReplyError(f"BestPay answered with HTTP status {reply.status}.")
        answer = wire.decode_json(reply.body)
        result = reading.result_of(answer)
        if result is None:
            return wire.Refused(wire.word(answer, "errorCode"), wire.word(answer, "errorMsg"))
        if (wire.word(result, "encodeType") or _MD5) != _MD5:
            raise SignatureError("BestPay's answer is not signed by MD5.")
        signing.same(wire.word(result, "sign"), self._mac.of(result, signed))
        return result

    def _objection(self, intent: Intent, digits: str) -> Declined | None:
        if not wire.PAYER_CODE.fullmatch(digits):
            return Declined(DeclineReason.PAYER, "", "A BestPay payer code has 18 digits and starts with 51.")
        if len(wire.wire_number(intent.number)) > wire.NUMBER_MAX:
            return _too_long()
        if len(intent.notify_url) > wire.URL_MAX:
            words = f"BestPay takes a notification address of at most {wire.URL_MAX} characters."
            return Declined(DeclineReason.MISCONFIGURED, "", words)
        return None

    def _order(self, intent: Intent) -> dict[str, str]:
        number, amount = wire.wire_number(intent.number), str(intent.amount.minor)
        return {
            "merchantId": self._settings.payer_merchant,
            "subMerchantId": self._settings.sub_merchant,
            "orderNo": number,
            "orderReqNo": number,
            "channel": _CHANNEL,
            "busiType": _PRODUCT,
            "orderDate": beijing(intent.created_at, wire.STAMP),
            "orderAmt": amount,
            "productAmt": amount,
            "attachAmt": "0",
            "goodsName": wire.cut(intent.title, wire.NAME_MAX),
            "storeId": self._settings.store_id,
            "backUrl": intent.notify_url,
            "ledgerDetail": "",
            "attach": "",
        }

    def _return(self, attempt: AttemptRef, serial: str, minor: int) -> dict[str, str]:
        password = self._settings.merchant_pwd.get_secret_value()
        if not password:
            raise ConfigurationError(
                "BestPay refunds and reverses payer codes only with merchant_pwd; set it."
            )
        number = wire.wire_number(attempt.number)
        return {
            "merchantId": self._settings.payer_merchant,
            "subMerchantId": self._settings.sub_merchant,
            "merchantPwd": password,
            "oldOrderNo": number,
            "oldOrderReqNo": number,
            "refundReqNo": serial,
            "transAmt": str(minor),
            "channel": _CHANNEL,
        }

    def _merchant(self, result: wire.Message) -> str:
        return self._ours(wire.word(result, "merchantId"))

    def _ours(self, named: str) -> str:
        """Both numbers of this account are one merchant to the host; a stranger's stays what it is."""
        return self._settings.merchant_no if named == self._settings.payer_merchant else named

    def _same(self, result: wire.Message, fields: Mapping[str, str], *names: str) -> None:
        if any(wire.word(result, name) != fields[name] for name in names):
            raise ReplyError("BestPay's answer speaks of another order.")


def _closed(seen: Snapshot | NotFound, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | None:
    """What a look settles; None while the payer may still pay."""
    if isinstance(seen, NotFound):
        dead = call.clock.now() > ref.created_at + _CODE_LIFE
        return Closed(code=seen.code) if dead else None
    if seen.state in {Paid.PAID, Paid.REFUNDED}:
        return AlreadyPaid(code=seen.code)
    return Closed(code=seen.code) if seen.state in {Paid.CLOSED, Paid.FAILED} else None


def _declined(refused: wire.Refused) -> Declined:
    """Only words that say for certain that nothing was placed; any other leaves it to a query."""
    reason = wire.certain_reason(refused.code)
    if reason is None:
        raise ReplyError(f"BestPay answered the payer code with {wire.shown_code(refused.code)}.")
    return Declined(reason, refused.code, refused.message)


def _too_long() -> Declined:
    words = (
        f"BestPay's payer-code gateway takes numbers of at most {wire.NUMBER_MAX} characters; ours has more."
    )
    return Declined(DeclineReason.MISCONFIGURED, "", words)


def _ref_of(request: RefundRequest) -> RefundRef:
    return RefundRef(
        number=request.number,
        attempt=request.attempt,
        amount=request.amount,
        created_at=request.created_at,
    )
