"""The simulated WeChat Pay's back office: transfers to users, trade bills, platform certificates."""

import gzip
import hashlib
import re
from datetime import date, datetime, timedelta
from typing import Final

from providers.sdk.clock import beijing
from providers.sdk.gateway import BillGone, GatewayContext
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply
from providers.sdk.wallets import Wallet
from providers.wechatpay import signing
from providers.wechatpay.ask import Ask, Document, bad
from providers.wechatpay.institution import Institution, Refused, number
from providers.wechatpay.ledger import Ledger, Refund, Trade, Transfer
from providers.wechatpay.wire import NAMED_PAYOUT_MINOR, rfc3339

CONFIRM_WITHIN: Final = timedelta(hours=24)
BILL_USABLE: Final = timedelta(
    seconds=30
)  # documents say 30 s and 5 min; the merchant must cope with the shorter
BILL_DAYS_MAX: Final = 92
_BILL_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_WAITING: Final = "WAIT_USER_CONFIRM"
_HEADER: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_SUMMARY: Final = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)


class Office:
    """Transfers, bills, certificates."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    # --- transfers ---

    def transfer(self, ask: Ask) -> Document:
        """Set money aside for a user, who must confirm within a day."""
        order = ask.numbered("out_bill_no", _BILL_NUMBER)
        known = self._ledger.transfer(order)
        if known is None:
            known = self._start(order, ask)
        elif known.digest != ask.digest("transfer"):
            raise Refused(400, "INVALID_REQUEST", "请求参数与原转账单不一致")
        return {
            "out_bill_no": known.number,
            "transfer_bill_no": known.bill_no,
            "create_time": known.created_at,
            "state": known.state,
            **({"package_info": known.package} if known.state == _WAITING else {}),
        }

    def query_transfer(self, known: Transfer | None) -> Document:
        """The transfer bill."""
        if known is None:
            raise Refused(404, "NOT_FOUND", "记录不存在")
        self.expire(known)
        papers = self._institution.papers
        return {
            "mch_id": papers.mchid,
            "appid": papers.appid,
            "out_bill_no": known.number,
            "transfer_bill_no": known.bill_no,
            "state": known.state,
            "transfer_amount": known.amount,
            "transfer_remark": known.remark,
            "openid": known.openid,
            "create_time": known.created_at,
            "update_time": known.updated_at or known.created_at,
        }

    def cancel_transfer(self, known: Transfer | None) -> Document:
        """Call back what the user has not confirmed."""
        if known is None:
            raise Refused(404, "NOT_FOUND", "记录不存在")
        if known.state not in {_WAITING, "CANCELLED"}:
            raise Refused(400, "INVALID_REQUEST", "当前单据状态不支持撤销")
        if known.state == _WAITING:
            self._finish(known, "CANCELLED")
        return {
            "out_bill_no": known.number,
            "transfer_bill_no": known.bill_no,
            "state": known.state,
            "update_time": known.updated_at,
        }

    def receive(self, package: str, wallet: Wallet) -> None:
        """The user confirmed in WeChat: credit the wallet, tell the merchant. Raises `BillGone`."""
        for known in self._ledger.transfers():
            self.expire(known)
            if known.package == package and known.state == _WAITING:
                self._finish(known, "SUCCESS")
                self._context.purses.credit(wallet, Money(known.amount, "CNY"), known.number)
                return
        raise BillGone("The transfer is unknown, expired, or already received.")

    def expire(self, known: Transfer) -> None:
        """A day without confirmation ends it."""
        if known.state == _WAITING and self._context.clock.now() >= datetime.fromisoformat(known.expires_at):
            self._finish(known, "FAIL")

    def _start(self, order: str, ask: Ask) -> Transfer:
        if ask.fields.get("appid") != self._institution.papers.appid:
            raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
        ask.text("transfer_scene_id", 36)
        amount = ask.minor("transfer_amount")
        self._check_name(ask, amount)
        if amount > self._ledger.funds:
            raise Refused(403, "NOT_ENOUGH", "资金不足，请充值后重新发起")
        now = self._context.clock.now()
        known = Transfer(
            number=order,
            digest=ask.digest("transfer"),
            bill_no=f"1330{number(self._context.random, 33)}",
            openid=ask.text("openid", 64),
            amount=amount,
            remark=ask.text("transfer_remark", 32),
            notify_url=ask.url("notify_url", 256, required=False),
            created_at=rfc3339(now),
            expires_at=(now + CONFIRM_WITHIN).isoformat(),
            package=self._context.random.text(64),
            signer=ask.signer,
        )
        self._ledger.move_funds(-amount)
        self._ledger.save(known)
        return known

    def _check_name(self, ask: Ask, amount: int) -> None:
        sealed = ask.text("user_name", 1024, required=False)
        if not sealed and amount >= NAMED_PAYOUT_MINOR:
            raise bad("user_name", "转账金额大于等于2000元时，收款用户姓名必填")
        if sealed:
            try:
                self._institution.read_sensitive(sealed, ask.signer)
            except ValueError:
                raise bad("user_name", "敏感字段解密失败，请检查Wechatpay-Serial") from None

    def _finish(self, known: Transfer, state: str) -> None:
        known.state, known.updated_at = state, rfc3339(self._context.clock.now())
        if state != "SUCCESS":
            self._ledger.move_funds(known.amount)
        self._ledger.save(known)
        document = {
            "mchid": self._institution.papers.mchid,
            "out_bill_no": known.number,
            "transfer_bill_no": known.bill_no,
            "state": state,
            "transfer_amount": known.amount,
            "openid": known.openid,
            "create_time": known.created_at,
            "update_time": known.updated_at,
        }
        self._institution.notify("MCHTRANSFER.BILL.FINISHED", document, known.notify_url, known.signer)

    # --- bills ---

    def bill(self, ask: Ask) -> Document:
        """Where the bill of a past day lies for a moment, and its hash."""
        day = self._bill_day(ask.query.get("bill_date", ""))
        text = self._bill_text(day)
        token = self._context.random.text(43)
        zipped = "gz/" if ask.query.get("tar_type") == "GZIP" else ""
        self._ledger.issue("bill", token, f"{zipped}{day}", self._context.clock.now() + BILL_USABLE)
        base_url = self._ledger.noted("address", "base_url")
        return {
            "hash_type": "SHA1",
            "hash_value": hashlib.sha1(text, usedforsecurity=False).hexdigest(),
            "download_url": f"{base_url}/v3/billdownload/file?token={token}",
        }

    def bill_file(self, token: str) -> HttpReply:
        """The file itself; the one reply that carries no signature."""
        slip = self._ledger.slip("bill", token)
        if slip is None or not slip.holds(self._context.clock.now()):
            raise Refused(400, "PARAM_ERROR", "token已失效，请重新申请账单")
        zipped, _, day = slip.number.rpartition("/")
        text = self._bill_text(date.fromisoformat(day))
        headers = Headers.of({"Content-Type": "application/octet-stream"})
        return HttpReply(200, headers, gzip.compress(text, mtime=0) if zipped else text)

    def _bill_day(self, wanted: str) -> date:
        today = date.fromisoformat(beijing(self._context.clock.now(), "%Y-%m-%d"))
        try:
            day = date.fromisoformat(wanted)
        except ValueError:
            raise bad("bill_date", "格式须为yyyy-MM-dd") from None
        if not timedelta(days=1) <= today - day <= timedelta(days=BILL_DAYS_MAX):
            raise Refused(400, "INVALID_REQUEST", "只能下载三个月以内、今天以前的账单")
        return day

    def _bill_text(self, day: date) -> bytes:
        paid = [trade for trade in self._ledger.trades() if trade.paid_at[:10] == day.isoformat()]
        back = [refund for refund in self._ledger.refunds() if refund.done_at[:10] == day.isoformat()]
        rows = [self._paid_row(trade) for trade in paid] + [self._refund_row(refund) for refund in back]
        if not rows:
            raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        total, refunded = sum(trade.total for trade in paid), sum(refund.amount for refund in back)
        summary = (
            str(len(rows)),
            _yuan(total),
            _yuan(refunded),
            "0.00",
            "0.00",
            _yuan(total),
            _yuan(refunded),
        )
        lines = [_HEADER, *(_row(row) for row in rows), _SUMMARY, _row(summary)]
        return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")

    def _paid_row(self, trade: Trade) -> tuple[str, ...]:
        yuan = _yuan(trade.total)
        return (
            *self._who(trade, trade.paid_at), "SUCCESS", "OTHERS", "CNY", yuan, "0.00", "0", "0", "0.00", "0.00",
            "", "", trade.title, trade.attach, "0.00000", "0.00%", yuan, "0.00", "",
        )  # fmt: skip

    def _refund_row(self, refund: Refund) -> tuple[str, ...]:
        trade, yuan = self._ledger.trade(refund.trade), _yuan(refund.amount)
        who = self._who(trade, refund.done_at) if trade else ()
        title = trade.title if trade else ""
        return (
            *who, "REFUND", "OTHERS", "CNY", "0.00", "0.00", refund.refund_id, refund.number, yuan, "0.00",
            "ORIGINAL", refund.state, title, "", "0.00000", "0.00%", "0.00", yuan, "",
        )  # fmt: skip

    def _who(self, trade: Trade, at: str) -> tuple[str, ...]:
        papers = self._institution.papers
        moment = at[:19].replace("T", " ")
        return (
            moment, papers.appid, papers.mchid, "0", "", trade.transaction_id, trade.number, trade.openid, trade.kind,
        )  # fmt: skip

    # --- certificates ---

    def certificates(self) -> Document:
        """Every platform certificate, encrypted under the APIv3 key."""
        apiv3 = self._institution.papers.apiv3_key
        listed = []
        for one in self._institution.certificates:
            (certificate,) = signing.certificates(one.pem.encode())
            entry = {
                "serial_no": one.serial_no,
                "effective_time": rfc3339(certificate.not_valid_before_utc),
                "expire_time": rfc3339(certificate.not_valid_after_utc),
                "encrypt_certificate": self._institution.sealed("certificate", one.pem.encode(), apiv3),
            }
            listed.append(entry)
        return {"data": listed}


def _row(cells: tuple[str, ...]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _yuan(minor: int) -> str:
    return Money(minor, "CNY").decimal
