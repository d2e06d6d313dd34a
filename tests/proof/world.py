"""The whole world at one moment, frozen: what is in the order book, at the institutions, and what people were told.

`read_book` needs nothing but the address of the store, so it reads as well what a killed process has left. What the
institutions hold is in `tests/proof/street.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.orders import rows
from bot.orders.audit import CauseKind, Entry
from bot.orders.book import Book
from bot.orders.ledger import Line
from bot.orders.order import Order, OrderState
from bot.orders.schema import InboxState, audit, inbox, ledger_entries, outbox, suspense_entries
from tests.proof.street import Charge, Purse

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the inbox."""

    id: int
    provider: str
    event_key: str
    fact: str
    state: InboxState


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of the outbox."""

    id: int
    key: str
    kind: str
    order_id: str
    status: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class Told:
    """A page heard the result of a payment."""

    key: str
    order_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat was shown an order as it stood in that version."""

    order_id: str
    version: int
    state: OrderState


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A notification that was answered as received. Without its key it is known by what it tells of."""

    provider: str
    event_key: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`quiet`: every fault is over and nothing is due any more, so that nothing may be left in between.

    `charges` and `purse` are None where the institutions were not looked at. `outputs` are texts that people or files have got to
    see, in which none of the `canaries` may stand.
    """

    orders: tuple[Order, ...] = ()
    trails: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    lines_of: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    inbox: tuple[Kept, ...] = ()
    outbox: tuple[Letter, ...] = ()
    charges: tuple[Charge, ...] | None = None
    purse: Purse | None = None
    acknowledged: tuple[Acknowledged, ...] = ()
    told: tuple[Told, ...] = ()
    shown: tuple[Shown, ...] = ()
    outputs: tuple[str, ...] = ()
    canaries: tuple[str, ...] = field(default=(), repr=False)
    paid_before: frozenset[str] = frozenset()
    quiet: bool = False

    def after(self, earlier: "World") -> "World":
        """The same, remembering which orders were paid in an earlier moment."""
        paid = {order.id for order in earlier.orders if order.paid}
        return replace(self, paid_before=self.paid_before | earlier.paid_before | paid)


async def read_book(url: str) -> World:
    """What the store at that address says. Nothing is migrated: who looks changes nothing."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    book = Book(create_async_engine(parsed.set(drivername=drivers[parsed.drivername])))
    try:
        return await look(book)
    finally:
        await book.close()


async def look(book: Book) -> World:
    """What an open book says, all of one moment."""
    return await book.read(_read)


async def _read(connection: AsyncConnection) -> World:
    trails: dict[str, list[Entry]] = {}
    for row in await _all(connection, select(audit).order_by(audit.c.order_id, audit.c.n)):
        entry = Entry(**{**row, "cause_kind": CauseKind(row["cause_kind"])})
        trails.setdefault(entry.order_id, []).append(entry)
    lines_of: dict[str, list[Line]] = {}
    for row in await _all(connection, select(ledger_entries).order_by(ledger_entries.c.id)):
        lines_of.setdefault(row["order_id"], []).append(_line(row))
    strays = [_line(row) for row in await _all(connection, select(suspense_entries))]
    return World(
        orders=await _orders(connection),
        trails={name: tuple(entries) for name, entries in trails.items()},
        lines=tuple(line for lines in lines_of.values() for line in lines) + tuple(strays),
        lines_of={name: tuple(lines) for name, lines in lines_of.items()},
        inbox=tuple([_kept(row) for row in await _all(connection, select(inbox).order_by(inbox.c.id))]),
        outbox=tuple([_letter(row) for row in await _all(connection, select(outbox).order_by(outbox.c.id))]),
    )


async def _orders(connection: AsyncConnection) -> tuple[Order, ...]:
    found: list[Order] = []
    while page := await rows.page_after(connection, found[-1].id if found else "", _PAGE):
        found += page
    return tuple(found)


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _line(row: dict[str, Any]) -> Line:
    return Line(row["txn"], row["account"], row["minor"], row["currency"])


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(row["id"], row["provider"], row["event_key"], row["fact"], InboxState(row["state"]))


def _letter(row: dict[str, Any]) -> Letter:
    return Letter(
        row["id"],
        row["dedupe_key"],
        row["kind"],
        row["order_id"],
        row["status"],
        row["text"],
        row["state"],
    )
