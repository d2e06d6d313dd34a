"""BestPay as a provider: three ways to pay, through two gateways of one institution.

| way | through | ended by |
|---|---|---|
| merchant code, link | MAPI | closing |
| payer code | the payer-code gateway | reversal, on the same day |

Both gateways post their notifications to one address; their forms cannot be confused, and each is verified by its own
key. Neither signs the time of a notification: a replay carries the `event_key` it carried before and is caught there.
"""

import re
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Final

from providers.bestpay import wire
from providers.bestpay.counter import Counter
from providers.bestpay.mapi import Mapi
from providers.bestpay.settings import BestPaySettings
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

_TEXT: Final = Headers((("Content-Type", "text/plain;charset=UTF-8"),))
_JSON: Final = Headers((("Content-Type", wire.JSON_TYPE),))
_SERIAL: Final = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_ONLINE: Final = frozenset({Way.MERCHANT_CODE, Way.LINK})


class BestPay:
    """One merchant account. Holds keys and settings, no state; either gateway may be missing from the contract."""

    def __init__(self, settings: BestPaySettings) -> None:
        self._mapi = Mapi(settings) if settings.has_mapi else None
        self._counter = Counter(settings) if settings.has_payer_codes else None

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Open an order with a code or a link, or charge a shown payer code."""
        if intent.way in _ONLINE and self._mapi is not None:
            return await self._mapi.create(intent, call)
        if intent.way is Way.PAYER_CODE and self._counter is not None:
            return await self._counter.take(intent, call)
        words = f"This BestPay account is not set up for {intent.way}: see sign_key and data_key."
        return Declined(DeclineReason.MISCONFIGURED, "", words)

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number."""
        return await self._side(ref).look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Close an order, or reverse a payer code that is not paid yet."""
        return await self._side(ref).close(ref, call)

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Return part or all, on the gateway that took the payment."""
        return await self._side(request.attempt).refund(request, call)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number."""
        return await self._side(ref.attempt).look_up_refund(ref, call)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "BestPay's collecting products pay nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read a post of either gateway: JSON is MAPI's, a form the payer-code gateway's."""
        del now
        if request.method != "POST":
            return Rejected("BestPay notifies by POST.")
        try:
            return self._read(request.body)
        except ReplyError as error:
            return Rejected(str(error))
        except KeyError as error:
            return Rejected(f"The notification has no {error.args[0]}.")

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """Each kind of notification wants its own words back, with a number out of it.

        A payment at the payer-code gateway `UPTRANSEQ_<serial>`, a refund there its bare `ourTransNo`, an aggregate
        order a fixed JSON, and an order of the older uniformReceipt product its own two numbers.
        """
        body = request.body if request is not None else b""
        if not accepted:
            return (
                HttpReply(200, _JSON, wire.AGGREGATE_NACK)
                if _is_json(body)
                else HttpReply(500, _TEXT, b"fail")
            )
        try:
            return _json_reply(body) if _is_json(body) or not body else _form_reply(body)
        except ReplyError:
            return HttpReply(500, _TEXT, b"fail")

    def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """Never called: `info.has_statement` is false. Raises `ConfigurationError`."""
        del day, call
        raise ConfigurationError("No public paper describes a reconciliation file of BestPay.")

    def scrub(self, transcript: bytes) -> bytes:
        """Mask payer codes, passwords and payers' accounts."""
        return wire.scrub(transcript)

    def _side(self, ref: AttemptRef) -> Mapi | Counter:
        side = self._counter if ref.way is Way.PAYER_CODE else self._mapi
        if side is None:
            raise ConfigurationError(
                f"This BestPay account can no longer ask about {ref.way}: set its keys again (sign_key, data_key)."
            )
        return side

    def _read(self, body: bytes) -> Verified:
        side = self._mapi if _is_json(body) else self._counter
        if side is None:
            raise ReplyError("The notification is of a BestPay gateway that this account does not use.")
        if isinstance(side, Mapi):
            return side.read(wire.decode_json(body))
        return side.read(wire.decode_form(body))


def _is_json(body: bytes) -> bool:
    return body.lstrip().startswith(b"{")


def _form_reply(body: bytes) -> HttpReply:
    fields = wire.decode_form(body)
    head, name = (wire.PAYMENT_ACK, "UPTRANSEQ") if "UPTRANSEQ" in fields else ("", "ourTransNo")
    serial = fields.get(name, "")
    if not _SERIAL.fullmatch(serial):
        raise ReplyError("The notification has no serial number to answer with.")
    return HttpReply(200, _TEXT, f"{head}{serial}".encode())


def _json_reply(body: bytes) -> HttpReply:
    message = wire.decode_json(body) if body else {}
    if not body or wire.word(message, "notifyType"):
        return HttpReply(200, _JSON, wire.AGGREGATE_ACK)
    result = {name: wire.word(message, name) for name in ("outTradeNo", "tradeNo")}
    answer = {"success": True, "result": {"statusCode": 200, **result}}
    return HttpReply(200, _JSON, wire.encode_json(answer))
