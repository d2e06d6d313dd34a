"""Stores for the order book's tests: SQLite always, PostgreSQL where there is a server."""

import itertools

import asyncpg
import pytest

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


@pytest.fixture(params=["sqlite"])
async def store_url(request, tmp_path):
    """An empty store. Ask for both with `indirect` parametrization by BOTH_STORES."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/book.db"
    folder = request.getfixturevalue("postgres_socket")
    name = f"book_{next(_databases)}"
    connection = await asyncpg.connect(host=str(folder), user="postgres", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://postgres@/{name}?host={folder}"


@pytest.fixture
async def shop(store_url):
    shop = await Shop.opened(store_url)
    yield shop
    await shop.check_books()
    await shop.close()
