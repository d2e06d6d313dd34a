"""MAPI: signed JSON envelopes. For orders that are paid by a code (product 1006) or by a link (uniformReceipt).

Every call is a POST to `/sdkRequest` that names the path inside. Both products are spoken to in the words of
uniformReceipt, whose fields are published; the paths of product 1006 are settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from providers.bestpay import reading, wire
from providers.bestpay.settings import BestPaySettings
from providers.sdk.clock import beijing
from providers.sdk.contract import AttemptRef, Call, Intent, RefundRef, RefundRequest, Way
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    RefundSnapshot,
    Snapshot,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpRequest

_JSON: Final = Headers((("Content-Type", wire.JSON_TYPE),))
_INSTITUTION: Final = "MERCHANT"
_TRADE: Final = "acquiring"
_PLATFORM: Final = "H5_4.0_route"
_CODE_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Paths:
    """Where one product takes its calls."""

    create: str
    query: str
    refund: str
    refund_query: str
    close: str


_LINK_PATHS: Final = Paths(wire.CREATE, wire.TRADE_QUERY, wire.TRADE_REFUND, wire.REFUND_QUERY, wire.CLOSE)


class Mapi:
    """One merchant account at MAPI. Holds the keys, no state."""

    def __init__(self, settings: BestPaySettings) -> None:
        self._settings = settings
        self._signer = settings.signer()
        self._trust = settings.trust()
        self._reader = reading.Reader(settings.statuses())
        self._unknown_order = settings.unknown_codes()
        self._more_fields = settings.order_fields()
        self._code_paths = Paths(
            settings.code_path,
            settings.code_query_path,
            settings.code_refund_path,
            settings.code_refund_query_path,
            settings.code_close_path,
        )

    async def create(self, intent: Intent, call: Call) -> Created | Declined:
        """Open an order with a code, or one whose cashier page a link opens.

        A refusal may be believed here: an order whose code nobody has seen is paid by nobody.
        """
        result = await self._ask(self._paths(intent.way).create, self._order(intent), call)
        if isinstance(result, wire.Refused):
            return _declined(result)
        self._check_same(result, intent.number)
        refusal = self._already_over(result)
        if refusal is not None:
            return refusal
        trade_no = wire.word(result, "tradeNo")
        if intent.way is Way.LINK:
            return Created(
                link=self._cashier_link(intent, trade_no),
                provider_ref=trade_no,
                usable_until=intent.expires_at,
            )
        return Created(
            code=self._shown(wire.word(result, "codeUrl")),
            provider_ref=trade_no,
            usable_until=intent.expires_at,
        )

    async def look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        """Ask by our number and the time it was first sent."""
        asked = self._trade(ref.number) | {"tradeDate": beijing(ref.created_at, wire.MOMENT)}
        result = await self._ask(self._paths(ref.way).query, asked, call)
        if isinstance(result, wire.Refused):
            return self._not_found(result)
        self._check_same(result, ref.number)
        return self._reader.snapshot(result, ref)

    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown:
        """Close what is not paid. What the closing's own answer means is not public: a query before and one after tell."""
        verdict = _closed(await self.look_up(ref, call), ref, call)
        if verdict is not None:
            return verdict
        asked = self._trade(ref.number) | {
            "operator": self._settings.merchant_no,
            "tradeDate": beijing(ref.created_at, wire.MOMENT),
            "closeReason": "closed by the merchant",
        }
        answer = await self._ask(self._paths(ref.way).close, asked, call)
        verdict = _closed(await self.look_up(ref, call), ref, call)
        word = wire.shown_code(answer.code) if isinstance(answer, wire.Refused) else "success"
        return verdict or Unknown(f"The closing was answered with {word}; ask again.")

    async def refund(self, request: RefundRequest, call: Call) -> RefundSnapshot | Declined | Unknown:
        """Return part or all. A refused number may be one that was taken before: it is asked for first."""
        asked = self._return(request)
        result = await self._ask(self._paths(request.attempt.way).refund, asked, call)
        ref = RefundRef(
            number=request.number,
            attempt=request.attempt,
            amount=request.amount,
            created_at=request.created_at,
        )
        if isinstance(result, wire.Refused):
            known = await self.look_up_refund(ref, call)
            return known if isinstance(known, RefundSnapshot) else _declined(result)
        self._check_same(result, request.attempt.number)
        if (wire.word(result, "outRequestNo") or request.number) != request.number:
            raise ReplyError("BestPay's answer speaks of another refund.")
        return self._reader.refund(result, ref)

    async def look_up_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound:
        """Ask by our refund number, which stands where an order's number does."""
        asked = self._trade(ref.number) | {"tradeDate": beijing(ref.created_at, wire.MOMENT)}
        result = await self._ask(self._paths(ref.attempt.way).refund_query, asked, call)
        if isinstance(result, wire.Refused):
            return self._not_found(result)
        if ref.number not in {wire.word(result, "outRequestNo"), wire.word(result, "outTradeNo")}:
            raise ReplyError("BestPay's answer speaks of another refund.")
        return self._reader.refund(result, ref)

    def read(self, message: wire.Message) -> Verified:
        """Verify and read JSON that was posted to us. Raises `ReplyError`."""
        self._trust.check(message)
        verdict = self._reader.notice(message)
        if (
            isinstance(verdict.fact, RefundSnapshot)
            and wire.word(message, "merchantNo") != self._settings.merchant_no
        ):
            raise ReplyError("The notification is for another merchant.")
        return verdict

    async def _ask(self, path: str, content: Mapping[str, str], call: Call) -> wire.Message | wire.Refused:
        """Send one envelope; return the verified `result`, or the refusal."""
        envelope = {
            "path": path,
            "commonParams": wire.json_text(self._common),
            "bizContent": wire.json_text(content),
        }
        envelope["sign"] = self._signer.sign(envelope)
        base, version = self._settings.base_url.rstrip("/"), self._settings.mapi_version
        url = f"{base}{wire.SDK_REQUEST}?BESTPAY_MAPI_VERSION={version}"
        reply = await call.transport.send(HttpRequest("POST", url, _JSON, wire.encode_json(envelope)))
        if reply.status != 200:  # noqa: PLR2004  # the one status MAPI answers with
            raise ReplyError(f"BestPay answered with HTTP status {reply.status}.")
        answer = wire.decode_json(reply.body)
        self._check(answer)
        result = reading.result_of(answer)
        if result is None:
            return wire.Refused(wire.word(answer, "errorCode"), wire.word(answer, "errorMsg"))
        if (wire.word(result, "merchantNo") or self._settings.merchant_no) != self._settings.merchant_no:
            raise ReplyError("BestPay's answer speaks of another merchant.")
        return result

    def _check(self, answer: wire.Message) -> None:
        """An answer is signed; a refusal without a sign counts only where the operator says so."""
        refused = answer.get("success") in (False, "false") and answer.get("sign") is None
        if refused and self._settings.unsigned_refusals:
            return
        try:
            self._trust.check(answer)
        except SignatureError:
            if refused:
                code = wire.shown_code(wire.word(answer, "errorCode"))
                raise SignatureError(f"BestPay refused with {code}, unsigned: not believed.") from None
            raise

    @property
    def _common(self) -> dict[str, str]:
        return {"institutionType": _INSTITUTION, "institutionCode": self._settings.merchant_no}

    def _paths(self, way: Way) -> Paths:
        return _LINK_PATHS if way is Way.LINK else self._code_paths

    def _trade(self, number: str) -> dict[str, str]:
        return {"merchantNo": self._settings.merchant_no, "outTradeNo": number}

    def _order(self, intent: Intent) -> dict[str, str]:
        title = wire.cut(intent.title, wire.NAME_MAX)
        expiry = self._settings.expiry_field
        return {
            **self._trade(intent.number),
            "tradeAmt": str(intent.amount.minor),
            "ccy": wire.CCY,
            "requestDate": beijing(intent.created_at, wire.MOMENT),
            "tradeChannel": "H5",
            "accessCode": "CASHIER",
            "mediumType": "WIRELESS",
            "subject": title,
            "goodsInfo": title,
            "operator": self._settings.merchant_no,
            "notifyUrl": intent.notify_url,
            "riskControlInfo": wire.json_text([self._risk(title)]),
            **({expiry: beijing(intent.expires_at, wire.MOMENT)} if expiry else {}),
            **self._more_fields,
        }

    def _risk(self, title: str) -> dict[str, str]:
        """One ware, described for BestPay's risk control. `boby` is BestPay's own spelling."""
        return {
            "service_identify": self._settings.risk_service,
            "subject": title,
            "product_type": "3",
            "boby": title,
            "goods_count": "1",
            "service_cardno": "",
        }

    def _return(self, request: RefundRequest) -> dict[str, str]:
        return {
            **self._trade(request.attempt.number),
            "outRequestNo": request.number,
            "originalTradeDate": beijing(request.attempt.created_at, wire.MOMENT),
            "refundAmt": str(request.amount.minor),
            "requestDate": beijing(request.created_at, wire.MOMENT),
            "operator": self._settings.merchant_no,
            "tradeChannel": "H5",
            "ccy": wire.CCY,
            "accessCode": "CASHIER",
            "refundCause": wire.cut(request.reason, wire.NAME_MAX),
            "notifyUrl": request.notify_url,
            "remark": "",
        }

    def _cashier_link(self, intent: Intent, trade_no: str) -> str:
        """The signed form of the H5 cashier, its fields in the address: published clients post it just so."""
        if not trade_no:
            raise ReplyError("BestPay opened the order and gave no tradeNo for its cashier.")
        fields = {
            **self._trade(intent.number),
            **self._common,
            "signType": "CA",
            "platform": _PLATFORM,
            "tradeType": _TRADE,
            "tradeNo": trade_no,
            "tradeAmt": str(intent.amount.minor),
            "tradeDesc": wire.cut(intent.title, wire.NAME_MAX),
            "merchantFrontUrl": intent.return_url,
        }
        fields = {name: value for name, value in fields.items() if value}
        query = wire.encode_form(fields | {"sign": self._signer.sign(fields)}).decode()
        return f"{self._settings.cashier}?{query}"

    def _shown(self, code: str) -> str:
        if (
            not 0 < len(code) <= _CODE_MAX
            or not code.isprintable()
            or not code.startswith(self._settings.code_prefix)
        ):
            raise ReplyError(
                "BestPay opened the order and gave no codeUrl that may be shown; see code_prefix."
            )
        return code

    def _already_over(self, result: wire.Message) -> Declined | None:
        """The call was taken, but the order's own state says that nobody can pay it (any more)."""
        code = wire.word(result, "tradeStatus")
        state = self._reader.state(result) if code else Paid.UNPAID
        if state in {Paid.UNPAID, Paid.PAYING}:
            return None
        reason = DeclineReason.ALREADY_PAID if state is Paid.PAID else DeclineReason.OTHER
        return Declined(
            reason, wire.word(result, "tradeResultCode") or code, wire.word(result, "tradeResultDesc")
        )

    def _not_found(self, refused: wire.Refused) -> NotFound:
        if refused.code in self._unknown_order:
            return NotFound(refused.code)
        code = wire.shown_code(refused.code)
        raise ReplyError(f"BestPay did not answer the query: {code}; see unknown_order_codes.")

    def _check_same(self, result: wire.Message, number: str) -> None:
        """The published answer of payOrder names nothing but its `codeUrl`: silence is let pass, another number is not."""
        if (wire.word(result, "outTradeNo") or number) != number:
            raise ReplyError("BestPay's answer speaks of another order.")


def _closed(seen: Snapshot | NotFound, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | None:
    """What a look settles; None while somebody may still pay."""
    if isinstance(seen, NotFound):
        return Closed(code=seen.code) if call.clock.now() >= ref.expires_at else None
    if seen.state in {Paid.PAID, Paid.REFUNDED}:
        return AlreadyPaid(code=seen.code)
    return Closed(code=seen.code) if seen.state in {Paid.CLOSED, Paid.FAILED} else None


def _declined(refused: wire.Refused) -> Declined:
    reason = wire.certain_reason(refused.code) or DeclineReason.OTHER
    return Declined(reason, refused.code, refused.message)
