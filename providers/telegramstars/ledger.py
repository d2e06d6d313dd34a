"""Finding something in the bot's ledger, which can be read by position only, from its first day on.

`getStarTransactions` knows neither payloads nor dates: it skips `offset` lines and gives up to a hundred. The lines
are in chronological order, and new ones come at the end, so a position keeps its meaning and a moment can be bisected
for. A bot with a hundred lines needs one call, one with a million about thirty.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from providers.sdk.errors import ReplyError
from providers.telegramstars import wire
from providers.telegramstars.wire import PAGE, Transaction

_PAGES_MAX: Final = 1000  # a hundred thousand lines since one moment
_DOUBLINGS_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Ledger:
    """`fetch(offset, limit)` gives the result of getStarTransactions."""

    fetch: Callable[[int, int], Awaitable[object]]

    async def since(self, moment: datetime) -> AsyncIterator[Transaction]:
        """The lines that are not older than that, oldest first."""
        offset = 0
        for _ in range(_PAGES_MAX):
            count, found, moments = wire.page(await self.fetch(offset, PAGE))
            for transaction in found:
                if transaction.at >= moment:
                    yield transaction
            if count < PAGE:
                return
            far = offset == 0 and moments[-1] < moment
            offset = await self._near(moment) if far else offset + count
        raise ReplyError(f"More than {_PAGES_MAX * PAGE} transactions since {moment:%Y-%m-%d}.")

    async def _near(self, moment: datetime) -> int:
        """An offset at most a page before the first line of that moment, which is not on the first page."""
        low, high = PAGE, 2 * PAGE
        for _ in range(_DOUBLINGS_MAX):
            if not await self._older(high, moment):
                break
            low, high = high, 2 * high
        while high - low > PAGE:
            middle = (low + high) // 2
            low, high = (middle, high) if await self._older(middle, moment) else (low, middle)
        return low

    async def _older(self, offset: int, moment: datetime) -> bool:
        """Whether there is a line at that offset, and it is older than the moment."""
        _, _, moments = wire.page(await self.fetch(offset, 1))
        return bool(moments) and moments[0] < moment
