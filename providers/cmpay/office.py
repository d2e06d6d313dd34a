"""Where the simulated China Mobile writes: sealed answers, and notifications that are repeated until SUCCESS."""

from typing import Final

from providers.cmpay import messages, signing, wire
from providers.cmpay.ledger import Trade
from providers.cmpay.reading import SUCCESS
from providers.sdk.gateway import Fault, GatewayContext, Notification
from providers.sdk.transport import Headers, HttpReply, HttpRequest

RETRY_AFTER_S: Final = (
    60,
    300,
    600,
    3600,
    7200,
    21600,
    54000,
)  # seven repeats: 1, 5, 10, 60, 120, 360, 900 min
ORDERS: Final = messages.field_orders("", "2.0.0")

_KEY_CHARS: Final = 64
_ENCODED: Final = frozenset({"message", "reserved1", "reserved2"})
_ECHOED: Final = ("merchantId", "requestId", "merchantRequestNo", "signType", "type", "version")
_FORM: Final = Headers((("Content-Type", "application/x-www-form-urlencoded"),))

Fields = dict[str, str]


def row_of(kind: str) -> str:
    """The row of the table that a message is counted by; two order types share one."""
    return messages.PAGE if kind == "DirectPayConfirm" else kind


def masked(trade: Trade) -> str:
    """The payer's telephone number as China Mobile shows it: three digits and four."""
    return "138****0773" if trade.state == "paid" else ""


class Office:
    """The pen, the key and the post of one simulated merchant account."""

    def __init__(self, context: GatewayContext, merchant: str) -> None:
        self._context, self._merchant = context, merchant

    @property
    def key(self) -> str:
        """The merchant's key, drawn on first use."""
        kept = self._context.drawer.get("key")
        if kept is None:
            kept = {"key": self._context.random.text(_KEY_CHARS)}
            self._context.drawer.put("key", kept)
        return str(kept["key"])

    def answer(self, codec: str, asked: Fields, answer: Fields, code: str) -> HttpReply:
        """An answer to what was asked; unsigned where no merchant's key can be known."""
        row = row_of(asked.get("type", "")) + messages.ANSWER
        order = ORDERS.get(row, ("merchantId", "returnCode", "message"))
        echoed = {name: asked.get(name, "") for name in _ECHOED}
        known = echoed | answer | {"returnCode": code, "message": wire.MESSAGES.get(code, "交易失败")}
        fields = {name: known.get(name, "") for name in order}
        if code not in {wire.BAD_KEY, wire.BAD_MERCHANT}:
            fields = self._sealed(fields, order)
        headers = Headers((("Content-Type", f"text/html;charset={codec.upper()}"),))
        return HttpReply(200, headers, wire.encode_answer(fields, codec, _ENCODED))

    def payment(self, trade: Trade) -> Fields:
        """What queries and notifications say of a payment."""
        amount = str(trade.amount)
        return {
            "payNo": trade.pay_no,
            "amount": amount,
            "amtItem": f"CNY_AMT={amount}#CMY_AMT=0#RED_AMT=0#VCH_AMT=0#POT_CHG_AMT=0",
            "bankAbbr": "",
            "mobile": masked(trade),
            "orderId": trade.order_id,
            "payDate": trade.pay_date,
            "reserved1": trade.reserved1,
            "reserved2": trade.reserved2,
        }

    def notify(self, trade: Trade) -> None:
        """Post that it was paid. The barcode product's notification names no type and other amounts."""
        common = {"merchantId": self._merchant, "returnCode": "000000", "message": SUCCESS, "signType": "MD5"}
        money = self.payment(trade) | {"status": SUCCESS, "orderDate": trade.order_date}
        if trade.kind == messages.PAYER_CODE:
            kind, more = messages.NOTIFY_COUNTER, {"cashAmt": money["amount"], "coupAmt": "0", "vchAmt": "0"}
        else:
            kind = messages.NOTIFY_ONLINE
            more = {"type": kind, "version": "2.0.0", "accountDate": trade.pay_date[:8], "fee": "0"}
        order, known = ORDERS[kind], common | money | more
        fields = {name: known.get(name, "") for name in order}
        self._context.courier.post(
            _posted(trade, self._sealed(fields, order)),
            forged=_posted(trade, signing.signed(fields, order, self.key[::-1])),
        )

    def _sealed(self, fields: Fields, order: tuple[str, ...]) -> Fields:
        """Signed with the merchant's key, unless a fault says otherwise."""
        faults = self._context.faults
        if fields.get("amount") and faults.take(Fault.WRONG_AMOUNT):
            fields = fields | {"amount": str(int(fields["amount"]) + 1)}
        key = self.key[::-1] if faults.take(Fault.UNKNOWN_KEY) else self.key
        sealed = signing.signed(fields, order, key)
        if faults.take(Fault.BAD_SIGNATURE):
            return sealed | {"message": "tampered"}
        if faults.take(Fault.NO_SIGNATURE):
            return dict(fields)
        return sealed


def _posted(trade: Trade, fields: Fields) -> Notification:
    codec = wire.CODECS.get(trade.character_set, "gbk")
    body = wire.encode_form(fields | {"payType": "IPOS"}, codec)  # payType is sent and not signed
    request = HttpRequest("POST", trade.notify_url, _FORM, body)
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"cmpay-{trade.pay_no}")
