"""A messenger in memory: what a person would see, and everything that was done to get there."""

import asyncio
from dataclasses import dataclass, field

from bot.runtime.screen import Drawn, Key, Screen


@dataclass
class FakeSurface:
    """Keeps Telegram's habits that matter: ids grow, a message that is gone is sent anew, a tap is answered once.

    `number` may be shared by several surfaces, which are then several processes on one chat service.
    """

    messages: dict[int, dict[int, Screen]] = field(default_factory=dict)  # chat -> message -> what it shows
    answers: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    draw_takes_s: float = 0.0
    number: int = 100

    async def draw(self, chat_id: int, screen: Screen, *, edit: int | None) -> Drawn | None:
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
        return max(self.messages[chat_id].items())

    def key(self, chat_id: int, label: str) -> tuple[int, Key]:
        """The newest button whose label has these words, and the message it stands in."""
        for message_id, screen in sorted(self.messages.get(chat_id, {}).items(), reverse=True):
            for row in screen.rows:
                for key in row:
                    if label in key.label:
                        return message_id, key
        raise LookupError(f"No button {label!r} in chat {chat_id}.")


def text_of(screen: Screen) -> str:
    return "".join(node.content for node in screen.body)
