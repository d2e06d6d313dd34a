"""UnionPay's own side, simulated: ACP 5.1.0 on its own wire, with its refusals, its certificates and its faults.

It verifies the merchant's signatures, keeps every trade in its drawer, moves play money, and notifies by signed forms
1, 2, 4 and 5 minutes apart until it is answered with 200. Documented behaviour is kept to; where ACP's public papers
are silent (a reversal of an unscanned code, a repeated application) it does what `quality.toml` says is unsure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
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
from providers.unionpay import qra_gateway, qra_wire, wire
from providers.unionpay.authority import Authority, pem_text
from providers.unionpay.ledger import Ledger, Trade
from providers.unionpay.signing import VERSION, check_signature
from providers.unionpay.statement import write_file

MERCHANT: Final = "777290058110048"
PAYEE: Final = "Moongate 银联测试商户"
RETRY_AFTER_S: Final = (60, 120, 240, 300)
PAYERS: Final = frozenset({Wallet.QUICKPASS, Wallet.BANK})

_ORDER_ID: Final = re.compile(r"[0-9A-Za-z]{8,40}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_CODE: Final = re.compile(re.escape(wire.CODE_PREFIX) + r"00010001/(62[0-9]{30})|([0-9]{21})", re.ASCII)
_ECHOED: Final = (
    "encoding", "bizType", "txnTime", "txnType", "txnSubType", "accessType", "merId", "orderId", "txnAmt",
    "currencyCode", "reqReserved", "origQryId", "origOrderId", "origTxnTime",
)  # fmt: skip

Fields = dict[str, str]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """ACP's no: its text is the response code."""


class UnionPayGateway:
    """One simulated ACP with one test merchant."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)
        self._keys = Authority.kept_in(context.drawer, context.clock.now())
        self._qra = qra_gateway.QraGateway(context, PAYERS, PAYEE)

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the test merchant. Its ACP takes reversals of unscanned codes, so that cancelling is quick."""
        return {
            "base_url": base_url,
            "file_url": base_url,
            "mer_id": MERCHANT,
            "sign_key": self._keys.merchant.text,
            "root_cert": pem_text(self._keys.root.certificate),
            "middle_cert": pem_text(self._keys.middle.certificate),
            "reverse_merchant_codes": "true",
            "qra_url": base_url,
            "qra_mch_id": qra_gateway.MERCHANT,
            "qra_key": self._qra.key,
        }

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call of either wire."""
        if request.path.endswith(qra_wire.PATH):
            return await self._qra.handle(request)
        try:
            fields = wire.decode_form(request.body)
        except ReplyError:
            return self._answer({}, wire.BAD_FORM)
        try:
            self._admit(fields)
            return self._answer(fields, wire.ACCEPTED, self._work(request, fields)(fields))
        except Refusal as refusal:
            return self._answer(fields, str(refusal))

    def recognise(self, code: str) -> Bill | None:
        """The bill behind one of our QR codes, or behind a `tn` that the app was handed."""
        if code.startswith(qra_gateway.CODE):
            return self._qra.recognise(code)
        match = _CODE.fullmatch(code)
        trade = self._ledger.by_code(match[1] or match[2]) if match else None
        if trade is None:
            return None
        self._payable(trade)
        return Bill(
            id=trade.order_id,
            payee=PAYEE,
            amount=Money(trade.amount, "CNY"),
            title=f"{PAYEE} {trade.order_id}",
            number=trade.order_id,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed in Cloud QuickPass or a bank's app."""
        if bill_id.startswith("qra-"):
            self._qra.settle(bill_id.removeprefix("qra-"), wallet)
            return
        trade = self._ledger.get(bill_id)
        if trade is None:
            raise BillGone("二维码无效")
        self._payable(trade)
        if wallet not in PAYERS:
            raise PurseRefused("请使用云闪付或银行 App 扫码")
        self._pay(trade, wallet)

    def acknowledged(self, reply: HttpReply) -> bool:
        """ACP reads the status alone."""
        return reply.status == 200  # noqa: PLR2004  # received

    def _admit(self, fields: Fields) -> None:
        """Form, merchant, signature: in this order, as a refusal names the first that is wrong."""
        if fields.get("version") != VERSION or fields.get("encoding", "").upper() != "UTF-8":
            raise Refusal(wire.BAD_FORM)
        if fields.get("merId") != MERCHANT:
            raise Refusal(wire.BAD_MERCHANT)
        certificate = self._keys.merchant.certificate
        if fields.get("signMethod") != "01" or fields.get("certId") != str(certificate.serial_number):
            raise Refusal(wire.BAD_SIGNATURE)
        try:
            check_signature(fields, certificate)
        except SignatureError:
            raise Refusal(wire.BAD_SIGNATURE) from None
        _read_time(fields)

    def _work(self, request: HttpRequest, fields: Fields) -> Callable[[Fields], Fields]:
        """Path and transaction type together choose the work."""
        matrix: dict[tuple[str, str, str], Callable[[Fields], Fields]] = {
            wire.APPLY_CODE[:3]: self._apply_code,
            wire.PAY_BY_PAYER_CODE[:3]: self._pay_by_payer_code,
            wire.PRE_ORDER[:3]: self._pre_order,
            wire.QUERY[:3]: self._query,
            (wire.APPLY_CODE.path, *wire.QUERY[1:3]): self._query,  # some clients ask here
            wire.VOID[:3]: self._void,
            wire.REFUND[:3]: self._refund,
            wire.REVERSAL[:3]: self._reverse,
            wire.FILE[:3]: self._file,
        }
        path = request.path.rpartition("/")[2]
        work = matrix.get((path, fields.get("txnType", ""), fields.get("txnSubType", "")))
        if request.method != "POST" or work is None:
            raise Refusal(wire.NOT_ALLOWED)
        if work != self._file and not _ORDER_ID.fullmatch(fields.get("orderId", "")):
            raise Refusal(wire.BAD_FORM)
        return work

    def _apply_code(self, fields: Fields) -> Fields:
        digits = f"62{self._digits(30)}"
        trade = self._opened(fields, code=digits)
        return {"qrCode": f"{wire.CODE_PREFIX}00010001/{trade.code}"}

    def _pre_order(self, fields: Fields) -> Fields:
        return {"tn": self._opened(fields, code=self._digits(21)).code}

    def _pay_by_payer_code(self, fields: Fields) -> Fields:
        if self._ledger.get(fields["orderId"]):
            raise Refusal(wire.DUPLICATE)
        wallet = self._context.purses.owner_of(fields.get("qrNo", ""))
        if wallet not in PAYERS or wallet is None:
            raise Refusal(wire.NOT_PASSED)
        trade = self._new(fields, code="")
        trade = replace(trade, query_id=self._query_id(), wallet=wallet.value, state="paying")
        if self._context.faults.take(Fault.DECLINED):
            self._ledger.put(replace(trade, state="declined", resp_code=wire.NO_MONEY))
            raise Refusal(wire.NO_MONEY)
        if self._context.faults.take(Fault.USER_PAYING):
            self._ledger.put(trade)
            return {"queryId": trade.query_id}
        return self._charge_now(trade)

    def _charge_now(self, trade: Trade) -> Fields:
        try:
            return {"queryId": self._pay(trade, Wallet(trade.wallet)).query_id}
        except PurseRefused:
            self._ledger.put(replace(trade, state="declined", resp_code=wire.NO_MONEY))
            raise Refusal(wire.NO_MONEY) from None

    def _query(self, fields: Fields) -> Fields:
        trade = self._ledger.named(fields["orderId"], fields["txnTime"])
        if trade is None:
            raise Refusal(wire.NO_SUCH_TRADE)
        trade = self._moved_on(trade)
        code = self._state_code(trade)
        return trade.wire_fields(settled=trade.state == "paid") | {
            "origRespCode": code,
            "origRespMsg": wire.MESSAGES[code],
        }

    def _moved_on(self, trade: Trade) -> Trade:
        """A payer who was entering a password has finished by the second look."""
        if trade.state != "paying":
            return trade
        if trade.looks == 0 or self._context.faults.take(Fault.PAYER_LINGERS):
            trade = replace(trade, looks=1)
            self._ledger.put(trade)
            return trade
        try:
            return self._pay(trade, Wallet(trade.wallet))
        except PurseRefused:
            trade = replace(trade, state="declined", resp_code=wire.NO_MONEY)
            self._ledger.put(trade)
            return trade

    def _state_code(self, trade: Trade) -> str:
        match trade.state:
            case "paid":
                return wire.ACCEPTED
            case "declined":
                return trade.resp_code
            case "reversed":
                return wire.REVERSED
        return wire.PAYER_TOO_SLOW if self._expired(trade) else wire.RECEIVED

    def _reverse(self, fields: Fields) -> Fields:
        """Undo a payer-code payment of today, or kill a code that nobody has paid."""
        trade = self._ledger.named(fields["orderId"], fields["txnTime"])
        if trade is None:
            raise Refusal(wire.NO_SUCH_TRADE)
        if trade.state == "reversed":
            return {}
        paid = trade.state == "paid"
        undoable = trade.sub_type == "06" and trade.returned == 0 and trade.settle_day == self._today()
        if trade.state == "declined" or (paid and not undoable):
            raise Refusal(wire.WRONG_STATE)
        self._ledger.put(replace(trade, state="reversed"))
        if paid:
            self._context.purses.credit(
                Wallet(trade.wallet), Money(trade.amount, "CNY"), f"冲正 {trade.order_id}"
            )
        return {}

    def _refund(self, fields: Fields) -> Fields:
        original, amount = self._original(fields), _read_amount(fields)
        if amount > original.amount - original.returned:
            raise Refusal(wire.NOT_THE_ORIGINAL)
        return self._give_back(fields, original)

    def _void(self, fields: Fields) -> Fields:
        original, amount = self._original(fields), _read_amount(fields)
        if original.returned or original.settle_day != self._today():
            raise Refusal(wire.WRONG_STATE)
        if amount != original.amount:
            raise Refusal(wire.NOT_THE_ORIGINAL)
        return self._give_back(fields, original)

    def _original(self, fields: Fields) -> Trade:
        if self._ledger.get(fields["orderId"]):
            raise Refusal(wire.DUPLICATE)
        asked = fields.get("origQryId", "")
        named = (fields.get("origOrderId", ""), fields.get("origTxnTime", ""))
        original = self._ledger.by_query_id(asked) if asked else self._ledger.named(*named)
        if original is None or original.state != "paid" or original.txn_type != "01":
            raise Refusal(wire.WRONG_STATE)
        return original

    def _give_back(self, fields: Fields, original: Trade) -> Fields:
        trade = replace(self._new(fields, code=""), wallet=original.wallet, original=original.order_id)
        self._ledger.put(replace(original, returned=original.returned + trade.amount))
        wallet = Wallet(original.wallet)
        self._context.purses.credit(wallet, Money(trade.amount, "CNY"), f"退货 {original.order_id}")
        done = self._settled(trade)
        self._notify(done)
        return {"queryId": done.query_id}

    def _file(self, fields: Fields) -> Fields:
        day = fields.get("settleDate", "")
        rows = [trade.row(MERCHANT) for trade in self._ledger.trades() if trade.settle_day[4:] == day]
        if not rows:
            raise Refusal(wire.NO_SUCH_FILE)
        name = f"INN{day}88"
        return {"fileName": f"{MERCHANT}_{day}.zip", "fileContent": write_file(rows, name)}

    def _opened(self, fields: Fields, code: str) -> Trade:
        """A new open order; the same application again gets the same answer, another one is refused."""
        known = self._ledger.get(fields["orderId"])
        if known is None:
            trade = self._new(fields, code)
            self._ledger.put(trade)
            return trade
        if replace(self._new(fields, known.code), state=known.state) != known:
            raise Refusal(wire.DUPLICATE)
        return known

    def _new(self, fields: Fields, code: str) -> Trade:
        if not fields.get("backUrl", "").startswith(("http://", "https://")):
            raise Refusal(wire.MISSING_FIELD)
        return Trade(
            order_id=fields["orderId"],
            txn_time=fields["txnTime"],
            txn_type=fields["txnType"],
            sub_type=fields["txnSubType"],
            biz_type=fields.get("bizType", ""),
            amount=_read_amount(fields),
            back_url=fields["backUrl"],
            pay_timeout=fields.get("payTimeout", ""),
            reserved=fields.get("reqReserved", ""),
            code=code,
        )

    def _payable(self, trade: Trade) -> None:
        if trade.state == "paid":
            raise BillGone("订单已支付")
        if trade.state != "open" or self._expired(trade):
            raise BillGone("二维码已失效")

    def _expired(self, trade: Trade) -> bool:
        return bool(trade.pay_timeout) and beijing(self._context.clock.now(), wire.TIME) >= trade.pay_timeout

    def _pay(self, trade: Trade, wallet: Wallet) -> Trade:
        self._context.purses.charge(wallet, Money(trade.amount, "CNY"), f"{PAYEE} {trade.order_id}")
        paid = self._settled(replace(trade, wallet=wallet.value))
        self._notify(paid)
        return paid

    def _settled(self, trade: Trade) -> Trade:
        done = replace(
            trade,
            state="paid",
            resp_code=wire.ACCEPTED,
            query_id=trade.query_id or self._query_id(),
            traced=beijing(self._context.clock.now(), "%m%d%H%M%S"),
            settle_day=self._today(),
        )
        self._ledger.put(done)
        return done

    def _today(self) -> str:
        return wire.clearing_day(self._context.clock.now())

    def _query_id(self) -> str:
        return beijing(self._context.clock.now(), wire.TIME) + self._ledger.next_number(7)

    def _digits(self, length: int) -> str:
        return "".join(str(ord(letter) % 10) for letter in self._context.random.text(length))

    def _answer(self, asked: Fields, code: str, more: Mapping[str, str] | None = None) -> HttpReply:
        message = wire.MESSAGES.get(code, "交易失败")
        fields = {name: asked[name] for name in _ECHOED if name in asked} | dict(more or {})
        return HttpReply(
            200,
            Headers((("Content-Type", "text/html;charset=utf-8"),)),
            wire.encode_reply(
                self._keys.sealed(self._context.faults, fields | {"respCode": code, "respMsg": message})
            ),
        )

    def _notify(self, trade: Trade) -> None:
        fields = {
            **trade.wire_fields(settled=True),
            "merId": MERCHANT,
            "accessType": "0",
            "encoding": "UTF-8",
            "respCode": wire.ACCEPTED,
            "respMsg": "success",
        }
        self._context.courier.post(
            self._posted(trade, self._keys.sealed(self._context.faults, fields)),
            forged=self._posted(trade, self._keys.stranger.sign(fields)),
        )

    def _posted(self, trade: Trade, fields: Mapping[str, str]) -> Notification:
        request = HttpRequest("POST", trade.back_url, _FORM, wire.encode_form(fields))
        return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"unionpay-{trade.query_id}")


def _read_amount(fields: Fields) -> int:
    if not _AMOUNT.fullmatch(fields.get("txnAmt", "")) or fields.get("currencyCode", "156") != "156":
        raise Refusal(wire.BAD_FORM)
    return int(fields["txnAmt"])


def _read_time(fields: Fields) -> datetime:
    try:
        return from_beijing(fields.get("txnTime", ""), wire.TIME)
    except ValueError:
        raise Refusal(wire.BAD_FORM) from None
