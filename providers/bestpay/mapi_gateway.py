"""The simulated MAPI: envelopes and flat calls, signed answers, and the notifications of its two products.

MAPI's error codes are not public: all but API100001 (a bad signature) are words of this simulation. Nor is it public
when an order dies of itself: here after 24 hours.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from providers.bestpay import wire
from providers.bestpay.ledger import Ledger, Return, Trade
from providers.bestpay.seals import Seals
from providers.bestpay.signing import Trust
from providers.bestpay.wire import Message
from providers.sdk.clock import beijing
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.gateway import GatewayContext, Notification
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

MERCHANT: Final = "3178002072268273"
PAYEE: Final = "Moongate 翼支付测试商户"
RETRY_AFTER_S: Final = (300, 300)
CODE_CREATE: Final = "/aggregate/aggregatepay/offline/c2b/payOrder"
CODE_QUERY: Final = "/aggregate/aggregatepay/tradeQuery"
CODE_REFUND: Final = "/aggregate/aggregatepay/offline/refund"
CODE_CLOSE: Final = "/o2o/aggregatePay/service/closeTrade"

BAD_SIGN: Final = "API100001"
BAD_FORM: Final = "API100002"
NO_SUCH_API: Final = "API100003"
NO_SUCH_TRADE: Final = "TRADE_NOT_EXIST"
TRADE_EXISTS: Final = "TRADE_ALREADY_EXIST"
TRADE_PAID: Final = "TRADE_ALREADY_PAID"
NOT_PAID: Final = "TRADE_STATUS_ERROR"
TOO_MUCH: Final = "REFUND_AMT_ERROR"
REFUND_EXISTS: Final = "REFUND_ALREADY"

_CODE: Final = "http://m.bestpay.com.cn/#/apa/{token}face2face"
_TOKEN: Final = re.compile(re.escape(_CODE).replace(r"\{token\}", "([0-9A-Za-z]{32})"), re.ASCII)
_LIFE: Final = timedelta(hours=24)
_NUMBER: Final = re.compile(r"[0-9A-Za-z_]{1,64}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
_JSON: Final = Headers((("Content-Type", wire.JSON_TYPE),))
_UNIFORM: Final = {"open": "WAITFORPAY", "paid": "SUCCESS", "closed": "CLOSE"}
_AGGREGATE: Final = {"open": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSE"}

Fields = dict[str, str]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """MAPI's no: its text is the error code."""


class MapiGateway:
    """One simulated MAPI with one test merchant."""

    def __init__(self, context: GatewayContext, ledger: Ledger, seals: Seals, merchant: Trust) -> None:
        self._context, self._ledger, self._seals = context, ledger, seals
        self._merchant = merchant

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        try:
            path, fields = self._admitted(request)
            result = self._work(path)(fields, path)
        except Refusal as refusal:
            return self._answer(None, str(refusal))
        return self._answer(result, None)

    def has_died(self, trade: Trade) -> bool:
        """Whether nobody has paid it in its time."""
        born = wire.read_moment(trade.sent)
        return trade.state == "open" and born is not None and self._context.clock.now() >= born + _LIFE

    def notify_paid(self, trade: Trade) -> None:
        """Tell the merchant, in the words of the product."""
        message: Message = {
            "merchantNo": MERCHANT,
            "institutionCode": MERCHANT,
            "outTradeNo": trade.number,
            "tradeNo": trade.trade_no,
            "tradeStatus": "SUCCESS",
        }
        if trade.product == CODE_CREATE:
            amount = str(trade.amount)
            message |= {"notifyType": "PAY", "totalAmt": amount, "payAmt": amount, "payTool": "BESTPAY"}
            message |= {"payFinishedDate": trade.paid_at}
        else:
            message |= {"tradeAmt": str(trade.amount)}
        self._post(trade.notify_url, trade.trade_no, message)

    def _admitted(self, request: HttpRequest) -> tuple[str, Fields]:
        """The path and the content of a call whose signature is the merchant's: an envelope, or flat fields."""
        try:
            message = wire.decode_json(request.body)
            if request.method != "POST":
                raise Refusal(BAD_FORM)
            if request.path.endswith(wire.SDK_REQUEST):
                names = ("path", "commonParams", "bizContent", "sign")
                self._merchant.check({name: message.get(name) for name in names})
                content = wire.decode_json(wire.word(message, "bizContent").encode())
                common = wire.decode_json(wire.word(message, "commonParams").encode())
                return wire.word(message, "path"), _fields({**common, **content})
            self._check_flat(message)
            return _direct_path(request), _fields(message)
        except SignatureError:
            raise Refusal(BAD_SIGN) from None
        except ReplyError:
            raise Refusal(BAD_FORM) from None

    def _check_flat(self, message: Message) -> None:
        """The merchant's signature over flat fields; some clients sign and send empty ones, others only send them."""
        try:
            self._merchant.check(message)
        except SignatureError:
            self._merchant.check({name: value for name, value in message.items() if value not in ("", None)})

    def _work(self, path: str) -> Callable[[Fields, str], Message]:
        works: dict[str, Callable[[Fields, str], Message]] = {
            **dict.fromkeys((wire.CREATE, CODE_CREATE), self._create),
            **dict.fromkeys((wire.TRADE_QUERY, CODE_QUERY), self._query),
            **dict.fromkeys((wire.TRADE_REFUND, CODE_REFUND), self._refund),
            wire.REFUND_QUERY: self._query_refund,
            **dict.fromkeys((wire.CLOSE, CODE_CLOSE), self._close),
        }
        if path not in works:
            raise Refusal(NO_SUCH_API)
        return works[path]

    def _create(self, fields: Fields, path: str) -> Message:
        asked = self._asked(fields, path)
        known = self._ledger.trade("mapi", asked.number)
        if known is not None and not known.opens_like(asked):
            raise Refusal(TRADE_EXISTS)
        trade = known or replace(asked, token=self._context.random.text(32), trade_no=self._trade_no())
        self._ledger.put(trade)
        result = _named(trade) | {"merchantOrderNo": trade.number, "tradeResultCode": None, "memo": None}
        return result | ({"codeUrl": _CODE.format(token=trade.token)} if path == CODE_CREATE else {})

    def _asked(self, fields: Fields, path: str) -> Trade:
        needed = ("outTradeNo", "tradeAmt", "subject", "requestDate", "operator")
        amount, moment = fields.get("tradeAmt", ""), wire.read_moment(fields.get("requestDate", ""))
        if any(not fields.get(name) for name in needed) or fields.get("ccy", wire.CCY) != wire.CCY:
            raise Refusal(BAD_FORM)
        if not _NUMBER.fullmatch(fields["outTradeNo"]) or not _AMOUNT.fullmatch(amount) or moment is None:
            raise Refusal(BAD_FORM)
        if abs((self._context.clock.now() - moment).days) > 1:
            raise Refusal(BAD_FORM)
        return Trade(
            door="mapi",
            number=fields["outTradeNo"],
            amount=int(amount),
            title=fields["subject"],
            notify_url=fields.get("notifyUrl", ""),
            sent=fields["requestDate"],
            product=path,
        )

    def _query(self, fields: Fields, path: str) -> Message:
        del path
        trade = self._named_trade(fields)
        return _named(trade) | {
            "tradeAmt": str(trade.amount),
            "ccy": wire.CCY,
            "subject": trade.title,
            "buyerLoginNo": "153****4685" if trade.state == "paid" else None,
            "payFinishedDate": trade.paid_at or None,
        }

    def _close(self, fields: Fields, path: str) -> Message:
        del path
        trade = self._named_trade(fields)
        if trade.state == "paid":
            raise Refusal(TRADE_PAID)
        closed = replace(trade, state="closed")
        self._ledger.put(closed)
        return _named(closed)

    def _refund(self, fields: Fields, path: str) -> Message:
        del path
        trade = self._named_trade(fields)
        number, amount = fields.get("outRequestNo", ""), fields.get("refundAmt", "")
        if not _NUMBER.fullmatch(number) or not _AMOUNT.fullmatch(amount):
            raise Refusal(BAD_FORM)
        known = self._ledger.returned("mapi", number)
        if known is not None:
            if (known.original, known.amount) != (trade.number, int(amount)):
                raise Refusal(REFUND_EXISTS)
            return _returned(known)
        if trade.state != "paid":
            raise Refusal(NOT_PAID)
        if int(amount) > trade.amount - trade.returned:
            raise Refusal(TOO_MUCH)
        return _returned(self._give_back(trade, number, int(amount), fields))

    def _give_back(self, trade: Trade, number: str, amount: int, fields: Fields) -> Return:
        one = Return(
            door="mapi",
            number=number,
            original=trade.number,
            amount=amount,
            sent=fields.get("requestDate", ""),
            trade_no=self._trade_no(),
            notify_url=fields.get("notifyUrl", ""),
            done_at=beijing(self._context.clock.now(), wire.STAMP),
        )
        self._ledger.put_return(one)
        self._ledger.put(replace(trade, returned=trade.returned + amount))
        wallet = Wallet(trade.wallet)
        self._context.purses.credit(wallet, Money(amount, "CNY"), f"退款 {PAYEE} {trade.title}")
        self._notify_returned(trade, one)
        return one

    def _query_refund(self, fields: Fields, path: str) -> Message:
        del path
        one = self._ledger.returned("mapi", fields.get("outTradeNo", ""))
        if one is None or fields.get("merchantNo") != MERCHANT:
            raise Refusal(NO_SUCH_TRADE)
        return _returned(one)

    def _named_trade(self, fields: Fields) -> Trade:
        trade = self._ledger.trade("mapi", fields.get("outTradeNo", ""))
        if trade is None or fields.get("merchantNo") != MERCHANT:
            raise Refusal(NO_SUCH_TRADE)
        return replace(trade, state="closed") if self.has_died(trade) else trade

    def _trade_no(self) -> str:
        return self._ledger.next_serial(beijing(self._context.clock.now(), wire.STAMP), 18)

    def _answer(self, result: Message | None, code: str | None) -> HttpReply:
        message: Message = {"success": code is None, "result": result, "errorCode": code, "errorMsg": code}
        sealed = self._seals.seal(self._context.faults, message)
        return HttpReply(200, _JSON, wire.encode_json(sealed))

    def _notify_returned(self, trade: Trade, one: Return) -> None:
        """Only the aggregate product's refund notification is published."""
        if trade.product != CODE_CREATE:
            return
        message: Message = {
            "merchantNo": MERCHANT,
            "institutionCode": MERCHANT,
            "notifyType": "REFUND",
            "outTradeNo": trade.number,
            "outRefundNo": one.number,
            "tradeNo": one.trade_no,
            "refundAmt": str(one.amount),
            "refundFinishedDate": one.done_at,
            "tradeStatus": "SUCCESS",
        }
        self._post(one.notify_url, one.trade_no, message)

    def _post(self, url: str, serial: str, message: Message) -> None:
        if not url.startswith(("http://", "https://")):
            return
        genuine = self._seals.seal(self._context.faults, message)
        self._context.courier.post(
            _notification(url, serial, genuine),
            forged=_notification(url, serial, self._seals.forged(message)),
        )


def token_of(code: str) -> str:
    """What one of our codes is known by; empty for any other text."""
    match = _TOKEN.fullmatch(code)
    return match[1] if match else ""


def _notification(url: str, serial: str, message: Message) -> Notification:
    request = HttpRequest("POST", url, _JSON, wire.encode_json(message))
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"bestpay-{serial}")


def _named(trade: Trade) -> Message:
    words = _AGGREGATE if trade.product == CODE_CREATE else _UNIFORM
    return {
        "merchantNo": MERCHANT,
        "outTradeNo": trade.number,
        "tradeNo": trade.trade_no,
        "tradeStatus": words[trade.state],
    }


def _returned(one: Return) -> Message:
    return {
        "merchantNo": MERCHANT,
        "outTradeNo": one.original,
        "outRequestNo": one.number,
        "tradeNo": one.trade_no,
        "refundAmt": str(one.amount),
        "refundFinishedDate": one.done_at,
        "tradeStatus": "SUCCESS",
    }


def _fields(message: Message) -> Fields:
    """The plain fields of a call; lists and objects are nothing that a call here needs."""
    fields = {name: str(value) for name, value in message.items() if isinstance(value, str)}
    if fields.get("institutionCode", MERCHANT) != MERCHANT or fields.get("merchantNo") != MERCHANT:
        raise Refusal(NO_SUCH_TRADE)
    return fields


def _direct_path(request: HttpRequest) -> str:
    for path in (wire.CREATE, wire.TRADE_QUERY, wire.TRADE_REFUND, wire.REFUND_QUERY, wire.CLOSE):
        if request.path.endswith(path):
            return path
    raise Refusal(NO_SUCH_API)
