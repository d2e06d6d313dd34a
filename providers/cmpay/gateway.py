"""China Mobile's own side, simulated: `cmpayService` online and at the counter, with its refusals and its faults.

It verifies the merchant's hmac, takes every order and request number once, keeps all in its drawer, moves play money
and notifies until it reads SUCCESS. Where the public papers are silent (cancelling an order nobody paid, the answer to
a refund query) it does what `quality.toml` says is unsure. It counts its messages' fields in the published order.

| fault of its own | when |
|---|---|
| D22208 | an orderId or requestId comes a second time |
| CPS01134 | `user_paying`: a payer code whose owner enters a password |
| PCC00225 | `declined`, or a purse that will not pay a payer code |
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from providers.cmpay import messages, signing, wire
from providers.cmpay.ledger import Ledger, Trade
from providers.cmpay.office import ORDERS, Office, masked, row_of
from providers.cmpay.reading import CLOSED_WORD, FAILED, PAID_WORD, SUCCESS, WAITING_WORD
from providers.sdk.clock import beijing
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.gateway import (
    Bill,
    BillGone,
    Fault,
    GatewayContext,
    PurseRefused,
)
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

MERCHANT: Final = "888009953110001"
PAYEE: Final = "Moongate 和包测试商户"
PAGE_URL: Final = "https://ipos.10086.cn/ips/FormTrans3"

_SESSION_CHARS: Final = 32
_CODE: Final = re.compile(
    re.escape(wire.CODE_PREFIX) + r"(\w{32})|" + re.escape(PAGE_URL) + r"\?sessionId=(\w{32})", re.ASCII
)
_ID: Final = re.compile(r"[0-9A-Za-z]{1,50}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_PERIOD: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_UNITS: Final = {"00": timedelta(minutes=1), "01": timedelta(hours=1), "02": timedelta(days=1)}

Fields = dict[str, str]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """China Mobile's no: its text is the return code."""


class CmpayGateway:
    """One simulated `cmpayService` with one test merchant."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)
        self._office = Office(context, MERCHANT)

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the test merchant: its orders may be cancelled, and its refunds asked about."""
        return {
            "online_url": base_url + wire.ONLINE_PATH,
            "counter_url": base_url + wire.COUNTER_PATH,
            "merchant_id": MERCHANT,
            "sign_key": self._office.key,
            "cancel_online_orders": "true",
            "refund_query": "true",
        }

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        codec, fields = _read(request.body)
        try:
            answer = self._admit(request, fields)(fields)
        except Refusal as refusal:
            return self._office.answer(codec, fields, {}, str(refusal))
        return self._office.answer(codec, fields, answer, "000000")

    def recognise(self, code: str) -> Bill | None:
        """The order behind one of our codes or pages."""
        match = _CODE.fullmatch(code)
        trade = self._ledger.by_session(match[1] or match[2]) if match else None
        if trade is None:
            return None
        self._payable(trade)
        return Bill(
            id=trade.order_id,
            payee=PAYEE,
            amount=Money(trade.amount, "CNY"),
            title=trade.title,
            number=trade.order_id,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed in Hebao."""
        trade = self._ledger.get(bill_id)
        if trade is None:
            raise BillGone("二维码无效")
        self._payable(trade)
        if wallet is not Wallet.CMPAY:
            raise PurseRefused("请使用和包扫码")
        self._pay(trade)

    def acknowledged(self, reply: HttpReply) -> bool:
        """Nothing but SUCCESS counts."""
        return reply.status == 200 and reply.body.strip() == SUCCESS.encode()  # noqa: PLR2004  # received

    def _admit(self, request: HttpRequest, fields: Fields) -> Callable[[Fields], Fields]:
        """Merchant, message, hmac, request number: a refusal names the first that is wrong."""
        if fields.get("merchantId") != MERCHANT:
            raise Refusal(wire.BAD_MERCHANT)
        work = self._works(request).get(fields.get("type", ""))
        if request.method != "POST" or work is None:
            raise Refusal("D77040")
        order = _order_of(fields)
        try:
            signing.check(fields, order, self._office.key)
        except SignatureError:
            raise Refusal(wire.BAD_KEY) from None
        if not all(_ID.fullmatch(fields.get(name, "")) for name in ("orderId", "requestId") if name in order):
            raise Refusal(wire.TAKEN)
        return work

    def _works(self, request: HttpRequest) -> Mapping[str, Callable[[Fields], Fields]]:
        """What each of the two services does."""
        online = {
            messages.MERCHANT_CODE: self._open,
            messages.PAGE: self._open,
            "DirectPayConfirm": self._open,
            messages.QUERY_ONLINE: self._query_payment,
            messages.REFUND_ONLINE: self._refund,
            messages.REFUND_QUERY: self._query_refund,
        }
        counter = {
            messages.PAYER_CODE: self._take_payer_code,
            messages.CANCEL: self._cancel,
            messages.QUERY_STATE: self._query_state,
            messages.QUERY_COUNTER: self._query_payment,
            messages.REFUND_COUNTER: self._refund,
        }
        if request.path.endswith(wire.ONLINE_PATH):
            return online
        return counter if request.path.endswith(wire.COUNTER_PATH) else {}

    def _open(self, fields: Fields) -> Fields:
        trade = self._new(fields)
        self._take_request(fields, trade.order_id)
        trade = self._ledger.put(replace(trade, session=self._context.random.text(_SESSION_CHARS)))
        parts = {"url": PAGE_URL, "method": "POST", "sessionId": trade.session}
        pay_url = "<hi:$$>".join(f"{name}<hi:=>{value}" for name, value in parts.items())
        return {"payUrl": pay_url}

    def _take_payer_code(self, fields: Fields) -> Fields:
        trade = self._new(fields)
        if self._context.purses.owner_of(fields.get("userToken", "")) is not Wallet.CMPAY:
            raise Refusal(wire.OVER_CODE_LIMIT)
        self._take_request(fields, trade.order_id)
        trade = replace(trade, wallet=Wallet.CMPAY.value, state="paying")
        if self._context.faults.take(Fault.DECLINED):
            self._ledger.put(replace(trade, state="declined"))
            raise Refusal(wire.OVER_CODE_LIMIT)
        if self._context.faults.take(Fault.USER_PAYING):
            self._ledger.put(trade)
            raise Refusal(wire.PAYING)
        try:
            self._pay(trade)
        except PurseRefused:
            self._ledger.put(replace(trade, state="declined"))
            raise Refusal(wire.OVER_CODE_LIMIT) from None
        amount = str(trade.amount)
        return {
            "orderId": trade.order_id,
            "amount": amount,
            "coupAmt": "0",
            "vchAmt": "0",
            "cashAmt": amount,
            "reserved1": trade.reserved1,
            "reserved2": trade.reserved2,
        }

    def _query_state(self, fields: Fields) -> Fields:
        trade = self._moved_on(self._known(fields))
        if trade.order_date != fields.get("orderDate"):
            raise Refusal(wire.UNKNOWN_ORDER)
        return {
            "orderId": trade.order_id,
            "merchantName": PAYEE,
            "mblNo": masked(trade),
            "ordSts": self._word(trade),
            "payDate": trade.pay_date,
            "amount": str(trade.amount),
            "cashAmount": str(trade.amount),
        }

    def _query_payment(self, fields: Fields) -> Fields:
        trade = self._moved_on(self._known(fields))
        status = SUCCESS if trade.state == "paid" else FAILED
        return self._office.payment(trade) | {"status": status, "orderDate": trade.order_date, "fee": "0"}

    def _refund(self, fields: Fields) -> Fields:
        trade = self._known(fields)
        amount = fields.get("amount", "")
        if not _AMOUNT.fullmatch(amount):
            raise Refusal("C01088")
        if trade.state != "paid" or fields["requestId"] in trade.refunds:
            raise Refusal(wire.TAKEN)
        if int(amount) > trade.left:
            raise Refusal("D22401")
        self._take_request(fields, trade.order_id)
        request_id = fields["requestId"]
        self._ledger.put(replace(trade, refunds={**trade.refunds, request_id: int(amount)}))
        self._context.purses.credit(Wallet(trade.wallet), Money(int(amount), "CNY"), f"退款 {trade.order_id}")
        return {"payNo": self._pay_no(), "amount": amount, "orderId": trade.order_id, "status": SUCCESS}

    def _query_refund(self, fields: Fields) -> Fields:
        number = fields.get("merchantRequestNo", "")
        trade = self._ledger.get(fields.get("merchantOrderNo", ""))
        if trade is None or number not in trade.refunds:
            raise Refusal(wire.UNKNOWN_ORDER)
        amount = str(trade.refunds[number])
        return {"merchantOrderNo": trade.order_id, "amount": amount, "status": SUCCESS}

    def _cancel(self, fields: Fields) -> Fields:
        """Undo a payer code of today, or end an order that nobody has paid."""
        trade = self._ledger.by_request(fields.get("orequestId", ""))
        if trade is None or trade.order_date != fields.get("oorderDate"):
            raise Refusal(wire.UNKNOWN_ORDER)
        paid = trade.state == "paid"
        today = beijing(self._context.clock.now(), wire.DAY)
        undoable = trade.kind == messages.PAYER_CODE and not trade.refunds and trade.pay_date[:8] == today
        if paid and not undoable:
            raise Refusal(wire.TAKEN)
        if trade.state != "declined":
            self._ledger.put(replace(trade, state="closed"))
        if paid:
            self._context.purses.credit(
                Wallet(trade.wallet), Money(trade.amount, "CNY"), f"冲正 {trade.order_id}"
            )
        return {}

    def _new(self, fields: Fields) -> Trade:
        """A new order, its fields checked as the error table lists them."""
        unit = _UNITS.get(fields.get("periodUnit", ""))
        checks = (
            (bool(_AMOUNT.fullmatch(fields.get("amount", ""))), "C01014"),
            (fields.get("currency") == "00", "C01019"),
            (bool(re.fullmatch(r"20[0-9]{6}", fields.get("orderDate", ""))), "C01025"),
            (bool(_PERIOD.fullmatch(fields.get("period", ""))), "C01027"),
            (unit is not None, "C01030"),
            (bool(fields.get("productName")), "C01033"),
            (len(fields.get("productName", "")) <= wire.TEXT_BYTES_MAX, "C01081"),
            (fields.get("notifyUrl", "").startswith(("http://", "https://")), "D77040"),
            (self._ledger.get(fields["orderId"]) is None, wire.TAKEN),
        )
        for holds, code in checks:
            if not holds:
                raise Refusal(code)
        lives = int(fields["period"]) * (unit or timedelta())
        return Trade(
            order_id=fields["orderId"],
            request_id=fields["requestId"],
            kind=fields["type"],
            order_date=fields["orderDate"],
            amount=int(fields["amount"]),
            title=fields["productName"],
            notify_url=fields["notifyUrl"],
            character_set=fields.get("characterSet") or "00",
            expires=beijing(self._context.clock.now() + lives, wire.TIME),
            reserved1=fields.get("reserved1", ""),
            reserved2=fields.get("reserved2", ""),
        )

    def _take_request(self, fields: Fields, order_id: str) -> None:
        if not self._ledger.take_request(fields.get("requestId", ""), order_id):
            raise Refusal(wire.TAKEN)

    def _known(self, fields: Fields) -> Trade:
        trade = self._ledger.get(fields.get("orderId", ""))
        if trade is None:
            raise Refusal(wire.UNKNOWN_ORDER)
        return trade

    def _moved_on(self, trade: Trade) -> Trade:
        """A payer who was entering a password has finished by the second look."""
        if trade.state != "paying":
            return trade
        if trade.looks == 0 or self._context.faults.take(Fault.PAYER_LINGERS):
            return self._ledger.put(replace(trade, looks=1))
        try:
            return self._pay(trade)
        except PurseRefused:
            return self._ledger.put(replace(trade, state="declined"))

    def _word(self, trade: Trade) -> str:
        if trade.state == "paid":
            return PAID_WORD
        ended = trade.state in {"declined", "closed"} or self._expired(trade)
        return CLOSED_WORD if ended else WAITING_WORD

    def _payable(self, trade: Trade) -> None:
        if trade.state == "paid":
            raise BillGone("订单已支付")
        if trade.state != "open" or self._expired(trade):
            raise BillGone("订单已过期")

    def _expired(self, trade: Trade) -> bool:
        return beijing(self._context.clock.now(), wire.TIME) >= trade.expires

    def _pay(self, trade: Trade) -> Trade:
        self._context.purses.charge(Wallet.CMPAY, Money(trade.amount, "CNY"), f"{PAYEE} {trade.title}")
        now = beijing(self._context.clock.now(), wire.TIME)
        paid = replace(trade, state="paid", wallet=Wallet.CMPAY.value, pay_no=self._pay_no(), pay_date=now)
        self._ledger.put(paid)
        self._office.notify(paid)
        return paid

    def _pay_no(self) -> str:
        return beijing(self._context.clock.now(), wire.DAY) + self._ledger.next_number()


def _read(body: bytes) -> tuple[str, Fields]:
    """The form in the charset it names itself; an unreadable one is empty."""
    try:
        codec = wire.CODECS.get(wire.decode_form(body, "latin-1").get("characterSet", "00"), "gbk")
        return codec, wire.decode_form(body, codec)
    except ReplyError:
        return "gbk", {}


def _order_of(fields: Fields) -> tuple[str, ...]:
    """The row of a request: CloudQuickPay's three versions are told apart by what they carry."""
    kind = fields["type"]
    if kind == messages.PAYER_CODE:
        flags = "2.0.0-flags" if "couFlag" in fields else fields.get("version", "")
        return tuple(messages.PAYER_CODE_ORDERS.get(flags, messages.PAYER_CODE_ORDERS["2.0.0"]).split())
    return ORDERS[row_of(kind)]
