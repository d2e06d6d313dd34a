"""China Unicom Wo Wallet (沃支付) as a provider: an order page that the payer opens or scans, queries, refunds.

The order page is meant for a browser that posts a form. A chat shows codes and links, so the order stands in the
query of the page's own address, signed as the form would be; whoever opens it, orders. Nothing is open at China Unicom
until then, unless `open_first` says that we may open it ourselves. There is no call that closes an order.
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
from providers.sdk.errors import NoReplyError, NotSentError, ReplyError
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
from providers.unicompay import signing, wire
from providers.unicompay.reading import Reading
from providers.unicompay.settings import UnicompaySettings

_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_WAYS: Final = frozenset({Way.MERCHANT_CODE, Way.LINK})
_ECHOED: Final = ("merNo", "orderNo", "refundReqJournl")
_MINUTE_S: Final = 60
_REASON: Final = "退款"

Fields = dict[str, str]


class Unicompay:
    """One merchant account. Holds its key and settings, no state."""

    def __init__(self, settings: UnicompaySettings) -> None:
        self._settings = settings
        self._reading = Reading(settings)
        self._signed_order = settings.order()

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Make the address of the order page, once China Unicom's own word is that this number is free or unpaid.

        The same order has the same address for ever, so that a repetition shows the payer nothing new.
        """
        if intent.way not in _WAYS:
            return Declined(DeclineReason.MISCONFIGURED, "", f"China Unicom has no way {intent.way}.")
        order = self._order(intent)
        if self._settings.open_first:
            await self._open(order, call)
        found = await self._known(intent, call)
        if found is not None and found.amount != intent.amount:
            text = "China Unicom knows this number with another amount."
            return Declined(DeclineReason.CONFLICT, found.code, text)
        if found is not None and found.state is not Paid.UNPAID:
            return found
        url = wire.page_url(self._settings.form_page_url or self._settings.pay_url, order)
        return Created(code=url, link=url, usable_until=intent.expires_at)

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number and the day of the order."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Nothing closes an order: it counts as closed when it is unpaid past its expiry and a grace."""
        seen = await self._look_up(ref, call)
        if isinstance(seen, Snapshot):
            if seen.state in {Paid.PAID, Paid.REFUNDED}:
                return AlreadyPaid(code=seen.code)
            if seen.state is Paid.CLOSED:
                return Closed(code=seen.code)
        elif self._over(ref, call.clock.now()):
            return Closed(code=seen.code)
        return Unknown("China Unicom cannot close an order before it expires; ask again after that.")

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Return part or all of a payment. Its own journal number is asked for first where nobody told it yet."""
        if not self._settings.refund_url:
            text = "China Unicom's refund address is not published; ask for it and set refund_url."
            return Declined(DeclineReason.MISCONFIGURED, "", text)
        journal = request.attempt.provider_ref or await self._journal(request.attempt, call)
        values = self._of_refund(request.number, request.attempt) | {
            "payJournl": journal,
            "merReqTime": beijing(request.created_at, wire.TIME),
            "amount": str(request.amount.minor),
            "reason": wire.sendable(request.reason) or _REASON,
        }
        answer = await self._ask(self._settings.refund_url, values, call)
        word = self._reading.result_of_refund(answer)
        if word in self._reading.refused:
            return Declined(DeclineReason.OTHER, word, "China Unicom will not make this refund.")
        made = self._reading.refunded(answer, _ref_of(request))
        if made.amount != request.amount:
            raise ReplyError("China Unicom's answer speaks of a refund of another amount.")
        return made

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number, where `refund_query_url` says where."""
        if not self._settings.refund_query_url:
            return Unknown("China Unicom publishes no query of refunds; see its merchant portal.")
        values = self._of_refund(ref.number, ref.attempt) | {"charSet": "UTF-8"}
        answer = await self._ask(self._settings.refund_query_url, values, call)
        word = self._reading.result_of_refund(answer)
        return NotFound(word) if word in self._reading.unknown else self._reading.refunded(answer, ref)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "China Unicom's order page pays nothing out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read a `serverCallUrl` post.

        No sending time is signed; a replay carries the same `event_key` and is caught there.
        """
        del now
        if request.method != "POST":
            return Rejected("China Unicom notifies by POST.")
        try:
            fields = wire.decode_form(request.body)
            signing.check(fields, self._key, self._settings.sign_type, self._signed_order)
            return self._reading.verified(fields)
        except ReplyError as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """The word that the settings say China Unicom wants to read."""
        del request
        headers = Headers((("Content-Type", "text/plain;charset=UTF-8"),))
        if accepted:
            return HttpReply(200, headers, self._settings.notification_reply.encode())
        return HttpReply(500, headers, b"fail")

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """Never called: `info.has_statement` is false."""
        del day, call
        none: tuple[StatementLine, ...] = ()
        for line in none:
            yield line

    def scrub(self, transcript: bytes) -> bytes:
        """Mask accounts, telephone numbers and names."""
        return wire.scrub(transcript)

    @property
    def _key(self) -> str:
        return self._settings.sign_key.get_secret_value()

    def _order(self, intent: Intent) -> Fields:
        """The signed order. It depends on the intent alone, never on the moment of sending."""
        settings = self._settings
        fields = {
            "interfaceVersion": "1.0.0.0",
            "tranType": settings.tran_type,
            "bankCode": settings.bank_code if settings.tran_type == "20102" else "",
            "merNo": settings.mer_no,
            "goodsName": wire.sendable(intent.title) or intent.number,
            "orderDate": beijing(intent.created_at, wire.DAY),
            "orderNo": intent.number,
            "amount": str(intent.amount.minor),
            "charSet": "UTF-8",
            "tradeMode": "0001",
            "reqTime": beijing(intent.created_at, wire.TIME),
            "respMode": "1",
            "callbackUrl": intent.return_url or intent.notify_url,
            "serverCallUrl": intent.notify_url,
        }
        if settings.send_validity:
            minutes = int((intent.expires_at - intent.created_at).total_seconds()) // _MINUTE_S
            fields |= {"orderValidityUnits": "m", "orderValidityNum": str(max(minutes, 1))}
        return signing.signed(fields, self._key, settings.sign_type)

    async def _open(self, order: Fields, call: Call) -> None:
        """Post the form as a browser would. What the page says is nobody's signed word; the query tells."""
        reply = await call.transport.send(
            HttpRequest("POST", self._settings.pay_url, _FORM, wire.encode_form(order))
        )
        if reply.status != 200:  # noqa: PLR2004  # a page that came up
            raise ReplyError(f"China Unicom's order page answered with HTTP status {reply.status}.")

    async def _known(self, intent: Intent, call: Call) -> Snapshot | None:
        """The order as China Unicom has it. None when it says that it has none, which an opened one must not be."""
        ref = AttemptRef(
            number=intent.number,
            amount=intent.amount,
            created_at=intent.created_at,
            expires_at=intent.expires_at,
            way=intent.way,
        )
        try:
            seen = await self._look_up(ref, call)
        except NotSentError as error:
            if self._settings.open_first:  # the page was opened: something did arrive
                raise NoReplyError(str(error)) from None
            raise
        if isinstance(seen, Snapshot):
            return seen
        if self._settings.open_first:
            raise ReplyError("China Unicom did not take the order; its page says why.")
        return None

    async def _look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        values = {
            "merNo": self._settings.mer_no,
            "orderNo": ref.number,
            "orderDate": beijing(ref.created_at, wire.DAY),
            "charSet": "UTF-8",
        }
        answer = await self._ask(self._settings.query_url, values, call)
        result = answer.get("queryResult", "")
        if result in self._reading.unknown:
            return NotFound(result)
        if result != wire.SUCCESS:
            raise ReplyError("China Unicom did not answer the query (queryResult).")
        return self._reading.snapshot(answer, ref, over=self._over(ref, call.clock.now()))

    async def _journal(self, attempt: AttemptRef, call: Call) -> str:
        """China Unicom's number of a payment. Raises `ReplyError` when it was not paid."""
        seen = await self._look_up(attempt, call)
        if not isinstance(seen, Snapshot) or not seen.provider_ref:
            raise ReplyError("China Unicom tells no payment of this order; it cannot be refunded yet.")
        return seen.provider_ref

    def _of_refund(self, number: str, attempt: AttemptRef) -> Fields:
        return {
            "refundReqJournl": number,
            "merNo": self._settings.mer_no,
            "orderNo": attempt.number,
            "orderDate": beijing(attempt.created_at, wire.DAY),
        }

    def _over(self, ref: AttemptRef, now: datetime) -> bool:
        return now >= ref.expires_at + timedelta(seconds=self._settings.close_grace_s)

    async def _ask(self, url: str, values: Mapping[str, str], call: Call) -> Fields:
        """Send one signed request; return the verified answer, which speaks of this order."""
        sent = signing.signed(values, self._key, self._settings.sign_type)
        reply = await call.transport.send(HttpRequest("POST", url, _FORM, wire.encode_form(sent)))
        if reply.status != 200:  # noqa: PLR2004  # the one status China Unicom answers with
            raise ReplyError(f"China Unicom answered with HTTP status {reply.status}.")
        answer = wire.decode_lines(reply.body)
        signing.check(answer, self._key, self._settings.sign_type)
        if answer.get("merNo") != sent["merNo"] or answer.get("orderNo") != sent["orderNo"]:
            raise ReplyError("China Unicom's answer speaks of another order.")
        if any(answer[name] != sent[name] for name in _ECHOED if name in sent and answer.get(name)):
            raise ReplyError("China Unicom's answer speaks of another refund.")
        return answer


def _ref_of(request: RefundRequest) -> RefundRef:
    return RefundRef(
        number=request.number,
        attempt=request.attempt,
        amount=request.amount,
        created_at=request.created_at,
    )
