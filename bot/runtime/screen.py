"""A screen is a view made ready to draw: tokens on the buttons, nothing of the page left in it.

`Surface` is what the messenger side offers. `bot.telegram` implements it; the test kit has one in memory.
"""

from dataclasses import dataclass, field
from typing import Protocol

from miniprograms.sdk.view import Text


@dataclass(frozen=True, slots=True)
class Key:
    """One button: exactly one of `data` (at most 64 bytes), `url` and `copy`."""

    label: str
    data: str = ""
    url: str = ""
    copy: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """What one message of ours shows. `picture` is PNG or JPEG; `input_hint` opens the text field with that hint."""

    body: tuple[Text, ...]
    rows: tuple[tuple[Key, ...], ...] = ()
    picture: bytes | None = field(default=None, repr=False)
    input_hint: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The message a screen now lives in. `fresh` when a new message was sent for it."""

    message_id: int
    fresh: bool


class Surface(Protocol):
    """Draws in order per chat, waits and retries as the messenger tells it to.

    A chat that is gone or has blocked us is not an error: `None` comes back, and the story goes on in the store.
    """

    async def draw(self, chat_id: int, screen: Screen, *, edit: int | None) -> Drawn | None:
        """Show the screen in message `edit`, or in a new message when `edit` is None or can no longer be edited.

        Drawing what is already there is not an error and changes nothing.
        """
        ...

    async def answer(self, callback_id: str, toast: str = "", *, alert: bool = False) -> None:
        """Answer a tap (the spinner stops); one that is too old is let go."""
        ...

    async def erase(self, chat_id: int, message_id: int) -> None:
        """Delete a message of ours; when that is refused, take its buttons away; when that fails, let it be."""
        ...

    async def fetch(self, file_id: str) -> bytes:
        """The bytes of a picture the person sent, capped.

        Raises `LookupError` when it is gone or too large, `ConnectionError` when the messenger is silent.
        """
        ...
