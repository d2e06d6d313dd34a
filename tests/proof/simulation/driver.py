"""How the book reaches the store: connections of the shape of aiosqlite's, and a dialect that says `FOR UPDATE`.

Before each statement and each commit some virtual time passes. A host that was killed gets no further: its next
statement never comes back, and what it had not committed is forgotten.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Self

from sqlalchemy import AsyncAdaptedQueuePool, Engine, make_url
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.proof.simulation.store import FOR_UPDATE, SKIP_LOCKED, Answer, Store

Pause = Callable[[str], Awaitable[None]]


class LockingCompiler(SQLiteCompiler):
    def for_update_clause(self, select, **kw):
        return f" {SKIP_LOCKED if select._for_update_arg.skip_locked else FOR_UPDATE}"


class LockingDialect(SQLiteDialect_aiosqlite):
    """SQLite's words, PostgreSQL's locks: the book takes it for a store with many writers."""

    name = "seeded"
    statement_compiler = LockingCompiler
    supports_statement_cache = True


class Cursor:
    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._answer = Answer()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self):
        return self._answer.description

    @property
    def rowcount(self) -> int:
        return self._answer.changed

    @property
    def lastrowid(self) -> int | None:
        return None

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        self._answer = await self._connection.run(sql, parameters)

    async def executemany(self, sql: str, many: Any) -> None:
        for parameters in many:
            await self.execute(sql, parameters)

    async def fetchall(self):
        return self._answer.rows

    async def close(self) -> None:
        pass


class Connection:
    """`pause` lets time pass, writes the trace, and does not return to a dead host."""

    def __init__(self, store: Store, pause: Pause) -> None:
        self._store, self._pause = store, pause
        self._transaction = None
        self._conn, self._tx = SimpleNamespace(isolation_level=None), self
        self._connection = self  # aiosqlite's sign that it is open

    def cursor(self) -> Cursor:
        return Cursor(self)

    async def run(self, sql: str, parameters: Any) -> Answer:
        if sql.startswith("PRAGMA"):
            return Answer()
        self._transaction = self._transaction or self._store.begin()
        if sql == "BEGIN":
            return Answer()
        await self._pause(" ".join(sql.split()[:4]))
        if sql == "BEGIN IMMEDIATE":
            await self._store.take_everything(self._transaction)
            return Answer()
        return await self._store.run(self._transaction, sql, parameters)

    async def commit(self) -> None:
        if self._transaction is None:
            return
        if self._transaction.writes:
            await self._pause("COMMIT")
        self._store.commit(self._transaction)
        self._transaction = None

    async def rollback(self) -> None:
        if self._transaction is not None:
            self._store.forget(self._transaction)
            self._transaction = None

    async def close(self) -> None:
        await self.rollback()

    def stop(self) -> None:
        """Asked of a connection that nobody waits for."""

    def put_nowait(self, work: tuple[asyncio.Future[None], Callable[[], None]]) -> None:
        """aiosqlite's queue to its thread; there is no thread here."""
        future, function = work
        function()
        future.set_result(None)


@functools.cache
def _dialect(*, single_writer: bool) -> SQLiteDialect_aiosqlite:
    """One for all worlds: what it has compiled once is not compiled again."""
    kind = SQLiteDialect_aiosqlite if single_writer else LockingDialect
    return kind(dbapi=kind.import_dbapi())


_COMPILED: dict[Any, Any] = {}


def engine_on(store: Store, pause: Pause, *, single_writer: bool) -> AsyncEngine:
    """An engine of one host. Its pool is larger than any need: one that is used up would hide the locks behind it."""
    dialect = _dialect(single_writer=single_writer)

    async def connect() -> Connection:
        return Connection(store, pause)

    pool = AsyncAdaptedQueuePool(
        lambda: dialect.connect(async_creator_fn=connect), dialect=dialect, pool_size=50
    )
    url = make_url(f"{dialect.name}+aiosqlite://")
    return AsyncEngine(Engine(pool, dialect, url, execution_options={"compiled_cache": _COMPILED}))
