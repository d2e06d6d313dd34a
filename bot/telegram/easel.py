"""Sends and edits single messages; remembers which picture hangs where, so that none is uploaded twice.

What it remembers only saves calls. After a restart it remembers nothing, and everything still works.
"""

import hashlib
from collections.abc import Callable
from typing import Final, TypeVar

from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import BufferedInputFile, InputMediaPhoto, LinkPreviewOptions, Message

from bot.runtime.screen import Screen
from bot.telegram.courier import Courier
from bot.telegram.markup import asks_for_reply, keyboard, written
from bot.telegram.turns import Recent

_MESSAGES: Final = 8192
_PICTURES: Final = 1024
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)

T = TypeVar("T")


class Easel:
    """Raises what Telegram says; `TelegramSurface` knows what it means."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._hanging: Recent[tuple[int, int], str] = Recent(
            _MESSAGES
        )  # message -> its picture; "" for a text
        self._files: Recent[str, str] = Recent(_PICTURES)  # picture -> Telegram's file_id

    def needs_new(self, chat_id: int, message_id: int, screen: Screen) -> bool:
        """A photo never becomes a text (Bot API, editMessageText)."""
        return screen.picture is None and bool(self._hanging.get((chat_id, message_id)))

    def forget(self, chat_id: int, message_id: int) -> None:
        """The message is being deleted."""
        self._hanging.forget((chat_id, message_id))

    async def send(self, chat_id: int, screen: Screen) -> int:
        """A new message; its number."""
        text, entities = written(screen)
        markup = keyboard(screen) or asks_for_reply(screen)
        if screen.picture is None:
            message = await self._courier.carry(
                SendMessage(
                    chat_id=chat_id,
                    text=text,
                    entities=entities or None,
                    parse_mode=None,
                    reply_markup=markup,
                    link_preview_options=_NO_PREVIEW,
                )
            )
            self._hanging.put((chat_id, message.message_id), "")
            return message.message_id

        def photo(file: BufferedInputFile | str) -> SendPhoto:
            return SendPhoto(
                chat_id=chat_id,
                photo=file,
                caption=text or None,
                caption_entities=entities or None,
                parse_mode=None,
                reply_markup=markup,
            )

        message = await self._hang(screen.picture, photo)
        self._note(chat_id, message, screen.picture)
        return message.message_id

    async def edit(self, chat_id: int, message_id: int, screen: Screen) -> None:
        """In place. A text can become a photo (Bot API, editMessageMedia), a photo cannot become a text."""
        text, entities = written(screen)
        if screen.picture is None:
            await self._courier.carry(
                EditMessageText(
                    chat_id=chat_id,
                    message_id=message_id,
                    text=text,
                    entities=entities or None,
                    parse_mode=None,
                    reply_markup=keyboard(screen),
                    link_preview_options=_NO_PREVIEW,
                )
            )
            self._hanging.put((chat_id, message_id), "")
        elif self._hanging.get((chat_id, message_id)) == _digest(screen.picture):
            await self._courier.carry(
                EditMessageCaption(
                    chat_id=chat_id,
                    message_id=message_id,
                    caption=text or None,
                    caption_entities=entities or None,
                    parse_mode=None,
                    reply_markup=keyboard(screen),
                )
            )
        else:
            await self._edit_photo(chat_id, message_id, screen, screen.picture)

    async def _edit_photo(self, chat_id: int, message_id: int, screen: Screen, picture: bytes) -> None:
        text, entities = written(screen)

        def media(file: BufferedInputFile | str) -> EditMessageMedia:
            photo = InputMediaPhoto(
                media=file, caption=text or None, caption_entities=entities or None, parse_mode=None
            )
            return EditMessageMedia(
                chat_id=chat_id, message_id=message_id, media=photo, reply_markup=keyboard(screen)
            )

        message = await self._hang(picture, media)
        if isinstance(message, Message):  # True stands for an inline message, which we never send
            self._note(chat_id, message, picture)

    async def _hang(
        self, picture: bytes, method: Callable[[BufferedInputFile | str], TelegramMethod[T]]
    ) -> T:
        """By the file_id that Telegram gave us for it, or by uploading it."""
        file_id = self._files.get(_digest(picture))
        if file_id is not None:
            try:
                return await self._courier.carry(method(file_id))
            except TelegramBadRequest as error:
                if "file" not in error.message.lower():
                    raise
                self._files.forget(_digest(picture))
        return await self._courier.carry(method(BufferedInputFile(picture, "picture.png")))

    def _note(self, chat_id: int, message: Message, picture: bytes) -> None:
        self._hanging.put((chat_id, message.message_id), _digest(picture))
        if message.photo:
            self._files.put(_digest(picture), message.photo[-1].file_id)


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
