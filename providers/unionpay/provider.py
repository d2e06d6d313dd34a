"""UnionPay ACP 5.1.0 as a provider: QR codes for Cloud QuickPass and bank apps, and their payer codes.

What ACP promises is little: `respCode` 00 says that a request was accepted, never that money moved; an order is known
by `orderId` *and* `txnTime` together (we send the attempt's own birth time); a refund is an order of its own. There is
no call that closes a code: it dies at its `payTimeout`. See `close` for what is made of that.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

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
from providers.sdk.errors import ReplyError
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
from providers.unionpay import reading, wire
from providers.unionpay.settings import UnionPaySettings
from providers.unionpay.signing import VERSION
from providers.unionpay.statement import read_file

_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_PAYER_CODE_LIFE: Final = timedelta(seconds=120)  # twice the minute that a payer code is shown
_ECHOED: Final = ("merId", "orderId", "txnTime")


class UnionPay:
    """One merchant account at ACP. Holds keys and settings, no state."""

    def __init__(self, settings: UnionPaySettings) -> None:
        self._settings = settings
        self._signer = settings.signer()
        self._trust = settings.trust()
        self._unknown_order = frozenset(settings.unknown_order_codes.replace(" ", "").split(","))

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Apply for a QR code, take a payer code, or pre-order for the app (`tn`)."""
        match intent.way:
            case Way.MERCHANT_CODE:
                return await self._apply_code(intent, call)
            case Way.PAYER_CODE:
                return await self._take_payer_code(intent, call)
            case Way.IN_APP:
                return await self._pre_order(intent, call)
        return Declined(DeclineReason.MISCONFIGURED, "", f"UnionPay has no way {intent.way}.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number and the time it was first sent."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """See to it that nobody pays any more, as far as ACP lets one.

        ACP knows no closing of a code. Past its `payTimeout` (and a grace) an unpaid code is closed by itself. Before
        that, a payer-code attempt is reversed (99/01); a merchant code only where `reverse_merchant_codes` says that
        the acquirer's ACP takes it. Otherwise the answer is `Unknown` until the code has died.
        """
        seen = await self._look_up(ref, call)
        verdict = self._closed(seen, ref, call.clock.now())
        if verdict is not None:
            return verdict
        if not self._may_reverse(ref, call.clock.now()):
            return Unknown("ACP cannot close a code before its payTimeout; ask again after it.")
        return await self._reverse(ref, call)

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Return part or all as an order of its own (04/00), or a full amount of today by a void (31/00)."""
        by_void = self._settings.void_same_day and reading.voidable(request)
        return await self._return_by(wire.VOID if by_void else wire.REFUND, request, call)

    @settled
    async def void(self, request: RefundRequest, call: Call) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Void the whole payment on its own clearing day (31/00): real time, full amount, never beside a refund."""
        if not reading.voidable(request):
            return Declined(DeclineReason.WINDOW, "", "A void takes the full amount on the day it was paid.")
        return await self._return_by(wire.VOID, request, call)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number, which is an `orderId` like any other."""
        return await self._look_up_refund(ref, call)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "ACP's QR product pays nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read a `backUrl` post.

        ACP signs no sending time and repeats a notification for some twelve minutes, so age alone says nothing. A
        replay carries the same `event_key` and is caught there; it can never say more than it said the first time.
        """
        if request.method != "POST":
            return Rejected("ACP notifies by POST.")
        try:
            fields = wire.decode_form(request.body)
            self._trust.check(fields, now)
            return reading.verified(fields, self._settings.mer_id)
        except ReplyError as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """ACP reads the status alone: 200 is received, anything else is repeated."""
        del request
        return HttpReply(200, body=b"success") if accepted else HttpReply(500, body=b"fail")

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """The lines of one *clearing* day, which runs from 23:00 of the day before to 23:00 Beijing time."""
        fields = {
            "txnTime": beijing(call.clock.now(), wire.TIME),
            "fileType": "00",
            "settleDate": day.strftime("%m%d"),
        }
        answer = await self._ask(wire.FILE, fields, call)
        if answer["respCode"] == wire.NO_SUCH_FILE:
            return
        if answer["respCode"] != wire.ACCEPTED:
            raise ReplyError(f"UnionPay gives no statement: {answer['respCode']}.")
        for line in read_file(answer.get("fileContent", ""), day):
            yield line

    def scrub(self, transcript: bytes) -> bytes:
        """Mask payer codes, card numbers and personal fields."""
        return wire.scrub(transcript)

    async def _apply_code(self, intent: Intent, call: Call) -> Created | Declined:
        answer = await self._open(wire.APPLY_CODE, intent, call)
        if isinstance(answer, Declined):
            return answer
        if not answer.get("qrCode", "").startswith(wire.CODE_PREFIX):
            raise ReplyError("UnionPay accepted the order and gave no code of its own.")
        return Created(code=answer["qrCode"], usable_until=intent.expires_at)

    async def _pre_order(self, intent: Intent, call: Call) -> Created | Declined:
        answer = await self._open(wire.PRE_ORDER, intent, call)
        if isinstance(answer, Declined):
            return answer
        if not answer.get("tn"):
            raise ReplyError("UnionPay accepted the order and gave no tn.")
        return Created(in_app={"tn": answer["tn"]}, usable_until=intent.expires_at)

    async def _open(self, trade: wire.Trade, intent: Intent, call: Call) -> dict[str, str] | Declined:
        answer = await self._ask(trade, self._order(intent), call)
        if answer["respCode"] in wire.OPEN_CODES - {wire.DUPLICATE}:
            raise ReplyError(f"UnionPay has not decided: {answer['respCode']}.")
        return answer if answer["respCode"] == wire.ACCEPTED else reading.declined(answer)

    async def _take_payer_code(self, intent: Intent, call: Call) -> Snapshot | Declined:
        digits = intent.payer_code.get_secret_value() if intent.payer_code else ""
        if not wire.PAYER_CODE.fullmatch(digits):
            return Declined(
                DeclineReason.PAYER, "", "A UnionPay payer code has 19 digits and starts with 62."
            )
        answer = await self._ask(wire.PAY_BY_PAYER_CODE, self._order(intent) | {"qrNo": digits}, call)
        if answer["respCode"] != wire.ACCEPTED and answer["respCode"] not in wire.OPEN_CODES:
            return reading.declined(answer)
        return reading.payer_code_accepted(answer, intent)

    async def _look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        answer = await self._ask(wire.QUERY, _identity(ref.number, ref.created_at), call)
        if answer["respCode"] in self._unknown_order:
            return NotFound(answer["respCode"])
        return reading.snapshot(answer, ref, over=self._over(ref, call.clock.now()))

    async def _look_up_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound:
        answer = await self._ask(wire.QUERY, _identity(ref.number, ref.created_at), call)
        if answer["respCode"] in self._unknown_order:
            return NotFound(answer["respCode"])
        return reading.refund_snapshot(answer, ref)

    def _closed(
        self, seen: Snapshot | NotFound, ref: AttemptRef, now: datetime
    ) -> Closed | AlreadyPaid | None:
        """What a look already settles; None when the code may still be paid."""
        if isinstance(seen, NotFound):
            return Closed(code=seen.code) if self._over(ref, now) else None
        if seen.state in {Paid.PAID, Paid.REFUNDED}:
            return AlreadyPaid(code=seen.code)
        return Closed(code=seen.code) if seen.state in {Paid.CLOSED, Paid.FAILED} else None

    def _over(self, ref: AttemptRef, now: datetime) -> bool:
        return now >= ref.expires_at + timedelta(seconds=self._settings.close_grace_s)

    def _may_reverse(self, ref: AttemptRef, now: datetime) -> bool:
        same_day = wire.clearing_day(now) == wire.clearing_day(ref.created_at)
        return same_day and (ref.way is Way.PAYER_CODE or self._settings.reverse_merchant_codes)

    async def _reverse(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown:
        answer = await self._ask(wire.REVERSAL, _identity(ref.number, ref.created_at), call)
        seen = await self._look_up(ref, call)
        now = call.clock.now()
        verdict = self._closed(seen, ref, now)
        if verdict is None and isinstance(seen, NotFound) and now > ref.created_at + _PAYER_CODE_LIFE:
            return Closed(code=seen.code)  # it never arrived, and its payer code is dead
        return verdict or Unknown(f"The reversal was answered with {answer['respCode']}; ask again.")

    async def _return_by(
        self, trade: wire.Trade, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | Unknown:
        answer = await self._ask(trade, self._return(request), call)
        code = answer["respCode"]
        if code == wire.DUPLICATE:  # this number went through before: what became of it then?
            known = await self._look_up_refund(reading.ref_of(request), call)
            return (
                known if isinstance(known, RefundSnapshot) else Unknown("The refund is known, not yet found.")
            )
        if code != wire.ACCEPTED and code not in wire.OPEN_CODES:
            return reading.declined(answer)
        return reading.refund_accepted(answer, request)

    def _return(self, request: RefundRequest) -> dict[str, str]:
        attempt = request.attempt
        original = (
            {"origQryId": attempt.provider_ref}
            if attempt.provider_ref
            else {"origOrderId": attempt.number, "origTxnTime": beijing(attempt.created_at, wire.TIME)}
        )
        own = _identity(request.number, request.created_at) | {
            "txnAmt": str(request.amount.minor),
            "currencyCode": "156",
            "backUrl": request.notify_url,
            "reqReserved": attempt.number,  # comes back in the notification, which names no original order
        }
        return own | original

    def _order(self, intent: Intent) -> dict[str, str]:
        return _identity(intent.number, intent.created_at) | {
            "txnAmt": str(intent.amount.minor),
            "currencyCode": "156",
            "backUrl": intent.notify_url,
            "payTimeout": beijing(intent.expires_at, wire.TIME),
            "termId": self._settings.term_id,
        }

    async def _ask(self, trade: wire.Trade, fields: Mapping[str, str], call: Call) -> dict[str, str]:
        """Send one signed request; return the verified answer, which has a `respCode` and speaks of this order."""
        sent = self._signer.sign({**self._common(trade), **fields})
        request = HttpRequest("POST", self._url(trade), _FORM, wire.encode_form(sent))
        reply = await call.transport.send(request)
        if reply.status != 200:  # noqa: PLR2004  # the one status ACP answers with
            raise ReplyError(f"UnionPay answered with HTTP status {reply.status}.")
        answer = wire.decode_reply(reply.body)
        self._trust.check(answer, call.clock.now())
        if any(answer.get(name, "") != sent[name] for name in _ECHOED if name in sent):
            raise ReplyError("UnionPay's answer speaks of another order.")
        if not answer.get("respCode"):
            raise ReplyError("UnionPay's answer has no respCode.")
        return answer

    def _common(self, trade: wire.Trade) -> dict[str, str]:
        fields = {
            "version": VERSION,
            "encoding": "UTF-8",
            "txnType": trade.txn_type,
            "txnSubType": trade.txn_sub_type,
            "bizType": trade.biz_type,
            "accessType": "0",
            "merId": self._settings.mer_id,
        }
        return (
            fields
            if trade in {wire.QUERY, wire.FILE}
            else fields | {"channelType": self._settings.channel_type}
        )

    def _url(self, trade: wire.Trade) -> str:
        if trade == wire.FILE:
            return self._settings.file_url.rstrip("/") + "/"
        path = self._settings.query_path if trade == wire.QUERY else trade.path
        return self._settings.base_url.rstrip("/") + wire.API + path


def _identity(number: str, created_at: datetime) -> dict[str, str]:
    """The pair that names an order at ACP for ever."""
    return {"orderId": number, "txnTime": beijing(created_at, wire.TIME)}
