"""How far the book has come: a number that only grows. Kept outside the book as well, it shows that a book was set back.

A backup that is put in place is a sound book of yesterday: nothing in it is wrong, and nothing in it can tell.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.schema import inbox, ledger_entries, outbox
from bot.stores.marks import read_marks, write_marks

_GROWING: Final = (inbox.c.id, outbox.c.id, ledger_entries.c.id)  # numbered by the store, and never deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The highest tide that was seen. `recovering` from the moment that the book was found behind until it is open."""

    tide: int = 0
    recovering: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the mark is kept: in a file of the data directory and in Redis, so that neither can be set back unnoticed."""

    folder: Path
    redis: Redis | None = None

    async def read(self) -> Mark:
        """The highest of what is kept; recovering when either says so."""
        found = await read_marks(self.folder, self.redis)
        return Mark(
            tide=max((int(one.get("tide", 0)) for one in found), default=0),
            recovering=any(one.get("recovering") is True for one in found),
        )

    async def write(self, mark: Mark) -> None:
        """Keep it in both."""
        await write_marks(self.folder, self.redis, asdict(mark))


async def tide_of(connection: AsyncConnection) -> int:
    """The book's tide now."""
    return sum([await connection.scalar(select(func.max(column))) or 0 for column in _GROWING])
