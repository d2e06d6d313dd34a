"""Verified notifications, stored before they are acknowledged and worked off afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import insert_once
from bot.orders.schema import InboxState, inbox
from bot.orders.sealing import Seal, is_sealed
from providers.sdk.results import Fact, PayoutSnapshot, RefundSnapshot, Snapshot, Verified
from providers.sdk.transport import Headers, HttpRequest

_LADDER_S: Final = (1, 5, 30, 60, 300, 900, 3600)
_TRIES_MAX: Final = 50
_NO_FACT: Final = "none"
_PAYER_SHOWN: Final = 4

_SHELVED: Final = inbox.c.state.in_((InboxState.ORPHAN, InboxState.DEAD)) | (
    (inbox.c.state == InboxState.NEW) & (inbox.c.tries > 0)
)

_PAYMENT: Final = TypeAdapter(Snapshot)
_REFUND: Final = TypeAdapter(RefundSnapshot)
_PAYOUT: Final = TypeAdapter(PayoutSnapshot)
_READERS: Final[
    Mapping[str, TypeAdapter[Snapshot] | TypeAdapter[RefundSnapshot] | TypeAdapter[PayoutSnapshot]]
] = {
    "payment": _PAYMENT,
    "refund": _REFUND,
    "payout": _PAYOUT,
}


@dataclass(frozen=True, slots=True)
class Shelved:
    """A notification that was set aside: of a number that is not ours, or not to be applied. No raw bytes, no payer."""

    id: int
    provider: str
    account: str
    event: str
    state: InboxState
    received_at: datetime
    tries: int
    note: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A stored notification, as the worker takes it up."""

    id: int
    provider: str
    account: str
    kind: str
    fact: str
    tries: int

    def read(self) -> Fact:
        """What it says. Raises `ValueError` when what was stored cannot be read."""
        return _READERS[self.kind].validate_json(self.fact)


async def keep(
    connection: AsyncConnection,
    request: HttpRequest,
    verified: Verified,
    *,
    provider: str,
    account: str,
    now: datetime,
    seal: Seal | None = None,
) -> bool:
    """Store it, sealed when there is a seal; False when this event is already here."""
    kind, fact = _written(verified.fact)
    used = verified.fact is not None
    return await insert_once(
        connection,
        inbox,
        provider=provider,
        account=account,
        event_key=verified.event_key,
        event=verified.event,
        method=request.method,
        url="" if seal else request.url,
        headers=[] if seal else [list(line) for line in request.headers.lines],
        body=seal.close(request) if seal else request.body,
        kind=kind,
        fact=fact,
        state=InboxState.NEW if used else InboxState.IGNORED,
        received_at=now,
        next_try_at=now if used else None,
        tries=0,
        note="",
    )


async def due(connection: AsyncConnection, now: datetime, limit: int) -> list[Notice]:
    """What is to be worked off, oldest first."""
    query = (
        select(inbox)
        .where(inbox.c.state == InboxState.NEW, inbox.c.next_try_at <= now)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [
        Notice(row.id, row.provider, row.account, row.kind, row.fact, row.tries)
        for row in await connection.execute(query)
    ]


async def claim(connection: AsyncConnection, notice: Notice) -> bool:
    """Lock it until the transaction ends; False when another worker holds it or has worked it off."""
    query = (
        select(inbox.c.id)
        .where(inbox.c.id == notice.id, inbox.c.state == InboxState.NEW)
        .with_for_update(skip_locked=True)
    )
    return await connection.scalar(query) is not None


async def finish(connection: AsyncConnection, notice: Notice, state: InboxState, note: str = "") -> None:
    """It is worked off."""
    values = {"state": state, "note": note, "next_try_at": None}
    await connection.execute(update(inbox).where(inbox.c.id == notice.id).values(**values))


async def postpone(connection: AsyncConnection, notice: Notice, now: datetime, note: str) -> bool:
    """It could not be applied: again later; True when it has been given up instead."""
    tries = notice.tries + 1
    if tries >= _TRIES_MAX:
        await finish(connection, notice, InboxState.DEAD, note)
        return True
    wait = timedelta(seconds=_LADDER_S[min(notice.tries, len(_LADDER_S) - 1)])
    values = {"tries": tries, "next_try_at": now + wait, "note": note}
    await connection.execute(update(inbox).where(inbox.c.id == notice.id).values(**values))
    return False


async def set_aside(connection: AsyncConnection, limit: int) -> list[Shelved]:
    """Orphans, dead notifications, and those that have failed and wait for their next try; oldest first."""
    query = select(inbox).where(_SHELVED).order_by(inbox.c.id).limit(limit)
    return [
        Shelved(
            row.id,
            row.provider,
            row.account,
            row.event,
            InboxState(row.state),
            row.received_at,
            row.tries,
            row.note,
        )
        for row in await connection.execute(query)
    ]


async def raw(connection: AsyncConnection, number: int, seal: Seal) -> HttpRequest | None:
    """A notification as it came; None when there is none, or its time is over. Raises `SealError`."""
    row = (await connection.execute(select(inbox).where(inbox.c.id == number))).one_or_none()
    if row is None or not row.body:
        return None
    if is_sealed(row.body):
        return seal.open(row.body)
    return HttpRequest(
        row.method, row.url, Headers(tuple((name, text) for name, text in row.headers)), row.body
    )


async def forget(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Drop the raw bytes of what came before that moment; how many. The rows stay: a repeat is known for ever."""
    old = select(inbox.c.id).where(inbox.c.received_at < before, inbox.c.body != b"").limit(limit)
    ids = list((await connection.scalars(old)).all())
    if ids:
        values = {"body": b"", "headers": [], "url": ""}
        await connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(**values))
    return len(ids)


async def retry(connection: AsyncConnection, ids: Sequence[int] | None, now: datetime) -> list[int]:
    """Work these off once more, or all that are set aside for None. Which ones there were.

    Harmless as often as it is done: what was applied before changes nothing again.
    """
    chosen = _SHELVED if ids is None else _SHELVED & inbox.c.id.in_(ids)
    found = list((await connection.scalars(select(inbox.c.id).where(chosen).with_for_update())).all())
    values = {"state": InboxState.NEW, "tries": 0, "next_try_at": now}
    await connection.execute(update(inbox).where(inbox.c.id.in_(found)).values(**values))
    return found


def _written(fact: Fact | None) -> tuple[str, str]:
    match fact:
        case None:
            return _NO_FACT, ""
        case Snapshot():
            masked = replace(fact, payer=fact.payer[-_PAYER_SHOWN:])
            return "payment", _PAYMENT.dump_json(masked).decode()
        case RefundSnapshot():
            return "refund", _REFUND.dump_json(fact).decode()
        case PayoutSnapshot():
            return "payout", _PAYOUT.dump_json(fact).decode()
