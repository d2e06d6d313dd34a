"""The simulated BestPay's books: orders and refunds of both gateways, in the gateway's drawer. Amounts in fen."""

from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from providers.sdk.gateway import Drawer

Door = Literal["mapi", "counter"]
State = Literal["open", "paying", "paid", "failed", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order by the merchant's number as it came over the wire."""

    door: Door
    number: str
    amount: int
    title: str
    notify_url: str
    sent: str  # when the merchant asked: requestDate or orderDate
    product: str = ""  # the MAPI path that opened it
    token: str = ""  # what its code or link is known by
    trade_no: str = ""
    state: State = "open"
    wallet: str = ""
    paid_at: str = ""  # yyyyMMddHHmmss
    returned: int = 0
    reversed: bool = False
    looks: int = 0  # how often a payer was found typing

    def opens_like(self, other: "Trade") -> bool:
        """Whether both were asked for by the same order."""
        return (self.amount, self.title, self.sent, self.product) == (
            other.amount,
            other.title,
            other.sent,
            other.product,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """One refund or reversal by the merchant's number as it came over the wire."""

    door: Door
    number: str
    original: str
    amount: int
    sent: str
    trade_no: str
    notify_url: str = ""
    done_at: str = ""


_TRADE: Final = TypeAdapter(Trade)
_RETURN: Final = TypeAdapter(Return)


class Ledger:
    """Trades and returns by door and number; a later record of the same number replaces the earlier one."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def trade(self, door: Door, number: str) -> Trade | None:
        """The order of that number."""
        record = self._drawer.get(f"trade/{door}/{number}")
        return None if record is None else _TRADE.validate_python(record)

    def by_token(self, token: str) -> Trade | None:
        """The order behind a code."""
        record = self._drawer.get(f"token/{token}")
        return None if record is None else self.trade("mapi", str(record["number"]))

    def put(self, trade: Trade) -> None:
        """Keep it, and what leads to it."""
        self._drawer.put(f"trade/{trade.door}/{trade.number}", asdict(trade))
        if trade.token:
            self._drawer.put(f"token/{trade.token}", {"number": trade.number})
        if trade.trade_no:
            self._drawer.put(f"serial/{trade.trade_no}", {})

    def returned(self, door: Door, number: str) -> Return | None:
        """The refund or reversal of that number."""
        record = self._drawer.get(f"return/{door}/{number}")
        return None if record is None else _RETURN.validate_python(record)

    def put_return(self, one: Return) -> None:
        """Keep it."""
        self._drawer.put(f"return/{one.door}/{one.number}", asdict(one))
        self._drawer.put(f"serial/{one.trade_no}", {})

    def knows_serial(self, serial: str) -> bool:
        """Whether this institution ever gave out that serial number."""
        return self._drawer.get(f"serial/{serial}") is not None

    def next_serial(self, head: str, digits: int) -> str:
        """A serial number behind `head`, from a counter that survives restarts."""
        record = self._drawer.get("counter") or {}
        count = int(str(record.get("count", 0))) + 1
        self._drawer.put("counter", {"count": count})
        return f"{head}{count % 10**digits:0{digits}d}"
