"""The simulated Alipay's desk: what it does with codes, trades and refunds, and what it refuses.

Sources: Alipay open platform documents, alipay.trade.*, the error table of each method. Where they are silent (a cancel
of a code that nobody has scanned) it does what `quality.toml` calls unsure: here the code dies.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from providers.alipay import wire
from providers.alipay.ask import Ask, Document
from providers.alipay.institution import Institution, Refused, number
from providers.alipay.ledger import Ledger, Refund, State, Trade
from providers.sdk.clock import beijing
from providers.sdk.gateway import BillGone, Fault, GatewayContext, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

PAYABLE: Final = timedelta(hours=3)
CODE_LIFE: Final = timedelta(seconds=wire.CODE_USABLE_S)
REFUNDABLE: Final = timedelta(days=365)
CANCELLABLE: Final = timedelta(hours=24)
_BUSY: Final = {"code": wire.PAYER_BUSY, "msg": "order success pay inprocess"}


class Desk:
    """Codes, trades, refunds."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    def precreate(self, ask: Ask) -> Document:
        """Hand out a code. No trade comes into being before somebody scans it."""
        trade = self._opened(ask)
        now = self._context.clock.now()
        by_itself = ask.span("qr_code_timeout_express", now) or now + CODE_LIFE
        code = f"bax{self._context.random.text(24).lower()}"
        until = min(by_itself, now + CODE_LIFE, datetime.fromisoformat(trade.expires_at))
        self._ledger.issue("code", code, trade.number, until)
        return {"out_trade_no": trade.number, "qr_code": wire.CODE_PREFIX + code}

    def pay(self, ask: Ask) -> Document:
        """Charge whoever shows this code. Each code works once."""
        code = ask.text("auth_code", 64)
        if ask.text("scene", 32, required=False) not in {"", "bar_code", "security_code", "wave_code"}:
            raise Refused("ACQ.INVALID_PARAMETER", "参数无效：scene")
        trade = self._opened(ask)
        if trade.password:
            return self._busy(trade)
        wallet = self._context.purses.owner_of(code)
        mark = hashlib.sha256(code.encode()).hexdigest()
        if wallet is not Wallet.ALIPAY or self._ledger.slip("used", mark):
            raise Refused(
                "ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款"
            )
        self._ledger.issue("used", mark, trade.number, self._context.clock.now())
        self._create(trade)
        if self._context.faults.take(Fault.DECLINED):
            return self._decline(trade)
        if self._context.faults.take(Fault.USER_PAYING):
            trade.password = True
            self._ledger.save(trade)
            return self._busy(trade)
        return self._charge(trade)

    def query(self, ask: Ask) -> Document:
        """The trade. A payer who was asked for a password has entered it by the second query."""
        trade = self._named(ask)
        if trade.password and trade.state == "WAIT_BUYER_PAY":
            trade.asked += 1
            self._ledger.save(trade)
            if trade.asked > 1 and not self._context.faults.take(Fault.PAYER_LINGERS):
                self._try(trade)
        return self._document(trade)

    def close(self, ask: Ask) -> Document:
        """Only an open trade closes."""
        trade = self._named(ask)
        if trade.state != "WAIT_BUYER_PAY":
            raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        self._end(trade)
        return {"trade_no": trade.trade_no, "out_trade_no": trade.number}

    def cancel(self, ask: Ask) -> Document:
        """Close what is open, give back what was paid. By our number, a trade that does not exist is no error."""
        if ask.fields.get("trade_no"):
            trade: Trade | None = self._named(ask)
        else:
            trade = self._ripe(self._ledger.trade(ask.number("out_trade_no")))
        if trade is None or not trade.exists:
            return self._cancel_nothing(trade, ask)
        done: Document = {"trade_no": trade.trade_no, "out_trade_no": trade.number, "retry_flag": "N"}
        if not trade.was_paid:
            self._end(trade)
            return done | {"action": "close"}
        if trade.state == "TRADE_CLOSED" and trade.cancelled:
            return done | {"action": "refund"}
        self._check_cancellable(trade)
        trade.cancelled = True
        self._give_back(trade, trade.total)
        return done | {"action": "refund"}

    def refund(self, ask: Ask) -> Document:
        """Send back part or all. The same request number moves money once."""
        trade, amount = self._named(ask), ask.minor("refund_amount")
        request = ask.text("out_request_no", 64, required=False)
        if not request and amount != trade.total:
            raise Refused("ACQ.INVALID_PARAMETER", "部分退款时out_request_no必传")
        request = request or trade.number
        known = self._ledger.refund(trade.number, request)
        if known is not None:
            if known.amount != amount:
                raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST", "同一笔退款请求号退款金额不一致")
            return self._refunded(trade, "N")
        self._check_refundable(trade, amount)
        refund = Refund(
            trade=trade.number,
            request=request,
            amount=amount,
            reason=ask.text("refund_reason", 256, required=False),
            done_at=self._context.clock.now().isoformat(),
        )
        self._ledger.save(refund)
        self._give_back(trade, amount)
        self._notify(trade, refund)
        return self._refunded(trade, "Y") | {"gmt_refund_pay": _wall(refund.done_at)}

    def query_refund(self, ask: Ask) -> Document:
        """Says 10000 even when there is no such refund; only then it says nothing more."""
        trade = self._named(ask)
        refund = self._ledger.refund(trade.number, ask.text("out_request_no", 64))
        if refund is None:
            return {}
        return {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.number,
            "out_request_no": refund.request,
            "refund_reason": refund.reason,
            "total_amount": _yuan(trade.total),
            "refund_amount": _yuan(refund.amount),
            "refund_status": "REFUND_SUCCESS",
            "gmt_refund_pay": _wall(refund.done_at),
        }

    # --- the payer's side ---

    def scan(self, code: str) -> Trade | None:
        """Somebody looks at a code: the trade comes into being. None for a code of somebody else."""
        slip = self._ledger.slip("code", code.removeprefix(wire.CODE_PREFIX))
        if slip is None or not code.startswith(wire.CODE_PREFIX):
            return None
        trade = self.payable(slip.number)
        if not slip.holds(self._context.clock.now()):
            raise BillGone("The code has expired. 二维码已失效")
        if not trade.exists:
            self._create(trade)
        return trade

    def payable(self, number: str) -> Trade:
        """The open trade of that number. Raises `BillGone`."""
        trade = self._ripe(self._ledger.trade(number))
        if trade is None:
            raise BillGone("There is no such trade. 交易不存在")
        if trade.was_paid:
            raise BillGone("This trade is already paid. 交易已支付")
        if trade.state == "TRADE_CLOSED" or trade.cancelled or self._is_over(trade):
            raise BillGone("This trade is closed. 交易已关闭")
        return trade

    def settle(self, trade: Trade, wallet: Wallet) -> None:
        """Take the money and tell the merchant. Raises `PurseRefused`, changing nothing."""
        self._context.purses.charge(wallet, Money(trade.total, "CNY"), trade.number)
        trade.wallet = wallet.value
        if wallet is Wallet.ALIPAY:
            digits = int(hashlib.sha256(wallet.encode()).hexdigest(), 16) % 10**12
            trade.buyer = f"2088{digits:012d}"
        trade.state, trade.paid_at = "TRADE_SUCCESS", self._context.clock.now().isoformat()
        trade.password = False
        self._ledger.move_funds(trade.total)
        self._ledger.save(trade)
        self._notify(trade)

    # --- trades ---

    def _opened(self, ask: Ask) -> Trade:
        """A new order, or a known one that is open and asked for in the same words."""
        now = self._context.clock.now()
        fresh = Trade(
            number=ask.number("out_trade_no"),
            title=ask.subject(),
            total=ask.minor("total_amount"),
            notify_url=ask.notify_url,
            created_at=now.isoformat(),
            expires_at=(ask.end(now) or now + PAYABLE).isoformat(),
        )
        known = self._ripe(self._ledger.trade(fresh.number))
        if known is None:
            self._ledger.save(fresh)
            return fresh
        if (known.total, known.title) != (fresh.total, fresh.title):
            raise Refused("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
        if known.state in {"TRADE_SUCCESS", "TRADE_FINISHED"}:
            raise Refused("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        if known.state == "TRADE_CLOSED" or known.cancelled:
            raise Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        return known

    def _named(self, ask: Ask) -> Trade:
        """By our number or the merchant's; ours wins. A code that nobody has scanned is no trade."""
        trade_no = ask.text("trade_no", 64, required=False)
        known = self._ledger.trade_by_no(trade_no) if trade_no else None
        if not trade_no:
            known = self._ledger.trade(ask.number("out_trade_no"))
        trade = self._ripe(known)
        if trade is None or not trade.exists:
            raise Refused(wire.NOT_EXISTING, "交易不存在")
        return trade

    def _ripe(self, trade: Trade | None) -> Trade | None:
        """What time alone has made of it."""
        if trade is None:
            return None
        grown: State = trade.state
        if trade.state == "WAIT_BUYER_PAY" and self._is_over(trade):
            grown = "TRADE_CLOSED"
        elif trade.state == "TRADE_SUCCESS" and self._age(trade.paid_at) > REFUNDABLE:
            grown = "TRADE_FINISHED"
        if grown != trade.state:
            trade.state = grown
            self._ledger.save(trade)
        return trade

    def _is_over(self, trade: Trade) -> bool:
        return self._context.clock.now() >= datetime.fromisoformat(trade.expires_at)

    def _age(self, moment: str) -> timedelta:
        return self._context.clock.now() - datetime.fromisoformat(moment)

    def _create(self, trade: Trade) -> None:
        day = beijing(self._context.clock.now(), "%Y%m%d")
        trade.state, trade.trade_no = "WAIT_BUYER_PAY", f"{day}22001{number(self._context.random, 15)}"
        self._ledger.save(trade)

    def _end(self, trade: Trade) -> None:
        trade.state, trade.password = "TRADE_CLOSED", False
        self._ledger.save(trade)

    def _cancel_nothing(self, trade: Trade | None, ask: Ask) -> Document:
        if trade is not None:
            trade.cancelled = True  # whoever scans the code from now on finds it dead
            self._ledger.save(trade)
        return {"out_trade_no": ask.number("out_trade_no"), "retry_flag": "N"}

    def _check_cancellable(self, trade: Trade) -> None:
        if trade.returned:
            raise Refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        if trade.state == "TRADE_FINISHED":
            raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已经完结")
        if self._age(trade.created_at) > CANCELLABLE:
            raise Refused("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")

    # --- payer codes ---

    def _charge(self, trade: Trade) -> Document:
        if not self._try(trade):
            return self._decline(trade)
        return self._document(trade, status=False) | {"gmt_payment": _wall(trade.paid_at)}

    def _try(self, trade: Trade) -> bool:
        try:
            self.settle(trade, Wallet.ALIPAY)
        except PurseRefused:
            self._end(trade)
            return False
        return True

    def _decline(self, trade: Trade) -> Document:
        self._end(trade)
        raise Refused("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")

    def _busy(self, trade: Trade) -> Document:
        return {**_BUSY, "trade_no": trade.trade_no, "out_trade_no": trade.number}

    # --- money back ---

    def _check_refundable(self, trade: Trade, amount: int) -> None:
        if trade.state == "TRADE_FINISHED":
            raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已完结")
        if trade.state != "TRADE_SUCCESS":
            raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态非法")
        if trade.returned + amount > trade.total:
            raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
        if amount > self._ledger.funds:
            raise Refused("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")

    def _give_back(self, trade: Trade, amount: int) -> None:
        trade.returned += amount
        if trade.returned == trade.total:
            trade.state = "TRADE_CLOSED"
        self._ledger.move_funds(-amount)
        self._ledger.save(trade)
        self._context.purses.credit(Wallet(trade.wallet), Money(amount, "CNY"), trade.number)

    def _refunded(self, trade: Trade, fund_change: str) -> Document:
        """`refund_fee` is of the whole trade."""
        return {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.number,
            "buyer_logon_id": "159****0001",
            "fund_change": fund_change,
            "refund_fee": _yuan(trade.returned),
        }

    # --- words ---

    def _document(self, trade: Trade, *, status: bool = True) -> Document:
        told: Document = {"trade_no": trade.trade_no, "out_trade_no": trade.number}
        if status:
            told["trade_status"] = trade.state
        told["total_amount"] = _yuan(trade.total)
        if not trade.was_paid:
            return told | {"buyer_pay_amount": "0.00", "receipt_amount": "0.00"}
        bills = [{"amount": _yuan(trade.total), "fund_channel": "ALIPAYACCOUNT"}]
        told |= {
            "buyer_pay_amount": _yuan(trade.total),
            "receipt_amount": _yuan(trade.total),
            "buyer_logon_id": "159****0001",
            "fund_bill_list": bills,
            "store_name": "月门/小店 {一号}",
        }
        told |= {"send_pay_date": _wall(trade.paid_at)} if status else {}
        return told | ({"buyer_user_id": trade.buyer} if trade.buyer else {})

    def _notify(self, trade: Trade, refund: Refund | None = None) -> None:
        if not trade.notify_url:
            return
        yuan = _yuan(trade.total)
        fields = {
            "gmt_create": _wall(trade.created_at),
            "gmt_payment": _wall(trade.paid_at),
            "subject": trade.title,
            "out_trade_no": trade.number,
            "trade_no": trade.trade_no,
            "trade_status": trade.state,
            "total_amount": yuan,
            "receipt_amount": yuan,
            "invoice_amount": yuan,
            "buyer_pay_amount": yuan,
            "point_amount": "0.00",
            "buyer_id": trade.buyer,
            "fund_bill_list": f'[{{"amount":"{yuan}","fundChannel":"ALIPAYACCOUNT"}}]',
        }
        key = f"alipay-{trade.trade_no}"
        if refund is not None:
            fields |= {
                "refund_fee": _yuan(trade.returned),
                "gmt_refund": f"{_wall(refund.done_at)}.000",
                "out_biz_no": refund.request,
            }
            key = f"{key}-{refund.request}"
        self._institution.notify(fields, trade.notify_url, key)


def _yuan(minor: int) -> str:
    return Money(minor, "CNY").decimal


def _wall(moment: str) -> str:
    return beijing(datetime.fromisoformat(moment), wire.TIME)
