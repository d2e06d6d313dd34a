"""Order books for proofs with whole processes: an empty one per case, copied from one that was migrated once."""

import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg

from bot.orders.book import open_book
from tests.orders import postgres


class Stores(Protocol):
    """`migrated` False gives a store that nobody has ever opened."""

    name: str

    async def fresh(self, folder: Path, *, migrated: bool = True) -> str: ...


class SqliteStores:
    """A file in the folder of the case."""

    name = "sqlite"

    def __init__(self, template: Path) -> None:
        self._template = template

    async def fresh(self, folder: Path, *, migrated: bool = True) -> str:
        if migrated:
            shutil.copy(self._template, folder / "book.db")
        return f"sqlite:///{folder}/book.db"


class PostgresStores:
    """A database of a private server."""

    name = "postgresql"

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def fresh(self, folder: Path, *, migrated: bool = True) -> str:
        name = f"case_{next(self._numbers)}"
        await self.make(name, "template_book" if migrated else "template1")
        return self.url(name)

    async def make(self, name: str, template: str) -> None:
        connection = await asyncpg.connect(host=str(self._socket), user="postgres", database="postgres")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        await connection.close()

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._socket}"


async def sqlite_stores(home: Path) -> SqliteStores:
    await _migrate(f"sqlite:///{home}/template.db")
    return SqliteStores(home / "template.db")


@asynccontextmanager
async def postgres_stores() -> AsyncIterator[PostgresStores]:
    """Starts a server, and stops it."""
    with postgres.server() as socket:
        stores = PostgresStores(socket)
        await stores.make("template_book", "template1")
        await _migrate(stores.url("template_book"))
        yield stores


async def _migrate(url: str) -> None:
    await (await open_book(url)).close()
