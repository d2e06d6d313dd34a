"""The verbs of Alipay's face-to-face product and of its transfers, over the classic gateway with RSA2.

Sources: Alipay open platform documents, alipay.trade.* and alipay.fund.trans.*; the fields' own descriptions.

A merchant code is not yet a trade: that comes into being when somebody scans it. Until then Alipay does not know our
number, neither for a query nor for closing; see `close` for what is made of that.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from providers.alipay import masks, reading, signing, visitor, wire
from providers.alipay.bill import read_bill
from providers.alipay.channel import Channel
from providers.alipay.settings import AlipaySettings, Keys
from providers.alipay.wire import Answer
from providers.sdk.clock import beijing
from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    KeyStore,
    PayoutRequest,
    RefundRef,
    RefundRequest,
    Way,
    settled,
)
from providers.sdk.errors import NoReplyError, NotSentError, ProviderError, ReplyError, SignatureError
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    Identified,
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

PAYOUT_MIN_MINOR: Final = 10
_PAYER_CODE_LIFE: Final = timedelta(seconds=120)  # twice the minute that a payer code is shown
_CODE_LIFE: Final = timedelta(seconds=wire.CODE_USABLE_S)
_HAD_MONEY: Final = frozenset({Paid.PAID, Paid.REFUNDED})
_NO_BILL: Final = ("BILL_NOT_EXIST", "NO_BILL_DATA")
_PLAIN: Final = Headers((("Content-Type", "text/plain; charset=utf-8"),))


class Alipay:
    """One application. Holds nothing but keys; downloaded certificates live in the host's key store."""

    def __init__(self, settings: AlipaySettings, store: KeyStore) -> None:
        self._settings = settings
        self._keys = Keys.of(settings)
        self._channel = Channel(settings, self._keys, store)
        self._account = reading.Account(
            app_id=settings.app_id,
            seller_id=settings.seller_id,
            credit_pay_modes=frozenset(filter(None, settings.credit_pay_modes.replace(" ", "").split(","))),
            notification_age_max=timedelta(seconds=settings.notification_age_max_s),
        )

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Ask for a code that the payer scans, or charge the code that the payer shows."""
        if intent.amount.currency != "CNY":
            return _misconfigured("Alipay's face-to-face product takes CNY.")
        match intent.way:
            case Way.MERCHANT_CODE:
                return await self._precreate(intent, call)
            case Way.PAYER_CODE:
                return await self._charge_code(intent, call)
        return _misconfigured(f"Alipay does not offer {intent.way} here.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number. `NotFound` is what Alipay says of a code that nobody has scanned yet."""
        answer = await self._channel.ask(call, wire.QUERY, {"out_trade_no": ref.number})
        return self._read_query(ref, answer)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """See to it that nobody pays any more.

        A payer-code attempt is cancelled. A scanned code is a trade and closes. Of a code that nobody has scanned
        Alipay knows nothing that could be closed, and it stays good until its end: that is `Unknown`, unless the code
        was never handed out, its end is past, or `cancel_unscanned` says that a cancel kills it.
        """
        if ref.way is Way.PAYER_CODE:
            return await self._cancel_charge(ref, call)
        answer = await self._channel.ask(call, wire.CLOSE, {"out_trade_no": ref.number})
        if answer.done:
            reading.check_number(answer.fields, "out_trade_no", ref.number)
            return Closed(code=wire.CLOSE)
        if answer.sub_code == wire.NOT_EXISTING:
            return await self._close_unscanned(ref, call)
        found = self._read_query(ref, await self._then(call, wire.QUERY, ref.number))
        return _closed_if(found, answer.sub_code)

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Send back part or all. `out_request_no` makes a repetition harmless, so it never changes."""
        content = {
            "out_trade_no": request.attempt.number,
            "refund_amount": request.amount.decimal,
            "out_request_no": request.number,
            "refund_reason": wire.subject(request.reason),
        }
        answer = await self._channel.ask(call, wire.REFUND, content)
        if not answer.done:
            return reading.refused(answer, moves_money=True)
        return reading.refund_accepted(answer.fields, request)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number."""
        content = {
            "out_trade_no": ref.attempt.number,
            "out_request_no": ref.number,
            "query_options": ["gmt_refund_pay"],
        }
        answer = await self._channel.ask(call, wire.QUERY_REFUND, content)
        if not answer.done:
            return reading.not_found(answer, wire.NOT_EXISTING)
        waited = call.clock.now() - ref.created_at
        settled_after = timedelta(seconds=self._settings.refund_query_after_s)
        return reading.refund_snapshot(answer.fields, ref, settled=waited >= settled_after)

    @settled
    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Transfer to an Alipay account: a user id (2088…), a login with the owner's name, or an open id."""
        if self._keys.papers is None:
            return _misconfigured("Alipay transfers in certificate mode only; set the three certificates.")
        if request.amount.minor < PAYOUT_MIN_MINOR or request.amount.currency != "CNY":
            return Declined(DeclineReason.LIMIT, "", "Alipay transfers from 0.10 yuan.")
        payee = _payee(request)
        if payee["identity_type"] == "ALIPAY_LOGON_ID" and not request.payee_name:
            return Declined(DeclineReason.OTHER, "", "A transfer to a login must name its owner.")
        content = {
            "out_biz_no": request.number,
            "trans_amount": request.amount.decimal,
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            "order_title": wire.subject(request.title),
            "payee_info": payee,
        }
        answer = await self._channel.ask(call, wire.TRANSFER, content)
        if not answer.done:
            return reading.refused(answer, moves_money=True)
        return reading.payout_snapshot(answer.fields, request)

    @settled
    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Ask by our payout number."""
        content = {
            "out_biz_no": request.number,
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
        }
        answer = await self._channel.ask(call, wire.QUERY_TRANSFER, content)
        if not answer.done:
            return reading.not_found(answer, "ORDER_NOT_EXIST")
        return reading.payout_snapshot(answer.fields, request)

    def authorize_url(self, state: str, redirect_url: str) -> str:
        """Alipay's silent authorisation page; works inside Alipay only."""
        return visitor.authorize_url(self._settings, state, redirect_url) if self._keys.papers else ""

    @settled
    async def identify(
        self, answer: Mapping[str, str], call: Call
    ) -> Identified | Declined | NotSent | Unknown:
        """The user id, or the open id, behind the visit."""
        code = visitor.code_of(answer)
        if not code:
            return Declined(DeclineReason.PAYER, "", "Alipay sent the visitor back without a code.")
        asked = {"grant_type": "authorization_code", "code": code}
        return visitor.read_visitor(
            (await self._channel.ask(call, visitor.OAUTH_TOKEN, {}, beside=asked)).fields
        )

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify the form with every key of Alipay that we hold, check its age, then read it."""
        if request.method != "POST":
            return Rejected("Alipay notifies by POST.")
        try:
            form = wire.decode_form(request.body)
            self._check_form(form)
            if not reading.fresh(form, self._account, now):
                return Rejected("The notification was sent too long ago, or our clocks differ by an hour.")
            return reading.verified(form, self._account)
        except ProviderError as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """Exactly `success`; anything else is repeated."""
        del request
        return HttpReply(200, _PLAIN, b"success") if accepted else HttpReply(500, _PLAIN, b"fail")

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """The trade bill, ready from about nine in the morning of the next day. Raises `ProviderError`."""
        content = {"bill_type": "trade", "bill_date": day.isoformat()}
        answer = await self._channel.ask(call, wire.BILL, content)
        if not answer.done:
            if answer.sub_code.rpartition(".")[2].upper() in _NO_BILL:
                return
            raise ReplyError(f"Alipay gives no bill for {day}: {answer.sub_code} {answer.message}")
        url = wire.text(answer.fields, "bill_download_url")  # good for thirty seconds
        for line in read_bill(await self._channel.download(url, call)):
            yield line

    def scrub(self, transcript: bytes) -> bytes:
        """Payer codes, payers, payees, tokens, signatures and keys masked, in forms and in JSON."""
        return masks.scrub(transcript)

    # --- paying ---

    async def _precreate(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | Unknown:
        content = self._order(intent)
        answer = await self._channel.ask(call, wire.PRECREATE, content, notify_url=intent.notify_url)
        if not answer.done:
            return await self._paid_before(intent, call, reading.refused(answer, moves_money=False))
        reading.check_number(answer.fields, "out_trade_no", intent.number)
        code = wire.text(answer.fields, "qr_code")
        if not wire.CODE.fullmatch(code):
            raise ReplyError("qr_code is not one of Alipay's codes.")
        until = min(call.clock.now() + _CODE_LIFE, intent.expires_at)
        return Created(code=code, memo={"precreate": "answered"}, usable_until=until)

    async def _charge_code(self, intent: Intent, call: Call) -> Snapshot | Declined | Unknown:
        code = intent.payer_code.get_secret_value() if intent.payer_code else ""
        by_face = wire.FACE_CODE.fullmatch(code)
        if not by_face and not wire.PAYER_CODE.fullmatch(code):
            return Declined(
                DeclineReason.PAYER, "", "Not an Alipay payment code: 16 to 24 digits that begin 25 to 30."
            )
        content = {
            **self._order(intent),
            "scene": "security_code" if by_face else "bar_code",
            "auth_code": code,
        }
        answer = await self._channel.ask(call, wire.PAY, content, notify_url=intent.notify_url)
        if answer.done:
            return reading.payer_code_paid(answer.fields, self._account)
        if answer.code == wire.PAYER_BUSY:
            return reading.payer_busy(answer, intent, self._account)
        return await self._paid_before(intent, call, reading.refused(answer, moves_money=True))

    def _order(self, intent: Intent) -> dict[str, object]:
        """`time_expire` is a point in time, so that a repetition says the very same."""
        order: dict[str, object] = {
            "out_trade_no": intent.number,
            "total_amount": intent.amount.decimal,
            "subject": wire.subject(intent.title),
            "product_code": "FACE_TO_FACE_PAYMENT",
            "time_expire": beijing(intent.expires_at, wire.TIME),
        }
        return order | ({"store_id": self._settings.store_id} if self._settings.store_id else {})

    async def _paid_before(
        self, intent: Intent, call: Call, refusal: Declined | Unknown
    ) -> Snapshot | Declined | Unknown:
        """A refused repetition may mean that this very number was paid: only a query tells."""
        doubtful = {DeclineReason.ALREADY_PAID, DeclineReason.CONFLICT}
        if isinstance(refusal, Unknown) or refusal.reason not in doubtful:
            return refusal
        found = self._read_query(intent, await self._then(call, wire.QUERY, intent.number))
        if isinstance(found, Unknown) or (isinstance(found, Snapshot) and found.state in _HAD_MONEY):
            return found
        return refusal

    async def _then(self, call: Call, method: str, number: str) -> Answer:
        """A call about a number that something was sent about before: it can no longer end as "not sent"."""
        try:
            return await self._channel.ask(call, method, {"out_trade_no": number})
        except NotSentError as error:
            raise NoReplyError(str(error)) from error

    def _read_query(self, ref: AttemptRef | Intent, answer: Answer) -> Snapshot | NotFound | Unknown:
        if not answer.done:
            return reading.not_found(answer, wire.NOT_EXISTING)
        reading.check_number(answer.fields, "out_trade_no", ref.number)
        seen = reading.snapshot(answer.fields, self._account)
        if ref.way is Way.PAYER_CODE and seen.state is Paid.REFUNDED:
            # What a cancel gave back. Nobody has heard of that payment, and to its payer it never was one.
            return replace(seen, state=Paid.CLOSED)
        return seen

    # --- ending ---

    async def _close_unscanned(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown:
        handed_out = bool(
            ref.memo
        )  # without a memo the answer to precreate never reached us, nor its code anyone
        if not handed_out or self._over(ref, call.clock.now()):
            return Closed(code=wire.NOT_EXISTING)
        if not self._settings.cancel_unscanned:
            return Unknown("Alipay closes no code that nobody has scanned; it dies at its own end.")
        return await self._cancel(ref, call) or Closed(code=wire.CANCEL)

    async def _cancel_charge(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Asked first, as a cancel returns what has been paid. A payment that slips in between is given back."""
        found = await self.query(ref, call)
        if isinstance(found, NotSent | Unknown):
            return found
        if isinstance(found, Snapshot) and found.state not in {Paid.UNPAID, Paid.PAYING}:
            return _closed_if(found, found.code)
        verdict = await self._cancel(ref, call)
        if verdict is not None:
            return verdict
        if call.clock.now() < ref.created_at + _PAYER_CODE_LIFE:
            return Unknown("Alipay has no such trade yet, and the payer's code may still be on its way.")
        return Closed(code=wire.NOT_EXISTING)

    async def _cancel(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | Unknown | None:
        """`alipay.trade.cancel`. None: carried out, but there was no trade to cancel."""
        answer = await self._then(call, wire.CANCEL, ref.number)
        if not answer.done:
            found = self._read_query(ref, await self._then(call, wire.QUERY, ref.number))
            return _closed_if(found, answer.sub_code or answer.code)
        reading.check_number(answer.fields, "out_trade_no", ref.number)
        if wire.text(answer.fields, "retry_flag") != "N":
            return Unknown("Alipay asks to send the cancel again.")
        action = wire.optional(answer.fields, "action")
        if action not in {"", "close", "refund"}:
            raise ReplyError(f"Alipay's cancel did something unknown, {action[:40]}.")
        return Closed(code=action) if action else None

    def _over(self, ref: AttemptRef, now: datetime) -> bool:
        end = min(ref.expires_at, ref.created_at + _CODE_LIFE)
        return now >= end + timedelta(seconds=self._settings.close_grace_s)

    # --- reading ---

    def _check_form(self, form: dict[str, str]) -> None:
        """Alipay's documents do not say whether `alipay_cert_sn` stands in notifications: one is tried without it."""
        if form.get("sign_type", signing.SIGN_TYPE) != signing.SIGN_TYPE:
            raise SignatureError("The notification is not signed with RSA2.")
        keys, signature = list(self._channel.ring().values()), form.get("sign", "")
        left_out = signing.UNSIGNED_IN_NOTIFICATIONS
        try:
            signing.verify(keys, signing.signing_text(form, left_out), signature)
        except SignatureError:
            if "alipay_cert_sn" not in form:
                raise
            signing.verify(keys, signing.signing_text(form, left_out | {"alipay_cert_sn"}), signature)


def _payee(request: PayoutRequest) -> dict[str, str]:
    payee = request.payee
    if payee.isascii() and payee.isdigit() and payee.startswith("2088") and len(payee) == 16:  # noqa: PLR2004  # a user id's length
        kind = "ALIPAY_USER_ID"
    elif "@" in payee or (payee.isascii() and payee.lstrip("+").isdigit()):
        kind = "ALIPAY_LOGON_ID"
    else:
        kind = "ALIPAY_OPEN_ID"
    named = {"name": request.payee_name} if request.payee_name else {}
    return {"identity": payee, "identity_type": kind, **named}


def _closed_if(found: Snapshot | NotFound | Unknown, code: str) -> Closed | AlreadyPaid | Unknown:
    match found:
        case Snapshot(state=Paid.PAID | Paid.REFUNDED):
            return AlreadyPaid(code=found.code)
        case Snapshot(state=Paid.CLOSED | Paid.FAILED):
            return Closed(code=found.code)
        case Unknown():
            return found
    return Unknown(f"Alipay did not close the trade ({code}); try again.")


def _misconfigured(message: str) -> Declined:
    return Declined(DeclineReason.MISCONFIGURED, "", message)
