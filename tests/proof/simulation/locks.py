"""Who holds which row until the end of its transaction, who waits for it, and when that can never end."""

import asyncio
import sqlite3
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

Key = tuple[Hashable, ...]


class Deadlock(sqlite3.OperationalError):  # PostgreSQL's own word
    """Two transactions wait for each other; PostgreSQL ends one of them with this code (appendix A)."""

    sqlstate = "40P01"


@dataclass(eq=False)
class Holder:
    """One transaction, as the locks see it."""

    name: str
    held: set[Key] = field(default_factory=set)
    waits_for: "Holder | None" = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Locks:
    """Keys are rows, or values of a unique key that is being inserted."""

    def __init__(self) -> None:
        self._holders: dict[Key, Holder] = {}

    def taken(self, holder: Holder, key: Key) -> bool:
        """By another transaction."""
        return self._holders.get(key, holder) is not holder

    def hold(self, holder: Holder, keys: Iterable[Key]) -> None:
        """Until `release`. None of them is taken."""
        for key in keys:
            self._holders[key] = holder
            holder.held.add(key)

    async def wait(self, holder: Holder, key: Key) -> None:
        """Until whoever holds it has ended; then look again. Raises `Deadlock`."""
        other = self._holders[key]
        _check_circle(holder, other)
        holder.waits_for = other
        try:
            await other.ended.wait()
        finally:
            holder.waits_for = None

    def release(self, holder: Holder) -> None:
        """Its transaction has ended, one way or the other."""
        for key in holder.held:
            del self._holders[key]
        holder.held.clear()
        holder.ended.set()


def _check_circle(holder: Holder, other: Holder | None) -> None:
    while other is not None:
        if other is holder:
            raise Deadlock(f"{holder.name} waits for itself.")
        other = other.waits_for
