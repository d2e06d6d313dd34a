"""China Unicom's own side, simulated: the order page, by GET and by form, queries, refunds and notifications.

It verifies the merchant's signature, keeps all in its drawer and moves play money. Much of it is not published: where
refunds go, most words of an answer, and the notification, whose fields are those of one that a merchant's code kept.
Its refund addresses and words are therefore its own, told by `merchant`; see `quality.toml`.

| answer of its own | when |
|---|---|
| ILLEGAL_MERCHANT_NO, ILLEGAL_SIGN | unsigned: the merchant or the signature is wrong |
| ORDER_NOT_EXIST | no such order, or no such refund |
| ILLEGAL_AMOUNT, ORDER_NOT_PAID | a refund of more than is left, or of what nobody paid |
| DUPLICATE_JOURNL | a refund number comes again with another amount |
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from html import escape
from typing import Final

from providers.sdk.clock import beijing, from_beijing
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.gateway import (
    Bill,
    BillGone,
    Fault,
    GatewayContext,
    Notification,
    PurseRefused,
)
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.unicompay import signing, wire
from providers.unicompay.ledger import Ledger, Trade

MERCHANT: Final = "301100710007122"
PAYEE: Final = "Moongate 沃支付测试商户"
RETRY_AFTER_S: Final = (60, 300, 600, 3600)  # not published: a plain guess
REFUND_PATH: Final = "/pay/refund/order.htm"
REFUND_QUERY_PATH: Final = "/pay/query/refund.htm"

_SIGN_TYPE: Final = "MD5"
_KEY_CHARS: Final = 32
_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_MINUTES: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_HTML: Final = Headers((("Content-Type", "text/html;charset=UTF-8"),))
_PLAIN: Final = Headers((("Content-Type", "text/plain;charset=UTF-8"),))
_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))

Fields = dict[str, str]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """China Unicom's no: its text is the result."""


class UnicompayGateway:
    """One simulated payment platform with one test merchant."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the test merchant: its pages may be opened twice and die, and its refunds have addresses."""
        return {
            "pay_url": f"{base_url}{wire.PAGE_PATH}{wire.CHARSET_QUERY}",
            "query_url": f"{base_url}{wire.QUERY_PATH}{wire.CHARSET_QUERY}",
            "refund_url": base_url + REFUND_PATH,
            "refund_query_url": base_url + REFUND_QUERY_PATH,
            "mer_no": MERCHANT,
            "sign_key": self._key,
            "open_first": "true",
            "send_validity": "true",
            "refund_refused_results": "ILLEGAL_AMOUNT,ORDER_NOT_PAID",
        }

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call: a page for a browser, lines for a merchant."""
        if request.path.endswith(wire.PAGE_PATH):
            return self._page(request)
        try:
            fields = wire.decode_form(request.body)
        except ReplyError:
            fields = {}
        works = {
            wire.QUERY_PATH: (self._query, "queryResult"),
            REFUND_PATH: (self._refund, "refundResult"),
            REFUND_QUERY_PATH: (self._query_refund, "refundResult"),
        }
        found = next((work for path, work in works.items() if request.path.endswith(path)), None)
        if found is None or request.method != "POST":
            return HttpReply(404, _PLAIN, b"Not Found")
        work, result = found
        try:
            self._admit(fields)
            answer = work(fields)
        except SignatureError:
            return self._answer(fields, {result: "ILLEGAL_SIGN"}, sealed=False)
        except Refusal as refusal:
            return self._answer(fields, {result: str(refusal)})
        return self._answer(fields, answer | {result: wire.SUCCESS})

    def recognise(self, code: str) -> Bill | None:
        """The order behind the address of our page. Whoever opens the page, orders."""
        fields = wire.fields_of_url(code)
        if fields is None:
            return None
        try:
            trade = self._placed(fields)
        except (Refusal, SignatureError):
            return None
        self._payable(trade)
        return Bill(
            id=trade.order_no,
            payee=PAYEE,
            amount=Money(trade.amount, "CNY"),
            title=trade.title,
            number=trade.order_no,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed on the page or in Wo Wallet."""
        trade = self._ledger.get(bill_id)
        if trade is None:
            raise BillGone("订单不存在")
        self._payable(trade)
        if wallet is not Wallet.UNICOMPAY:
            raise PurseRefused("请使用沃钱包支付")
        self._context.purses.charge(wallet, Money(trade.amount, "CNY"), f"{PAYEE} {trade.title}")
        now = beijing(self._context.clock.now(), wire.TIME)
        paid = self._ledger.put(replace(trade, journal=self._journal(), pay_time=now))
        self._notify(paid)

    def acknowledged(self, reply: HttpReply) -> bool:
        """The word that its merchants are seen to answer with."""
        return reply.status == 200 and reply.body.strip() == b"success"  # noqa: PLR2004  # received

    @property
    def _key(self) -> str:
        """The merchant's key, drawn on first use."""
        kept = self._context.drawer.get("key")
        if kept is None:
            kept = {"key": self._context.random.text(_KEY_CHARS)}
            self._context.drawer.put("key", kept)
        return str(kept["key"])

    def _admit(self, fields: Fields) -> None:
        if fields.get("merNo") != MERCHANT:
            raise Refusal("ILLEGAL_MERCHANT_NO")
        signing.check(fields, self._key, _SIGN_TYPE)

    def _page(self, request: HttpRequest) -> HttpReply:
        """The cashier. A browser comes with a form; a scanned address with the same fields in its query."""
        try:
            got = (
                wire.fields_of_url(request.url) if request.method == "GET" else wire.decode_form(request.body)
            )
            trade = self._placed(got or {})
            self._payable(trade)
        except SignatureError:
            return _html("ILLEGAL_SIGN")
        except (Refusal, BillGone, ReplyError) as refusal:
            return _html(str(refusal))
        return _html(f"{PAYEE} {trade.title} {Money(trade.amount, 'CNY')}")

    def _placed(self, fields: Fields) -> Trade:
        """The order of the page; the same one again is the same, another one under its number is refused."""
        self._admit(fields)
        number, amount = fields.get("orderNo", ""), fields.get("amount", "")
        minutes = fields.get("orderValidityNum", "")
        known = self._ledger.get(number)
        if known is not None:
            if not compare_digest(known.sign, fields[signing.SIGN].lower()):
                raise Refusal("DUPLICATE_ORDER")
            return known
        if not _ID.fullmatch(number) or not _AMOUNT.fullmatch(amount) or not fields.get("goodsName"):
            raise Refusal("ILLEGAL_PARAM")
        if fields.get("interfaceVersion") != "1.0.0.0" or fields.get("tradeMode") != "0001":
            raise Refusal("ILLEGAL_PARAM")
        return self._ledger.put(
            Trade(
                order_no=number,
                order_date=fields.get("orderDate", ""),
                amount=int(amount),
                title=fields["goodsName"],
                notify_url=fields.get("serverCallUrl", ""),
                req_time=fields.get("reqTime", ""),
                expires=_expiry(fields.get("reqTime", ""), minutes),
                sign=fields[signing.SIGN].lower(),
            )
        )

    def _query(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        paid = {"payAmount": str(trade.amount), "payJournl": trade.journal, "payTime": trade.pay_time}
        return {"amount": str(trade.amount), "orderState": "1" if trade.journal else "0"} | (
            paid if trade.journal else {}
        )

    def _refund(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        number, amount = fields.get("refundReqJournl", ""), fields.get("amount", "")
        if not trade.journal or fields.get("payJournl") != trade.journal:
            raise Refusal("ORDER_NOT_PAID")
        if not _ID.fullmatch(number) or not _AMOUNT.fullmatch(amount):
            raise Refusal("ILLEGAL_PARAM")
        made = trade.refunds.get(number)
        if made is None and int(amount) > trade.left:
            raise Refusal("ILLEGAL_AMOUNT")
        if made is not None and made != int(amount):
            raise Refusal("DUPLICATE_JOURNL")
        if made is None:
            self._ledger.put(replace(trade, refunds={**trade.refunds, number: int(amount)}))
            money = Money(int(amount), "CNY")
            self._context.purses.credit(Wallet.UNICOMPAY, money, f"退款 {trade.order_no}")
        return {"refundReqJournl": number, "refundJournl": f"R{number}", "amount": amount}

    def _query_refund(self, fields: Fields) -> Fields:
        trade, number = self._known(fields), fields.get("refundReqJournl", "")
        if number not in trade.refunds:
            raise Refusal("ORDER_NOT_EXIST")
        amount = str(trade.refunds[number])
        return {"refundReqJournl": number, "refundJournl": f"R{number}", "amount": amount}

    def _known(self, fields: Fields) -> Trade:
        trade = self._ledger.get(fields.get("orderNo", ""))
        if trade is None or trade.order_date != fields.get("orderDate"):
            raise Refusal("ORDER_NOT_EXIST")
        return trade

    def _payable(self, trade: Trade) -> None:
        if trade.journal:
            raise BillGone("订单已支付")
        if trade.expires and beijing(self._context.clock.now(), wire.TIME) >= trade.expires:
            raise BillGone("订单已过期")

    def _journal(self) -> str:
        return beijing(self._context.clock.now(), wire.TIME) + self._ledger.next_number()

    def _answer(self, asked: Fields, answer: Fields, *, sealed: bool = True) -> HttpReply:
        echoed = {name: asked[name] for name in ("merNo", "orderNo", "orderDate") if name in asked}
        fields = echoed | answer | {"charSet": "UTF-8"}
        known = sealed and asked.get("merNo") == MERCHANT  # whose key would it be?
        return HttpReply(200, _PLAIN, wire.encode_lines(self._sealed(fields) if known else fields))

    def _notify(self, trade: Trade) -> None:
        amount = str(trade.amount)
        fields = {
            "interfaceVersion": "1.0.0.0",
            "merNo": MERCHANT,
            "goodsName": trade.title,
            "orderNo": trade.order_no,
            "amount": amount,
            "orderDate": trade.order_date,
            "charSet": "UTF-8",
            "merchantTime": trade.req_time,
            "transRst": "1",
            "errDis": "立即支付,交易成功",
            "payJnlno": trade.journal,
            "payTime": trade.pay_time,
            "acountDate": trade.pay_time[:8],
            "payAcountDetail": f"06:{amount}",
            "respMode": "2",
        }
        forged = signing.signed(fields, self._key[::-1], _SIGN_TYPE)
        self._context.courier.post(_posted(trade, self._sealed(fields)), forged=_posted(trade, forged))

    def _sealed(self, fields: Fields) -> Fields:
        """Signed with the merchant's key, unless a fault says otherwise."""
        faults = self._context.faults
        amounts = {name: fields[name] for name in ("amount", "payAmount") if name in fields}
        if amounts and faults.take(Fault.WRONG_AMOUNT):
            fields = fields | {name: str(int(minor) + 1) for name, minor in amounts.items()}
        key = self._key[::-1] if faults.take(Fault.UNKNOWN_KEY) else self._key
        sealed = signing.signed(fields, key, _SIGN_TYPE)
        if faults.take(Fault.BAD_SIGNATURE):
            return sealed | {"charSet": "tampered"}
        return dict(fields) if faults.take(Fault.NO_SIGNATURE) else sealed


def _expiry(req_time: str, minutes: str) -> str:
    """When the page dies; empty for an order that does not say."""
    if not _MINUTES.fullmatch(minutes):
        return ""
    try:
        return beijing(from_beijing(req_time, wire.TIME) + timedelta(minutes=int(minutes)), wire.TIME)
    except ValueError:
        raise Refusal("ILLEGAL_PARAM") from None


def _html(words: str) -> HttpReply:
    page = f"<!doctype html><html lang=zh><title>沃支付</title><p>{escape(words)}</p></html>"
    return HttpReply(200, _HTML, page.encode())


def _posted(trade: Trade, fields: Fields) -> Notification:
    request = HttpRequest("POST", trade.notify_url, _FORM, wire.encode_form(fields))
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"unicompay-{trade.journal}")
