"""The verbs of the contract on PlainPay's wire."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from plainpay import signing, wire
from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    PayoutRequest,
    ProviderSettings,
    RefundRef,
    RefundRequest,
    Way,
    settled,
)
from providers.sdk.errors import ProviderError, ReplyError
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    PayoutSnapshot,
    RefundSnapshot,
    Rejected,
    Snapshot,
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpReply, HttpRequest

_DECLINED = {
    "CONFLICT": DeclineReason.CONFLICT,
    "LIMIT": DeclineReason.LIMIT,
    "GONE": DeclineReason.WINDOW,
}


class PlainPaySettings(ProviderSettings):
    """One merchant at PlainPay."""

    base_url: str = Field("https://api.plainpay.example", description="PlainPay's API.")
    merchant_id: str = Field(description="The merchant number PlainPay gave you.")
    key: SecretStr = Field(description="The shared key, from PlainPay's merchant page.")


class PlainPay:
    """One merchant account; all it holds are the settings."""

    def __init__(self, settings: PlainPaySettings) -> None:
        self._settings = settings

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """`POST /orders`: answers with the code."""
        if intent.way is not Way.MERCHANT_CODE:
            return Declined(DeclineReason.MISCONFIGURED, "", f"PlainPay has no way {intent.way}.")
        answer = await self._send(
            call,
            "/orders",
            {
                "number": intent.number,
                "amount": intent.amount.minor,
                "title": intent.title,
                "expires_at": intent.expires_at.isoformat(),
                "notify_url": intent.notify_url,
            },
        )
        if "error" in answer:
            return _declined(answer)
        self._same(answer, intent.number)
        return Created(code=str(answer["code"]), provider_ref=str(answer["trade"]))

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """`POST /orders/query`."""
        answer = await self._send(call, "/orders/query", {"number": ref.number})
        if answer.get("error") == "NOT_FOUND":
            return NotFound("NOT_FOUND")
        self._same(answer, ref.number)
        return wire.snapshot(answer)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """`POST /orders/close`."""
        answer = await self._send(call, "/orders/close", {"number": ref.number})
        if answer.get("error") == "ALREADY_PAID":
            return AlreadyPaid(code="ALREADY_PAID")
        self._same(answer, ref.number)
        return (
            Closed()
            if answer.get("state") == "CLOSED"
            else Unknown("PlainPay did not say that it is closed.")
        )

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """`POST /refunds`: made at once."""
        fields: wire.Fields = {
            "number": request.attempt.number,
            "refund": request.number,
            "refund_amount": request.amount.minor,
        }
        answer = await self._send(call, "/refunds", fields)
        if "error" in answer:
            return _declined(answer)
        self._same(answer, request.attempt.number)
        return wire.refund_snapshot(answer)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """`POST /refunds/query`."""
        answer = await self._send(
            call, "/refunds/query", {"number": ref.attempt.number, "refund": ref.number}
        )
        if answer.get("error") == "NOT_FOUND":
            return NotFound("NOT_FOUND")
        self._same(answer, ref.attempt.number)
        return wire.refund_snapshot(answer)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """PlainPay pays nothing out."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "PlainPay pays nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """PlainPay pays nothing out."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Signed for our path, no older than five minutes, about our merchant."""
        try:
            signing.check(self._key, request.path, request.headers, request.body)
            fields = wire.unpack(request.body)
            if abs((now - wire.moment(fields["sent_at"])).total_seconds()) > wire.NOTIFY_FRESH_S:
                return Rejected("It is not fresh.")
            self._same(fields, str(fields["number"]))
            return Verified(event_key=str(fields["event"]), fact=wire.snapshot(fields), event="order.paid")
        except (ProviderError, LookupError, ValueError) as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """204, or 500 to be told again."""
        del request
        return HttpReply(204 if accepted else 500)

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """PlainPay has none; an empty one."""
        del day, call
        lines: tuple[StatementLine, ...] = ()
        for line in lines:
            yield line

    def scrub(self, transcript: bytes) -> bytes:
        """Nothing personal is on this wire, and the key never is."""
        return transcript

    @property
    def _key(self) -> bytes:
        """Read where it is used, so that no repr of this object can show it."""
        return self._settings.key.get_secret_value().encode()

    async def _send(self, call: Call, path: str, fields: wire.Fields) -> wire.Fields:
        """Sign, send, verify, read. The answer is signed for the path that was asked."""
        body = wire.pack({**fields, "merchant": self._settings.merchant})
        url = f"{self._settings.base_url}{path}"
        target = urlsplit(url).path
        signed = Headers.of({signing.HEADER: signing.sign(self._key, target, body)})
        reply = await call.transport.send(HttpRequest("POST", url, signed, body))
        signing.check(self._key, target, reply.headers, reply.body)
        return wire.unpack(reply.body)

    def _same(self, fields: wire.Fields, number: str) -> None:
        if fields.get("number") != number or fields.get("merchant") != self._settings.merchant:
            raise ReplyError("The message is about another order.")


def _declined(answer: wire.Fields) -> Declined | Unknown:
    code = str(answer["error"])
    reason = _DECLINED.get(code)
    return (
        Declined(reason, code, str(answer.get("message", "")))
        if reason
        else Unknown(f"PlainPay said {code}.")
    )
