"""Networks that go wrong in one certain way each."""

import asyncio
from collections.abc import Sequence
from typing import Final

from providers.sdk.testing.fakes import GatewayTransport
from providers.sdk.transport import Headers, HttpReply, HttpRequest

_JSON: Final = Headers.of({"Content-Type": "application/json"})
_HTML: Final = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"

# Twenty-two replies that no institution signs. Each is `Unknown`, whatever the verb.
ODD_REPLIES: Final[tuple[HttpReply, ...]] = (
    HttpReply(200),
    HttpReply(200, body=b" \n"),
    HttpReply(200, Headers.of({"Content-Type": "text/html"}), _HTML),
    HttpReply(200, _JSON, b"{}"),
    HttpReply(200, _JSON, b"[]"),
    HttpReply(200, _JSON, b"null"),
    HttpReply(200, _JSON, b'{"code":"SUCCESS","message":"OK"'),
    HttpReply(200, _JSON, b'{"code":NaN}'),
    HttpReply(200, _JSON, b"[" * 3000),
    HttpReply(200, body=b"success"),
    HttpReply(200, body=b"a=1&a=2&&=&%zz"),
    HttpReply(200, body=b'<?xml version="1.0"?><xml><return_code>SUCCESS</return_code></xml>'),
    HttpReply(200, body=b"\xff\xfe\x00\x80" * 64),
    HttpReply(204),
    HttpReply(302, Headers.of({"Location": "https://elsewhere.example/"})),
    HttpReply(400, body=_HTML),
    HttpReply(401),
    HttpReply(403, body=b"Forbidden"),
    HttpReply(404, body=_HTML),
    HttpReply(429, Headers.of({"Retry-After": "1"})),
    HttpReply(500, _JSON, b'{"code":"SYSTEM_ERROR"}'),
    HttpReply(503, body=_HTML),
)


class Scripted:
    """Gives the same answer, or raises the same error, however often it is asked; counts."""

    def __init__(self, answer: HttpReply | Exception) -> None:
        self._answer = answer
        self.asked = 0

    async def send(self, request: HttpRequest) -> HttpReply:
        """The one answer."""
        del request
        self.asked += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Replayed:
    """Answers with replies that were genuine when another question was asked."""

    def __init__(self, replies: Sequence[HttpReply]) -> None:
        self._replies = replies

    async def send(self, request: HttpRequest) -> HttpReply:
        """The last genuine reply."""
        del request
        return self._replies[-1]


class Hanging:
    """Never answers; `waiting` is set once it has been asked, `let_go` when the caller was cancelled."""

    def __init__(self) -> None:
        self.waiting, self.let_go = asyncio.Event(), False

    async def send(self, request: HttpRequest) -> HttpReply:
        """Wait for ever."""
        del request
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.let_go = True
            raise
        raise AssertionError


class Shuffling:
    """A gateway whose replies come back in another order than the questions went out."""

    def __init__(self, inner: GatewayTransport) -> None:
        self._inner, self._count = inner, 0

    async def send(self, request: HttpRequest) -> HttpReply:
        """Let others pass: the later the question, the sooner the answer, in turns of seven."""
        self._count += 1
        pauses = 7 - self._count % 7
        for _ in range(pauses):
            await asyncio.sleep(0)
        reply = await self._inner.send(request)
        for _ in range(pauses):
            await asyncio.sleep(0)
        return reply
