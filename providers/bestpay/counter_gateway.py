"""The simulated payer-code gateway: forms with macs in, JSON out, with the refusals of its user guide V2.8."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from providers.bestpay import signing, wire
from providers.bestpay.ledger import Ledger, Return, Trade
from providers.bestpay.seals import Seals
from providers.bestpay.signing import Mac
from providers.bestpay.wire import Message
from providers.sdk.clock import beijing
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.gateway import Fault, GatewayContext, Notification, PurseRefused
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

MERCHANT: Final = "043101180050000"
STORE: Final = "201231"
PATHS: Final = (wire.PLACE, wire.QUERY, wire.REFUND, wire.REVERSE)
RETRY_AFTER_S: Final = (60, 180, 300, 3600, 7200, 14400, 28800)

_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,30}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_STAMP: Final = re.compile(r"[0-9]{14}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{8}([0-9]{6})?", re.ASCII)
_JSON: Final = Headers((("Content-Type", "application/json;charset=UTF-8"),))
_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_WORDS: Final = {"open": "A", "paying": "A", "paid": "B", "failed": "C", "closed": "G"}

Fields = dict[str, str]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """The gateway's no: its text is the error code."""


class CounterGateway:
    """One simulated payer-code gateway with one test merchant."""

    def __init__(self, context: GatewayContext, ledger: Ledger, seals: Seals) -> None:
        self._context, self._ledger, self._seals = context, ledger, seals

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        try:
            fields = wire.decode_form(request.body)
            result, names = self._work(request, fields)
        except Refusal as refusal:
            return _refused(str(refusal))
        except ReplyError:
            return _refused(wire.BAD_PARAMETER)
        signed = self._seals.stamp(self._context.faults, result, "sign", lambda mac, of: mac.of(of, names))
        return _answer({"success": True, "result": signed, "errorCode": None, "errorMsg": None})

    def _work(self, request: HttpRequest, fields: Fields) -> tuple[Message, tuple[str, ...]]:
        """The work and the fields that its answer is signed over."""
        path = next((path for path in PATHS if request.path.endswith(path)), "")
        table: dict[str, tuple[Callable[[Fields], Message], tuple[str, ...], tuple[str, ...]]] = {
            wire.PLACE: (self._place, signing.PLACE_MAC, signing.ORDER_SIGN),
            wire.QUERY: (self._query, signing.QUERY_MAC, signing.ORDER_SIGN),
            wire.REFUND: (self._refund, signing.REFUND_MAC, signing.RETURN_SIGN),
            wire.REVERSE: (self._reverse, signing.REVERSE_MAC, signing.RETURN_SIGN),
        }
        work, names, signed = table[path]
        self._admit(request, fields, names)
        return work(fields), signed

    def _admit(self, request: HttpRequest, fields: Fields, names: tuple[str, ...]) -> None:
        if request.method != "POST" or any(name not in fields for name in names):
            raise Refusal(wire.BAD_PARAMETER)
        if fields["merchantId"] != MERCHANT:
            raise Refusal(wire.NO_SUCH_MERCHANT)
        try:
            signing.same(fields.get("mac", ""), Mac(self._seals.data_key).of(fields, names))
        except SignatureError:
            raise Refusal(wire.BAD_MAC) from None
        if fields.get("merchantPwd", self._seals.password) != self._seals.password:
            raise Refusal(wire.BAD_TRADE_KEY)

    def _place(self, fields: Fields) -> Message:
        _check_order(fields)
        if self._ledger.trade("counter", fields["orderNo"]):
            raise Refusal(wire.BAD_ORDER)
        wallet = self._context.purses.owner_of(fields["barcode"])
        if wallet is not Wallet.BESTPAY:
            raise Refusal(wire.BAD_BARCODE)
        trade = Trade(
            door="counter",
            number=fields["orderNo"],
            amount=int(fields["orderAmt"]),
            title=fields.get("goodsName", ""),
            notify_url=fields.get("backUrl", ""),
            sent=fields["orderDate"],
            wallet=wallet.value,
            state="paying",
        )
        trade = self._started(trade)
        return _order(trade) | {"orderDate": None}

    def _started(self, trade: Trade) -> Trade:
        if self._context.faults.take(Fault.DECLINED):
            trade = replace(trade, state="failed")
        elif not self._context.faults.take(Fault.USER_PAYING):
            return self._charged(trade)
        self._ledger.put(trade)
        return trade

    def _charged(self, trade: Trade) -> Trade:
        amount = Money(trade.amount, "CNY")
        try:
            self._context.purses.charge(Wallet(trade.wallet), amount, trade.title or trade.number)
        except PurseRefused:
            failed = replace(trade, state="failed")
            self._ledger.put(failed)
            return failed
        now = self._context.clock.now()
        paid = replace(trade, state="paid", trade_no=self._serial(), paid_at=beijing(now, wire.STAMP))
        self._ledger.put(paid)
        self._notify_paid(paid)
        return paid

    def _query(self, fields: Fields) -> Message:
        if not _DAY.fullmatch(fields["orderDate"]):
            raise Refusal(wire.BAD_PARAMETER)
        trade = self._ledger.trade("counter", fields["orderNo"])
        if trade is None:
            raise Refusal(wire.NO_SUCH_ORDER)
        if fields["orderReqNo"] != trade.number:
            return self._query_return(trade, fields)
        _check_near(fields["orderDate"], trade.sent)
        trade = self._moved_on(trade)
        flag = (
            "3"
            if trade.reversed
            else "1"
            if trade.returned == trade.amount
            else "2"
            if trade.returned
            else "0"
        )
        return _order(trade) | {"orderDate": trade.sent, "refundFlag": flag}

    def _query_return(self, trade: Trade, fields: Fields) -> Message:
        found = self._ledger.returned("counter", fields["orderReqNo"])
        if found is None or found.original != trade.number:
            raise Refusal(wire.NO_SUCH_ORDER)
        _check_near(fields["orderDate"], found.sent)
        return {
            **_order(trade),
            "orderReqNo": found.number,
            "orderDate": found.done_at,
            "ourTransNo": found.trade_no,
            "transAmt": str(found.amount),
            "transStatus": "B",
        }

    def _moved_on(self, trade: Trade) -> Trade:
        """A payer who was typing a password has finished by the second look."""
        if trade.state != "paying":
            return trade
        if trade.looks == 0 or self._context.faults.take(Fault.PAYER_LINGERS):
            trade = replace(trade, looks=1)
            self._ledger.put(trade)
            return trade
        return self._charged(trade)

    def _refund(self, fields: Fields) -> Message:
        trade = self._original(fields)
        if self._ledger.returned("counter", fields["refundReqNo"]):
            raise Refusal(wire.RETURNED)
        if trade.state != "paid":
            raise Refusal(wire.NOT_PAID)
        if trade.reversed or trade.returned == trade.amount:
            raise Refusal(wire.RETURNED)
        if len(trade.number) % 2 or len(fields["refundReqNo"]) % 2:
            raise Refusal(wire.NOT_REFUNDABLE)
        if int(fields["transAmt"]) > trade.amount - trade.returned:
            raise Refusal(wire.BAD_AMOUNT)
        one = self._give_back(trade, fields)
        self._notify_returned(one)
        return _return(one)

    def _reverse(self, fields: Fields) -> Message:
        """Undo a payment of today, or make an order void that nobody has paid."""
        trade = self._original(fields)
        if trade.state in {"closed", "failed"}:
            raise Refusal(wire.VOID)
        if trade.returned or trade.reversed:
            raise Refusal(wire.PARTLY_RETURNED)
        if trade.sent[:8] != beijing(self._context.clock.now(), wire.DAY):
            raise Refusal(wire.NOT_TODAY)
        if int(fields["transAmt"]) != trade.amount:
            raise Refusal(wire.BAD_AMOUNT)
        if trade.state == "paid":
            return _return(self._give_back(replace(trade, reversed=True), fields))
        self._ledger.put(replace(trade, state="closed"))
        return _return(self._noted(fields))

    def _original(self, fields: Fields) -> Trade:
        trade = self._ledger.trade("counter", fields["oldOrderNo"])
        if trade is None or fields["oldOrderReqNo"] != trade.number:
            raise Refusal(wire.NO_SUCH_ORDER)
        odd = fields["refundReqNo"] == trade.number or not _NUMBER.fullmatch(fields["refundReqNo"])
        if odd or not _AMOUNT.fullmatch(fields["transAmt"]) or not _DAY.fullmatch(fields["refundReqDate"]):
            raise Refusal(wire.BAD_PARAMETER)
        return trade

    def _give_back(self, trade: Trade, fields: Fields) -> Return:
        one = self._noted(fields)
        self._ledger.put_return(one)
        self._ledger.put(replace(trade, returned=trade.returned + one.amount))
        wallet, amount = Wallet(trade.wallet), Money(one.amount, "CNY")
        self._context.purses.credit(wallet, amount, f"退款 {trade.title or trade.number}")
        return one

    def _noted(self, fields: Fields) -> Return:
        return Return(
            door="counter",
            number=fields["refundReqNo"],
            original=fields["oldOrderNo"],
            amount=int(fields["transAmt"]),
            sent=fields["refundReqDate"],
            trade_no=self._serial(),
            notify_url=fields.get("bgUrl", ""),
            done_at=beijing(self._context.clock.now(), wire.STAMP),
        )

    def _serial(self) -> str:
        return self._ledger.next_serial(beijing(self._context.clock.now(), wire.STAMP), 8)

    def _notify_paid(self, trade: Trade) -> None:
        fields: Message = {
            "UPTRANSEQ": trade.trade_no,
            "MERCHANTID": MERCHANT,
            "TRANDATE": trade.paid_at[:8],
            "RETNCODE": "0000",
            "RETNINFO": "0000",
            "ORDERREQTRANSEQ": trade.number,
            "ORDERSEQ": trade.number,
            "ORDERAMOUNT": str(trade.amount),
            "PRODUCTAMOUNT": str(trade.amount),
            "ATTACHAMOUNT": "0",
            "CURTYPE": "RMB",
            "ENCODETYPE": "1",
            "BANKID": "EPAYACC",
            "ATTACH": "",
            "UPREQTRANSEQ": trade.trade_no,
            "UPBANKTRANSEQ": "",
            "PRODUCTNO": "",
        }
        self._post(
            trade.notify_url, trade.trade_no, fields, "SIGN", lambda mac, of: mac.of_payment(of, mobile=False)
        )

    def _notify_returned(self, one: Return) -> None:
        fields: Message = {
            "refundReqNo": one.number,
            "ourTransNo": one.trade_no,
            "oldOrderNo": one.original,
            "oldOrderReqNo": one.original,
            "merchantCode": MERCHANT,
            "transAmt": str(one.amount),
            "transStatus": "B",
        }
        self._post(
            one.notify_url, one.trade_no, fields, "mac", lambda mac, of: mac.of(of, signing.REFUND_NOTICE)
        )

    def _post(
        self, url: str, serial: str, fields: Message, field: str, mac_of: Callable[[Mac, Message], str]
    ) -> None:
        if not url:
            return
        genuine = self._seals.stamp(self._context.faults, fields, field, mac_of)
        forged = self._seals.forged_stamp(fields, field, mac_of)
        self._context.courier.post(
            _notification(url, serial, genuine), forged=_notification(url, serial, forged)
        )


def _notification(url: str, serial: str, fields: Message) -> Notification:
    body = wire.encode_form({name: str(value) for name, value in fields.items()})
    request = HttpRequest("POST", url, _FORM, body)
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"bestpay-{serial}")


def _check_order(fields: Fields) -> None:
    numbers = fields["orderNo"], fields["orderReqNo"]
    if not fields.get("storeId"):
        raise Refusal(wire.NO_STORE)
    if not all(_NUMBER.fullmatch(number) for number in numbers) or len(set(numbers)) > 1:
        raise Refusal(wire.BAD_PARAMETER)
    amounts = [fields.get(name, "") for name in ("orderAmt", "productAmt", "attachAmt")]
    if not _AMOUNT.fullmatch(amounts[0]) or not all(amount.isdecimal() for amount in amounts):
        raise Refusal(wire.BAD_PARAMETER)
    if int(amounts[0]) != int(amounts[1]) + int(amounts[2]):
        raise Refusal(wire.BAD_ORDER)
    limits = {"goodsName": wire.NAME_MAX, "backUrl": wire.URL_MAX, "storeId": 10, "attach": 128}
    too_long = any(len(fields.get(name, "").encode()) > most for name, most in limits.items())
    if too_long or not _STAMP.fullmatch(fields["orderDate"]) or fields.get("channel") != "05":
        raise Refusal(wire.BAD_PARAMETER)


def _check_near(asked: str, sent: str) -> None:
    """BestPay looks at the day before, the day and the day after."""
    days = [wire.read_moment(f"{text[:8]}000000") for text in (asked, sent)]
    if days[0] is None or days[1] is None or abs((days[0] - days[1]).days) > 1:
        raise Refusal(wire.NO_SUCH_ORDER)


def _order(trade: Trade) -> Message:
    return {
        "merchantId": MERCHANT,
        "orderNo": trade.number,
        "orderReqNo": trade.number,
        "transStatus": _WORDS[trade.state],
        "transAmt": str(trade.amount),
        "ourTransNo": trade.trade_no,
        "encodeType": "1",
        "payerAccount": None,
        "payeeAccount": None,
        "payChannel": None,
        "productDesc": None,
        "refundFlag": None,
        "customerId": "153****4685" if trade.state == "paid" else None,
        "coupon": "0",
        "scValue": "0",
    }


def _return(one: Return) -> Message:
    return {"refundReqNo": one.number, "oldOrderNo": one.original, "transAmt": str(one.amount)}


def _refused(code: str) -> HttpReply:
    message = wire.MESSAGES.get(code, "交易失败")
    return _answer({"success": False, "result": None, "errorCode": code, "errorMsg": message})


def _answer(message: Message) -> HttpReply:
    return HttpReply(200, _JSON, wire.encode_json(message))
