"""The simulated WeChat Pay's desk: what it does with orders, payment codes and refunds, and what it refuses.

Error texts are in the words merchants meet. Sources: WeChat Pay merchant documents, APIv3, the error table of each call.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.sdk.clock import beijing
from providers.sdk.gateway import Fault, GatewayContext, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from providers.wechatpay.ask import Ask, Document, bad
from providers.wechatpay.institution import Institution, Refused, number
from providers.wechatpay.ledger import Ledger, Refund, Trade
from providers.wechatpay.wire import CODE_PREFIX, CODE_USABLE_S, rfc3339

PAYABLE: Final = timedelta(days=7)
PAYABLE_MIN: Final = timedelta(minutes=1)
PAYABLE_MAX: Final = timedelta(days=90)
REFUND_WINDOW: Final = timedelta(days=365)
REVERSE_WINDOW: Final = timedelta(days=7)
REFUNDS_MAX: Final = 50
_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*]{6,32}", re.ASCII)
_REFUND_NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
_STATES: Final = {
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "NOTPAY": "订单未支付",
    "CLOSED": "订单已关闭",
    "REVOKED": "订单已撤销",
    "USERPAYING": "用户支付中，需要输入密码",
    "PAYERROR": "支付失败",
}


class Desk:
    """Orders, payment codes, refunds."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    def prepay(self, kind: str, ask: Ask) -> Document:
        """Open an order, or give an open one another code when every parameter is the same."""
        self._check_account(ask)
        openid = ask.text("payer.openid", 128) if kind == "JSAPI" else ""
        trade = self._opened(kind, ask) or self._open(kind, ask, openid)
        now = self._context.clock.now()
        until = now + timedelta(seconds=CODE_USABLE_S)
        if kind == "JSAPI":
            prepay_id = f"wx{beijing(now, '%Y%m%d%H%M%S')}{self._context.random.text(18)}"
            self._ledger.issue("prepay", prepay_id, trade.number, until)
            return {"prepay_id": prepay_id}
        code = self._context.random.text(9)
        self._ledger.issue("code", code, trade.number, until)
        return {"code_url": CODE_PREFIX + code}

    def charge_code(self, ask: Ask) -> Document:
        """Take money from whoever shows this payment code. Each code works once."""
        self._check_account(ask)
        code = ask.text("payer.auth_code", 32)
        ask.text("scene_info.store_info.id", 32)
        known = self._opened("MICROPAY", ask)
        if known:
            return self._told(known)
        wallet = self._context.purses.owner_of(code)
        mark = hashlib.sha256(code.encode()).hexdigest()
        if wallet is None or self._ledger.slip("used", mark):
            raise Refused(400, "AUTH_CODE_INVALID", "付款码无效或已过期，请用户刷新后重试")
        trade = self._open("MICROPAY", ask, "")
        self._ledger.issue("used", mark, trade.number, self._context.clock.now())
        trade.wallet = wallet.value
        if self._context.faults.take(Fault.DECLINED):
            trade.state = "PAYERROR"
        elif self._context.faults.take(Fault.USER_PAYING):
            trade.state = "USERPAYING"
        else:
            self._take(trade)
        self._ledger.save(trade)
        return self._told(trade)

    def query(self, trade: Trade | None, ask: Ask) -> Document:
        """The order object. A payer asked for a password has entered it by the second query."""
        self._check_mchid(ask.query.get("mchid"))
        if trade is None:
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        if trade.state == "USERPAYING":
            trade.asked += 1
            if trade.asked > 1 and not self._context.faults.take(Fault.PAYER_LINGERS):
                self._take(trade)
            self._ledger.save(trade)
        return self.document(trade)

    def close(self, order: str, ask: Ask) -> None:
        """Only an open order closes; closing twice is well."""
        self._check_mchid(ask.fields.get("mchid"))
        trade = self._trade(order)
        if trade.is_paid:
            raise Refused(400, "ORDER_PAID", "该订单已支付")
        if trade.kind == "MICROPAY":
            raise Refused(400, "INVALID_REQUEST", "付款码支付的订单请调用撤销接口")
        trade.state = "CLOSED"
        self._ledger.save(trade)

    def reverse(self, order: str, ask: Ask) -> Document:
        """Undo a payment-code order; what was taken goes back."""
        self._check_account(ask)
        trade = self._trade(order)
        created = datetime.fromisoformat(trade.created_at)
        if trade.kind != "MICROPAY" or trade.refunds:
            raise Refused(400, "INVALID_REQUEST", "该订单不支持撤销")
        if self._context.clock.now() - created > REVERSE_WINDOW:
            raise Refused(400, "INVALID_REQUEST", "订单已超过撤销期限")
        if trade.state == "SUCCESS":
            self._give_back(trade, trade.total)
        trade.state = "REVOKED"
        self._ledger.save(trade)
        papers = self._institution.papers
        return {"appid": papers.appid, "mchid": papers.mchid, "out_trade_no": trade.number}

    def settle(self, trade: Trade, wallet: Wallet) -> None:
        """Take the money and tell the merchant. Raises `PurseRefused`, changing nothing."""
        self._context.purses.charge(wallet, Money(trade.total, "CNY"), trade.number)
        trade.wallet = wallet.value
        self._mark_paid(trade)
        self._ledger.save(trade)
        self._institution.notify("TRANSACTION.SUCCESS", self.document(trade), trade.notify_url, trade.signer)

    def document(self, trade: Trade) -> dict[str, object]:
        """The order object."""
        papers = self._institution.papers
        paid = {
            "transaction_id": trade.transaction_id,
            "trade_type": trade.kind,
            "bank_type": "OTHERS",
            "success_time": trade.paid_at,
            "payer": {"openid": trade.openid} if trade.openid else {},
        }
        amount = {"total": trade.total, "currency": "CNY"}
        return {
            "appid": papers.appid,
            "mchid": papers.mchid,
            "out_trade_no": trade.number,
            "trade_state": trade.state,
            "trade_state_desc": _STATES[trade.state],
            "attach": trade.attach,
            "amount": {
                **amount,
                **({"payer_total": trade.total, "payer_currency": "CNY"} if trade.paid_at else {}),
            },
            **(paid if trade.paid_at else {}),
        }

    # --- refunds ---

    def refund(self, ask: Ask) -> Document:
        """Send back part or all; the same number with the same parameters is the same refund."""
        order = ask.numbered("out_refund_no", _REFUND_NUMBER)
        known = self._ledger.refund(order)
        if known:
            if known.digest != ask.digest("refund"):
                raise Refused(400, "INVALID_REQUEST", "请求参数与原退款单不一致")
            return self.refund_document(self._ripen(known))
        trade = self._refundable(ask)
        amount = ask.minor("amount.refund")
        self._check_bounds(trade, amount, ask)
        return self.refund_document(self._ripen(self._start(order, trade, amount, ask)))

    def query_refund(self, order: str) -> Document:
        """The refund object."""
        known = self._ledger.refund(order)
        if known is None:
            raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return self.refund_document(self._ripen(known))

    def refund_document(self, refund: Refund) -> Document:
        """The refund object of the API."""
        trade = self._trade(refund.trade)
        return {
            **self._refund_lines(refund, trade),
            "channel": "ORIGINAL",
            "create_time": refund.created_at,
            "status": refund.state,
            "funds_account": "UNSETTLED",
            "amount": {**_refund_amount(refund, trade), "currency": "CNY"},
            "promotion_detail": [],
        }

    def _refundable(self, ask: Ask) -> Trade:
        order, own = (
            ask.text("out_trade_no", 32, required=False),
            ask.text("transaction_id", 32, required=False),
        )
        trade = self._ledger.trade_by_id(own) if own else self._ledger.trade(order)
        if trade is None:
            raise Refused(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        if not trade.is_paid:
            raise Refused(400, "INVALID_REQUEST", "订单未支付，不能退款")
        if self._context.clock.now() - datetime.fromisoformat(trade.paid_at) > REFUND_WINDOW:
            raise Refused(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
        return trade

    def _check_bounds(self, trade: Trade, amount: int, ask: Ask) -> None:
        ask.currency()
        if ask.minor("amount.total") != trade.total:
            raise Refused(400, "INVALID_REQUEST", "订单金额不一致，请检查amount.total")
        if trade.refunded + amount > trade.total:
            raise Refused(400, "INVALID_REQUEST", "申请退款金额大于订单剩余可退金额")
        if trade.refunds >= REFUNDS_MAX:
            raise Refused(403, "RULE_LIMIT", "部分退款次数超过50次")
        if amount > self._ledger.funds:
            raise Refused(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")

    def _start(self, order: str, trade: Trade, amount: int, ask: Ask) -> Refund:
        now = self._context.clock.now()
        refund = Refund(
            number=order,
            digest=ask.digest("refund"),
            trade=trade.number,
            refund_id=f"503{number(self._context.random, 26)}",
            amount=amount,
            notify_url=ask.url("notify_url", 256, required=False),
            created_at=rfc3339(now),
            due_at=(now + self._ledger.refunds_take).isoformat(),
        )
        trade.refunded += amount
        trade.refunds += 1
        trade.state = "REFUND"
        self._ledger.move_funds(-amount)
        self._ledger.save(trade)
        self._ledger.save(refund)
        return refund

    def _ripen(self, refund: Refund) -> Refund:
        """Finish a refund whose time has come: the payer has the money, the merchant is told."""
        now = self._context.clock.now()
        if refund.state != "PROCESSING" or now < datetime.fromisoformat(refund.due_at):
            return refund
        trade = self._trade(refund.trade)
        refund.state, refund.done_at = "SUCCESS", rfc3339(now)
        self._ledger.save(refund)
        self._context.purses.credit(Wallet(trade.wallet), Money(refund.amount, "CNY"), refund.number)
        document = {
            "mchid": self._institution.papers.mchid,
            **self._refund_lines(refund, trade),
            "refund_status": refund.state,
            "amount": _refund_amount(refund, trade),
        }
        url = refund.notify_url or trade.notify_url
        self._institution.notify("REFUND.SUCCESS", document, url, trade.signer)
        return refund

    def ripen_all(self) -> None:
        """Finish every refund whose time has come; called at each knock on the door."""
        for refund in list(self._ledger.refunds()):
            self._ripen(refund)

    def _refund_lines(self, refund: Refund, trade: Trade) -> dict[str, object]:
        return {
            "refund_id": refund.refund_id,
            "out_refund_no": refund.number,
            "transaction_id": trade.transaction_id,
            "out_trade_no": trade.number,
            "user_received_account": "支付用户零钱",
            **({"success_time": refund.done_at} if refund.done_at else {}),
        }

    # --- orders ---

    def _opened(self, kind: str, ask: Ask) -> Trade | None:
        trade = self._ledger.trade(ask.numbered("out_trade_no", _NUMBER))
        if trade is None:
            return None
        if trade.digest != ask.digest(kind):
            raise Refused(403, "OUT_TRADE_NO_USED", "商户订单号重复，且请求参数不一致")
        if trade.is_paid and kind != "MICROPAY":
            raise Refused(400, "ORDER_PAID", "该订单已支付")
        if trade.state in {"CLOSED", "REVOKED"}:
            raise Refused(400, "ORDER_CLOSED", "该订单已关闭，请更换商户订单号")
        if kind != "MICROPAY" and not trade.is_payable(self._context.clock.now()):
            raise Refused(400, "INVALID_REQUEST", "订单已超过支付期限")
        return trade

    def _open(self, kind: str, ask: Ask, openid: str) -> Trade:
        ask.currency()
        now = self._context.clock.now()
        trade = Trade(
            number=ask.numbered("out_trade_no", _NUMBER),
            digest=ask.digest(kind),
            kind=kind,
            title=ask.text("description", 127),
            total=ask.minor("amount.total"),
            attach=ask.text("attach", 128, required=False),
            notify_url=ask.url("notify_url", 255, required=kind != "MICROPAY"),
            created_at=now.isoformat(),
            expires_at=self._end(ask, now).isoformat(),
            signer=ask.signer,
            openid=openid,
        )
        self._ledger.save(trade)
        return trade

    def _end(self, ask: Ask, now: datetime) -> datetime:
        wanted = ask.text("time_expire", 64, required=False)
        if not wanted:
            return now + PAYABLE
        try:
            end = datetime.fromisoformat(wanted)
        except ValueError:
            end = None
        if end is None or end.tzinfo is None:
            raise bad("time_expire", "须遵循rfc3339标准格式")
        if end < now + PAYABLE_MIN:
            raise bad("time_expire", "须晚于当前时间1分钟")
        return min(end.astimezone(UTC), now + PAYABLE_MAX)

    def _take(self, trade: Trade) -> None:
        """Charge a payment code's wallet; a refusal is a failed order."""
        try:
            self._context.purses.charge(Wallet(trade.wallet), Money(trade.total, "CNY"), trade.number)
        except PurseRefused:
            trade.state = "PAYERROR"
        else:
            self._mark_paid(trade)

    def _mark_paid(self, trade: Trade) -> None:
        papers, now = self._institution.papers, self._context.clock.now()
        trade.state, trade.paid_at = "SUCCESS", rfc3339(now)
        trade.transaction_id = f"4200{number(self._context.random, 24)}"
        if trade.wallet == Wallet.WECHAT and not trade.openid:
            trade.openid = "o" + hashlib.sha256(f"{papers.appid}{trade.wallet}".encode()).hexdigest()[:27]
        self._ledger.move_funds(trade.total)

    def _give_back(self, trade: Trade, minor: int) -> None:
        self._context.purses.credit(Wallet(trade.wallet), Money(minor, "CNY"), trade.number)
        self._ledger.move_funds(-minor)

    def _told(self, trade: Trade) -> Document:
        """The answer to a payment-code charge."""
        if trade.state == "USERPAYING":
            raise Refused(202, "USERPAYING", "需要用户输入支付密码")
        if trade.state == "PAYERROR":
            raise Refused(403, "NOT_ENOUGH", "用户账户余额不足，请更换支付方式")
        return self.document(trade)

    def _trade(self, order: str) -> Trade:
        trade = self._ledger.trade(order)
        if trade is None:
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        return trade

    def _check_account(self, ask: Ask) -> None:
        self._check_mchid(ask.fields.get("mchid"))
        if ask.fields.get("appid") != self._institution.papers.appid:
            raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")

    def _check_mchid(self, mchid: object) -> None:
        if mchid != self._institution.papers.mchid:
            raise Refused(400, "MCH_NOT_EXISTS", "商户号不存在")


def _refund_amount(refund: Refund, trade: Trade) -> dict[str, object]:
    return {
        "total": trade.total,
        "refund": refund.amount,
        "payer_total": trade.total,
        "payer_refund": refund.amount,
    }
