"""The simulated China Mobile's books: every order it ever took, in the gateway's drawer."""

from dataclasses import asdict, dataclass, field
from typing import Final, Literal

from pydantic import TypeAdapter

from providers.sdk.gateway import Drawer

State = Literal["open", "paying", "paid", "declined", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order by the merchant's number. Amounts in fen, times Beijing's; `refunds` by the merchant's requestId."""

    order_id: str
    request_id: str
    kind: str  # the message that placed it
    order_date: str
    amount: int
    title: str
    notify_url: str
    character_set: str
    expires: str
    session: str = ""
    reserved1: str = ""
    reserved2: str = ""
    state: State = "open"
    wallet: str = ""
    pay_no: str = ""
    pay_date: str = ""
    looks: int = 0  # how often a payer was found entering a password
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What has not gone back."""
        return self.amount - sum(self.refunds.values())


_TRADE: Final = TypeAdapter(Trade)


class Ledger:
    """Trades by order number, by session and by request number."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def get(self, order_id: str) -> Trade | None:
        """The order of that number."""
        record = self._drawer.get(f"trade/{order_id}")
        return None if record is None else _TRADE.validate_python(record)

    def by_session(self, session: str) -> Trade | None:
        """The order that a code or page stands for."""
        record = self._drawer.get(f"session/{session}")
        return None if record is None else self.get(str(record["order_id"]))

    def by_request(self, request_id: str) -> Trade | None:
        """The order that this request placed."""
        record = self._drawer.get(f"request/{request_id}")
        return None if record is None else self.get(str(record["order_id"]))

    def put(self, trade: Trade) -> Trade:
        """Keep it, and what leads to it."""
        self._drawer.put(f"trade/{trade.order_id}", asdict(trade))
        if trade.session:
            self._drawer.put(f"session/{trade.session}", {"order_id": trade.order_id})
        return trade

    def take_request(self, request_id: str, order_id: str) -> bool:
        """Whether this request number is new; it is used from now on."""
        fresh = bool(request_id) and self._drawer.get(f"request/{request_id}") is None
        if fresh:
            self._drawer.put(f"request/{request_id}", {"order_id": order_id})
        return fresh

    def next_number(self) -> str:
        """A counter of ten digits that survives restarts."""
        record = self._drawer.get("counter") or {}
        count = int(str(record.get("count", 0))) + 1
        self._drawer.put("counter", {"count": count})
        return f"{count:010d}"
