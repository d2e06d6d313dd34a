"""The order book in memory, on the caller's own thread: the same tables and statements, a tenth of the time.

The schema is made by the migrations once per process, and its image is copied into every new book. Statements are
compiled once per process, too. No state of a book outlives it.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, ScalarResult, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import StaticPool

from bot.orders.book import Book, Work
from bot.orders.migrations import migrate

T = TypeVar("T")


class MemoryBook(Book):
    """A `Book` whose transactions run to their end without letting anybody else in."""

    def __init__(self) -> None:
        form = _form()
        self.single_writer = True
        self._turn = asyncio.Lock()
        self._file = _sqlite(form.image)
        engine = Engine(
            StaticPool(lambda: cast("Any", self._file)),
            form.dialect,
            form.url,
            execution_options={"compiled_cache": form.compiled},
        )
        self._connection = engine.connect()

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction."""
        async with self._turn:
            return await self._run(work, "BEGIN IMMEDIATE")

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent view; inside a writer it sees what that has written."""
        if self._connection.in_transaction():
            return await work(_Direct.on(self._connection))
        return await self._run(work, "BEGIN")

    async def close(self) -> None:
        """Everything is forgotten."""
        self._connection.close()
        self._file.close()

    async def _run(self, work: Work[T], begin: str) -> T:
        with self._connection.begin():
            self._connection.exec_driver_sql(begin)
            return await work(_Direct.on(self._connection))


@dataclass(frozen=True, slots=True)
class _Direct:
    """What the order book asks of an `AsyncConnection`, answered at once."""

    connection: Connection

    @classmethod
    def on(cls, connection: Connection) -> AsyncConnection:
        return cast("AsyncConnection", cls(connection))

    @property
    def dialect(self) -> Dialect:
        return self.connection.dialect

    async def execute(
        self, statement: Executable, parameters: Sequence[dict[str, Any]] | dict[str, Any] | None = None
    ) -> CursorResult[Any]:
        return cast("CursorResult[Any]", self.connection.execute(statement, parameters))

    async def scalar(self, statement: Executable) -> Any:  # noqa: ANN401  # the value of any column
        return self.connection.scalar(statement)

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        return self.connection.scalars(statement)


@dataclass(frozen=True, slots=True)
class _Form:
    """What all books of a process are copied from."""

    image: bytes = field(repr=False)
    dialect: Dialect
    url: URL
    compiled: dict[Any, Any] = field(default_factory=dict, repr=False)


@cache
def _form() -> _Form:
    file = _sqlite(None)
    engine = create_engine("sqlite://", creator=lambda: file, poolclass=StaticPool)
    with engine.begin() as connection:
        migrate(connection)
    image = file.serialize()
    engine.dispose()
    return _Form(image, engine.dialect, engine.url)


def _sqlite(image: bytes | None) -> sqlite3.Connection:
    # The world may be closed by another thread than made it; only ever one of them uses it.
    file = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if image is not None:
        file.deserialize(image)
    file.execute("PRAGMA foreign_keys = ON")
    return file
