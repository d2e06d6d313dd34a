"""When the worker has something to do next, read off the order book."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.schema import InboxState, OutboxState, attempts, inbox, orders, outbox, payouts, refunds

# Every column that the worker's rounds look at, and which rows of it wait.
_CALENDAR: Final[Mapping[Column[Any], Sequence[Any]]] = {
    orders.c.next_check_at: (),
    attempts.c.next_check_at: (),
    refunds.c.next_check_at: (),
    payouts.c.next_check_at: (),
    inbox.c.next_try_at: (inbox.c.state == InboxState.NEW,),
    outbox.c.next_try_at: (outbox.c.state == OutboxState.NEW,),
}


async def next_due(connection: AsyncConnection) -> datetime | None:
    """The earliest moment, past or to come; None when nothing waits."""
    moments = [
        await connection.scalar(select(func.min(column)).where(*waiting))
        for column, waiting in _CALENDAR.items()
    ]
    return min((moment for moment in moments if moment is not None), default=None)
