"""Proof that the book is as it was written: every order's chain holds, ends at its head, and says what the rows say.

Read only, a page of orders per transaction, so that a large book may be proven while the host works on it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import rows
from bot.orders.audit import Entry, first_break
from bot.orders.book import Book
from bot.orders.ledger import UnbalancedError, check_balanced
from bot.orders.order import Order
from bot.orders.schema import audit, orders

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """`digest` stands for every head: the same digest of a copy proves the copy. `faults` is empty when all holds."""

    orders: int
    entries: int
    digest: str
    faults: tuple[str, ...]


async def prove(book: Book) -> Proof:
    """Walk the whole book."""
    digest, faults, count, total, last = hashlib.sha256(), list[str](), 0, 0, ""
    while page := await _page(book, last):
        for order, entries, unbalanced in page:
            faults += [f"Order {order.id}: {fault}" for fault in (*_faults(order, entries), *unbalanced)]
            digest.update(f"{order.id} {order.version} {order.audit_hash}\n".encode())
            count, total = count + 1, total + len(entries)
        last = page[-1][0].id
    if stray := await book.read(_strays):
        faults.append(f"{stray} audit entries belong to no order.")
    return Proof(count, total, digest.hexdigest(), tuple(faults))


async def _page(book: Book, last: str) -> list[tuple[Order, tuple[Entry, ...], tuple[str, ...]]]:
    async def query(
        connection: AsyncConnection,
    ) -> list[tuple[Order, tuple[Entry, ...], tuple[str, ...]]]:
        page = []
        for order in await rows.page_after(connection, last, _PAGE):
            entries = await rows.trail(connection, order.id)
            page.append((order, entries, await _unbalanced(connection, order.id)))
        return page

    return await book.read(query)


async def _unbalanced(connection: AsyncConnection, order_id: str) -> tuple[str, ...]:
    try:
        check_balanced(await rows.ledger_of(connection, order_id))
    except UnbalancedError as error:
        return (str(error),)
    return ()


async def _strays(connection: AsyncConnection) -> int:
    known = select(orders.c.id)
    query = select(func.count()).select_from(audit).where(audit.c.order_id.not_in(known))
    return int(await connection.scalar(query) or 0)


def _faults(order: Order, entries: Sequence[Entry]) -> Iterator[str]:
    broken = first_break(entries, version=order.version, head=order.audit_hash)
    if broken is not None:
        yield f"the audit does not hold at entry {broken}."
        return
    written = {entry.subject: entry.after for entry in entries if entry.after}
    stands = {"order": str(order.state)}
    stands |= {attempt.number: str(attempt.state) for attempt in order.attempts}
    stands |= {refund.number: str(refund.state) for refund in order.refunds}
    stands |= {payout.number: str(payout.state) for payout in order.payouts}
    for subject, state in stands.items():
        if written.get(subject) != state:
            yield f"{subject} stands as {state}, but the audit says {written.get(subject, 'nothing')}."
