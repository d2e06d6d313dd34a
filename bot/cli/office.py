"""What an operator's command stands on: the order book, and where it must speak to institutions, the same checkout.

Several processes may share one store: the host serves, and a command changes an order beside it. The store decides who
is first, the numbers keep a call from happening twice, and the host's worker goes on with whatever a command began.
"""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.catalogue import read_catalogue
from bot.cli.front import show_refusals
from bot.errors import NotReadyError
from bot.settings import Settings, read_merchants
from bot.stores import StoreError, database_url

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.book import Book
    from bot.orders.checkout import Checkout

T = TypeVar("T")


def book_file(settings: Settings) -> Path | None:
    """The SQLite file of the order book, or None for PostgreSQL. Raises `NotReadyError` when there is no such file."""
    url = make_url(database_url(settings))
    if url.get_backend_name() != "sqlite":
        return None
    path = Path(url.database or "")
    if not path.is_file():
        raise NotReadyError(
            f"There is no order book at {path}: set DATA_DIR or DATABASE_URL to the host's own, or start the host once. "
            "The sandbox keeps its own in the folder `sandbox` of DATA_DIR."
        )
    return path


@asynccontextmanager
async def opened_book(settings: Settings) -> "AsyncIterator[Book]":
    """The book of a host that has run. Raises `NotReadyError` or `StoreError`."""
    from bot.orders.book import open_book  # noqa: PLC0415  # heavy
    from bot.orders.migrations import SchemaError  # noqa: PLC0415  # with it

    book_file(settings)
    try:
        book = await open_book(database_url(settings))
    except SchemaError as error:
        raise StoreError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(
            f"The order book does not open ({type(error).__name__}): check DATABASE_URL and that the server runs."
        ) from error
    try:
        yield book
    finally:
        await book.close()


@asynccontextmanager
async def opened_checkout(settings: Settings) -> "AsyncIterator[Checkout]":
    """The till with every configured account, joined as the host joins it. Raises `ConfigurationError` too."""
    from bot.app import Outside, build_accounts  # noqa: PLC0415  # heavy
    from bot.machine import MachineClock, MachineRandom  # noqa: PLC0415  # with it
    from bot.orders.checkout import Checkout  # noqa: PLC0415  # with it
    from bot.transport import close_client, open_client  # noqa: PLC0415  # with it

    catalogue = show_refusals(read_catalogue())
    merchants = read_merchants(settings, catalogue.plugins)
    outside = Outside(clock=MachineClock(), random=MachineRandom(), merchants=merchants)
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(opened_book(settings))
        client = open_client()
        stack.push_async_callback(close_client, client)
        accounts = build_accounts(settings, catalogue.plugins, outside, client)
        yield Checkout(book, accounts, clock=outside.clock, random=outside.random)


def with_book(settings: Settings, work: "Callable[[Book], Awaitable[T]]") -> T:
    """Run `work` on the book."""

    async def run() -> T:
        async with opened_book(settings) as book:
            return await work(book)

    return asyncio.run(run())


def with_checkout(settings: Settings, work: "Callable[[Checkout], Awaitable[T]]") -> T:
    """Run `work` with the whole till."""

    async def run() -> T:
        async with opened_checkout(settings) as checkout:
            return await work(checkout)

    return asyncio.run(run())


def actor() -> str:
    """Who is at the terminal, for the audit."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return "operator"
