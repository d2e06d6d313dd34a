"""UnionPay through the QRA gateway: the second mode of this provider (`mode` = `qra`).

Unlike ACP it closes orders, and answers a payer code at once. `status` is the transport's word, `result_code` the
call's, and only `pay_result` or `trade_state` speak of money. QRA signs with a shared key and signs no time.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Final

from providers.sdk.clock import beijing, from_beijing
from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    PayoutRequest,
    RefundRef,
    RefundRequest,
    Way,
    settled,
)
from providers.sdk.errors import ConfigurationError, ReplyError
from providers.sdk.money import wire_minor
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    PayoutSnapshot,
    RefundSnapshot,
    Rejected,
    Returned,
    Snapshot,
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.unionpay import qra_wire as wire
from providers.unionpay.settings import UnionPaySettings
from providers.unionpay.wire import PAYER_CODE

_XML: Final = Headers((("Content-Type", wire.XML_TYPE),))
_STATES: Final = {
    "SUCCESS": Paid.PAID,
    "REFUND": Paid.REFUNDED,
    "NOTPAY": Paid.UNPAID,
    "USERPAYING": Paid.PAYING,
    "CLOSED": Paid.CLOSED,
    "REVERSE": Paid.CLOSED,
    "REVOKED": Paid.CLOSED,
    "PAYERROR": Paid.FAILED,
}
_RETURNS: Final = {"SUCCESS": Returned.DONE, "PROCESSING": Returned.PENDING, "FAIL": Returned.FAILED}


class UnionPayQra:
    """One merchant account at the QRA gateway. Holds the key and settings, no state."""

    def __init__(self, settings: UnionPaySettings) -> None:
        self._settings = settings
        self._unknown_order = frozenset(settings.qra_unknown_order_codes.replace(" ", "").split(","))

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """`unified.trade.native` for a code, `unified.trade.micropay` for the payer's own."""
        if intent.way is Way.MERCHANT_CODE:
            return await self._native(intent, call)
        if intent.way is Way.PAYER_CODE:
            return await self._micropay(intent, call)
        return Declined(DeclineReason.MISCONFIGURED, "", f"QRA has no way {intent.way}.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """`unified.trade.query` by our number."""
        answer = await self._ask(wire.QUERY, {"out_trade_no": ref.number}, call)
        if answer.get("result_code") != wire.OK:
            return self._not_found(answer)
        state = _STATES.get(answer.get("trade_state", ""))
        if state is None:
            raise ReplyError("QRA names a state that this house does not know.")
        return _snapshot(answer, state, answer["trade_state"])

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Look first; close an unpaid code, reverse an unfinished payer code; then look again."""
        for service in (wire.REVERSE if ref.way is Way.PAYER_CODE else wire.CLOSE, None):
            seen = await self.query(ref, call)
            match seen:
                case Snapshot(state=Paid.PAID | Paid.REFUNDED):
                    return AlreadyPaid(code=seen.code)
                case Snapshot(state=Paid.CLOSED | Paid.FAILED):
                    return Closed(code=seen.code)
                case NotSent() | Unknown():
                    return seen
            if service is not None:
                await self._ask(service, {"out_trade_no": ref.number}, call)
        return Unknown("QRA has not closed the order yet; ask again.")

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """`unified.trade.refund`; accepted is not returned."""
        fields = {
            "out_trade_no": request.attempt.number,
            "out_refund_no": request.number,
            "total_fee": str(request.attempt.amount.minor),
            "refund_fee": str(request.amount.minor),
            "op_user_id": self._settings.qra_mch_id,
        }
        answer = await self._ask(wire.REFUND, fields, call)
        if answer.get("result_code") != wire.OK:
            return _declined(answer)
        _same(answer, "out_refund_no", request.number)
        return RefundSnapshot(
            number=request.number,
            attempt_number=request.attempt.number,
            amount=wire_minor(answer.get("refund_fee"), "CNY"),
            state=Returned.PENDING,
            provider_ref=answer.get("refund_id", ""),
        )

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """`unified.trade.refundquery`: the one of its numbered lines that is ours."""
        answer = await self._ask(wire.REFUND_QUERY, {"out_refund_no": ref.number}, call)
        if answer.get("result_code") != wire.OK:
            return self._not_found(answer)
        _same(answer, "out_refund_no_0", ref.number)
        state = answer.get("refund_status_0", "")
        return RefundSnapshot(
            number=ref.number,
            attempt_number=answer.get("out_trade_no") or ref.attempt.number,
            amount=wire_minor(answer.get("refund_fee_0"), "CNY"),
            state=_RETURNS.get(state, Returned.PENDING),
            provider_ref=answer.get("refund_id_0", ""),
            code=state,
        )

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "QRA pays nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read an XML post. It carries no sending time: a replay is caught by its `event_key`."""
        del now
        if request.method != "POST":
            return Rejected("QRA notifies by POST.")
        try:
            fields = wire.decode(request.body)
            wire.check(fields, self._settings.qra_key.get_secret_value())
            words = [fields.get(name) for name in ("status", "result_code", "pay_result")]
            fact = _snapshot(fields, Paid.PAID, "SUCCESS") if words == [wire.OK] * 3 else None
            key = f"qra-{fields.get('out_trade_no', '')}-{fields.get('transaction_id', '')}-{words[2]}"
            return Verified(event_key=key, fact=fact, event="qra.pay")
        except ReplyError as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """QRA repeats until it reads `success`."""
        del request
        return HttpReply(200, body=b"success") if accepted else HttpReply(500, body=b"fail")

    def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """QRA's bill services exist, but their columns are not public. Raises `ConfigurationError`."""
        del day, call
        raise ConfigurationError("UnionPay in mode qra has no statement: compare with the merchant platform.")

    def scrub(self, transcript: bytes) -> bytes:
        """Mask payer codes and payer ids."""
        return wire.scrub(transcript)

    async def _native(self, intent: Intent, call: Call) -> Created | Declined:
        answer = await self._ask(wire.NATIVE, self._order(intent), call)
        if answer.get("result_code") != wire.OK:
            return _declined(answer)
        if not answer.get("code_url"):
            raise ReplyError("QRA accepted the order and gave no code.")
        return Created(code=answer["code_url"], usable_until=intent.expires_at)

    async def _micropay(self, intent: Intent, call: Call) -> Snapshot | Declined:
        digits = intent.payer_code.get_secret_value() if intent.payer_code else ""
        if not PAYER_CODE.fullmatch(digits):
            return Declined(
                DeclineReason.PAYER, "", "A UnionPay payer code has 19 digits and starts with 62."
            )
        answer = await self._ask(wire.MICROPAY, self._order(intent) | {"auth_code": digits}, call)
        if answer.get("result_code") == wire.OK and answer.get("pay_result") == wire.OK:
            _same(answer, "out_trade_no", intent.number)
            return _snapshot(answer, Paid.PAID, "SUCCESS")
        if answer.get("need_query") != "N":  # Y, or no word at all: only a query can tell
            return Snapshot(
                number=intent.number,
                merchant=self._settings.qra_mch_id,
                amount=intent.amount,
                state=Paid.PAYING,
                code=answer.get("err_code", ""),
            )
        return _declined(answer)

    def _order(self, intent: Intent) -> dict[str, str]:
        return {
            "out_trade_no": intent.number,
            "body": intent.title,
            "total_fee": str(intent.amount.minor),
            "mch_create_ip": intent.client_ip,
            "notify_url": intent.notify_url if intent.way is Way.MERCHANT_CODE else "",
            "time_start": beijing(intent.created_at, wire.TIME),
            "time_expire": beijing(intent.expires_at, wire.TIME),
        }

    def _not_found(self, answer: Mapping[str, str]) -> NotFound:
        code = answer.get("err_code", "")
        if code in self._unknown_order:
            return NotFound(code)
        raise ReplyError(f"QRA did not answer the query: {code}.")

    async def _ask(self, service: str, fields: Mapping[str, str], call: Call) -> dict[str, str]:
        """Send one signed request; return the verified answer of a transport that worked."""
        key = self._settings.qra_key.get_secret_value()
        common = {
            "service": service,
            "version": "2.0",
            "charset": "UTF-8",
            "sign_type": "MD5",
            "mch_id": self._settings.qra_mch_id,
            "nonce_str": call.random.text(32),
        }
        sent = wire.signed({**common, **fields}, key)
        url = self._settings.qra_url.rstrip("/") + wire.PATH
        reply = await call.transport.send(HttpRequest("POST", url, _XML, wire.encode(sent)))
        if reply.status != 200:  # noqa: PLR2004  # the one status QRA answers with
            raise ReplyError(f"QRA answered with HTTP status {reply.status}.")
        answer = wire.decode(reply.body)
        wire.check(answer, key)
        if answer.get("status") != wire.OK:
            raise ReplyError("QRA could not take the call.")
        _same(answer, "mch_id", self._settings.qra_mch_id)
        if "out_trade_no" in answer and "out_trade_no" in fields:
            _same(answer, "out_trade_no", fields["out_trade_no"])
        return answer


def _same(answer: Mapping[str, str], name: str, value: str) -> None:
    if answer.get(name) != value:
        raise ReplyError("QRA's answer speaks of something else.")


def _declined(answer: Mapping[str, str]) -> Declined:
    code = answer.get("err_code", "")
    if not code:
        raise ReplyError("QRA refused without a word.")
    return Declined(DeclineReason.OTHER, code, answer.get("err_msg", ""))


def _snapshot(answer: Mapping[str, str], state: Paid, code: str) -> Snapshot:
    try:
        paid_at = from_beijing(answer.get("time_end", ""), wire.TIME)
    except ValueError:
        paid_at = None
    return Snapshot(
        number=answer["out_trade_no"] if answer.get("out_trade_no") else _missing(),
        merchant=answer.get("mch_id", ""),
        amount=wire_minor(answer.get("total_fee"), "CNY"),
        state=state,
        provider_ref=answer.get("transaction_id", ""),
        paid_at=paid_at if state in {Paid.PAID, Paid.REFUNDED} else None,
        code=code,
    )


def _missing() -> str:
    raise ReplyError("QRA's message names no order.")
