"""What the chat must still be shown or told. Stored with the change itself, sent at least once, repeated until done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.posting import Kind
from bot.orders.schema import OutboxState, orders, outbox

_LADDER_S: Final = (1, 2, 5, 15, 60, 300, 900, 3600)
TRIES_MAX: Final = 100  # about four days
HOOK_TRIES_MAX: Final = 10  # about two hours and a half: a program that raises is not cured by waiting
_TRIES_AWAY_MAX: Final = 5  # a minute between tries
# Another process leaves a message alone for this long after one has taken it. SQLite has one process.
_LEASE: Final = timedelta(seconds=30)
_STUCK: Final = (outbox.c.state == OutboxState.DEAD) | (
    (outbox.c.state == OutboxState.NEW) & (outbox.c.tries > 0)
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as stored. `id` is its name for ever."""

    id: int
    kind: Kind
    order_id: str
    version: int
    status: str
    text: str
    answer: str
    tries: int
    state: OutboxState
    created_at: datetime
    next_try_at: datetime


async def take(connection: AsyncConnection, now: datetime, limit: int, *, lease: bool) -> list[Letter]:
    """Messages that are due, oldest first."""
    query = (
        select(outbox)
        .where(outbox.c.state == OutboxState.NEW, outbox.c.next_try_at <= now)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await connection.execute(query)).all()
    if lease and rows:
        ids = [row.id for row in rows]
        await connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(next_try_at=now + _LEASE))
    return [_letter(row) for row in rows]


async def sent(connection: AsyncConnection, letter: Letter, now: datetime) -> None:
    """It has arrived."""
    await _mark(connection, outbox.c.id == letter.id, now)


async def shown(
    connection: AsyncConnection, order_id: str, version: int, message_id: int | None, now: datetime
) -> None:
    """The cashier message shows that version: every older wish to draw it is fulfilled too."""
    mine = (outbox.c.order_id == order_id) & (outbox.c.kind == Kind.SHOW) & (outbox.c.version <= version)
    await _mark(connection, mine & (outbox.c.state == OutboxState.NEW), now)
    if message_id is not None:
        await connection.execute(update(orders).where(orders.c.id == order_id).values(message_id=message_id))


async def failed(
    connection: AsyncConnection,
    letter: Letter,
    now: datetime,
    *,
    tries_max: int | None = None,
    away: bool = False,
) -> bool:
    """Try again later; True when it has been given up instead.

    `away`: whoever carries messages cannot be reached. That is no fault of the message: it is not given up for it, and
    does not wait long for it either.
    """
    tries = min(letter.tries + 1, _TRIES_AWAY_MAX) if away else letter.tries + 1
    given_up = tries >= (tries_max or TRIES_MAX)
    wait = timedelta(seconds=_LADDER_S[min(tries, len(_LADDER_S)) - 1])
    state = OutboxState.DEAD if given_up else OutboxState.NEW
    values = {"tries": tries, "next_try_at": now + wait, "state": state}
    await connection.execute(update(outbox).where(outbox.c.id == letter.id).values(**values))
    return given_up


async def stuck(connection: AsyncConnection, limit: int) -> list[Letter]:
    """Messages that were given up, and those that have failed and wait for their next try; oldest first."""
    query = select(outbox).where(_STUCK).order_by(outbox.c.id).limit(limit)
    return [_letter(row) for row in await connection.execute(query)]


async def resend(connection: AsyncConnection, ids: Sequence[int] | None, now: datetime) -> list[int]:
    """Begin again with these that are stuck, or with all for None. Which ones there were.

    A repeat is harmless: what the chat is shown is the present state, and what a page is told it hears once.
    """
    chosen = _STUCK if ids is None else _STUCK & outbox.c.id.in_(ids)
    found = list((await connection.scalars(select(outbox.c.id).where(chosen).with_for_update())).all())
    values = {"state": OutboxState.NEW, "tries": 0, "next_try_at": now}
    await connection.execute(update(outbox).where(outbox.c.id.in_(found)).values(**values))
    return found


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        kind=Kind(row.kind),
        order_id=row.order_id,
        version=row.version,
        status=row.status,
        text=row.text,
        answer=row.answer,
        tries=row.tries,
        state=OutboxState(row.state),
        created_at=row.created_at,
        next_try_at=row.next_try_at,
    )


async def _mark(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> None:
    await connection.execute(update(outbox).where(which).values(state=OutboxState.SENT, sent_at=now))
