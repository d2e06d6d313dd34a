"""Deep links: `t.me/<bot>?start=<token>` opens a program at a page.

Telegram carries 64 characters of `[A-Za-z0-9_-]` (Deep links, start parameter). What fits is written into the link
itself (`i…`) and lives for ever; the rest stands in a table in Redis under an unguessable token (`s…`) for thirty
days, WeChat's longest life of a link. Either way the query came from outside, and pages check it.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from bot.runtime.store import SessionStore
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import LINK_LIVES_S, START_CHARS_MAX
from miniprograms.sdk.route import Query, read_url, write_url


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads."""

    app_id: str
    path: str
    query: Query


@dataclass(frozen=True, slots=True)
class Links:
    """`address` makes a web address of a start parameter; it knows the bot's name, once the bot is connected."""

    store: SessionStore
    address: Callable[[str], str]

    async def make(self, app_id: str, path: str, query: Query) -> str:
        """The web address of a page."""
        text = f"{app_id} {write_url(path, query)}".encode()
        inline = "i" + urlsafe_b64encode(text).decode().rstrip("=")
        if len(inline) <= START_CHARS_MAX:
            return self.address(inline)
        return self.address("s" + await self.store.keep_link(text, LINK_LIVES_S))

    def start_of(self, text: str) -> str | None:
        """The start parameter in a web address of this bot, such as one read from a code; None for any other text."""
        before, after = self.address("\0").split("\0")
        if not (text.startswith(before) and text.endswith(after)):
            return None
        return text[len(before) : len(text) - len(after)] or None

    async def find(self, start: str) -> Target | None:
        """What a start parameter stands for; None for one that is out of date or was never ours."""
        if start.startswith("s"):
            text = await self.store.find_link(start[1:])
        elif start.startswith("i"):
            text = _decoded(start[1:])
        else:
            text = None
        return None if text is None else _target(text)


def _decoded(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def _target(text: bytes) -> Target | None:
    try:
        app_id, _, url = text.decode().partition(" ")
        path, query = read_url(url)
    except (UnicodeDecodeError, AuthorError):
        return None
    return Target(app_id, path, query)
