"""Screens in chats: `bot.runtime.screen.Surface` on the Bot API.

One queue per chat. Draws of one message that wait in it melt into the newest. What Telegram says about a chat or a
message that is gone is an answer here, not an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import aiohttp
import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
)
from aiogram.methods import AnswerCallbackQuery, DeleteMessage, EditMessageReplyMarkup, GetFile

from bot.runtime.screen import Drawn, Screen
from bot.telegram.courier import Courier
from bot.telegram.easel import Easel
from bot.telegram.errors import PictureGoneError, ScreenRefusedError, SilentError
from bot.telegram.markup import TOAST_CHARS_MAX, asks_for_reply
from bot.telegram.turns import Recent, Turns
from providers.sdk.clock import Clock

PICTURE_BYTES_MAX: Final = 10 * 1024 * 1024  # Telegram's own limit for photos (Bot API, sendPhoto)
_REMEMBERED: Final = 4096
_ANSWER_TRIES: Final = 2  # a tap spins for seconds only
_ANSWER_PATIENCE_S: Final = 3.0
# Telegram's words (tdlib/telegram-bot-api) for a chat that no longer takes messages of ours.
_CHAT_GONE: Final = (
    "chat not found", "user not found", "peer_id_invalid", "user is deactivated", "user_is_deactivated",
    "not enough rights to send", "have no rights to send", "chat_write_forbidden", "chat_restricted",
    "topic_closed", "group chat was deactivated", "need administrator rights",
)  # fmt: skip
_KIND_CHANGED: Final = ("there is no text", "there is no caption", "there is no media")

T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A draw that has not begun; a newer screen for the same message takes its place."""

    screen: Screen
    drawn: asyncio.Task[Drawn | None] | None = field(default=None)


class TelegramSurface:
    """One per bot. A draw that has begun is finished even when its caller is gone."""

    def __init__(self, bot: Bot, clock: Clock) -> None:
        self._bot = bot
        self._courier = Courier(bot, clock)
        self._easel = Easel(self._courier)
        self._turns: Turns[int] = Turns()
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        self._moved_chats: Recent[int, int] = Recent(_REMEMBERED)
        self._moved: Recent[tuple[int, int], int] = Recent(_REMEMBERED)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def draw(self, chat_id: int, screen: Screen, *, edit: int | None) -> Drawn | None:
        """See `Surface`. Raises `SilentError` when Telegram cannot be reached, `ScreenRefusedError` for a bad screen."""
        if edit is None:
            return await self._finished(self._start(self._new(chat_id, screen)))
        waiting = self._waiting.get((chat_id, edit))
        if waiting is None:
            waiting = self._waiting[chat_id, edit] = _Waiting(screen)
            waiting.drawn = self._start(self._edited(chat_id, edit, waiting))
        waiting.screen = screen
        assert waiting.drawn is not None  # noqa: S101  # set in the line above, before anybody can look
        return await self._finished(waiting.drawn)

    async def answer(self, callback_id: str, toast: str = "", *, alert: bool = False) -> None:
        """See `Surface`. Never raises: nothing hangs on it."""
        method = AnswerCallbackQuery(
            callback_query_id=callback_id, text=toast[:TOAST_CHARS_MAX] or None, show_alert=alert or None
        )
        try:
            await self._courier.carry(method, tries=_ANSWER_TRIES, patience_s=_ANSWER_PATIENCE_S)
        except (TelegramAPIError, SilentError) as error:
            _log.debug("tap_not_answered", cause=type(error).__name__)

    async def erase(self, chat_id: int, message_id: int) -> None:
        """See `Surface`."""
        await self._finished(self._start(self._erased(chat_id, message_id)))

    async def fetch(self, file_id: str) -> bytes:
        """See `Surface`. Raises `PictureGoneError`, or `SilentError` when Telegram cannot be reached."""
        try:
            file = await self._courier.carry(GetFile(file_id=file_id))
        except TelegramBadRequest as error:
            raise PictureGoneError("Telegram no longer has that picture.") from error
        if file.file_path is None or (file.file_size or 0) > PICTURE_BYTES_MAX:
            raise PictureGoneError(f"The picture is larger than {PICTURE_BYTES_MAX} bytes.")
        try:
            return await self._download(file.file_path)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SilentError("Telegram did not hand out the picture; try again later.") from error

    async def close(self, *, within_s: float) -> None:
        """Finish what has begun, until the deadline."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @staticmethod
    async def _finished(task: asyncio.Task[T]) -> T:
        return await asyncio.shield(task)

    async def _new(self, chat_id: int, screen: Screen) -> Drawn | None:
        async with self._turns.turn(chat_id):
            return await self._guarded(chat_id, lambda chat: self._send(chat, screen))

    async def _edited(self, chat_id: int, message_id: int, waiting: _Waiting) -> Drawn | None:
        async with self._turns.turn(chat_id):
            del self._waiting[chat_id, message_id]
            screen = waiting.screen
            return await self._guarded(chat_id, lambda chat: self._edit(chat, message_id, screen))

    async def _erased(self, chat_id: int, message_id: int) -> None:
        async with self._turns.turn(chat_id):
            try:
                await self._guarded(chat_id, lambda chat: self._remove(chat, message_id))
            except (SilentError, ScreenRefusedError) as error:
                _log.info("message_not_erased", chat_id=chat_id, cause=str(error))

    async def _guarded(self, chat_id: int, work: Callable[[int], Awaitable[T]]) -> T | None:
        """Follow a group that became a supergroup; None for a chat that is gone."""
        chat = self._moved_chats.get(chat_id) or chat_id
        try:
            try:
                return await work(chat)
            except TelegramMigrateToChat as moved:
                self._moved_chats.put(chat_id, moved.migrate_to_chat_id)
                return await work(moved.migrate_to_chat_id)
        except TelegramForbiddenError as error:
            _log.info("chat_gone", chat_id=chat_id, cause=error.message)
        except TelegramBadRequest as error:
            if not _says(error, _CHAT_GONE):
                raise ScreenRefusedError(error.message) from error
            _log.info("chat_gone", chat_id=chat_id, cause=error.message)
        return None

    async def _send(self, chat_id: int, screen: Screen) -> Drawn:
        return Drawn(await self._easel.send(chat_id, screen), fresh=True)

    async def _edit(self, chat_id: int, message_id: int, screen: Screen) -> Drawn:
        message_id = self._moved.get((chat_id, message_id)) or message_id
        if asks_for_reply(screen) is not None or self._easel.needs_new(chat_id, message_id, screen):
            return await self._replace(chat_id, message_id, screen)
        try:
            await self._easel.edit(chat_id, message_id, screen)
        except TelegramBadRequest as error:
            if _says(error, ("message is not modified",)):
                return Drawn(message_id, fresh=False)
            if _says(error, _CHAT_GONE):
                raise
            if _says(error, _KIND_CHANGED):
                return await self._replace(chat_id, message_id, screen)
            # Gone or too old; a screen that Telegram refuses is refused once more here.
            return self._follow(chat_id, message_id, await self._send(chat_id, screen))
        return Drawn(message_id, fresh=False)

    async def _replace(self, chat_id: int, message_id: int, screen: Screen) -> Drawn:
        """The new one first, so that there is always something to see."""
        drawn = await self._send(chat_id, screen)
        await self._remove(chat_id, message_id)
        return self._follow(chat_id, message_id, drawn)

    def _follow(self, chat_id: int, message_id: int, drawn: Drawn) -> Drawn:
        """Whoever still names the old message means the new one."""
        self._moved.put((chat_id, message_id), drawn.message_id)
        return drawn

    async def _remove(self, chat_id: int, message_id: int) -> None:
        self._easel.forget(chat_id, message_id)
        try:
            await self._courier.carry(DeleteMessage(chat_id=chat_id, message_id=message_id))
        except TelegramBadRequest:
            await self._strip(chat_id, message_id)

    async def _strip(self, chat_id: int, message_id: int) -> None:
        try:
            await self._courier.carry(EditMessageReplyMarkup(chat_id=chat_id, message_id=message_id))
        except TelegramBadRequest as error:
            _log.debug("message_left", chat_id=chat_id, message_id=message_id, cause=error.message)

    async def _download(self, path: str) -> bytes:
        content = bytearray()
        stream = self._bot.session.stream_content(self._bot.session.api.file_url(self._bot.token, path))
        async for chunk in stream:
            content += chunk
            if len(content) > PICTURE_BYTES_MAX:
                raise PictureGoneError(f"The picture is larger than {PICTURE_BYTES_MAX} bytes.")
        return bytes(content)


def _says(error: TelegramAPIError, words: tuple[str, ...]) -> bool:
    text = error.message.lower()
    return any(word in text for word in words)
