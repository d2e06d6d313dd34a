"""Payers' codes between the moment they are read and the moment they are sent: in this process's memory, for a minute.

They are in no store, no session and no log. A page holds a slip; in another process, or after a restart, the slip is
worth nothing, and the customer shows a fresh code.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from providers.sdk.clock import Clock, Random
from providers.sdk.codes import PayerCode
from providers.sdk.wallets import Wallet

_LIVES: Final = timedelta(seconds=60)  # as long as a wallet shows one
_KEPT_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Charge:
    """A page's wish: this code pays the order of that key."""

    order_key: str
    app_id: str
    slip: str
    wallet: Wallet


@dataclass(frozen=True, slots=True)
class PlacedCharge:
    """The same, once its order is in the book."""

    order_id: str
    slip: str
    wallet: Wallet


@dataclass(frozen=True, slots=True)
class _Kept:
    code: PayerCode
    app_id: str
    user_id: int
    until: datetime


@dataclass(slots=True)
class Pocket:
    """One per process. A slip counts for the program and the person it was given to."""

    clock: Clock = field(repr=False)
    random: Random = field(repr=False)
    _kept: dict[str, _Kept] = field(default_factory=dict, repr=False)

    def put(self, code: PayerCode, app_id: str, user_id: int) -> str:
        """The slip for a code. The oldest go when there are too many."""
        now = self.clock.now()
        self._kept = {slip: kept for slip, kept in self._kept.items() if now < kept.until}
        while len(self._kept) >= _KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        slip = self.random.text(16)
        self._kept[slip] = _Kept(code, app_id, user_id, now + _LIVES)
        return slip

    def look(self, slip: str, app_id: str, user_id: int) -> PayerCode | None:
        """The code, for its owner; None when it is too old, was sent, or is somebody else's."""
        kept = self._kept.get(slip)
        mine = kept is not None and (kept.app_id, kept.user_id) == (app_id, user_id)
        return kept.code if kept and mine and self.clock.now() < kept.until else None

    def take(self, slip: str) -> SecretStr | None:
        """The digits, to be sent at once: afterwards the slip is worth nothing."""
        kept = self._kept.pop(slip, None)
        return kept.code.code if kept and self.clock.now() < kept.until else None
