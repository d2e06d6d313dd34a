"""The order book's store: one engine, short transactions, the same code on SQLite and PostgreSQL.

SQLite: a file on a local disk, WAL, every commit on the disk before it returns (`synchronous=FULL`), one writer at a
time. PostgreSQL: rows are locked as they are read for change, workers skip what others hold.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.orders.migrations import migrate

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_TRIES: Final = 5
_PAUSE_S: Final = 0.02
_BUSY_MS: Final = 5000
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
# A line that falls silent without a word is left in bounded time, here and at the server, which would keep the locks of
# a vanished host for hours (PostgreSQL, 20.11.1). A migration's longest statement has its minute.
_POSTGRESQL: Final[dict[str, Any]] = {
    "pool_pre_ping": True,
    "pool_timeout": 10,
    "connect_args": {
        "timeout": 5,
        "command_timeout": 60,
        "server_settings": {"idle_in_transaction_session_timeout": "60000"},
    },
}
# Serialization failure, deadlock (PostgreSQL, appendix A): rolled back for certain, to be done again whole.
_REPEATABLE: Final = frozenset({"40001", "40P01"})


class StaleError(Exception):
    """Somebody else changed the order since it was read. Nothing was written; do the whole change again."""


class BookAwayError(ConnectionError):
    """No connection to the store could be made. Nothing was written; the same may be tried again later."""


class Book:
    """Transactions on the order book. Give it an engine whose schema is in place, or use `open_book`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.single_writer = engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock()
        self._write_failed = False
        if self.single_writer:
            _prepare_sqlite(engine)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction; a lost race is run again from the start, a few times at most."""
        for tried in range(1, _TRIES + 1):
            try:
                return await self._write_once(work)
            except (DBAPIError, StaleError) as error:
                self._write_failed |= isinstance(error, DBAPIError)
                if tried == _TRIES or not _worth_repeating(error):
                    raise
            await asyncio.sleep(_PAUSE_S * tried)
        raise AssertionError("unreachable: the last try returns or raises")

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent view; it must not write."""
        async with _reached(), self._engine.connect() as plain:
            connection = await plain.execution_options(moongate_reads=True)
            async with connection.begin():
                return await work(connection)

    async def check(self) -> None:
        """For a supervisor: raises SQLAlchemy's errors when the store does not answer, or takes no more writes.

        A full or read-only disk still reads, so after a write that failed another one is tried, which changes nothing.
        """
        await self.read(_ask)
        if self._write_failed:
            await self.write(_touch)
            self._write_failed = False

    async def close(self) -> None:
        """Give the connections back. Nothing is lost by not calling this."""
        await self._engine.dispose()

    async def _write_once(self, work: Work[T]) -> T:
        if not self.single_writer:
            async with _reached(), self._engine.begin() as connection:
                return await work(connection)
        async with self._turn, self._engine.begin() as connection:
            return await work(connection)


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    """While it connects, the driver lets errors of the network through as they are."""
    try:
        yield
    except OSError as error:
        raise BookAwayError(f"The order book cannot be reached ({type(error).__name__}).") from error


async def open_book(url: str) -> Book:
    """Open the book at `sqlite:///path` or `postgresql://…`, and bring its schema up to date.

    Raises `SchemaError` for a store of a newer program, and SQLAlchemy's errors when there is no store to reach.
    """
    engine = new_engine(url)
    if engine.dialect.name == "sqlite":
        _own_file(engine.url)
    book = Book(engine)
    try:
        await book.write(_migrate)
    except BaseException:
        await engine.dispose()
        raise
    return book


def new_engine(url: str) -> AsyncEngine:
    """An engine on a store as it is; nothing is opened or made yet."""
    parsed = make_url(url)
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    return create_async_engine(parsed, **(_POSTGRESQL if parsed.get_backend_name() != "sqlite" else {}))


async def insert_once(connection: AsyncConnection, table: Table, **values: Any) -> bool:  # noqa: ANN401  # the values of any column
    """Insert unless a unique key already has it; True when this call did."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    result = await connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
    return result.rowcount == 1


async def _ask(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))


async def _touch(connection: AsyncConnection) -> None:
    await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


async def _migrate(connection: AsyncConnection) -> None:
    await connection.run_sync(migrate)


def _own_file(url: URL) -> None:
    """The book is nobody else's to read."""
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _worth_repeating(error: DBAPIError | StaleError) -> bool:
    if isinstance(error, StaleError):
        return True
    code = getattr(error.orig, "sqlstate", None)
    return code in _REPEATABLE or "database is locked" in str(error.orig)


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  # a driver's own type
        # The driver's own BEGIN comes late and deferred, and not at all before schema changes; ours comes first.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A reader that later writes can lose its place; a writer says so at once.
        reads = connection.get_execution_options().get("moongate_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
