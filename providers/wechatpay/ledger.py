"""The simulated WeChat Pay's records: trades, refunds, transfers, codes and the merchant's funds, in its drawer."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from providers.sdk.gateway import Drawer
from providers.wechatpay.institution import SHELF

OPENING_FUNDS_MINOR: Final = 10_000_00  # the merchant starts with something to pay out


@dataclass(slots=True, kw_only=True)
class Trade:
    """One order. Times are RFC 3339 texts, empty when not reached; amounts are fen."""

    number: str
    digest: str  # of the body that opened it: a repetition must be identical
    kind: str  # trade_type: NATIVE, JSAPI, MICROPAY
    title: str
    total: int
    attach: str
    notify_url: str
    created_at: str
    expires_at: str
    signer: str  # the key the merchant asked for; its notifications are signed with the same
    state: str = "NOTPAY"
    transaction_id: str = ""
    wallet: str = ""
    openid: str = field(default="", repr=False)
    paid_at: str = ""
    refunded: int = 0
    refunds: int = 0
    asked: int = 0  # queries since the payer was asked for a password

    @property
    def is_paid(self) -> bool:
        """Money was taken, whatever went back since."""
        return self.state in {"SUCCESS", "REFUND"}

    def is_payable(self, now: datetime) -> bool:
        """Open, and before its end. The end does not close it."""
        return self.state == "NOTPAY" and now < datetime.fromisoformat(self.expires_at)


@dataclass(slots=True, kw_only=True)
class Refund:
    """One refund of one trade."""

    number: str
    digest: str
    trade: str
    refund_id: str
    amount: int
    notify_url: str
    created_at: str
    due_at: str  # when a refund under way is through
    state: str = "PROCESSING"
    done_at: str = ""


@dataclass(slots=True, kw_only=True)
class Transfer:
    """One transfer to a user."""

    number: str
    digest: str
    bill_no: str
    openid: str = field(repr=False)
    amount: int
    remark: str
    notify_url: str
    created_at: str
    expires_at: str
    package: str = field(repr=False)
    signer: str
    state: str = "WAIT_USER_CONFIRM"
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a code, a prepay id or a bill's token stands for, and until when."""

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

    def trade_by_id(self, transaction_id: str) -> Trade | None:
        """By our own number."""
        return next((trade for trade in self.trades() if trade.transaction_id == transaction_id), None)

    def trades(self) -> Iterator[Trade]:
        """All of them."""
        return (Trade(**kept) for kept in self._all("trade"))

    def refund(self, number: str) -> Refund | None:
        """By the merchant's refund number."""
        kept = self._get("refund", number)
        return Refund(**kept) if kept else None

    def refunds(self) -> Iterator[Refund]:
        """All of them."""
        return (Refund(**kept) for kept in self._all("refund"))

    def transfer(self, number: str) -> Transfer | None:
        """By the merchant's number."""
        kept = self._get("transfer", number)
        return Transfer(**kept) if kept else None

    def transfers(self) -> Iterator[Transfer]:
        """All of them."""
        return (Transfer(**kept) for kept in self._all("transfer"))

    def save(self, record: Trade | Refund | Transfer) -> None:
        """Keep the record."""
        self._drawer.put(f"{SHELF}{type(record).__name__.lower()}/{record.number}", asdict(record))

    def issue(self, kind: str, text: str, number: str, until: datetime) -> None:
        """Let `text` stand for `number` until then."""
        self._drawer.put(f"{SHELF}{kind}/{text}", {"number": number, "until": until.isoformat()})

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
        self._drawer.put(f"{SHELF}merchant/funds", {"minor": self.funds + minor})

    @property
    def refunds_take(self) -> timedelta:
        """How long a refund is under way; at once unless set."""
        kept = self._get("merchant", "habits")
        return timedelta(seconds=int(kept["refunds_take_s"]) if kept else 0)

    def let_refunds_take(self, seconds: int) -> None:
        """From now on refunds answer PROCESSING and are through after that time."""
        self._drawer.put(f"{SHELF}merchant/habits", {"refunds_take_s": seconds})

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """Keep a fact about the merchant."""
        self._drawer.put(f"{SHELF}merchant/{name}", value)

    def noted(self, name: str, key: str) -> str:
        """Read it; empty when there is none."""
        return str((self._get("merchant", name) or {}).get(key, ""))

    def _get(self, kind: str, name: str) -> dict[str, Any] | None:
        return self._drawer.get(f"{SHELF}{kind}/{name}")

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        return (record for _, record in self._drawer.scan(f"{SHELF}{kind}/"))
