"""Whose next check has come: attempts, refunds, payouts, and orders to be ended. Taken oldest first, a few at a time.

After a long sleep everything is due at once; the limit makes that a queue, not a storm on the institutions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.schema import attempts, orders, payouts, refunds

# Another process leaves it alone for this long after one has taken it. SQLite has one process.
_LEASE: Final = timedelta(seconds=30)
_AFTER_MISHAP: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Queue:
    """A table with a next check, and the column that names its rows."""

    table: Table
    key: Column[str]


ATTEMPTS: Final = Queue(attempts, attempts.c.number)
REFUNDS: Final = Queue(refunds, refunds.c.number)
PAYOUTS: Final = Queue(payouts, payouts.c.number)
ORDERS: Final = Queue(orders, orders.c.id)


async def take(
    connection: AsyncConnection, queue: Queue, now: datetime, limit: int, *, lease: bool
) -> list[str]:
    """The names of what is due; leased, so that other processes skip them meanwhile, when there are others."""
    at = queue.table.c.next_check_at
    query = select(queue.key).where(at <= now).order_by(at).limit(limit).with_for_update(skip_locked=True)
    names = list((await connection.scalars(query)).all())
    if lease and names:
        taken = update(queue.table).where(queue.key.in_(names))
        await connection.execute(taken.values(next_check_at=now + _LEASE))
    return names


async def postpone(connection: AsyncConnection, queue: Queue, name: str, now: datetime) -> None:
    """Its check went wrong in a way nobody foresaw: leave it for a minute."""
    later = update(queue.table).where(queue.key == name, queue.table.c.next_check_at <= now)
    await connection.execute(later.values(next_check_at=now + _AFTER_MISHAP))
