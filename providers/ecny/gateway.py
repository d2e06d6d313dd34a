"""Huifu's own side, simulated, with the operating institution of the payer's e-CNY wallet behind it.

It verifies the merchant's signatures, keeps every trade in its drawer, moves play money within the limits of the
payer's wallet class, and notifies by signed forms until it reads `RECV_ORD_ID_` and the order's number: once, and
three times more. What an e-CNY merchant code looks like is not public; the codes here are of a form that exists
nowhere else and say so. Huifu's papers disagree on closing e-CNY orders: this one closes them, and keeps to the
documented minute in which no order may be closed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from providers.ecny import seals, signing, wire, words
from providers.ecny.classes import WalletClass
from providers.ecny.ledger import Ledger, Trade
from providers.ecny.provider import PAYER_CODE
from providers.ecny.wire import Work
from providers.sdk.clock import beijing, from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.gateway import (
    Bill,
    BillGone,
    Fault,
    GatewayContext,
    PurseRefused,
)
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

MERCHANT: Final = "6666000108854952"
PRODUCT: Final = "MCS"
PAYEE: Final = "Moongate 数字人民币测试商户"
CODE: Final = "ecny-sandbox://pay/"
REFUND_WINDOW: Final = timedelta(days=360)
_CLOSABLE_AFTER: Final = timedelta(minutes=1)

_NUMBER: Final = re.compile(r"[0-9A-Za-z_-]{1,128}", re.ASCII)
_YUAN: Final = re.compile(r"(?:0|[1-9][0-9]{0,10})\.[0-9]{2}", re.ASCII)
_JSON: Final = Headers((("Content-Type", wire.JSON_TYPE),))

Fields = Mapping[str, object]


class Refusal(Exception):  # noqa: N818  # an answer of the wire, not an error
    """Huifu's no: a response code and its words."""

    def __init__(self, code: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.fields = {"resp_code": code, "resp_desc": message, **more}


class EcnyGateway:
    """One simulated Huifu with one test merchant."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)
        self._seals = seals.Seals.kept_in(context.drawer)

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the test merchant."""
        return {
            "base_url": base_url,
            "sys_id": MERCHANT,
            "product_id": PRODUCT,
            "huifu_id": MERCHANT,
            "private_key": seals.private_text(self._seals.merchant),
            "public_key": seals.public_text(self._seals.huifu),
        }

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        match = wire.PATH.fullmatch(request.path)
        if match is None or request.method != "POST":
            return HttpReply(404, body=b"Not Found")
        data: Fields = {}
        try:
            data = self._admit(request)
            answer = self._work(Work(match[1]))(data)
        except Refusal as refusal:
            answer = refusal.fields
        sealed = self._seals.seal({**words.echo(data), **answer}, self._context.faults)
        return HttpReply(200, _JSON, seals.envelope(sealed))

    def recognise(self, code: str) -> Bill | None:
        """The bill behind one of our codes."""
        trade = self._ledger.known_by(code) if code.startswith(CODE) else None
        if trade is None:
            return None
        self._check_payable(trade)
        return Bill(id=trade.id, payee=PAYEE, amount=trade.money, title=trade.title, number=trade.number)

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed in the e-CNY app."""
        trade = self._ledger.get(bill_id)
        if trade is None or not trade.code:
            raise BillGone("二维码无效")
        self._check_payable(trade)
        if wallet is not Wallet.ECNY:
            raise PurseRefused("请使用数字人民币 App 扫码")
        self._pay(trade, wallet)

    def acknowledged(self, reply: HttpReply) -> bool:
        """Huifu reads the status and its own words, with the number of an order."""
        said = reply.body.decode("utf-8", errors="replace").strip()
        number = said.removeprefix(wire.ACKNOWLEDGED)
        return reply.status == 200 and number != said and self._ledger.has_number(number)  # noqa: PLR2004  # received

    def classes(self) -> tuple[str, ...]:
        """IV to I: the better the holder is known, the higher."""
        return tuple(reversed(WalletClass))

    def class_of(self, wallet: Wallet) -> str:
        """II until it is put into another."""
        return self._ledger.payer(wallet).wallet_class

    def put_in_class(self, wallet: Wallet, name: str, held: Money) -> None:
        """The holder has shown a card, or a bank account. Raises `PurseRefused`, changing nothing."""
        if name not in self.classes():
            raise PurseRefused(f"There is no class {name}; there are {', '.join(self.classes())}.")
        wallet_class = WalletClass(name)
        self._ledger.check_balance(wallet_class, held.minor, self._now)
        self._ledger.put_in_class(wallet, wallet_class)

    def check_receipt(self, wallet: Wallet, held: Money, amount: Money) -> None:
        """Raises `PurseRefused` above the balance of its class. A refund comes back in any case."""
        self._ledger.check_balance(
            self._ledger.payer(wallet).wallet_class, held.minor + amount.minor, self._now
        )

    def _admit(self, request: HttpRequest) -> Fields:
        """Form, signature, merchant: in this order, as a refusal names the first that is wrong."""
        try:
            members = signing.read_members(request.body)
        except ReplyError:
            raise Refusal(wire.BAD_FIELD, "请求内容体不能为空") from None
        (data, _), (sign, _) = members.get("data", (None, "")), members.get("sign", (None, ""))
        if not isinstance(data, dict):
            raise Refusal(wire.BAD_FIELD, "请求内容体不能为空")
        if not signing.is_signed(signing.canonical(data), sign, (self._seals.merchant.public_key(),)):
            raise Refusal(wire.BAD_FIELD, "签名验证失败")
        if (members.get("sys_id", ("",))[0], members.get("product_id", ("",))[0]) != (MERCHANT, PRODUCT):
            raise Refusal(wire.BAD_PRODUCT, "产品号不存在")
        if data.get("huifu_id") != MERCHANT:
            raise Refusal(wire.BAD_MERCHANT, "商户信息不存在")
        return data

    def _work(self, work: Work) -> Callable[[Fields], Fields]:
        works: dict[Work, Callable[[Fields], Fields]] = {
            Work.CREATE: self._open_code,
            Work.TAKE: self._take_code,
            Work.QUERY: self._query,
            Work.CLOSE: self._close,
            Work.REFUND: self._refund,
            Work.QUERY_REFUND: self._query_refund,
        }
        return works[work]

    def _open_code(self, data: Fields) -> Fields:
        if data.get("trade_type") != wire.BY_MERCHANT_CODE:
            raise Refusal(wire.NOT_SUPPORTED, "交易类型不支持")
        trade = self._new_order(data, wire.BY_MERCHANT_CODE)
        trade = replace(trade, code=CODE + self._context.random.text(32))
        self._ledger.put(trade)
        return {**words.opened(trade), "qr_code": trade.code}

    def _take_code(self, data: Fields) -> Fields:
        digits = _required(data, "auth_code", 128)
        _required(data, "risk_check_data", 2048)
        if not PAYER_CODE.fullmatch(digits):
            raise Refusal(wire.BAD_FIELD, "付款码格式异常")
        trade = self._new_order(data, wire.BY_PAYER_CODE)
        wallet = self._context.purses.owner_of(digits)
        if wallet is not Wallet.ECNY:
            raise Refusal(wire.FAILED, "业务执行失败，付款码无效，请重新扫码", trans_stat="F")
        trade = replace(trade, wallet=wallet.value, state="paying")
        if self._context.faults.take(Fault.DECLINED):
            raise self._failed(trade, "业务执行失败，付款钱包拒绝交易")
        if self._context.faults.take(Fault.USER_PAYING):
            self._ledger.put(trade)
            return {**words.opened(trade), "password_trade": "Y"}
        try:
            paid = self._pay(trade, wallet)
        except PurseRefused as refused:
            raise self._failed(trade, f"业务执行失败，{refused}") from None
        return {**words.opened(paid), "resp_code": wire.ACCEPTED, "resp_desc": "交易成功"}

    def _query(self, data: Fields) -> Fields:
        trade = self._moved_on(self._original(data, {wire.BY_MERCHANT_CODE, wire.BY_PAYER_CODE}))
        answer = {
            **words.told(trade),
            "org_req_date": trade.day,
            "org_req_seq_id": trade.number,
            "org_hf_seq_id": trade.reference,
            "delay_acct_flag": "N",
            "div_flag": "N",
            "trans_stat": "F" if self._expired(trade) else words.STATES[trade.state],
        }
        return answer | ({"password_trade": "Y"} if trade.state == "paying" else {})

    def _close(self, data: Fields) -> Fields:
        _required(data, "req_seq_id", 128)
        _required(data, "req_date", 8)
        trade = self._original(data, {wire.BY_MERCHANT_CODE, wire.BY_PAYER_CODE})
        named = {"org_req_date": trade.day, "org_req_seq_id": trade.number}
        if trade.state in {"done", "failed"} or self._expired(trade):
            raise Refusal(wire.WRONG_STATE, "原订单已为终态,无法发起关单操作", **named, trans_stat="F")
        if self._now < from_beijing(trade.opened, wire.TIME) + _CLOSABLE_AFTER:
            raise Refusal(wire.CONCURRENT, "不允许关闭一分钟以内的订单", **named, trans_stat="F")
        self._ledger.put(replace(trade, state="failed", ended=self._time))
        return {**named, "resp_code": wire.ACCEPTED, "resp_desc": "交易成功", "trans_stat": "S"}

    def _refund(self, data: Fields) -> Fields:
        reason = signing.canonical(_object(data.get("digital_currency_data")))
        if '"refund_desc":"' not in reason or '"refund_desc":""' in reason:
            raise Refusal(wire.MISSING, "数字货币交易退款原因必填")
        original = self._original(data, {wire.BY_MERCHANT_CODE, wire.BY_PAYER_CODE})
        wanted = self._new(data, wire.RETURNED, "ord_amt")
        wanted = replace(wanted, original=original.id, wallet=original.wallet)
        known = self._ledger.get(wanted.id)
        if known is None:
            known = self._give_back(wanted, original)
        elif known.asked != wanted.asked:
            raise Refusal(wire.REPEATED, "重复交易")
        return {
            **words.told(replace(known, state="open", ended=""), "ord_amt"),
            "hf_seq_id": known.reference,
            "product_id": PRODUCT,
            "org_req_date": original.day,
            "org_req_seq_id": original.number,
            "resp_code": wire.IN_PROCESS,
            "resp_desc": "交易正在处理中",
        }

    def _give_back(self, wanted: Trade, original: Trade) -> Trade:
        """Back to the wallet that paid, or failed when that wallet cannot take it; the merchant hears either."""
        if original.state != "done":
            raise Refusal(wire.WRONG_STATE, "原交易未入账，不能发起退款")
        if self._now > from_beijing(original.ended, wire.TIME) + REFUND_WINDOW:
            raise Refusal(wire.FAILED, "业务执行失败，已超过退款期限")
        if wanted.amount > original.amount - original.returned:
            raise Refusal(wire.WRONG_AMOUNT, "申请退款金额大于可退余额")
        try:
            self._context.purses.credit(Wallet(original.wallet), wanted.money, f"退款 {original.number}")
        except PurseRefused:
            done = replace(wanted, state="failed", ended=self._time)
        else:
            done = replace(wanted, state="done", ended=self._time)
            self._ledger.put(replace(original, returned=original.returned + wanted.amount))
        self._ledger.put(done)
        self._notify(done)
        return done

    def _query_refund(self, data: Fields) -> Fields:
        trade = self._original(data, {wire.RETURNED})
        return {
            **words.told(trade, "ord_amt"),
            "org_req_date": trade.day,
            "org_req_seq_id": trade.number,
            "org_hf_seq_id": trade.reference,
            "pay_channel": "D",
        }

    def _original(self, data: Fields, kinds: set[str]) -> Trade:
        """The trade that a call is about: by Huifu's number, or by the merchant's with its day."""
        reference, number = data.get("org_hf_seq_id"), data.get("org_req_seq_id")
        if not reference and not number:
            raise Refusal(wire.MISSING, "原请求流水号和原全局流水号不能同时为空")
        trade = (
            self._ledger.known_by(str(reference))
            if reference
            else self._ledger.get(f"{data.get('org_req_date')}-{number}")
        )
        if trade is None or trade.kind not in kinds:
            raise Refusal(wire.ABSENT, "交易不存在")
        return trade

    def _new_order(self, data: Fields, kind: str) -> Trade:
        if _required(data, "req_date", 8) != beijing(self._now, wire.DAY):
            raise Refusal(wire.BAD_FIELD, "请求日期必须是当前日期")
        trade = self._new(data, kind, "trans_amt")
        expires = str(data.get("time_expire") or beijing(self._now + timedelta(hours=2), wire.TIME))
        if wire.finished_at(expires) is None:
            raise Refusal(wire.BAD_FIELD, "time_expire不符合yyyyMMddHHmmss格式")
        if expires <= self._time:
            raise Refusal(wire.BAD_FIELD, "订单已超时")
        if self._ledger.get(trade.id):
            raise Refusal(wire.REPEATED, "重复交易")
        title = _required(data, "goods_desc", wire.GOODS_DESC_MAX)
        return replace(trade, title=title, expires=expires)

    def _new(self, data: Fields, kind: str, amount: str) -> Trade:
        number, day = _required(data, "req_seq_id", 128), _required(data, "req_date", 8)
        yuan, notify_url = _required(data, amount, 14), str(data.get("notify_url") or "")
        if not _NUMBER.fullmatch(number) or not re.fullmatch(r"[0-9]{8}", day, re.ASCII):
            raise Refusal(wire.BAD_FIELD, "req_seq_id不符合格式")
        if not _YUAN.fullmatch(yuan) or yuan == "0.00":
            raise Refusal(wire.BAD_FIELD, "交易金额不符合金额格式")
        if len(notify_url) > 504 or urlsplit(notify_url).query:  # noqa: PLR2004  # Huifu's field length
            raise Refusal(wire.BAD_FIELD, "notify_url不符合格式")
        return Trade(
            number=number,
            day=day,
            kind=kind,
            amount=Money.cny(yuan).minor,
            notify_url=notify_url,
            reference=f"0029000{self._time}P{self._context.random.text(16)}",
            opened=self._time,
            asked=signing.canonical(data),
            remark=str(data.get("remark") or "")[: wire.REMARK_MAX],
        )

    def _check_payable(self, trade: Trade) -> None:
        if trade.state == "done":
            raise BillGone("订单已支付")
        if trade.state != "open" or self._expired(trade):
            raise BillGone("二维码已失效")

    def _expired(self, trade: Trade) -> bool:
        return trade.state == "open" and bool(trade.expires) and self._time >= trade.expires

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
            failed = replace(trade, state="failed", ended=self._time)
            self._ledger.put(failed)
            return failed

    def _pay(self, trade: Trade, wallet: Wallet) -> Trade:
        self._ledger.check_limits(wallet, trade.amount, self._now)
        self._context.purses.charge(wallet, trade.money, f"{PAYEE} {trade.number}")
        self._ledger.spend(wallet, trade.amount, self._now)
        paid = replace(trade, state="done", wallet=wallet.value, ended=self._time)
        self._ledger.put(paid)
        self._notify(paid)
        return paid

    def _failed(self, trade: Trade, message: str) -> Refusal:
        self._ledger.put(replace(trade, state="failed", ended=self._time))
        return Refusal(wire.FAILED, message, trans_stat="F", hf_seq_id=trade.reference)

    def _notify(self, trade: Trade) -> None:
        if not trade.notify_url:
            return
        data = words.posted(trade, MERCHANT, self._ledger.get(trade.original))
        sealed = self._seals.seal(data, self._context.faults)
        self._context.courier.post(
            words.notification(trade, sealed), forged=words.notification(trade, self._seals.forged(data))
        )

    @property
    def _now(self) -> datetime:
        return self._context.clock.now()

    @property
    def _time(self) -> str:
        return beijing(self._now, wire.TIME)


def _required(data: Fields, name: str, most: int) -> str:
    """A text field that must be there. Raises `Refusal`."""
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(wire.BAD_FIELD, f"{name}不能为空")
    if len(value) > most:
        raise Refusal(wire.BAD_FIELD, f"{name}最大长度为{most}位")
    return value


def _object(text: object) -> dict[str, object]:
    """A field that holds a JSON object as text. Raises `Refusal`."""
    try:
        return signing.read_object(text if isinstance(text, str) and text else "{}")
    except ReplyError:
        raise Refusal(wire.BAD_FIELD, "jsonObject格式错误") from None
