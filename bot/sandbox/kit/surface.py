"""A messenger in memory: what a person would see, and everything that was done to get there."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.runtime.screen import Drawn, Key, Screen
from miniprograms.sdk.limits import (
    BUTTONS_MAX,
    CALLBACK_BYTES_MAX,
    CAPTION_UNITS_MAX,
    TEXT_UNITS_MAX,
    text_units,
)


@dataclass
class MemorySurface:
    """Keeps Telegram's habits that matter: ids grow, a message that is gone is sent anew, limits are limits.

    `number` may be shared by several surfaces, which are then several processes on one chat service.
    """

    messages: dict[int, dict[int, Screen]] = field(default_factory=dict)  # chat -> message -> what it shows
    answers: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    draw_takes_s: float = 0.0
    number: int = 100

    async def draw(self, chat_id: int, screen: Screen, *, edit: int | None) -> Drawn | None:
        _check_limits(screen)
        await asyncio.sleep(self.draw_takes_s)
        chat = self.messages.setdefault(chat_id, {})
        if edit is not None and edit in chat:
            if chat[edit] != screen:
                self.calls.append(("edit", edit))
            chat[edit] = screen
            return Drawn(edit, fresh=False)
        message_id = self.person_writes()
        chat[message_id] = screen
        self.calls.append(("send", message_id))
        return Drawn(message_id, fresh=True)

    async def answer(self, callback_id: str, toast: str = "", *, alert: bool = False) -> None:
        self.answers.setdefault(callback_id, []).append((toast, alert))

    async def erase(self, chat_id: int, message_id: int) -> None:
        self.calls.append(("erase", message_id))
        self.messages.get(chat_id, {}).pop(message_id, None)

    async def fetch(self, file_id: str) -> bytes:
        return self.pictures[file_id]

    def person_writes(self) -> int:
        """The id of the next message in the chat, whoever writes it."""
        self.number += 1
        return self.number

    def newest(self, chat_id: int) -> tuple[int, Screen]:
        """The last message that stands in the chat."""
        return max(self.messages[chat_id].items())

    def from_newest(self, chat_id: int) -> Iterator[tuple[int, Screen]]:
        """The messages that stand in the chat, the last one first."""
        yield from sorted(self.messages.get(chat_id, {}).items(), reverse=True)

    def key(self, chat_id: int, label: str) -> tuple[int, Key]:
        """The newest button whose label has these words, and the message it stands in."""
        for message_id, screen in self.from_newest(chat_id):
            for key in keys_of(screen):
                if label in key.label:
                    return message_id, key
        raise LookupError(f"No button {label!r} in chat {chat_id}.")


def text_of(screen: Screen) -> str:
    """Its text without the styles."""
    return "".join(node.content for node in screen.body)


def keys_of(screen: Screen) -> list[Key]:
    """Its buttons, row by row."""
    return [key for row in screen.rows for key in row]


def _check_limits(screen: Screen) -> None:
    """A messenger refuses such a message, so no host may send it."""
    units_max = CAPTION_UNITS_MAX if screen.picture else TEXT_UNITS_MAX
    if text_units(text_of(screen)) > units_max:
        raise ValueError(f"A message has at most {units_max} characters.")
    keys = keys_of(screen)
    if len(keys) > BUTTONS_MAX:
        raise ValueError(f"A message has at most {BUTTONS_MAX} buttons.")
    for key in keys:
        if not key.label or len(key.data.encode()) > CALLBACK_BYTES_MAX:
            raise ValueError(
                f"The button {key.label!r} needs a label and at most {CALLBACK_BYTES_MAX} bytes of data."
            )
