"""Stores for the order book's tests: SQLite always, PostgreSQL where there is a server."""

import asyncio
import itertools
import shutil
from pathlib import Path

import asyncpg
import pytest

from bot.orders.book import open_book
from bot.orders.recovery import Recovery
from bot.orders.tide import Marks
from tests.orders import postgres
from tests.orders.shop import Shop

BOTH_STORES = [
    "sqlite",
    pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres")]),
]
_databases = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_socket():
    if postgres.binaries() is None:
        pytest.skip(postgres.NO_SERVER)
    with postgres.server() as folder:
        yield folder


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory):
    """An empty book to copy: migrating once is enough for most tests."""
    path = tmp_path_factory.mktemp("fresh") / "book.db"
    asyncio.run(_make(f"sqlite:///{path}"))
    return path


async def _make(url):
    book = await open_book(url)
    await book.close()


@pytest.fixture(params=["sqlite"])
async def empty_url(request, tmp_path):
    """A store that has never been opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/book.db"
    folder = request.getfixturevalue("postgres_socket")
    name = f"book_{next(_databases)}"
    connection = await asyncpg.connect(host=str(folder), user="postgres", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://postgres@/{name}?host={folder}"


@pytest.fixture
def store_url(empty_url, request):
    """An empty store. Ask for both with `indirect` parametrization of `empty_url` by BOTH_STORES."""
    if empty_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("fresh_file"), empty_url.removeprefix("sqlite:///"))
    return empty_url


@pytest.fixture
async def shop(store_url):
    shop = await Shop.opened(store_url)
    yield shop
    await shop.check_books()
    await shop.close()


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return Marks(folder)


@pytest.fixture
def keeper(shop, marks):
    """The host's recovery, of the process that is open now."""
    return lambda: Recovery(shop.checkout, marks)


@pytest.fixture
def backup(shop, tmp_path):
    """`take` a copy of the book, `put` it back, as an operator would while the host is down."""
    file, copy = Path(shop.url.removeprefix("sqlite:///")), tmp_path / "backup.db"

    class Backup:
        async def take(self):
            await shop.book.close()
            shutil.copy(file, copy)
            await shop.restart()

        async def put(self):
            await shop.book.close()
            for end in ("", "-wal", "-shm"):
                file.with_name(file.name + end).unlink(missing_ok=True)
            shutil.copy(copy, file)
            # What the chat was shown and institutions were told of the lost hours is nothing the book can know.
            shop.acknowledged.clear()
            shop.teller.shown.clear()
            await shop.restart()

    return Backup()
