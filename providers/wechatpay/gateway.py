"""WeChat Pay's own side, simulated: APIv3 on the same wire, with its signatures, errors and notifications.

It knows one merchant, made on first use. The keys and seals are in `institution`, the records in `ledger`, what is done
with orders and refunds in `desk`, transfers, bills and certificates in `office`, visitors in `reception`; here stand
the doors.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.gateway import Bill, BillGone, GatewayContext
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.wechatpay import signing, wire
from providers.wechatpay.ask import Ask, Document, bad
from providers.wechatpay.desk import Desk
from providers.wechatpay.institution import Institution, Refused, dump
from providers.wechatpay.ledger import Ledger, Trade
from providers.wechatpay.office import Office
from providers.wechatpay.reception import Reception

PAYEE: Final = "Moon Gate Shop 月门小店"
_TRANSACTIONS: Final = r"/v3/pay/transactions"
_NUMBER: Final = r"(?P<number>[^/]{1,64})"

Door = Callable[[str, Ask], Document | None]


class WeChatPayGateway:
    """The institution. All state is in the drawer: an object made anew from it goes on where the old one was."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)
        self._institution = Institution(context)
        self._desk = Desk(context, self._institution, self._ledger)
        self._office = Office(context, self._institution, self._ledger)
        self._reception = Reception(context, self._institution, self._ledger)
        self._doors: tuple[tuple[str, re.Pattern[str], Door], ...] = tuple(
            (method, re.compile(path), door) for method, path, door in self._plan()
        )

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the one merchant, both key modes at once; leave out `public_key…` for certificate mode."""
        self._ledger.note("address", {"base_url": base_url.rstrip("/")})
        return self._institution.settings(base_url)

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one API call. A merchant whose signature does not hold gets an unsigned 401."""
        visited = self._reception.serve(request)
        if visited is not None:
            return visited
        if self._ledger.refunds_take:
            self._desk.ripen_all()
        signer = self._institution.signer_for(request.headers)
        try:
            self._institution.check_merchant(request)
        except (Refused, ReplyError) as stranger:
            refused = (
                stranger if isinstance(stranger, Refused) else Refused(400, "PARAM_ERROR", str(stranger))
            )
            json_type = Headers.of({"Content-Type": "application/json; charset=utf-8"})
            return HttpReply(refused.status, json_type, dump(refused.document))
        try:
            return self._admit(request, signer)
        except Refused as refused:
            return self._institution.reply(refused.status, refused.document, signer)

    def recognise(self, code: str) -> Bill | None:
        """The bill behind a native code, or behind the JSON of `wx.requestPayment`'s parameters."""
        if code.startswith("{"):
            return self._recognise_bridge(code)
        if not code.startswith(wire.CODE_PREFIX):
            return None
        return self._bill("code", code.removeprefix(wire.CODE_PREFIX))

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed. Raises `BillGone` or `PurseRefused`, changing nothing."""
        self._desk.settle(self._payable(bill_id), wallet)

    def receive(self, confirm: Mapping[str, str], wallet: Wallet) -> None:
        """The payee confirmed a transfer (`wx.requestMerchantTransfer`). Raises `BillGone`."""
        self._office.receive(confirm.get("package", ""), wallet)

    def acknowledged(self, reply: HttpReply) -> bool:
        """200 and 204 count, whatever the body."""
        return reply.status in {200, 204}

    def signed_again(self, request: HttpRequest) -> HttpRequest:
        """A notification for a later delivery. WeChat Pay signs each repetition with the time at which it is sent."""
        return self._institution.signed_again(request)

    def rotate_certificate(self) -> None:
        """Sign with a new platform certificate from now on; earlier ones stay listed."""
        self._institution.issue_certificate()

    def let_refunds_take(self, seconds: int) -> None:
        """From now on a refund is PROCESSING first; 0 makes refunds immediate again."""
        self._ledger.let_refunds_take(seconds)

    # --- doors ---

    def _plan(self) -> tuple[tuple[str, str, Door], ...]:
        desk, office, ledger = self._desk, self._office, self._ledger
        by_number = f"{_TRANSACTIONS}/out-trade-no/{_NUMBER}"
        bill = f"{wire.TRANSFERS}/out-bill-no/{_NUMBER}"
        return (
            ("POST", wire.NATIVE, lambda _, ask: desk.prepay("NATIVE", ask)),
            ("POST", wire.JSAPI, lambda _, ask: desk.prepay("JSAPI", ask)),
            ("POST", wire.CODEPAY, lambda _, ask: desk.charge_code(ask)),
            ("GET", by_number, lambda number, ask: desk.query(ledger.trade(number), ask)),
            (
                "GET",
                f"{_TRANSACTIONS}/id/{_NUMBER}",
                lambda number, ask: desk.query(ledger.trade_by_id(number), ask),
            ),
            ("POST", f"{by_number}/close", desk.close),
            ("POST", f"{by_number}/reverse", desk.reverse),
            ("POST", wire.REFUNDS, lambda _, ask: desk.refund(ask)),
            ("GET", f"{wire.REFUNDS}/{_NUMBER}", lambda number, _: desk.query_refund(number)),
            ("GET", wire.TRADE_BILL, lambda _, ask: office.bill(ask)),
            ("POST", wire.TRANSFERS, lambda _, ask: office.transfer(ask)),
            ("GET", bill, lambda number, _: office.query_transfer(ledger.transfer(number))),
            ("POST", f"{bill}/cancel", lambda number, _: office.cancel_transfer(ledger.transfer(number))),
            ("GET", wire.CERTIFICATES, lambda _number, _ask: office.certificates()),
        )

    def _admit(self, request: HttpRequest, signer: str) -> HttpReply:
        query = dict(parse_qsl(urlsplit(request.url).query))
        if request.path == "/v3/billdownload/file":
            return self._office.bill_file(query.get("token", ""))
        if not (request.headers.get("Accept") and request.headers.get("User-Agent")):
            raise Refused(400, "PARAM_ERROR", "Http头缺少Accept或User-Agent")
        for method, path, door in self._doors:
            found = path.fullmatch(request.path)
            if found and method == request.method.upper():
                ask = Ask(fields=_fields(request), query=query, signer=signer)
                document = door(unquote(found.groupdict().get("number", "")), ask)
                return self._institution.reply(204 if document is None else 200, document, signer)
        raise Refused(404, "NOT_FOUND", "请求的资源不存在")

    # --- the payer's side ---

    def _bill(self, kind: str, text: str) -> Bill | None:
        slip = self._ledger.slip(kind, text)
        if slip is None:
            return None
        if not slip.holds(self._context.clock.now()):
            raise BillGone("The code has expired. 二维码已失效")
        trade = self._payable(slip.number)
        return Bill(
            id=trade.number,
            payee=PAYEE,
            amount=Money(trade.total, "CNY"),
            title=trade.title,
            number=trade.number,
        )

    def _payable(self, number: str) -> Trade:
        trade = self._ledger.trade(number)
        if trade is None:
            raise BillGone("There is no such order. 订单不存在")
        if trade.is_paid:
            raise BillGone("This order is already paid. 该订单已支付")
        if not trade.is_payable(self._context.clock.now()):
            raise BillGone("This order is closed or has expired. 订单已关闭或已过期")
        return trade

    def _recognise_bridge(self, code: str) -> Bill | None:
        """WeChat checks the merchant's `paySign` before it shows a bill."""
        try:
            given = {str(name): str(value) for name, value in json.loads(code).items()}
        except (ValueError, AttributeError):
            return None
        prefix, _, prepay_id = given.get("package", "").partition("=")
        if prefix != "prepay_id" or self._ledger.slip("prepay", prepay_id) is None:
            return None
        lines = (given.get(name, "") for name in ("appId", "timeStamp", "nonceStr", "package"))
        try:
            self._institution.check_client(signing.sealed_lines(*lines), given.get("paySign", ""))
        except SignatureError:
            raise BillGone("The payment's signature does not verify. 支付验证签名失败") from None
        return self._bill("prepay", prepay_id)


def _fields(request: HttpRequest) -> Document:
    if not request.body:
        return {}
    try:
        fields = json.loads(request.body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise bad("", "请求体不是合法的JSON")
    return fields
