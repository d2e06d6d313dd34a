"""Where the emulator keeps its world: bytes by key. A killed sandbox comes back with what stands here."""

from collections.abc import Iterator, Mapping
from typing import Protocol


class Records(Protocol):
    """A durable map. The sandbox gives one on SQLite, the tests one in memory."""

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        ...

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Keys that start so, in key order, with their values."""
        ...

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        """All of these or none of them; None deletes. What is written survives a kill right after."""
        ...


class MemoryRecords:
    """Records for tests. A second emulator on the same object is the sandbox after a restart."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        return self._values.get(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Over a snapshot, so that the caller may write meanwhile."""
        yield from [(key, self._values[key]) for key in sorted(self._values) if key.startswith(prefix)]

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        """Apply at once: nothing runs in between on one event loop."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
