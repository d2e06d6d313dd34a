"""Collects what one call changed and writes it in one piece, so that a kill never leaves half an effect."""

from collections.abc import Iterator

from bot.sandbox.telegram.records import Records

_ROOT = "telegram/"


class Journal:
    """Records below one prefix, with counters. Nothing is durable before `commit`."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._pending: dict[str, bytes | None] = {}
        self._counters: dict[str, int] = {
            key.removeprefix("counter/"): int(value) for key, value in self.scan("counter/")
        }

    def put(self, key: str, value: bytes) -> None:
        """Keep a value with the next commit."""
        self._pending[key] = value

    def drop(self, key: str) -> None:
        """Delete with the next commit."""
        self._pending[key] = None

    def get(self, key: str) -> bytes | None:
        """The value, with what is not committed yet."""
        if key in self._pending:
            return self._pending[key]
        return self._records.get(_ROOT + key)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Committed values by key; read once, at the start."""
        for key, value in self._records.scan(_ROOT + prefix):
            yield key.removeprefix(_ROOT), value

    def count(self, name: str, first: int = 1) -> int:
        """The next number of that name; `first` when there was none."""
        number = self._counters.get(name, first - 1) + 1
        self._counters[name] = number
        self.put(f"counter/{name}", str(number).encode())
        return number

    def counted(self, name: str) -> int:
        """The last number given out, or 0."""
        return self._counters.get(name, 0)

    def commit(self) -> None:
        """Make everything since the last commit durable at once."""
        if self._pending:
            self._records.write({_ROOT + key: value for key, value in self._pending.items()})
            self._pending = {}

    def drop_all(self, prefix: str) -> None:
        """Delete everything that starts so with the next commit."""
        for key, _ in self.scan(prefix):
            self.drop(key)
