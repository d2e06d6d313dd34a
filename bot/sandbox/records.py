"""One SQLite file that holds the whole sandbox world, so that a killed sandbox goes on where it was.

A write is in the file when the call returns. WAL with `synchronous=NORMAL` survives the death of the process at any
point; the death of the machine may cost the last moments, which a play world can bear.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS record (room TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (room, key))"
    " WITHOUT ROWID"
)
_LAST: Final = "\U0010ffff"  # sorts behind every key that starts as asked


class SandboxRecords:
    """The file. Rooms keep their owners apart; all of it is used from one event loop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute("PRAGMA busy_timeout=2000")
        self._file.execute(_TABLE)

    def close(self) -> None:
        """Nothing can be read or written afterwards."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def room(self, name: str) -> "Room":
        """The bytes of one owner; the shape the Bot API emulator asks for."""
        return Room(self, name)

    def drawer(self, name: str) -> "JsonRoom":
        """The JSON records of one owner; the shape gateways ask for."""
        return JsonRoom(Room(self, name))

    @contextmanager
    def together(self) -> Iterator[None]:
        """All writes inside, of any room, or none of them. Nests; the outermost decides. No `await` inside."""
        if self._file.in_transaction:
            yield
            return
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def get(self, room: str, key: str) -> bytes | None:
        """The value, or None."""
        found = self._file.execute(
            "SELECT value FROM record WHERE room = ? AND key = ?", (room, key)
        ).fetchone()
        return None if found is None else bytes(found[0])

    def scan(self, room: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Keys that start so, in key order, over a snapshot: the reader may write meanwhile."""
        rows = self._file.execute(
            "SELECT key, value FROM record WHERE room = ? AND key >= ? AND key < ? ORDER BY key",
            (room, prefix, prefix + _LAST),
        ).fetchall()
        yield from ((key, bytes(value)) for key, value in rows)

    def write(self, room: str, changes: Mapping[str, bytes | None]) -> None:
        """All of these or none of them; None deletes."""
        with self.together():
            for key, value in changes.items():
                if value is None:
                    self._file.execute("DELETE FROM record WHERE room = ? AND key = ?", (room, key))
                else:
                    self._file.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (room, key, value))

    def clear(self, room: str) -> None:
        """Empty one room."""
        self._file.execute("DELETE FROM record WHERE room = ?", (room,))


class Room:
    """Bytes by key in one room (`bot.sandbox.telegram.records.Records`)."""

    def __init__(self, records: SandboxRecords, name: str) -> None:
        self._records, self._name = records, name

    def get(self, key: str) -> bytes | None:
        return self._records.get(self._name, key)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        return self._records.scan(self._name, prefix)

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        self._records.write(self._name, changes)

    def clear(self) -> None:
        """Empty it."""
        self._records.clear(self._name)


class JsonRoom:
    """JSON records by key in one room (`providers.sdk.gateway.Drawer`)."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def get(self, key: str) -> dict[str, object] | None:
        text = self._room.get(key)
        return None if text is None else _record(text)

    def put(self, key: str, value: Mapping[str, object]) -> None:
        self._room.write({key: json.dumps(dict(value), ensure_ascii=False).encode()})

    def scan(self, prefix: str) -> Iterator[tuple[str, dict[str, object]]]:
        for key, text in self._room.scan(prefix):
            yield key, _record(text)

    def drop(self, key: str) -> None:
        """Delete; a key that is not there is no error."""
        self._room.write({key: None})

    def clear(self) -> None:
        """Empty it."""
        self._room.clear()


def _record(text: bytes) -> dict[str, object]:
    record: dict[str, object] = json.loads(text)
    return record
