"""An update in, an event out, or nothing. Pure; what it does not know it lets pass."""

import re
from typing import Final

from aiogram.enums import ChatType
from aiogram.types import CallbackQuery, Message, Update, User

from bot.runtime.events import Command, Event, Origin, Photo, Seat, Tap, Words

ALLOWED: Final = (
    "message",
    "callback_query",
    "pre_checkout_query",
)  # the kinds we ask Telegram for; edited messages are not among them
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL | re.ASCII)
_PICTURES: Final = {"image/png", "image/jpeg"}


def read(update: Update, username: str = "") -> Event | None:
    """`username` is ours, without `@`: a command that names another bot is not for us.

    None for everything without a person behind it: channel posts, anonymous administrators, other bots, and kinds of
    update that the house does not use.
    """
    if update.message is not None:
        return _message(update.update_id, update.message, username)
    if update.callback_query is not None:
        return _tap(update.update_id, update.callback_query)
    return None


def _message(update_id: int, message: Message, username: str) -> Event | None:
    person = message.from_user
    # In a channel or for an anonymous administrator, from_user is a stand-in (Bot API, Message, sender_chat).
    if person is None or person.is_bot or message.sender_chat is not None:
        return None
    origin = _origin(update_id, person, message.chat.id, message.message_id)
    if message.text is not None:
        return _line(origin, message.text, username)
    file_id = _picture(message)
    return Photo(origin, file_id, message.caption or "") if file_id else None


def _line(origin: Origin, text: str, username: str) -> Command | Words | None:
    match = _COMMAND.fullmatch(text)
    if match is None:
        return Words(origin, text)
    name, addressee, argument = match.groups()
    if addressee and addressee.lower() != username.lower():
        return None
    return Command(origin, name.lower(), (argument or "").strip())


def _picture(message: Message) -> str | None:
    """The largest size of a photo, or a picture sent as a file so that it keeps every pixel of its code."""
    if message.photo:
        return max(message.photo, key=lambda size: size.width * size.height).file_id
    document = message.document
    return document.file_id if document and document.mime_type in _PICTURES else None


def _tap(update_id: int, query: CallbackQuery) -> Tap | None:
    message = query.message  # present but inaccessible when it is too old: chat and number are still there
    if (
        message is None
        or query.data is None
        or query.from_user.is_bot
        or message.chat.type == ChatType.CHANNEL
    ):
        return None
    origin = _origin(update_id, query.from_user, message.chat.id, message.message_id, query.id)
    return Tap(origin, query.data)


def _origin(
    update_id: int, person: User, chat_id: int, message_id: int, callback_id: str | None = None
) -> Origin:
    return Origin(
        key=f"u{update_id}",
        seat=Seat(chat_id, person.id),
        language=person.language_code or "en",
        message_id=message_id,
        callback_id=callback_id,
    )
