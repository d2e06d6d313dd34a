"""The simulated Alipay's office: transfers, statements and the certificate of the day."""

import base64
import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from providers.alipay import wire
from providers.alipay.ask import Ask, Document, bad
from providers.alipay.bill import COLUMNS
from providers.alipay.institution import Institution, Refused, number
from providers.alipay.ledger import Ledger, Refund, Trade, Transfer
from providers.sdk.clock import beijing
from providers.sdk.gateway import GatewayContext, PurseRefused
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply
from providers.sdk.wallets import Wallet

BILL_PATH: Final = "/downloadBillFile.resource"
BILL_USABLE: Final = timedelta(seconds=30)
BILL_DAYS_MAX: Final = 6 * 365
NOBODY: Final = "2088000000000000"  # a user id that no account has
TRANSFER_MIN_MINOR: Final = 10

_DAY: Final = "%Y-%m-%d"
_ZIP: Final = Headers((("Content-Type", "application/octet-stream"),))
_IDENTITIES: Final = frozenset({"ALIPAY_USER_ID", "ALIPAY_LOGON_ID", "ALIPAY_OPEN_ID"})


class Office:
    """Transfers, statements, certificates."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    # --- transfers ---

    def transfer(self, ask: Ask) -> Document:
        """To an Alipay account, at once. The same number with the same words is the same transfer."""
        if not ask.certified:
            raise Refused("isv.insufficient-isv-permissions", "转账接口仅支持公钥证书模式", "40006")
        order, amount = ask.number("out_biz_no"), ask.minor("trans_amount")
        payee = self._payee(ask)
        if ask.text("product_code", 64) != "TRANS_ACCOUNT_NO_PWD":
            raise bad("product_code")
        known = self._ledger.transfer(order)
        if known is not None:
            if (known.amount, known.payee) != (amount, payee):
                raise Refused("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
            return self._told(known)
        if amount < TRANSFER_MIN_MINOR:
            raise Refused("EXCEED_LIMIT_SM_MIN_AMOUNT", "转账金额不能低于0.10元")
        return self._told(self._pay_out(order, amount, payee, ask.text("order_title", 128, required=False)))

    def query_transfer(self, ask: Ask) -> Document:
        """By the merchant's number."""
        known = self._ledger.transfer(ask.number("out_biz_no"))
        if known is None:
            raise Refused("ORDER_NOT_EXIST", "转账订单不存在")
        return self._told(known)

    def _payee(self, ask: Ask) -> str:
        info = ask.fields.get("payee_info")
        if not isinstance(info, dict) or info.get("identity_type") not in _IDENTITIES:
            raise bad("payee_info")
        identity = str(info.get("identity") or "")
        if identity in {"", NOBODY}:
            raise Refused("PAYEE_NOT_EXIST", "收款账号不存在")
        if info["identity_type"] == "ALIPAY_LOGON_ID" and not info.get("name"):
            raise bad("payee_info.name")
        return identity

    def _pay_out(self, order: str, amount: int, payee: str, title: str) -> Transfer:
        if amount > self._ledger.funds:
            raise Refused("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")
        now = self._context.clock.now()
        try:
            self._context.purses.credit(Wallet.ALIPAY, Money(amount, "CNY"), order)
        except PurseRefused:
            raise Refused("EXCEED_LIMIT_DC_RECEIVED", "收款方单日收款额度超限") from None
        done = Transfer(
            number=order,
            order_id=f"{beijing(now, '%Y%m%d')}11007000{number(self._context.random, 16)}",
            payee=payee,
            amount=amount,
            done_at=now.isoformat(),
            title=title,
        )
        self._ledger.move_funds(-amount)
        self._ledger.save(done)
        return done

    def _told(self, transfer: Transfer) -> Document:
        return {
            "out_biz_no": transfer.number,
            "order_id": transfer.order_id,
            "pay_fund_order_id": transfer.order_id,
            "status": "SUCCESS",
            "trans_amount": Money(transfer.amount, "CNY").decimal,
            "trans_date": beijing(datetime.fromisoformat(transfer.done_at), wire.TIME),
        }

    # --- statements ---

    def bill(self, ask: Ask) -> Document:
        """Where the statement of a past day lies for half a minute."""
        if ask.text("bill_type", 20) != "trade":
            raise Refused("INVAILID_ARGUMENTS", "入参不合法")  # spelt so by Alipay
        day = self._bill_day(ask.text("bill_date", 15))
        if not self._rows(day):
            raise Refused("isp.bill_not_exist", "账单不存在")
        token = self._context.random.text(43)
        self._ledger.issue("bill", token, day, self._context.clock.now() + BILL_USABLE)
        base_url = self._ledger.noted("address", "base_url")
        return {
            "bill_download_url": f"{base_url}{BILL_PATH}?bizType=trade&bizDates={day}&token={token}",
            "bill_file_code": "",
        }

    def bill_file(self, token: str) -> HttpReply:
        """The file itself. Nothing of it is signed."""
        slip = self._ledger.slip("bill", token)
        if slip is None or not slip.holds(self._context.clock.now()):
            return HttpReply(403, body="下载链接已失效".encode())
        return HttpReply(200, _ZIP, self._packed(slip.number))

    def _bill_day(self, wanted: str) -> str:
        today = date.fromisoformat(beijing(self._context.clock.now(), _DAY))
        try:
            day = date.fromisoformat(wanted)
        except ValueError:
            raise Refused("INVAILID_ARGUMENTS", "入参不合法") from None
        if not timedelta(days=1) <= today - day <= timedelta(days=BILL_DAYS_MAX):
            raise Refused("INVAILID_ARGUMENTS", "入参不合法")
        return day.isoformat()

    def _rows(self, day: str) -> list[tuple[str, ...]]:
        paid = [trade for trade in self._ledger.trades() if _on(trade.paid_at, day)]
        back = [refund for refund in self._ledger.refunds() if _on(refund.done_at, day)]
        returned = ((self._ledger.trade(refund.trade), refund) for refund in back)
        return [
            *(_row(trade, "交易", trade.paid_at, trade.total, "") for trade in paid),
            *(_refund_row(trade, refund) for trade, refund in returned if trade is not None),
        ]

    def _packed(self, day: str) -> bytes:
        """Two files, as GBK. Values end in a tab, so that a spreadsheet leaves numbers alone."""
        account, stamp = self._institution.papers.seller_id, day.replace("-", "")
        rows = self._rows(day)
        detail = ["#支付宝业务明细查询", f"#账号：[{account}0156]", f"#起始日期：[{day}]", _csv(COLUMNS)]
        detail += [*map(_csv, rows), "#-----业务明细列表结束-----"]
        summary = [
            "#支付宝业务汇总查询",
            "门店编号,门店名称,交易订单总笔数,退款订单总笔数",
            f"合计\t,\t,{len(rows)}\t,0\t",
        ]
        pack = io.BytesIO()
        with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, lines in (("业务明细", detail), ("业务明细(汇总)", summary)):
                archive.writestr(
                    f"{account}0156_{stamp}_{name}.csv", "\r\n".join([*lines, ""]).encode("gb18030")
                )
        return pack.getvalue()

    # --- certificates ---

    def certificate(self, ask: Ask) -> Document:
        """The file of a certificate by its number. The answer is signed with the newest key, known or not."""
        bundle = self._institution.bundle(ask.text("alipay_cert_sn", 64))
        if bundle is None:
            raise Refused("isv.cert-not-found", "证书不存在")
        return {"alipay_cert_content": base64.b64encode(bundle.encode()).decode()}


def _on(moment: str, day: str) -> bool:
    return bool(moment) and beijing(datetime.fromisoformat(moment), _DAY) == day


def _row(trade: Trade, kind: str, at: str, minor: int, request: str) -> tuple[str, ...]:
    """The simulated institution takes 0.6 % of payments, in whole fen."""
    sign = "-" if kind == "退款" else ""
    yuan = sign + Money(minor, "CNY").decimal
    fee = minor * 6 // 1000 if kind == "交易" else 0
    started, done = (beijing(datetime.fromisoformat(moment), wire.TIME) for moment in (trade.created_at, at))
    return (
        trade.trade_no, trade.number, kind, trade.title, started, done, "", "", "", "", "159****0001", yuan, yuan,
        "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", request,
        f"-{Money(fee, 'CNY').decimal}" if fee else "0.00", "0.00", "",
    )  # fmt: skip


def _refund_row(trade: Trade, refund: Refund) -> tuple[str, ...]:
    return _row(trade, "退款", refund.done_at, refund.amount, refund.request)


def _csv(cells: Iterable[str]) -> str:
    return ",".join(f"{cell}\t" for cell in cells)
