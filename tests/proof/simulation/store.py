"""One store for all hosts of a world: real SQL of the real book, run in the loop's own thread.

A transaction is kept as the list of its writes. Each statement sees what others have committed by then, and its own
writes: they are done again, the statement is run, and all is rolled back; at the end they are done once more and
committed. That is PostgreSQL's READ COMMITTED, statement by statement, with its row locks: a writer, `FOR UPDATE`, and
an insert of a key that somebody else is inserting wait for the other's end, `SKIP LOCKED` does not, and a circle of
waiting is a deadlock. As SQLite (`single_writer`), `BEGIN IMMEDIATE` takes the whole store instead.

What it cannot show: snapshots that last a whole transaction (SQLite's readers have them, here they see more),
partial unique indexes before the commit, disks, and what the server does to a connection. For those the real servers
are killed elsewhere.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, UniqueConstraint

from bot.orders.schema import metadata
from tests.proof.simulation.locks import Holder, Key, Locks

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Any]]

FOR_UPDATE = "/* FOR UPDATE */"
SKIP_LOCKED = "/* FOR UPDATE SKIP LOCKED */"
WHOLE_STORE: Key = ("everything",)

_FROM = re.compile(r"\bFROM (\w+)")
_TARGET = re.compile(r"\s*(INSERT INTO|INSERT OR \w+ INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """Of one statement."""

    rows: list[Row] = field(default_factory=list)
    description: Sequence[Any] | None = None
    changed: int = -1


@dataclass
class Transaction:
    """Not yet committed."""

    holder: Holder
    writes: list[Statement] = field(default_factory=list)


class Store:
    """Give it a fresh book as bytes. `committed` is called with the database after every commit that wrote."""

    def __init__(self, fresh: bytes, *, checks: bool = True, row_locks: bool = True) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self._db.deserialize(fresh)
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute(f"PRAGMA ignore_check_constraints = {'OFF' if checks else 'ON'}")
        self._row_locks = row_locks
        self._locks = Locks()
        self._begun = 0
        self.committed: Callable[[sqlite3.Connection], None] = lambda _: None

    def begin(self) -> Transaction:
        """Nothing happens yet."""
        self._begun += 1
        return Transaction(Holder(f"transaction {self._begun}"))

    async def take_everything(self, transaction: Transaction) -> None:
        """SQLite's `BEGIN IMMEDIATE`."""
        await self._hold(transaction, lambda: [WHOLE_STORE])

    async def run(self, transaction: Transaction, sql: str, parameters: Sequence[Any]) -> Answer:
        """One statement. Raises what SQLite raises, or `Deadlock`."""
        if sql.lstrip().upper().startswith("SELECT"):
            return await self._select(transaction, sql, parameters)
        return await self._write(transaction, sql, parameters)

    def commit(self, transaction: Transaction) -> None:
        """All of it, or, when the store refuses it, nothing."""
        try:
            if transaction.writes:
                self._commit(transaction.writes)
                self.committed(self._db)
        finally:
            self.forget(transaction)

    def forget(self, transaction: Transaction) -> None:
        """Rolled back, or its host is dead."""
        transaction.writes.clear()
        self._locks.release(transaction.holder)

    def close(self) -> None:
        """The world is over."""
        self._db.close()

    async def _select(self, transaction: Transaction, sql: str, parameters: Sequence[Any]) -> Answer:
        if not self._row_locks or not sql.rstrip().endswith((FOR_UPDATE, SKIP_LOCKED)):
            return self._privately(transaction, sql, parameters)
        found = _FROM.search(sql)
        assert found is not None, sql
        named = re.sub("^SELECT ", f"SELECT {found[1]}.rowid, ", sql.lstrip())
        if sql.rstrip().endswith(SKIP_LOCKED):
            answer = self._privately(transaction, named, parameters)
            free = [
                row for row in answer.rows if not self._locks.taken(transaction.holder, (found[1], row[0]))
            ]
            self._locks.hold(transaction.holder, [(found[1], row[0]) for row in free])
            return _without_rowid(answer, free)
        answer = Answer()

        def look() -> list[Key]:
            nonlocal answer
            answer = self._privately(transaction, named, parameters)
            return [(found[1], row[0]) for row in answer.rows]

        await self._hold(transaction, look)
        return _without_rowid(answer, answer.rows)

    async def _write(self, transaction: Transaction, sql: str, parameters: Sequence[Any]) -> Answer:
        found = _TARGET.match(sql)
        assert found is not None, sql
        assert "RETURNING" not in sql, "The book's writes return nothing here."
        table = metadata.tables[found[2]]
        answer = Answer()

        def look() -> list[Key]:
            nonlocal answer
            answer = self._privately(transaction, f"{sql} RETURNING rowid, *", parameters)
            inserts = found[1].upper().startswith("INSERT")
            keys = [(table.name, row[0]) for row in answer.rows]
            return [key for row in answer.rows for key in _unique_keys(table, row[1:])] if inserts else keys

        await self._hold(transaction, look)
        transaction.writes.append((sql, parameters))
        return Answer(changed=len(answer.rows))

    async def _hold(self, transaction: Transaction, look: Callable[[], list[Key]]) -> None:
        while True:
            keys = look()
            taken = next((key for key in keys if self._locks.taken(transaction.holder, key)), None)
            if taken is None:
                self._locks.hold(transaction.holder, keys)
                return
            await self._locks.wait(transaction.holder, taken)

    def _privately(self, transaction: Transaction, sql: str, parameters: Sequence[Any]) -> Answer:
        self._db.execute("BEGIN")
        try:
            for write in transaction.writes:
                self._db.execute(*write)
            cursor = self._db.execute(sql, parameters)
            return Answer(cursor.fetchall(), cursor.description)
        finally:
            self._db.execute("ROLLBACK")

    def _commit(self, writes: Sequence[Statement]) -> None:
        self._db.execute("BEGIN")
        try:
            for write in writes:
                self._db.execute(*write)
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _without_rowid(answer: Answer, rows: Sequence[Row]) -> Answer:
    assert answer.description is not None
    return Answer([row[1:] for row in rows], answer.description[1:])


def _unique_keys(table: Table, values: Row) -> list[Key]:
    by_name = dict(zip((column.name for column in table.columns), values, strict=True))
    keys = [tuple(column.name for column in table.primary_key.columns)]
    keys += [
        tuple(column.name for column in one.columns)
        for one in table.constraints
        if isinstance(one, UniqueConstraint)
    ]
    return [
        (table.name, *names, *(by_name[name] for name in names))
        for names in sorted(keys)
        if names != ("id",) and None not in [by_name[name] for name in names]
    ]
