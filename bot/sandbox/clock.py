"""The one clock that host and gateways share in the sandbox: the machine's, plus what a person has advanced it."""

import asyncio
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.sdk.gateway import Drawer

ADVANCE_S_MAX: Final = 400 * 86_400  # beyond every refund window, below every overflow
_SLICE_S: Final = 3600.0  # longest wait in one piece, so that a machine that slept is noticed
_ALPHABET: Final = string.digits + string.ascii_letters


class SandboxClock:
    """Runs like the machine's clock and can be moved forward, never back.

    `moved` is called with the new offset in seconds before a sleeper wakes, so that the offset is durable first.
    """

    def __init__(
        self, offset_s: float = 0.0, moved: Callable[[float], None] = lambda _offset_s: None
    ) -> None:
        self._offset_s = offset_s
        self._moved = moved
        self._turn = asyncio.Event()

    @property
    def offset_s(self) -> float:
        """How far it is ahead of the machine."""
        return self._offset_s

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._offset_s)

    async def sleep(self, seconds: float) -> None:
        wake_at = self.now() + timedelta(seconds=seconds)
        while (left_s := (wake_at - self.now()).total_seconds()) > 0:
            try:
                async with asyncio.timeout(min(left_s, _SLICE_S)):
                    await self._turn.wait()
            except TimeoutError:
                continue

    def advance(self, seconds: float) -> None:
        """Move it forward and wake whoever is due."""
        if not 0 <= seconds <= ADVANCE_S_MAX:
            raise ValueError(f"The clock moves forward by 0 to {ADVANCE_S_MAX} seconds.")
        self._offset_s += seconds
        self._moved(self._offset_s)
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()


def wind(drawer: Drawer) -> SandboxClock:
    """The clock as an earlier run left it; every move is written down before anybody wakes."""
    record = drawer.get("offset") or {"seconds": 0}
    return SandboxClock(
        float(str(record["seconds"])), lambda offset_s: drawer.put("offset", {"seconds": offset_s})
    )


class MachineRandom:
    """The machine's own randomness, behind `providers.sdk.clock.Random`."""

    def text(self, length: int) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))
