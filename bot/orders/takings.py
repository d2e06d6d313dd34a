"""What accounts with a daily limit have taken since midnight in Beijing, read from the book.

Routing keeps an account within what its contract allows in a day. That is a courtesy and no lock: orders that are open
at the same time may all be paid, and then the institution itself says no.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import Book
from bot.orders.order import ATTEMPT_HAS_MONEY
from bot.orders.ports import Account
from bot.orders.schema import attempts
from providers.sdk.clock import BEIJING, Clock

_FRESH_FOR: Final = timedelta(seconds=2)
_OLDEST: Final = timedelta(days=9)  # an order lives for a week at most, and its number begins with its day

_Key = tuple[str, str]


class Takings:
    """The last count of each account; `count` renews it when it is older than two seconds or of yesterday."""

    def __init__(self, book: Book, accounts: tuple[Account, ...], clock: Clock) -> None:
        self._book, self._clock = book, clock
        self._limits: dict[_Key, int] = {
            (account.provider_id, account.name): account.terms.daily_max_minor
            for account in accounts
            if account.terms.daily_max_minor
        }
        self._taken: dict[_Key, int] = {}
        self._counted_at: datetime | None = None

    async def count(self) -> None:
        """Read the book, where some account has a daily limit at all."""
        now = self._clock.now()
        if not self._limits or (self._counted_at is not None and self._is_fresh(self._counted_at, now)):
            return
        midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        self._taken = await self._book.read(lambda connection: _sums(connection, midnight, now))
        self._counted_at = now

    def left(self, provider: str, account: str) -> int | None:
        """Minor units that may still come today; None where there is no limit."""
        limit = self._limits.get((provider, account))
        return None if limit is None else limit - self._taken.get((provider, account), 0)

    def _is_fresh(self, counted_at: datetime, now: datetime) -> bool:
        same_day = counted_at.astimezone(BEIJING).date() == now.astimezone(BEIJING).date()
        return same_day and now - counted_at < _FRESH_FOR


async def _sums(connection: AsyncConnection, midnight: datetime, now: datetime) -> dict[_Key, int]:
    query = (
        select(attempts.c.provider, attempts.c.account, func.sum(attempts.c.amount_minor))
        .where(
            attempts.c.number >= f"{now - _OLDEST:%y%m%d}",
            attempts.c.paid_at >= midnight,
            attempts.c.state.in_(ATTEMPT_HAS_MONEY),
        )
        .group_by(attempts.c.provider, attempts.c.account)
    )
    return {(row[0], row[1]): int(row[2]) for row in await connection.execute(query)}
