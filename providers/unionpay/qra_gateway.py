"""The simulated UnionPay's QRA gateway: XML and MD5, beside ACP and in the same drawer."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Final, Literal

from pydantic import TypeAdapter

from providers.sdk.clock import beijing
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
from providers.unionpay import qra_wire as wire

MERCHANT: Final = "QRA29045311KKR9"
CODE: Final = "https://qr.95516.com/00010002/"
RETRY_AFTER_S: Final = (60, 120, 240, 300)  # QRA's own schedule is not public; ACP's stands in

_XML: Final = Headers((("Content-Type", wire.XML_TYPE),))

Fields = dict[str, str]
State = Literal["NOTPAY", "USERPAYING", "SUCCESS", "CLOSED", "REVERSE", "PAYERROR"]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """QRA's no: its text is the `err_code`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QraTrade:
    """One order. Fees in fen; `refunds` by the merchant's refund number."""

    number: str
    title: str
    total_fee: int
    notify_url: str
    time_expire: str
    code: str
    state: State = "NOTPAY"
    wallet: str = ""
    transaction_id: str = ""
    time_end: str = ""
    looks: int = 0
    refunds: dict[str, int] = field(default_factory=dict)


_TRADE: Final = TypeAdapter(QraTrade)


class QraGateway:
    """One simulated QRA gateway with one test merchant."""

    def __init__(self, context: GatewayContext, payers: frozenset[Wallet], payee: str) -> None:
        self._context = context
        self._payers, self._payee = payers, payee

    @property
    def key(self) -> str:
        """The merchant's shared key, drawn on first use."""
        kept = self._context.drawer.get("qra-key")
        if kept is None:
            kept = {"key": self._context.random.text(32)}
            self._context.drawer.put("qra-key", kept)
        return str(kept["key"])

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        try:
            fields = wire.decode(request.body)
            wire.check(fields, self.key)
        except SignatureError:
            return self._reply({"status": "400", "message": "Signature error"})
        except ReplyError:
            return self._reply({"status": "400", "message": "Parse xml error"})
        try:
            answer = self._work(fields)(fields)
        except Refusal as refusal:
            refused = {"result_code": "1", "err_code": str(refusal), "err_msg": str(refusal)}
            return self._reply({"status": wire.OK, **refused, "need_query": "N"})
        return self._reply({"status": wire.OK, "result_code": wire.OK, **answer})

    def recognise(self, code: str) -> Bill | None:
        """The bill behind one of this gateway's codes."""
        pointer = self._context.drawer.get(f"qra-code/{code}")
        trade = self._get(str(pointer["number"])) if pointer else None
        if trade is None:
            return None
        self._payable(trade)
        return Bill(
            id=f"qra-{trade.number}",
            payee=self._payee,
            amount=Money(trade.total_fee, "CNY"),
            title=trade.title,
            number=trade.number,
        )

    def settle(self, number: str, wallet: Wallet) -> None:
        """The payer confirmed."""
        trade = self._get(number)
        if trade is None:
            raise BillGone("二维码无效")
        self._payable(trade)
        if wallet not in self._payers:
            raise PurseRefused("请使用云闪付或银行 App 扫码")
        self._notify(self._paid(trade, wallet))

    def _work(self, fields: Fields) -> Callable[[Fields], Fields]:
        works: dict[str, Callable[[Fields], Fields]] = {
            wire.NATIVE: self._native,
            wire.MICROPAY: self._micropay,
            wire.QUERY: self._query,
            wire.REFUND: self._refund,
            wire.REFUND_QUERY: self._refund_query,
            wire.CLOSE: self._close,
            wire.REVERSE: self._reverse,
        }
        work = works.get(fields.get("service", ""))
        if work is None or fields.get("mch_id") != MERCHANT or fields.get("version") != "2.0":
            raise Refusal("PARAM_ERROR")
        return work

    def _native(self, fields: Fields) -> Fields:
        known = self._get(fields.get("out_trade_no", ""))
        letters = self._context.random.text(30)
        trade = self._new(fields, CODE + "62" + "".join(str(ord(letter) % 10) for letter in letters))
        if known is not None:
            if known != replace(trade, code=known.code):
                raise Refusal("OUT_TRADE_NO_USED")
            trade = known
        self._put(trade)
        return {"code_url": trade.code, "code_img_url": f"{trade.code}.png"}

    def _micropay(self, fields: Fields) -> Fields:
        if self._get(fields.get("out_trade_no", "")) is not None:
            raise Refusal("OUT_TRADE_NO_USED")
        wallet = self._context.purses.owner_of(fields.get("auth_code", ""))
        if wallet is None or wallet not in self._payers:
            raise Refusal("AUTH_CODE_INVALID")
        trade = replace(self._new(fields, ""), wallet=wallet.value)
        if self._context.faults.take(Fault.DECLINED):
            self._put(replace(trade, state="PAYERROR"))
            raise Refusal("NOTENOUGH")
        if self._context.faults.take(Fault.USER_PAYING):
            self._put(replace(trade, state="USERPAYING"))
            return {"result_code": "1", "err_code": "USERPAYING", "need_query": "Y"}
        try:
            return self._money(self._paid(trade, wallet)) | {"pay_result": wire.OK}
        except PurseRefused:
            self._put(replace(trade, state="PAYERROR"))
            raise Refusal("NOTENOUGH") from None

    def _query(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        if trade.state == "USERPAYING":
            trade = self._moved_on(trade)
        state = "CLOSED" if trade.state == "NOTPAY" and self._expired(trade) else trade.state
        return self._money(trade) | {"trade_state": "REFUND" if trade.refunds else state}

    def _moved_on(self, trade: QraTrade) -> QraTrade:
        if trade.looks == 0 or self._context.faults.take(Fault.PAYER_LINGERS):
            return self._put(replace(trade, looks=1))
        try:
            return self._paid(trade, Wallet(trade.wallet))
        except PurseRefused:
            return self._put(replace(trade, state="PAYERROR"))

    def _close(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        if trade.state != "NOTPAY":
            raise Refusal("ORDERPAID" if trade.state == "SUCCESS" else "ORDERCLOSED")
        self._put(replace(trade, state="CLOSED"))
        return {"out_trade_no": trade.number}

    def _reverse(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        if trade.state == "SUCCESS" and not trade.refunds:
            self._credit(trade, trade.total_fee)
        elif trade.state not in {"USERPAYING", "NOTPAY"}:
            raise Refusal("ORDERCLOSED")
        self._put(replace(trade, state="REVERSE"))
        return {"out_trade_no": trade.number}

    def _refund(self, fields: Fields) -> Fields:
        trade, number, fee = (
            self._known(fields),
            fields.get("out_refund_no", ""),
            fields.get("refund_fee", ""),
        )
        if trade.state != "SUCCESS" or not fee.isdecimal() or fields.get("total_fee") != str(trade.total_fee):
            raise Refusal("REFUND_ERROR")
        given = trade.refunds.get(number)
        if given is None:
            if not number or not 0 < int(fee) <= trade.total_fee - sum(trade.refunds.values()):
                raise Refusal("REFUND_FEE_INVALID")
            self._put(replace(trade, refunds={**trade.refunds, number: int(fee)}))
            self._context.drawer.put(f"qra-refund/{number}", {"number": trade.number})
            self._credit(trade, int(fee))
        elif given != int(fee):
            raise Refusal("REFUND_FEE_INVALID")
        return {
            "out_trade_no": trade.number,
            "out_refund_no": number,
            "refund_fee": fee,
            "refund_id": f"R{number}",
        }

    def _refund_query(self, fields: Fields) -> Fields:
        number = fields.get("out_refund_no", "")
        pointer = self._context.drawer.get(f"qra-refund/{number}")
        trade = self._get(str(pointer["number"])) if pointer else None
        if trade is None:
            raise Refusal("REFUNDNOTEXIST")
        return {
            "out_trade_no": trade.number,
            "refund_count": "1",
            "out_refund_no_0": number,
            "refund_fee_0": str(trade.refunds[number]),
            "refund_id_0": f"R{number}",
            "refund_status_0": "SUCCESS",
        }

    def _known(self, fields: Fields) -> QraTrade:
        trade = self._get(fields.get("out_trade_no", ""))
        if trade is None:
            raise Refusal("ORDERNOTEXIST")
        return trade

    def _new(self, fields: Fields, code: str) -> QraTrade:
        fee = fields.get("total_fee", "")
        if not fields.get("out_trade_no") or not fee.isdecimal() or int(fee) == 0 or not fields.get("body"):
            raise Refusal("PARAM_ERROR")
        return QraTrade(
            number=fields["out_trade_no"],
            title=fields["body"],
            total_fee=int(fee),
            notify_url=fields.get("notify_url", ""),
            time_expire=fields.get("time_expire", ""),
            code=code,
        )

    def _payable(self, trade: QraTrade) -> None:
        if trade.state == "SUCCESS":
            raise BillGone("订单已支付")
        if trade.state != "NOTPAY" or self._expired(trade):
            raise BillGone("二维码已失效")

    def _expired(self, trade: QraTrade) -> bool:
        return bool(trade.time_expire) and beijing(self._context.clock.now(), wire.TIME) >= trade.time_expire

    def _paid(self, trade: QraTrade, wallet: Wallet) -> QraTrade:
        money = Money(trade.total_fee, "CNY")
        self._context.purses.charge(wallet, money, f"{self._payee} {trade.title}")
        now = beijing(self._context.clock.now(), wire.TIME)
        return self._put(
            replace(
                trade,
                state="SUCCESS",
                wallet=wallet.value,
                time_end=now,
                transaction_id=f"{MERCHANT}{now}{self._context.random.text(6)}",
            )
        )

    def _credit(self, trade: QraTrade, fee: int) -> None:
        self._context.purses.credit(Wallet(trade.wallet), Money(fee, "CNY"), f"退款 {trade.title}")

    def _money(self, trade: QraTrade) -> Fields:
        return {
            "out_trade_no": trade.number,
            "total_fee": str(trade.total_fee),
            "fee_type": "CNY",
            "transaction_id": trade.transaction_id,
            "time_end": trade.time_end,
        }

    def _notify(self, trade: QraTrade) -> None:
        zeros = dict.fromkeys(("status", "result_code", "pay_result"), wire.OK)
        fields = self._common() | self._money(trade) | zeros
        forged = wire.signed(fields, self.key[::-1])
        self._context.courier.post(
            self._posted(trade, self._sealed(fields)), forged=self._posted(trade, forged)
        )

    def _posted(self, trade: QraTrade, fields: Mapping[str, str]) -> Notification:
        request = HttpRequest("POST", trade.notify_url, _XML, wire.encode(fields))
        return Notification(
            request=request, retry_after_s=RETRY_AFTER_S, key=f"unionpay-qra-{trade.transaction_id}"
        )

    def _reply(self, fields: Fields) -> HttpReply:
        return HttpReply(200, _XML, wire.encode(self._sealed(self._common() | fields)))

    def _common(self) -> Fields:
        return {
            "version": "2.0",
            "charset": "UTF-8",
            "sign_type": "MD5",
            "mch_id": MERCHANT,
            "nonce_str": self._context.random.text(32),
        }

    def _sealed(self, fields: Fields) -> Fields:
        """Signed with the merchant's key, unless a fault says otherwise."""
        faults = self._context.faults
        if "total_fee" in fields and faults.take(Fault.WRONG_AMOUNT):
            fields = fields | {"total_fee": str(int(fields["total_fee"]) + 1)}
        signed = wire.signed(fields, self.key[::-1] if faults.take(Fault.UNKNOWN_KEY) else self.key)
        if faults.take(Fault.BAD_SIGNATURE):
            return signed | {"nonce_str": "tampered"}
        if faults.take(Fault.NO_SIGNATURE):
            return {name: value for name, value in signed.items() if name != "sign"}
        return signed

    def _get(self, number: str) -> QraTrade | None:
        record = self._context.drawer.get(f"qra-trade/{number}")
        return None if record is None else _TRADE.validate_python(record)

    def _put(self, trade: QraTrade) -> QraTrade:
        self._context.drawer.put(f"qra-trade/{trade.number}", asdict(trade))
        if trade.code:
            self._context.drawer.put(f"qra-code/{trade.code}", {"number": trade.number})
        return trade
