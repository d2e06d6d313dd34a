"""Alipay's own side, simulated: the classic gateway on its own wire, with its refusals, signatures and notifications.

It knows one merchant, made on first use. Keys and seals are in `institution`, records in `ledger`, what is done with
trades in `desk`, transfers and statements in `office`, visitors in `reception`; here stand the doors. Calls come as published SDKs send them:
GET with everything in the address, POST with a form, or part of each.

Faults of signatures, amounts and clocks bite in the answer of a call, or in the notification of a payment that was
scanned. `stale_clock` bites in the latter only, whose `notify_time` is signed; an answer signs no time.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from providers.alipay import wire
from providers.alipay.ask import Ask, Document
from providers.alipay.desk import Desk
from providers.alipay.institution import PAYEE, Institution, Refused, by_certificate
from providers.alipay.ledger import Ledger
from providers.alipay.office import BILL_PATH, Office
from providers.alipay.reception import Reception
from providers.alipay.visitor import AUTHORIZE, OAUTH_TOKEN
from providers.sdk.gateway import Bill, GatewayContext
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

GATEWAY_PATH: Final = "/gateway.do"
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_METHOD: Final = re.compile(r"[a-z.]{1,128}", re.ASCII)
_OK: Final = 200

Door = Callable[[Ask], Document]


class AlipayGateway:
    """The institution. All state is in the drawer: an object made anew from it goes on where the old one was."""

    def __init__(self, context: GatewayContext) -> None:
        self._ledger = Ledger(context.drawer)
        self._institution = Institution(context)
        self._desk = Desk(context, self._institution, self._ledger)
        self._office = Office(context, self._institution, self._ledger)
        self._reception = Reception(context, self._institution, self._ledger)
        self._doors: Mapping[str, Door] = {
            wire.PRECREATE: self._desk.precreate,
            wire.PAY: self._desk.pay,
            wire.QUERY: self._desk.query,
            wire.CLOSE: self._desk.close,
            wire.CANCEL: self._desk.cancel,
            wire.REFUND: self._desk.refund,
            wire.QUERY_REFUND: self._desk.query_refund,
            wire.TRANSFER: self._office.transfer,
            wire.QUERY_TRANSFER: self._office.query_transfer,
            wire.BILL: self._office.bill,
            wire.CERTIFICATE: self._office.certificate,
        }

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the one merchant, both modes at once. A cancel kills codes here, so that cancelling is quick."""
        self._ledger.note("address", {"base_url": base_url.rstrip("/")})
        return self._institution.settings(base_url)

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        if request.path == BILL_PATH:
            return self._office.bill_file(dict(parse_qsl(urlsplit(request.url).query)).get("token", ""))
        if request.path == AUTHORIZE and request.method == "GET":
            return self._reception.authorize(request)
        if request.path != GATEWAY_PATH or request.method not in {"GET", "POST"}:
            return HttpReply(404, body=b"Not Found")
        try:
            parameters = _parameters(request)
        except ValueError:
            return self._institution.unsigned("error_response", _muddled().document)
        reply = self._answer(parameters)
        self._institution.send_waiting(spoil=False)
        return reply

    def recognise(self, code: str) -> Bill | None:
        """The bill behind one of our codes. Looking at it is the scan: from now on the trade exists."""
        trade = self._desk.scan(code)
        if trade is None:
            return None
        return Bill(
            id=trade.number,
            payee=PAYEE,
            amount=Money(trade.total, "CNY"),
            title=trade.title,
            number=trade.number,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed. Raises `BillGone` or `PurseRefused`, changing nothing."""
        self._desk.settle(self._desk.payable(bill_id), wallet)
        self._institution.send_waiting(spoil=True)

    def acknowledged(self, reply: HttpReply) -> bool:
        """The seven letters `success`, and nothing else."""
        return reply.status == _OK and reply.body.strip() == b"success"

    def rotate_certificate(self) -> None:
        """Sign under a new certificate from now on; the merchant may download it by its number."""
        self._institution.issue_certificate()

    def _answer(self, parameters: Mapping[str, str]) -> HttpReply:
        method = parameters.get("method", "")
        known = method in self._doors or method == OAUTH_TOKEN
        key = wire.response_key(method) if known and _METHOD.fullmatch(method) else "error_response"
        certified = by_certificate(parameters)
        try:
            self._institution.check_merchant(parameters)
            _check_common(parameters, known=known)
            if method == OAUTH_TOKEN:
                return self._institution.reply(method, self._reception.token(parameters), certified=certified)
            document = self._doors[method](Ask.of(parameters, certified=certified))
        except Refused as refused:
            if not refused.signed:
                return self._institution.unsigned(key, refused.document)
            return self._institution.reply(method, refused.document, certified=certified)
        filled = {name: value for name, value in document.items() if value not in ("", None)}
        done = {"code": wire.DONE, "msg": "Success"} | filled
        return self._institution.reply(method, done, certified=certified)


def _parameters(request: HttpRequest) -> dict[str, str]:
    """Address and form together. A name that stands in both must say the same. Raises `ValueError`."""
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, errors="strict")
    if request.method == "POST":
        pairs += parse_qsl(request.body.decode("ascii"), keep_blank_values=True, errors="strict")
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if parameters.setdefault(name, value) != value:
            raise ValueError(name)
    return parameters


def _check_common(parameters: Mapping[str, str], *, known: bool) -> None:
    """What is wrong around the business. The time must have its form; a clock in another zone is not refused."""
    if not known:
        raise Refused("isv.invalid-method", "不存在的方法名", "40002", signed=False)
    if not _TIMESTAMP.fullmatch(parameters.get("timestamp", "")):
        raise Refused("isv.invalid-timestamp", "非法的时间戳参数", "40002", signed=False)
    if parameters.get("version") != "1.0":
        raise Refused("isv.missing-version", "缺少版本参数", "40001", signed=False)
    if parameters.get("charset", "").lower() != "utf-8":
        raise Refused("isv.invalid-charset", "字符集错误", "40002", signed=False)
    if parameters.get("format", "JSON").upper() != "JSON":
        raise Refused("isv.invalid-format", "无效的数据格式", "40002", signed=False)


def _muddled() -> Refused:
    return Refused("isv.invalid-parameter", "参数无效", "40002", signed=False)
