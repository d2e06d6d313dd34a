"""The simulated China Unicom's books: every order it ever took, in the gateway's drawer."""

from dataclasses import asdict, dataclass, field
from typing import Final

from pydantic import TypeAdapter

from providers.sdk.gateway import Drawer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order by the merchant's number. Amounts in fen, times Beijing's; `refunds` by the merchant's journal number."""

    order_no: str
    order_date: str
    amount: int
    title: str
    notify_url: str
    req_time: str
    expires: str  # empty: the page never dies
    sign: str  # of the order as it came first: another one under its number is refused
    journal: str = ""  # of the payment; empty while nobody has paid
    pay_time: str = ""
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What has not gone back."""
        return self.amount - sum(self.refunds.values())


_TRADE: Final = TypeAdapter(Trade)


class Ledger:
    """Trades by the merchant's number."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def get(self, order_no: str) -> Trade | None:
        """The order of that number."""
        record = self._drawer.get(f"trade/{order_no}")
        return None if record is None else _TRADE.validate_python(record)

    def put(self, trade: Trade) -> Trade:
        """Keep it."""
        self._drawer.put(f"trade/{trade.order_no}", asdict(trade))
        return trade

    def next_number(self) -> str:
        """A counter of six digits that survives restarts."""
        record = self._drawer.get("counter") or {}
        count = int(str(record.get("count", 0))) + 1
        self._drawer.put("counter", {"count": count})
        return f"{count:06d}"
