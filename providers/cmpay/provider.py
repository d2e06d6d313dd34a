"""China Mobile Hebao (和包) as a provider: orders that a payer scans or opens, and payer codes.

What the protocol promises is little. `returnCode` 000000 says that a request was taken, never that money moved. An
order or request number is taken once: a repetition is refused and gives no second code. There is no closing of an
order; only a payer code can be cancelled. A refund has no number but its `requestId`, which is our refund number.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from providers.cmpay import messages, reading, signing, wire
from providers.cmpay.settings import CmpaySettings, listed
from providers.sdk.clock import beijing
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
from providers.sdk.errors import NoReplyError, NotSentError, ReplyError, SignatureError
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
    Snapshot,
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpReply, HttpRequest

_VERSION: Final = "2.0.0"
_REFUND_QUERY_VERSION: Final = "2.0.8"
_PAYER_CODE_LIFE: Final = timedelta(seconds=120)  # twice the minute that a payer code is shown
_ECHOED: Final = ("merchantId", "requestId", "orderId", "merchantRequestNo", "merchantOrderNo")
_REQUEST_ID_CHARS: Final = 24

Fields = dict[str, str]


class Cmpay:
    """One merchant account. Holds its key and settings, no state."""

    def __init__(self, settings: CmpaySettings) -> None:
        self._settings = settings
        self._secret = settings.sign_key
        self._orders = settings.orders()
        self._fixed = settings.fixed()
        self._encoded = listed(settings.encoded_fields)
        self._unknown_order = listed(settings.unknown_order_codes)
        self._refunded_words = listed(settings.refunded_words)

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Place an order to scan or to open, or take the code that the payer shows."""
        if len(intent.notify_url) > wire.URL_CHARS_MAX:
            text = f"China Mobile takes a notifyUrl of at most {wire.URL_CHARS_MAX} characters; shorten PUBLIC_URL."
            return Declined(DeclineReason.MISCONFIGURED, "", text)
        match intent.way:
            case Way.MERCHANT_CODE:
                return await self._open(messages.MERCHANT_CODE, intent, call)
            case Way.LINK:
                return await self._open(messages.PAGE, intent, call)
            case Way.PAYER_CODE:
                return await self._take_payer_code(intent, call)
        return Declined(DeclineReason.MISCONFIGURED, "", f"China Mobile has no way {intent.way}.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number and the day it was sent on."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """See to it that nobody pays any more, as far as China Mobile lets one.

        Past its expiry (and a grace) an unpaid order is closed by itself. Before that a payer code is cancelled by
        CloudTxnCancel; an order only where `cancel_online_orders` says that it may be. Otherwise: `Unknown` till then.
        """
        verdict = self._closed(await self._look_up(ref, call), ref, call.clock.now())
        if verdict is not None:
            return verdict
        if ref.way is not Way.PAYER_CODE and not self._settings.cancel_online_orders:
            return Unknown("China Mobile cannot close an order before it expires; ask again after that.")
        return await self._cancel(ref, call)

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Return part or all. The `requestId` is our refund number: it is taken once, so a repetition returns nothing."""
        by_code = request.attempt.way is Way.PAYER_CODE
        kind = messages.REFUND_COUNTER if by_code else messages.REFUND_ONLINE
        values = {"orderId": request.attempt.number, "amount": str(request.amount.minor)}
        answer = await self._ask(kind, values, call, request_id=request.number)
        if reading.accepted(answer):
            return reading.refund_made(answer, request)
        if wire.short(answer["returnCode"]) in wire.MAY_BE_REPEATED:
            return await self._made_before(answer, request, call)
        return reading.definite(answer)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number, where `refund_query` says that the contract has that message."""
        if not self._settings.refund_query:
            return Unknown("China Mobile publishes no query of refunds; see its merchant portal.")
        return await self._look_up_refund(ref, call)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "cmpayService pays nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read a `notifyUrl` post.

        China Mobile signs no sending time and repeats for a day, so age says nothing. A replay carries the same
        `event_key` and is caught there. The charset is not told: the hmac, which is over the text, decides.
        """
        del now
        if request.method != "POST":
            return Rejected("China Mobile notifies by POST.")
        reason = "The notification cannot be read."
        for codec in dict.fromkeys((self._settings.codec, "utf-8", "gbk")):
            try:
                fields = wire.decode_form(request.body, codec)
                signing.check(fields, self._orders[reading.order_of_notification(fields)], self._key)
                return reading.verified(fields)
            except ReplyError as error:
                reason = str(error)
        return Rejected(reason)

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """SUCCESS and nothing else is received; whatever else is repeated."""
        del request
        headers = Headers((("Content-Type", "text/plain"),))
        return (
            HttpReply(200, headers, reading.SUCCESS.encode())
            if accepted
            else HttpReply(500, headers, b"FAILED")
        )

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """Never called: `info.has_statement` is false."""
        del day, call
        none: tuple[StatementLine, ...] = ()
        for line in none:
            yield line

    def scrub(self, transcript: bytes) -> bytes:
        """Mask payer codes and telephone numbers."""
        return wire.scrub(transcript)

    async def _open(self, kind: str, intent: Intent, call: Call) -> Created | Declined:
        version_type = kind if kind == messages.MERCHANT_CODE else self._settings.page_type
        values = self._online(intent, call.clock.now()) | {"type": version_type}
        answer = await self._ask(kind, values, call, request_id=intent.number)
        if wire.short(answer["returnCode"]) == wire.TAKEN:
            raise ReplyError("China Mobile has this number already and gives its code only once.")
        if not reading.accepted(answer):
            return reading.declined(answer)
        pay_url = wire.read_pay_url(answer.get("payUrl", ""))
        if kind == messages.PAGE:
            return Created(link=wire.link_of(pay_url), usable_until=intent.expires_at)
        return Created(code=self._settings.code_prefix + pay_url.session, usable_until=intent.expires_at)

    async def _take_payer_code(self, intent: Intent, call: Call) -> Snapshot | Declined:
        digits = intent.payer_code.get_secret_value() if intent.payer_code else ""
        if not wire.PAYER_CODE.fullmatch(digits):
            return Declined(DeclineReason.PAYER, "", "A Hebao payer code is 16 to 24 digits.")
        values = self._order(intent, call.clock.now()) | {"userToken": digits}
        version = self._settings.payer_code_version.removesuffix("-flags")
        answer = await self._ask(messages.PAYER_CODE, values, call, request_id=intent.number, version=version)
        if reading.accepted(answer) or answer["returnCode"] == wire.PAYING:
            return reading.payer_code_taken(answer, intent)
        return reading.definite(answer)

    async def _look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        values = {"orderId": ref.number, "orderDate": beijing(ref.created_at, wire.DAY)}
        answer = await self._ask(self._settings.query_type, values, call)
        if answer["returnCode"] in self._unknown_order:
            return NotFound(answer["returnCode"])
        if not reading.accepted(answer):
            raise ReplyError(f"China Mobile did not answer the query: {answer['returnCode']}.")
        over = self._over(ref, call.clock.now())
        return reading.snapshot(answer, ref, over=over, refunded_words=self._refunded_words)

    async def _look_up_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound:
        values = {
            "merchantOrderNo": ref.attempt.number,
            "merchantOrderDate": beijing(ref.attempt.created_at, wire.DAY),
        }
        kind = messages.REFUND_QUERY
        answer = await self._ask(kind, values, call, request_id=ref.number, version=_REFUND_QUERY_VERSION)
        if answer["returnCode"] in self._unknown_order:
            return NotFound(answer["returnCode"])
        if not reading.accepted(answer):
            raise ReplyError(f"China Mobile did not answer the query: {answer['returnCode']}.")
        return reading.refunded(answer, ref.number, ref.attempt.number, provider_ref=ref.provider_ref)

    async def _made_before(
        self, answer: Fields, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | Unknown:
        """A number that is used up, or too little that is left, may be the trace of this very refund."""
        if not self._settings.refund_query:
            return Unknown(
                f"{answer['returnCode']}: this refund may have been made; see the merchant portal."
            )
        try:
            known = await self._look_up_refund(reading.ref_of(request), call)
        except NotSentError as error:  # the question was not, the refund was
            raise NoReplyError(str(error)) from None
        return known if isinstance(known, RefundSnapshot) else reading.declined(answer)

    def _closed(
        self, seen: Snapshot | NotFound, ref: AttemptRef, now: datetime
    ) -> Closed | AlreadyPaid | None:
        """What a look already settles; None when it may still be paid."""
        if isinstance(seen, NotFound):
            return Closed(code=seen.code) if self._over(ref, now) else None
        if seen.state in {Paid.PAID, Paid.REFUNDED}:
            return AlreadyPaid(code=seen.code)
        return Closed(code=seen.code) if seen.state in {Paid.CLOSED, Paid.FAILED} else None

    def _over(self, ref: AttemptRef, now: datetime) -> bool:
        return now >= ref.expires_at + timedelta(seconds=self._settings.close_grace_s)

    async def _cancel(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown:
        values = {"orequestId": ref.number, "oorderDate": beijing(ref.created_at, wire.DAY)}
        answer = await self._ask(messages.CANCEL, values, call)
        seen, now = await self._look_up(ref, call), call.clock.now()
        verdict = self._closed(seen, ref, now)
        never_came = isinstance(seen, NotFound) and ref.way is Way.PAYER_CODE
        if verdict is None and never_came and now > ref.created_at + _PAYER_CODE_LIFE:
            return Closed(code=answer["returnCode"])  # its payer code is dead
        return verdict or Unknown(f"The cancellation was answered with {answer['returnCode']}; ask again.")

    def _order(self, intent: Intent, now: datetime) -> Fields:
        codec = self._settings.codec
        return {
            "notifyUrl": intent.notify_url,
            "amount": str(intent.amount.minor),
            "currency": "00",
            "orderDate": beijing(intent.created_at, wire.DAY),
            "orderId": intent.number,
            "period": wire.period(intent.expires_at, now),
            "periodUnit": wire.PERIOD_MINUTES,
            "productName": wire.sendable(intent.title, codec) or intent.number,
        }

    def _online(self, intent: Intent, now: datetime) -> Fields:
        order = self._order(intent, now)
        parts = urlsplit(intent.notify_url)
        shop = f"{parts.scheme}://{parts.netloc}/"
        back = intent.return_url if 0 < len(intent.return_url) <= wire.URL_CHARS_MAX else shop
        return order | {
            "callbackUrl": back,
            "ipAddress": intent.client_ip,
            "merAcDate": order["orderDate"],
            "merchantAbbr": wire.sendable(self._settings.merchant_abbr, self._settings.codec),
            "productDesc": order["productName"],
            "productId": intent.number,
            "productNum": "1",
            "couponsFlag": self._settings.coupons_flag,
        }

    async def _ask(
        self,
        kind: str,
        values: Mapping[str, str],
        call: Call,
        *,
        request_id: str = "",
        version: str = _VERSION,
    ) -> Fields:
        """Send one signed request; return the believable answer, which has a `returnCode` and speaks of this order."""
        request_id = request_id or call.random.text(_REQUEST_ID_CHARS)
        common = {
            "characterSet": self._settings.character_set,
            "merchantId": self._settings.merchant_id,
            "requestId": request_id,
            "merchantRequestNo": request_id,
            "signType": "MD5",
            "type": kind,
            "version": version,
        }
        known = {**self._fixed, **common, **values}
        asked = self._orders[kind]
        sent = signing.signed({name: known.get(name, "") for name in asked}, asked, self._key)
        answer = await self._exchange(kind, sent, call)
        order = self._orders[kind + messages.ANSWER]
        told = order if reading.accepted(answer) else tuple(name for name in order if answer.get(name))
        if any(answer.get(name, "") != sent[name] for name in _ECHOED if name in sent and name in told):
            raise ReplyError("China Mobile's answer speaks of another order.")
        return answer

    @property
    def _key(self) -> str:
        return self._secret.get_secret_value()

    async def _exchange(self, kind: str, sent: Fields, call: Call) -> Fields:
        codec = self._settings.codec
        headers = Headers((("Content-Type", f"application/x-www-form-urlencoded;charset={codec}"),))
        request = HttpRequest("POST", self._url(kind), headers, wire.encode_form(sent, codec))
        reply = await call.transport.send(request)
        if reply.status != 200:  # noqa: PLR2004  # the one status cmpayService answers with
            raise ReplyError(f"China Mobile answered with HTTP status {reply.status}.")
        told = wire.codec_of(reply.headers.get("Content-Type"), codec)
        answer = wire.decode_answer(reply.body, told, self._encoded)
        self._check(kind, answer)
        return answer

    def _check(self, kind: str, answer: Fields) -> None:
        code = answer.get("returnCode", "")
        if not (0 < len(code) <= 10 and code.isascii() and code.isalnum()):  # noqa: PLR2004  # Max(10) in the tables
            raise ReplyError("China Mobile's answer has no returnCode.")
        unsigned = not answer.get(signing.HMAC)
        if unsigned and not reading.accepted(answer) and self._settings.unsigned_refusals:
            return
        try:
            signing.check(answer, self._orders[kind + messages.ANSWER], self._key)
        except SignatureError as error:
            raise SignatureError(f"{error} (returnCode {code})") from None
        if not answer.get("merchantId"):
            raise ReplyError("China Mobile's answer names no merchant.")

    def _url(self, kind: str) -> str:
        online = {messages.MERCHANT_CODE, messages.PAGE, messages.QUERY_ONLINE}
        online |= {messages.REFUND_ONLINE, messages.REFUND_QUERY}
        return self._settings.online_url if kind in online else self._settings.counter_url
