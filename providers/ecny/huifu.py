"""Huifu (汇付斗拱) as a channel of e-CNY: builds signed requests, reads verified answers. Pure; keys, no network.

An order is known at Huifu by `huifu_id`, `req_seq_id` (our number) and `req_date` together. `req_date` is always the
Beijing day on which the attempt or the refund was born, however late it is sent: the same number on another day would
be another order, and a refund could go out twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from providers.ecny import signing, wire
from providers.ecny.channel import Answer, Ask, Notice, Verdict
from providers.ecny.settings import EcnySettings
from providers.ecny.wire import Work
from providers.sdk.clock import beijing
from providers.sdk.contract import AttemptRef, Call, Intent, RefundRef, RefundRequest, Way
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.money import Money, wire_decimal
from providers.sdk.results import Declined, DeclineReason
from providers.sdk.transport import Headers, HttpReply, HttpRequest

_HEADERS: Final = Headers((("Content-Type", wire.JSON_TYPE),))
_TEXT: Final = Headers((("Content-Type", "text/plain; charset=utf-8"),))
_REFUNDS: Final = frozenset({Work.REFUND, Work.QUERY_REFUND})
_ABOUT_ANOTHER: Final = frozenset({Work.QUERY, Work.CLOSE, Work.QUERY_REFUND})
_OWN: Final = ("req_seq_id", "req_date")  # where a reply repeats the number, and its day
_ORIGINAL: Final = ("org_req_seq_id", "org_req_date")
_WAYS: Final = {wire.BY_MERCHANT_CODE: Way.MERCHANT_CODE, wire.BY_PAYER_CODE: Way.PAYER_CODE}

Fields = Mapping[str, object]


class Huifu:
    """One merchant account at Huifu."""

    def __init__(self, settings: EcnySettings) -> None:
        self._settings = settings
        self._key = settings.signer()
        self._trusted = settings.trusted()

    def open_code(self, intent: Intent, now: datetime) -> Ask | Declined:
        """`jspay` with D_NATIVE."""
        order = {"trade_type": wire.BY_MERCHANT_CODE, **self._order(intent)}
        return self._new_day(intent, now) or self._ask(Work.CREATE, intent.number, intent.created_at, order)

    def take_code(self, intent: Intent, digits: str, now: datetime) -> Ask | Declined:
        """`micropay`; Huifu tells by the digits that it is a wallet of e-CNY."""
        order = {"auth_code": digits, **self._order(intent)}
        return self._new_day(intent, now) or self._ask(Work.TAKE, intent.number, intent.created_at, order)

    def look_up(self, ref: AttemptRef) -> Ask:
        """`scanpay/query`."""
        return self._ask(Work.QUERY, ref.number, ref.created_at, {})

    def shut(self, ref: AttemptRef, call: Call) -> Ask:
        """`scanpay/close`. A closing is a request of its own with a number of its own."""
        own = {
            "req_date": wire.day_of(call.clock.now()),
            "req_seq_id": f"{ref.number}C{call.random.text(12)}",
        }
        return self._ask(Work.CLOSE, ref.number, ref.created_at, own)

    def give_back(self, request: RefundRequest) -> Ask:
        """`scanpay/refund`. Huifu wants a reason for e-CNY; `remark` comes back and names the attempt."""
        attempt = request.attempt
        reason = {"refund_desc": request.reason[: wire.REASON_MAX] or "退款"}
        fields = {
            "ord_amt": request.amount.decimal,
            "org_req_date": wire.day_of(attempt.created_at),
            "org_req_seq_id": attempt.number,
            "digital_currency_data": signing.canonical(reason),
            "remark": attempt.number,
            "notify_url": request.notify_url,
        }
        return self._ask(Work.REFUND, request.number, request.created_at, fields)

    def look_up_refund(self, ref: RefundRef) -> Ask:
        """`scanpay/refundquery`."""
        return self._ask(Work.QUERY_REFUND, ref.number, ref.created_at, {})

    def read(self, ask: Ask, reply: HttpReply) -> Answer:
        """Verify, check whom it speaks of, translate."""
        if reply.status != 200:  # noqa: PLR2004  # the one status Huifu answers with
            raise ReplyError(f"Huifu answered with HTTP status {reply.status}.")
        data = signing.read_reply(reply.body, self._trusted)
        work = _work_of(ask)
        code, message = _text(data, "resp_code"), _text(data, "resp_desc")
        state = wire.stand(data.get("trans_stat"))
        verdict, reason = wire.judge(work, code, message, state, self._settings.absent_codes)
        _check_echo(ask, data, whole=verdict is Verdict.ACCEPTED)
        return Answer(
            verdict=verdict,
            code=code,
            message=message,
            reason=reason,
            stand=state,
            word=_text(data, "trans_stat"),
            number=ask.number,
            merchant=_text(data, "huifu_id"),
            amount=_amount(data, "ord_amt" if work in _REFUNDS else "trans_amt"),
            reference=_text(data, "org_hf_seq_id") or _text(data, "hf_seq_id"),
            finished_at=wire.finished_at(data.get("end_time"), data.get("trans_finish_time")),
            qr_code=_text(data, "qr_code"),
            payer_types=data.get("password_trade") == "Y",
        )

    def read_notice(self, request: HttpRequest) -> Notice:
        """Verify the `resp_data` of a posted form, exactly as it stands there."""
        if request.method != "POST":
            raise ReplyError("Huifu notifies by POST.")
        fields = wire.decode_form(request.body)
        if not signing.is_signed(fields.get("resp_data", ""), fields.get("sign"), self._trusted):
            raise SignatureError("The notification does not verify with the Huifu public key.")
        return _notice(signing.read_object(fields["resp_data"]))

    def acknowledge(self, request: HttpRequest | None) -> HttpReply:
        """`RECV_ORD_ID_` and the notification's `req_seq_id`. Without either Huifu sends it again."""
        try:
            fields = wire.decode_form(request.body if request else b"")
            number = _text(signing.read_object(fields.get("resp_data", "")), "req_seq_id")
        except ReplyError:
            number = ""
        return HttpReply(200, _TEXT, f"{wire.ACKNOWLEDGED}{number}".encode())

    def scrub(self, transcript: bytes) -> bytes:
        """Mask by place; see `wire.scrub`."""
        return wire.scrub(transcript)

    def _new_day(self, intent: Intent, now: datetime) -> Declined | None:
        """Huifu takes an order on the day of its `req_date` only."""
        if wire.day_of(intent.created_at) == wire.day_of(now):
            return None
        return Declined(
            DeclineReason.WINDOW,
            "",
            "Midnight has passed in Beijing since this attempt was made; make another.",
        )

    def _order(self, intent: Intent) -> dict[str, object]:
        settings = self._settings
        bank = {"digital_bank_no": settings.digital_bank_no}
        return {
            "goods_desc": intent.title[: wire.GOODS_DESC_MAX],
            "trans_amt": intent.amount.decimal,
            "time_expire": beijing(intent.expires_at, wire.TIME),
            "notify_url": intent.notify_url,
            "risk_check_data": signing.canonical({"ip_addr": intent.client_ip}),
            "dc_data": signing.canonical(bank) if settings.digital_bank_no else None,
            "terminal_device_data": _compact(settings.terminal_device_data),
        }

    def _ask(self, work: Work, number: str, born: datetime, more: Fields) -> Ask:
        named = _ORIGINAL if work in _ABOUT_ANOTHER else _OWN
        merchant, day = self._settings.huifu_id, wire.day_of(born)
        data = {"huifu_id": merchant, named[0]: number, named[1]: day, **more}
        data = {name: value for name, value in data.items() if value is not None}
        envelope = {
            "sys_id": self._settings.sys_id,
            "product_id": self._settings.product_id,
            "sign": signing.signature_of(signing.canonical(data), self._key),
            "data": data,
        }
        url = self._settings.base_url.rstrip("/") + wire.path(work, self._settings.api_version)
        request = HttpRequest("POST", url, _HEADERS, signing.canonical(envelope).encode())
        echoed = _OWN if work is Work.CLOSE else named  # there the original is repeated at Huifu's pleasure
        echo = {name: str(data[name]) for name in ("huifu_id", *echoed)}
        return Ask(request=request, number=number, echo=echo)


def _check_echo(ask: Ask, data: Fields, *, whole: bool) -> None:
    """A reply that names another order is none. A refusal may name nothing; what was accepted names all."""
    for name, value in ask.echo.items():
        if data.get(name) != value and (whole or name in data):
            raise ReplyError("Huifu's answer speaks of another order.")


def _notice(data: Fields) -> Notice:
    kind, number = _text(data, "trans_type"), _text(data, "req_seq_id")
    state = wire.stand(data.get("trans_stat"))
    if not number or not _text(data, "huifu_id"):
        raise ReplyError("The notification names no merchant or no order.")
    notice = Notice(
        event=kind or "unnamed",
        event_key=f"{kind}-{_text(data, 'req_date')}-{number}-{data.get('trans_stat')}-{data.get('notify_type', 1)}",
    )
    is_refund = kind == wire.RETURNED
    original = _text(data, "org_req_seq_id") or _text(data, "remark")
    if state is None or (kind not in _WAYS and not (is_refund and original)):
        return notice  # unfreezing, accounting, other products: nothing of ours
    answer = Answer(
        verdict=Verdict.ACCEPTED,
        code=_text(data, "resp_code"),
        message=_text(data, "resp_desc"),
        stand=state,
        word=_text(data, "trans_stat"),
        number=number,
        merchant=_text(data, "huifu_id"),
        amount=_amount(data, "ord_amt" if is_refund else "trans_amt"),
        reference=_text(data, "hf_seq_id"),
        finished_at=wire.finished_at(data.get("end_time"), data.get("trans_finish_time")),
    )
    return Notice(
        event=notice.event,
        event_key=notice.event_key,
        answer=answer,
        way=_WAYS.get(kind),
        attempt_number=original if is_refund else "",
    )


def _work_of(ask: Ask) -> Work:
    match = wire.PATH.search(ask.request.path)
    if match is None:
        raise ReplyError("This reply answers no request of ours.")
    return Work(match[1])


def _text(data: Fields, name: str) -> str:
    """A text member; empty when it is left out. Raises `ReplyError` when it is something else."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReplyError(f"Huifu's {name} is not text.")
    return value


def _amount(data: Fields, name: str) -> Money | None:
    """An amount in yuan; None when it is left out."""
    value = data.get(name)
    return None if value is None or value == "" else wire_decimal(value, "CNY")


def _compact(text: str) -> str | None:
    return signing.canonical(signing.read_object(text)) if text else None
