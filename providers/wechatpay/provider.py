"""The verbs of WeChat Pay APIv3 for a direct merchant. Source: WeChat Pay merchant documents, APIv3.

Every answer is verified on its raw bytes with a pinned key, at most five minutes old, before it is read. What does not
verify is no answer: the result is `Unknown`, whatever status and words it carries. WeChat Pay itself sends a few
wrong signatures on purpose (`WECHATPAY/SIGNTEST/`) and watches what merchants do with them.
"""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

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
from providers.sdk.errors import NotSentError, ProviderError, ReplyError
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    Fact,
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
from providers.wechatpay import signing, visitor, wire
from providers.wechatpay.bill import read_bill, unpack
from providers.wechatpay.channel import Channel
from providers.wechatpay.masks import scrub
from providers.wechatpay.refusals import Refusal
from providers.wechatpay.settings import Keys, WeChatPaySettings

REVERSE_AFTER: Final = timedelta(seconds=15)
_PAYER_CODE: Final = re.compile(r"1[0-5][0-9]{16}", re.ASCII)
_PAID: Final = {Paid.PAID, Paid.REFUNDED}
_LATER: Final = {
    "FREQUENCYLIMITED",
    "RATELIMITEXCEEDED",
    "SYSTEMERROR",
    "BANKERROR",
}  # repeat the same number
_USER_PAYING: Final = "USERPAYING"
_NO_ORDER: Final = {"ORDERNOTEXIST", "RESOURCENOTEXISTS"}


class WeChatPay:
    """One merchant account. Holds nothing but keys; downloaded certificates live in the host's key store."""

    def __init__(self, settings: WeChatPaySettings, store: KeyStore) -> None:
        self._settings = settings
        self._keys = Keys.of(settings)
        self._account = wire.Account(settings.appid, settings.mchid)
        self._channel = Channel(settings, self._keys, store)

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Native prepay, JSAPI or mini-program prepay, or a payment-code charge."""
        match intent.way:
            case Way.MERCHANT_CODE:
                return await self._prepay(intent, call, wire.NATIVE, wire.native_order(self._account, intent))
            case Way.IN_APP if intent.payer_id:
                return await self._prepay(intent, call, wire.JSAPI, wire.jsapi_order(self._account, intent))
            case Way.IN_APP:
                return _misconfigured("The payer's openid is needed to pay inside WeChat.")
            case Way.PAYER_CODE:
                return await self._charge_code(intent, call)
        return _misconfigured(f"WeChat Pay does not offer {intent.way}.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Close, or reverse a payment code. Any refusal is settled by what a query says."""
        if ref.way is Way.PAYER_CODE:
            return await self._reverse(ref, call)
        answer = await self._channel.ask(
            call, "POST", wire.order_verb(ref.number, "close"), wire.close_order(self._account)
        )
        if not isinstance(answer, Refusal):
            return Closed()
        if answer.word in _NO_ORDER and not ref.memo:
            return Closed(code=answer.code)  # create never answered: no code exists that anyone could pay
        return _closed_if(await self._look_up_after(ref, call), answer.code)

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Accepted is not refunded: most answers are `PENDING` until a query or notification."""
        answer = await self._channel.ask(call, "POST", wire.REFUNDS, wire.refund_order(request))
        if not isinstance(answer, Refusal):
            return wire.read_refund(answer, "status")
        return _refused(answer, {"NOTENOUGH": DeclineReason.BALANCE})

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number."""
        answer = await self._channel.ask(call, "GET", wire.refund_target(ref.number))
        if not isinstance(answer, Refusal):
            return wire.read_refund(answer, "status")
        return _not_found(answer)

    @settled
    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Transfer to a user, who must accept it in WeChat within a day."""
        if not self._settings.transfer_scene_id:
            return _misconfigured(
                "transfer_scene_id is not set: WeChat Pay grants it with the transfer product."
            )
        if request.amount.minor >= wire.NAMED_PAYOUT_MINOR and not request.payee_name:
            return Declined(DeclineReason.LIMIT, "", "From 2,000 yuan a transfer must name its payee.")
        serial, name = "", None
        if request.payee_name:
            serial, key = self._channel.sealing_key(call.clock.now())
            name = signing.encrypt_field(key, request.payee_name)
        body = wire.transfer_order(
            self._account,
            request,
            self._settings.transfer_scene_id,
            self._settings.transfer_scene_report,
            name,
        )
        answer = await self._channel.ask(call, "POST", wire.TRANSFERS, body, serial=serial)
        if not isinstance(answer, Refusal):
            return wire.read_transfer(answer, self._account, request.amount)
        return _refused(answer, {"NOTENOUGH": DeclineReason.BALANCE})

    @settled
    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Ask by our payout number."""
        answer = await self._channel.ask(call, "GET", wire.transfer_target(request.number))
        if not isinstance(answer, Refusal):
            return wire.read_transfer(answer, self._account)
        return _not_found(answer)

    def authorize_url(self, state: str, redirect_url: str) -> str:
        """WeChat's silent authorisation page; works inside WeChat only."""
        return visitor.authorize_url(self._settings, state, redirect_url)

    @settled
    async def identify(
        self, answer: Mapping[str, str], call: Call
    ) -> Identified | Declined | NotSent | Unknown:
        """The openid behind the visit, of the appid that transfers are made with."""
        if not answer.get("code"):
            return Declined(DeclineReason.PAYER, "", "WeChat sent the visitor back without a code.")
        reply = await call.transport.send(visitor.openid_request(self._settings, answer["code"]))
        return visitor.read_openid(reply)

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Signature and freshness on the raw bytes, then decrypt, then read."""
        try:
            if signing.is_probe(request.headers):
                return Rejected("WeChat Pay's own test signature (WECHATPAY/SIGNTEST/).", probe=True)
            self._channel.ring(now).check(request.headers, request.body, now)
            return self._read_event(wire.read_json(request.body))
        except ProviderError as error:
            return Rejected(str(error))
        except (LookupError, ValueError, TypeError) as error:
            return Rejected(f"The notification cannot be read ({type(error).__name__}).")

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """204 without a body is "received"; a 5xx makes WeChat Pay send it again."""
        del request
        if accepted:
            return HttpReply(204)
        headers = Headers.of({"Content-Type": "application/json"})
        return HttpReply(500, headers, b'{"code":"FAIL","message":"not accepted"}')

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """The trade bill, ready from about ten in the morning of the next day. Raises `ProviderError`."""
        target = f"{wire.TRADE_BILL}?bill_date={day:%Y-%m-%d}&bill_type=ALL&tar_type=GZIP"
        answer = await self._channel.ask(call, "GET", target)
        if isinstance(answer, Refusal):
            if answer.word == "NOSTATEMENTEXIST":
                return
            raise ReplyError(f"WeChat Pay gives no bill for {day}: {answer.code} {answer.message[:200]}")
        url = wire.text(answer, "download_url")
        announced = wire.text(answer, "hash_type"), wire.text(answer, "hash_value")
        for line in read_bill(unpack(await self._channel.download(url, call), *announced)):
            yield line

    async def refresh(self, call: Call) -> None:
        """Download the platform certificates and keep the new beside the old that still run. Raises `ProviderError`.

        To be called at start and at least every 12 hours. A merchant in public-key mode has none to download. The
        first reply can only be checked with a certificate inside it, which the APIv3 key vouches for.
        """
        await self._channel.refresh(call)

    def scrub(self, transcript: bytes) -> bytes:
        """Signatures, ciphertexts, payers, payer codes and keys masked: in headers, JSON, and JSON inside strings."""
        return scrub(transcript, self._keys.apiv3)

    # --- paying ---

    async def _prepay(
        self, intent: Intent, call: Call, path: str, body: bytes
    ) -> Created | Snapshot | Declined | NotSent | Unknown:
        reply = await self._channel.send(call, "POST", path, body)
        if refusal := _stranger(reply):
            return refusal
        answer = self._channel.believe(reply, call.clock.now())
        if isinstance(answer, Refusal):
            return await self._paid_before(intent, call, answer)
        until = min(call.clock.now() + timedelta(seconds=wire.CODE_USABLE_S), intent.expires_at)
        if path == wire.NATIVE:
            code = wire.text(answer, "code_url")
            if not code.startswith("weixin://"):
                raise ReplyError("code_url is not a WeChat code.")
            return Created(code=code, memo={"prepay": "native"}, usable_until=until)
        return Created(
            in_app=self._channel.bridge(wire.text(answer, "prepay_id"), call),
            memo={"prepay": "jsapi"},
            usable_until=until,
        )

    async def _charge_code(self, intent: Intent, call: Call) -> Snapshot | Declined | NotSent | Unknown:
        code = intent.payer_code.get_secret_value() if intent.payer_code else ""
        if not _PAYER_CODE.fullmatch(code):
            return Declined(
                DeclineReason.PAYER, "", "Not a WeChat payment code: 18 digits that begin 10 to 15."
            )
        body = wire.codepay_order(self._account, intent, code, self._settings.store_id)
        answer = await self._channel.ask(call, "POST", wire.CODEPAY, body)
        if not isinstance(answer, Refusal):
            return wire.read_order(answer, self._account, intent.amount)
        if answer.word == _USER_PAYING:
            return wire.paying(intent, self._account, answer)
        refused = _refused(answer, {})
        return await self._paid_before(intent, call, answer) if isinstance(refused, Declined) else refused

    async def _paid_before(
        self, intent: Intent, call: Call, refusal: Refusal
    ) -> Snapshot | Declined | NotSent | Unknown:
        """A refused repetition may mean that this very number was paid: only a query tells."""
        declined = refusal.declined()
        if declined.reason not in {DeclineReason.ALREADY_PAID, DeclineReason.CONFLICT}:
            return declined
        found = await self._look_up_after(intent, call)
        if isinstance(found, NotFound) or (isinstance(found, Snapshot) and found.state not in _PAID):
            return declined
        return found

    async def _look_up(self, ref: AttemptRef | Intent, call: Call) -> Snapshot | NotFound | Unknown:
        answer = await self._channel.ask(call, "GET", wire.order_target(ref.number, self._settings.mchid))
        if not isinstance(answer, Refusal):
            return wire.read_order(answer, self._account, ref.amount)
        if answer.word == _USER_PAYING:
            return wire.paying(ref, self._account, answer)
        return _not_found(answer)

    async def _look_up_after(self, ref: AttemptRef | Intent, call: Call) -> Snapshot | NotFound | Unknown:
        """A query after a call that arrived: when it cannot be sent, that first call is not "not sent"."""
        try:
            return await self._look_up(ref, call)
        except NotSentError as error:
            return Unknown(str(error))

    async def _reverse(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Undo a payment-code charge that is not known to be paid, 15 seconds after it at the earliest.

        A payment that slips in between the query and the reversal is given back by WeChat Pay.
        """
        found = await self._look_up(ref, call)
        if isinstance(found, Snapshot) and found.state not in {Paid.UNPAID, Paid.PAYING}:
            return _closed_if(found, found.code)
        if call.clock.now() - ref.created_at < REVERSE_AFTER:
            return Unknown("A payment code may be reversed 15 seconds after the charge; try again then.")
        answer = await self._channel.ask(
            call, "POST", wire.order_verb(ref.number, "reverse"), wire.reverse_order(self._account)
        )
        if isinstance(answer, Refusal):
            return _closed_if(await self._look_up_after(ref, call), answer.code)
        if wire.text(answer, "out_trade_no") != ref.number:
            raise ReplyError("The answer to the reversal speaks of another order.")
        return Closed(code="REVOKED")

    # --- reading ---

    def _read_event(self, event: Mapping[str, object]) -> Verified:
        opened = wire.open_resource(wire.part(event, "resource"), self._keys.apiv3)
        kind = wire.text(event, "event_type")
        fact = self._read_fact(kind, wire.read_json(opened))
        return Verified(event_key=wire.text(event, "id"), fact=fact, event=kind)

    def _read_fact(self, kind: str, fields: Mapping[str, object]) -> Fact | None:
        """None for an event this house does not use: acknowledged, kept, ignored."""
        match kind.split("."):
            case ["TRANSACTION", _]:
                return wire.read_order(fields, self._account)
            case ["REFUND", _]:
                self._check_ours(fields)
                return wire.read_refund(fields, "refund_status")
            case ["MCHTRANSFER", "BILL", _]:
                self._check_ours(fields)
                return wire.read_transfer(fields, self._account)
        return None

    def _check_ours(self, fields: Mapping[str, object]) -> None:
        """Refunds and transfers carry the merchant where their results have no place for it."""
        if (fields.get("mchid") or fields.get("mch_id")) != self._settings.mchid:
            raise ReplyError("The notification is for another merchant.")


def _refused(refusal: Refusal, meanings: Mapping[str, DeclineReason]) -> Declined | Unknown:
    """For calls that move money: a code this house does not know, or one that says "later", proves nothing."""
    if refusal.word in _LATER or refusal.reason is None:
        return Unknown(f"WeChat Pay answered {refusal.code}: ask again.")
    return refusal.declined(meanings.get(refusal.word))


def _not_found(refusal: Refusal) -> NotFound | Unknown:
    if refusal.word in {*_NO_ORDER, "NOTFOUND"}:  # transfers say NOT_FOUND
        return NotFound(refusal.code)
    return Unknown(f"WeChat Pay answered {refusal.code}: ask again.")


def _closed_if(found: Snapshot | NotFound | Unknown, code: str) -> Closed | AlreadyPaid | Unknown:
    match found:
        case Snapshot(state=Paid.PAID | Paid.REFUNDED):
            return AlreadyPaid(code=found.code)
        case Snapshot(state=Paid.CLOSED | Paid.FAILED):
            return Closed(code=found.code)
        case Unknown():
            return found
    return Unknown(f"WeChat Pay did not close the order ({code}); try again.")


def _misconfigured(message: str) -> Declined:
    return Declined(DeclineReason.MISCONFIGURED, "", message)


def _stranger(reply: HttpReply) -> Declined | None:
    """A 401 to a merchant that WeChat Pay cannot make out; it carries no signature.

    Believed for prepay only: prepay moves no money, and a forger gains nothing by it but a refused order.
    """
    if reply.status != 401 or not signing.is_unsigned(reply.headers):  # noqa: PLR2004  # HTTP Unauthorized
        return None
    refusal = wire.read_refusal(wire.read_json(reply.body))
    return refusal.declined() if refusal.word == "SIGNERROR" else None
