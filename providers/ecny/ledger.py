"""The simulated Huifu's books in the gateway's drawer: every payment and refund, and what each payer has spent."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, Literal

from pydantic import TypeAdapter

from providers.ecny import classes, wire
from providers.ecny.classes import Spending, WalletClass
from providers.sdk.clock import BEIJING, beijing
from providers.sdk.gateway import Drawer, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

State = Literal["open", "paying", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One number of the merchant's: a payment by merchant code or payer code, or a refund. Amount in fen."""

    number: str
    day: str
    kind: str  # D_NATIVE, D_MICROPAY, TRANS_REFUND
    amount: int
    notify_url: str
    reference: str  # Huifu's own number, hf_seq_id
    opened: str  # yyyyMMddHHmmss, as every time here
    asked: str  # the request that opened it, to know a repeat by
    title: str = ""
    expires: str = ""
    code: str = ""  # what the payer scans
    state: State = "open"
    wallet: str = ""
    ended: str = ""
    original: str = ""  # of a refund: the payment's id
    remark: str = ""
    returned: int = 0  # of a payment: what has gone back
    looks: int = 0  # how often a payer was found entering a password

    @property
    def id(self) -> str:
        """Number and day name it together."""
        return f"{self.day}-{self.number}"

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, "CNY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """One wallet as its operating institution knows it: its class, and what it paid on its last day and in its year."""

    wallet_class: WalletClass = WalletClass.II
    day: str = ""
    day_minor: int = 0
    year_minor: int = 0

    def spending(self, today: str) -> Spending:
        """What counts against its limits on that Beijing day, `yyyyMMdd`."""
        return Spending(
            today=self.day_minor if self.day == today else 0,
            this_year=self.year_minor if self.day[:4] == today[:4] else 0,
        )

    def after(self, today: str, amount_minor: int) -> "Payer":
        """The same payer, that amount later."""
        so_far = self.spending(today)
        return replace(
            self,
            day=today,
            day_minor=so_far.today + amount_minor,
            year_minor=so_far.this_year + amount_minor,
        )


_TRADE: Final = TypeAdapter(Trade)
_PAYER: Final = TypeAdapter(Payer)


class Ledger:
    """Trades by id and by code; payers by wallet."""

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

    def get(self, trade_id: str) -> Trade | None:
        """The trade of that day and number."""
        record = self._drawer.get(f"trade/{trade_id}")
        return None if record is None else _TRADE.validate_python(record)

    def put(self, trade: Trade) -> None:
        """Keep it, and what leads to it."""
        self._drawer.put(f"trade/{trade.id}", asdict(trade))
        self._drawer.put(f"number/{trade.number}", {"id": trade.id})
        for key in filter(None, (trade.code, trade.reference)):
            self._drawer.put(f"known/{key}", {"id": trade.id})

    def known_by(self, key: str) -> Trade | None:
        """The trade with that code, or with that number of Huifu's own."""
        record = self._drawer.get(f"known/{key}") if key else None
        return None if record is None else self.get(str(record["id"]))

    def has_number(self, number: str) -> bool:
        """Whether a merchant ever used that number."""
        return self._drawer.get(f"number/{number}") is not None

    def payer(self, wallet: Wallet) -> Payer:
        """The payer behind a wallet; of class II until the drawer says otherwise (`payer/<wallet>`)."""
        record = self._drawer.get(f"payer/{wallet}")
        return Payer() if record is None else _PAYER.validate_python(record)

    def check_limits(self, wallet: Wallet, amount_minor: int, now: datetime) -> None:
        """Raise `PurseRefused` when the wallet's class may not pay that much now."""
        payer = self.payer(wallet)
        limits = classes.limits_on(payer.wallet_class, now.astimezone(BEIJING).date())
        spending = payer.spending(beijing(now, wire.DAY))
        why = classes.objection(limits, amount_minor, spending) if limits else None
        if why is not None:
            raise PurseRefused(why)

    def check_balance(self, wallet_class: WalletClass, would_hold_minor: int, now: datetime) -> None:
        """Raise `PurseRefused` when a wallet of that class may not hold that much now."""
        limits = classes.limits_on(wallet_class, now.astimezone(BEIJING).date())
        why = classes.balance_objection(limits, would_hold_minor) if limits else None
        if why is not None:
            raise PurseRefused(why)

    def put_in_class(self, wallet: Wallet, wallet_class: WalletClass) -> None:
        """What it has paid today and this year still counts."""
        self._drawer.put(f"payer/{wallet}", asdict(replace(self.payer(wallet), wallet_class=wallet_class)))

    def spend(self, wallet: Wallet, amount_minor: int, now: datetime) -> None:
        """Count a payment against the payer's limits. A refund gives nothing of them back."""
        payer = self.payer(wallet).after(beijing(now, wire.DAY), amount_minor)
        self._drawer.put(f"payer/{wallet}", asdict(payer))
