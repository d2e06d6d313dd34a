"""The simulated Alipay's records: orders, refunds, transfers, codes and the merchant's funds, in its drawer."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from providers.alipay.institution import SHELF
from providers.sdk.gateway import Drawer

OPENING_FUNDS_MINOR: Final = 10_000_00  # the merchant starts with something to pay out

# `offered`: a code was handed out and nobody has scanned it; to the merchant no trade exists.
State = Literal["offered", "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"]


@dataclass(slots=True, kw_only=True)
class Trade:
    """One order by the merchant's number. Times are ISO 8601 texts, empty when not reached; amounts are fen."""

    number: str
    title: str
    total: int
    notify_url: str
    created_at: str
    expires_at: str
    state: State = "offered"
    trade_no: str = ""
    wallet: str = ""
    buyer: str = field(default="", repr=False)
    paid_at: str = ""
    returned: int = 0
    cancelled: bool = False
    asked: int = 0  # queries since the payer was asked for a password
    password: bool = False  # a payer code whose owner is entering a password

    @property
    def exists(self) -> bool:
        """Somebody has scanned it."""
        return self.state != "offered"

    @property
    def was_paid(self) -> bool:
        """Money was taken, whatever went back since."""
        return bool(self.paid_at)


@dataclass(slots=True, kw_only=True)
class Refund:
    """One refund of one trade, by the merchant's two numbers."""

    trade: str
    request: str
    amount: int
    reason: str
    done_at: str

    @property
    def number(self) -> str:
        """The key of the record."""
        return f"{self.trade}/{self.request}"


@dataclass(slots=True, kw_only=True)
class Transfer:
    """One transfer to an account."""

    number: str
    order_id: str
    payee: str = field(repr=False)
    amount: int
    done_at: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a code or a file's token stands for, and until when."""

    number: str
    until: str

    def holds(self, now: datetime) -> bool:
        """Not yet expired."""
        return now < datetime.fromisoformat(self.until)


class Ledger:
    """Records by number."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def trade(self, number: str) -> Trade | None:
        """By the merchant's number."""
        kept = self._get("trade", number)
        return Trade(**kept) if kept else None

    def trade_by_no(self, trade_no: str) -> Trade | None:
        """By our own number."""
        return next((trade for trade in self.trades() if trade.trade_no == trade_no), None)

    def trades(self) -> Iterator[Trade]:
        """All of them."""
        return (Trade(**kept) for kept in self._all("trade"))

    def refund(self, trade: str, request: str) -> Refund | None:
        """By the merchant's two numbers."""
        kept = self._get("refund", f"{trade}/{request}")
        return Refund(**kept) if kept else None

    def refunds(self) -> Iterator[Refund]:
        """All of them."""
        return (Refund(**kept) for kept in self._all("refund"))

    def transfer(self, number: str) -> Transfer | None:
        """By the merchant's number."""
        kept = self._get("transfer", number)
        return Transfer(**kept) if kept else None

    def save(self, record: Trade | Refund | Transfer) -> None:
        """Keep the record."""
        self._drawer.put(f"{SHELF}{type(record).__name__.lower()}/{record.number}", asdict(record))

    def issue(self, kind: str, text: str, number: str, until: datetime) -> None:
        """Let `text` stand for `number` until then."""
        self.note(f"{kind}/{text}", {"number": number, "until": until.isoformat()})

    def slip(self, kind: str, text: str) -> Slip | None:
        """What was issued under that text."""
        kept = self._get(kind, text)
        return Slip(**kept) if kept else None

    @property
    def funds(self) -> int:
        """The merchant's balance in fen."""
        kept = self._get("merchant", "funds")
        return int(kept["minor"]) if kept else OPENING_FUNDS_MINOR

    def move_funds(self, minor: int) -> None:
        """Add, or take when negative."""
        self.note("merchant/funds", {"minor": self.funds + minor})

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """Keep a fact."""
        self._drawer.put(f"{SHELF}{name}", value)

    def noted(self, name: str, key: str) -> str:
        """Read it; empty when there is none."""
        return str((self._drawer.get(f"{SHELF}{name}") or {}).get(key, ""))

    def _get(self, kind: str, name: str) -> dict[str, Any] | None:
        return self._drawer.get(f"{SHELF}{kind}/{name}")

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        return (record for _, record in self._drawer.scan(f"{SHELF}{kind}/"))
