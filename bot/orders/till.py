"""What every part of the checkout stands on: the book, the accounts, the clock, and the one way to change an order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import rows
from bot.orders.audit import Cause
from bot.orders.book import Book
from bot.orders.numbers import new_number
from bot.orders.order import Attempt, Order, Refund
from bot.orders.ports import Account, Watch
from bot.orders.posting import Posting
from bot.orders.routing import Route
from bot.orders.takings import Takings
from providers.sdk.clock import BEIJING, Clock, Random

T = TypeVar("T")


class UnknownOrderError(LookupError):
    """No order of that id, or no attempt or refund of that number, is in the book."""


class Bell:
    """Wakes the worker's loops after a commit; a lost ring only costs the wait until they look by themselves."""

    def __init__(self) -> None:
        self._ears: list[asyncio.Event] = []

    def ear(self) -> asyncio.Event:
        """An event that is set at every ring."""
        event = asyncio.Event()
        self._ears.append(event)
        return event

    def ring(self) -> None:
        """There is something to do."""
        for event in self._ears:
            event.set()


class Till:
    """Shared by the parts of the checkout of one process."""

    def __init__(
        self, book: Book, accounts: Iterable[Account], clock: Clock, random: Random, watch: Watch
    ) -> None:
        self.book = book
        self.accounts: Mapping[tuple[str, str], Account] = {
            (account.provider_id, account.name): account for account in accounts
        }
        self.clock = clock
        self.random = random
        self.watch = watch
        self.bell = Bell()
        self.takings = Takings(book, tuple(self.accounts.values()), clock)
        for account in self.accounts.values():
            account.pulse.tell(partial(watch.count, "account_down", account.provider_id))
        self.closed = ""  # why no new money is moved; empty while the till is open
        self._held: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def draw_number(self) -> str:
        """A number of ours, never used before."""
        return new_number(self.clock.now(), self.random)

    def account_of(self, attempt: Attempt) -> Account | None:
        """The account an attempt was made with; None when it is no longer configured."""
        return self.accounts.get((attempt.provider, attempt.account))

    def routes(self) -> tuple[Route, ...]:
        """The accounts as routing sees them now."""
        now = self.clock.now()
        return tuple(self._route(account, now) for account in self.accounts.values())

    @asynccontextmanager
    async def hold(self, order_id: str) -> AsyncIterator[None]:
        """One caller at a time per order in this process, also across calls to an institution.

        Only saves needless calls and makes a double tap wait for the first; between processes the store decides.
        """
        lock = self._held.setdefault(order_id, asyncio.Lock())
        async with lock:
            yield

    async def change(self, order_id: str, cause: Cause, work: Callable[[Posting], T]) -> tuple[Order, T]:
        """Lock the order, let `work` post its events, store everything at once. `work` may be run again."""

        async def transaction(connection: AsyncConnection) -> tuple[Order, T]:
            return await self.change_in(connection, order_id, cause, work)

        done = await self.book.write(transaction)
        self.bell.ring()
        return done

    async def change_in(
        self, connection: AsyncConnection, order_id: str, cause: Cause, work: Callable[[Posting], T]
    ) -> tuple[Order, T]:
        """`change` inside a transaction that has other things to store as well."""
        order = await rows.load(connection, order_id, lock=True)
        if order is None:
            raise UnknownOrderError(f"No order {order_id} is in the book.")
        posting = Posting(order, cause, self.clock.now(), self.draw_number)
        result = work(posting)
        await rows.save(connection, posting)
        return posting.order, result

    async def find(self, order_id: str) -> Order | None:
        """The order as committed."""

        async def query(connection: AsyncConnection) -> Order | None:
            return await rows.load(connection, order_id)

        return await self.book.read(query)

    async def find_by_number(self, number: str) -> Order:
        """The order of an attempt or refund number. Raises `UnknownOrderError`."""

        async def query(connection: AsyncConnection) -> Order | None:
            order_id = await rows.find_by_number(connection, number)
            return None if order_id is None else await rows.load(connection, order_id)

        order = await self.book.read(query)
        if order is None:
            raise UnknownOrderError(f"Number {number} is not in the book.")
        return order

    def _route(self, account: Account, now: datetime) -> Route:
        standing = account.pulse.standing(now)
        return Route(
            account.provider_id,
            account.name,
            account.info,
            down=f"{account.info.name_en} is down: {standing.down}." if standing.down else "",
            ailing=standing.ailing,
            fee_bp=account.terms.fee_bp,
            single_max_minor=account.terms.single_max_minor,
            daily_left_minor=self.takings.left(account.provider_id, account.name),
            on=now.astimezone(BEIJING).date(),
        )


def refund_of(order: Order, number: str) -> tuple[Refund, Attempt]:
    """A refund and the attempt it returns part of."""
    refund = order.refund(number)
    return refund, order.attempt(refund.attempt_number)
