"""The simulated UnionPay's books: every order, refund and void it ever took, in the gateway's drawer."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from providers.sdk.gateway import Drawer

State = Literal["open", "paying", "paid", "declined", "reversed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order by the merchant's number: a payment (01), a refund (04) or a void (31). Amounts in fen."""

    order_id: str
    txn_time: str
    txn_type: str
    sub_type: str
    biz_type: str
    amount: int
    back_url: str
    pay_timeout: str
    reserved: str
    code: str  # what the payer scans: digits of the QR code, or the tn
    state: State = "open"
    resp_code: str = ""
    query_id: str = ""
    traced: str = ""  # MMDDhhmmss, when money moved
    settle_day: str = ""  # YYYYMMDD
    wallet: str = ""
    original: str = ""  # of a refund or void: the payment's number
    returned: int = 0  # of a payment: what has gone back
    looks: int = 0  # how often a payer was found entering a password

    def wire_fields(self, *, settled: bool) -> dict[str, str]:
        """The fields of a notification or query; those about money only once it has moved."""
        known = {
            "orderId": self.order_id,
            "txnTime": self.txn_time,
            "txnType": self.txn_type,
            "txnSubType": self.sub_type,
            "bizType": self.biz_type,
            "txnAmt": str(self.amount),
            "reqReserved": self.reserved,
            "queryId": self.query_id,
        }
        if not settled:
            return known
        return known | {
            "currencyCode": "156",
            "settleCurrencyCode": "156",
            "settleAmt": str(self.amount),
            "settleDate": self.settle_day[4:],
            "exchangeRate": "0",
            "traceNo": self.query_id[-6:],
            "traceTime": self.traced,
        }

    def row(self, merchant: str) -> dict[str, str]:
        """A line of the reconciliation file. The simulated institution takes 0.38 % of payments, in whole fen."""
        fee = self.amount * 38 // 10_000 if self.txn_type == "01" else 0
        return {
            "code": "S22" if self.txn_type == "01" else "S30",
            "trace": self.query_id[-6:],
            "sent": self.traced,
            "amount": f"{self.amount:012d}",
            "query_id": self.query_id,
            "order": self.order_id,
            "fee": f"D{fee:012d}",
            "type": self.txn_type,
            "merchant": merchant,
            "original": self.original,
        }


_TRADE: Final = TypeAdapter(Trade)


class Ledger:
    """Trades by number, by code and by queryId. A later record of the same number replaces the earlier one."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def get(self, order_id: str) -> Trade | None:
        """The trade of that number."""
        record = self._drawer.get(f"trade/{order_id}")
        return None if record is None else _TRADE.validate_python(record)

    def named(self, order_id: str, txn_time: str) -> Trade | None:
        """The trade of that number, if it was sent at that time: ACP knows an order by both."""
        trade = self.get(order_id)
        return trade if trade is not None and trade.txn_time == txn_time else None

    def by_code(self, code: str) -> Trade | None:
        """The trade whose QR code has these digits."""
        return self._pointed("code", code)

    def by_query_id(self, query_id: str) -> Trade | None:
        """The trade that money moved under this id for."""
        return self._pointed("query", query_id)

    def put(self, trade: Trade) -> None:
        """Keep it, and what leads to it."""
        self._drawer.put(f"trade/{trade.order_id}", asdict(trade))
        for kind, key in (("code", trade.code), ("query", trade.query_id)):
            if key:
                self._drawer.put(f"{kind}/{key}", {"order_id": trade.order_id})

    def trades(self) -> Iterator[Trade]:
        """Every trade that money moved for, by number."""
        for _, record in self._drawer.scan("trade/"):
            trade = _TRADE.validate_python(record)
            if trade.settle_day and trade.state == "paid":
                yield trade

    def next_number(self, digits: int) -> str:
        """A counter that survives restarts, `digits` long."""
        record = self._drawer.get("counter") or {}
        count = int(str(record.get("count", 0))) + 1
        self._drawer.put("counter", {"count": count})
        return f"{count % 10**digits:0{digits}d}"

    def _pointed(self, kind: str, key: str) -> Trade | None:
        record = self._drawer.get(f"{kind}/{key}")
        return None if record is None else self.get(str(record["order_id"]))
