"""Long polling with the one rule that matters: an update is acknowledged only once its effects are durable.

`getUpdates(offset)` acknowledges everything below `offset` (Bot API, getUpdates), so the offset is always the lowest
update that is not finished. Telegram hands out up to a hundred from there: that is also the most that runs at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod

from bot.crashpoint import crashpoint
from bot.telegram.errors import BadTokenError
from bot.telegram.intake import RawUpdate
from bot.telegram.updates import ALLOWED
from providers.sdk.clock import Clock

LONG_POLL_S: Final = 30
DRAIN_S: Final = 10.0
_PAUSE_S: Final = (0.02, 0.25)  # between looks for new updates while others are still being handled
_AGAIN_S: Final = (0.5, 15.0)  # before an update that could not be made durable is tried again
_BACK_OFF_S: Final = (0.5, 30.0)  # when Telegram does not answer
_ANSWER_WITHIN_S: Final = 15  # beyond the long poll itself

Take = Callable[[RawUpdate], Awaitable[bool]]
Fetch = Callable[[int, int], Awaitable[Sequence[RawUpdate]]]
T = TypeVar("T")
_log = structlog.get_logger(__name__)


class GetUpdates(TelegramMethod[list[dict[str, Any]]]):
    """As plain JSON: one update that aiogram cannot read must not hide the ninety-nine others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int
    timeout: int
    allowed_updates: list[str]


def fetch_from(bot: Bot) -> Fetch:
    """`fetch(offset, wait_s)` on that bot."""

    async def fetch(offset: int, wait_s: int) -> Sequence[RawUpdate]:
        method = GetUpdates(offset=offset, timeout=wait_s, allowed_updates=list(ALLOWED))
        return await bot(method, request_timeout=wait_s + _ANSWER_WITHIN_S)

    return fetch


class Polling:
    """`take` returns True when the effects are durable, False when the update must come again; it never raises."""

    def __init__(self, fetch: Fetch, take: Take, clock: Clock) -> None:
        self._fetch = fetch
        self._take = take
        self._clock = clock
        self._stopping = asyncio.Event()
        self._open: dict[int, asyncio.Task[None] | None] = {}  # not durable; None: to be tried again
        self._finished: set[int] = set()  # durable, and not yet acknowledged
        self._after = 0  # the offset when nothing is open
        self._pause_s = _PAUSE_S[0]
        self._tries: dict[int, int] = {}  # of those that must come again

    async def run(self) -> None:
        """Until `stop()`; then what has begun is finished and acknowledged. Raises `BadTokenError`."""
        try:
            while not self._stopping.is_set():
                updates = await self._next_batch()
                if updates is not None:
                    self._begin(updates)
                    await self._rest()
            await self._drain()
        finally:
            for task in self._running():
                task.cancel()
            await asyncio.gather(*self._running(), return_exceptions=True)

    def stop(self) -> None:
        """Ask for no more."""
        self._stopping.set()

    @property
    def _offset(self) -> int:
        return min(self._open, default=self._after)

    def _running(self) -> list[asyncio.Task[None]]:
        return [task for task in self._open.values() if task is not None]

    async def _next_batch(self) -> Sequence[RawUpdate] | None:
        """None when stopping."""
        back_off_s, warned = _BACK_OFF_S[0], False
        while not self._stopping.is_set():
            offset = self._offset
            try:
                updates = await self._unless_stopped(self._fetch(offset, 0 if self._open else LONG_POLL_S))
            except (TelegramUnauthorizedError, TelegramNotFound) as error:
                raise BadTokenError from error
            except (TelegramAPIError, ClientDecodeError) as error:
                warned = _explain(error, warned=warned)
                wait_s = error.retry_after if isinstance(error, TelegramRetryAfter) else back_off_s
                await self._unless_stopped(self._clock.sleep(wait_s))
                back_off_s = min(2 * back_off_s, _BACK_OFF_S[1])
                continue
            if updates is not None:
                self._acknowledged(offset, updates)
            return updates
        return None

    def _acknowledged(self, offset: int, updates: Sequence[RawUpdate]) -> None:
        """Below `offset` Telegram has forgotten; what it should have sent again and did not has expired over there."""
        if any(update_id < offset for update_id in self._finished):
            crashpoint("update.acknowledged")
        self._finished = {update_id for update_id in self._finished if update_id >= offset}
        sent = {update["update_id"] for update in updates}
        for update_id, task in list(self._open.items()):
            if task is None and update_id not in sent:
                del self._open[update_id]
                self._tries.pop(update_id, None)

    def _begin(self, updates: Sequence[RawUpdate]) -> None:
        for update in updates:
            update_id = update["update_id"]
            if update_id not in self._finished and self._open.get(update_id) is None:
                self._open[update_id] = asyncio.create_task(self._finish(update_id, update))
                self._pause_s = _PAUSE_S[0]
        if updates:
            self._after = max(update["update_id"] for update in updates) + 1

    async def _finish(self, update_id: int, update: RawUpdate) -> None:
        if await self._take(update):
            del self._open[update_id]
            self._tries.pop(update_id, None)
            self._finished.add(update_id)
            return
        tries = self._tries[update_id] = self._tries.get(update_id, 0) + 1
        await self._unless_stopped(self._clock.sleep(min(_AGAIN_S[0] * 2.0 ** (tries - 1), _AGAIN_S[1])))
        self._open[update_id] = None

    async def _rest(self) -> None:
        """Wait a little, longer each time: a fetch that hands out open updates again returns at once."""
        running = self._running()
        if running:
            await self._unless_stopped(asyncio.wait(running, timeout=self._pause_s))
            self._pause_s = min(2 * self._pause_s, _PAUSE_S[1])

    async def _drain(self) -> None:
        running = self._running()
        if running:
            await asyncio.wait(running, timeout=DRAIN_S)
        try:
            await self._fetch(self._offset, 0)
        except (TelegramAPIError, ClientDecodeError) as error:
            # Then the same updates come again after the start, and are known by their keys.
            _log.info("last_updates_not_acknowledged", cause=type(error).__name__)

    async def _unless_stopped(self, work: Awaitable[T]) -> T | None:
        """What `work` returns, or None as soon as `stop()` is called."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for each in (task, stopped):
                each.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)


def _explain(error: Exception, *, warned: bool) -> bool:
    """One line per trouble, not one per try."""
    if isinstance(error, TelegramConflictError) and not warned:
        _log.error(
            "another_poller",
            advice="Another process uses this bot token. Stop it, or give this one a token of its own; "
            "a webhook set elsewhere is removed by deleteWebhook. Trying again meanwhile.",
        )
    elif not warned:
        _log.warning("telegram_away", cause=type(error).__name__)
    return True
