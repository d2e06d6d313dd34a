"""`POST /notify/{provider}/{account}`: where institutions tell us what happened.

The bytes go to the till as they came; what it answers goes back. The address is not secret and nothing here is
believed: the provider verifies. One of the three edges where every exception is caught: an unanswered institution
repeats, which is what we want after a fault of our own.
"""

import asyncio
from typing import Final

import structlog
from aiohttp import web

from bot.orders.checkout import Checkout
from providers.sdk.transport import Headers, HttpReply, HttpRequest

BODY_BYTES_MAX: Final = 64 * 1024  # the largest real one (Alipay, with all optional fields) stays below 8 kB
_BODY_WITHIN_S: Final = 5.0
_AT_ONCE_MAX: Final = 64
_OUR_OWN_HEADERS: Final = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})
log = structlog.get_logger(__name__)


class Notifications:
    """The handler, with a cap on how many are worked on at once; the rest wait their turn."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._turns = asyncio.Semaphore(_AT_ONCE_MAX)

    def routes(self) -> list[web.RouteDef]:
        """One address per merchant account."""
        return [
            web.post(r"/notify/{provider:[a-z][a-z0-9]{1,31}}/{account:[a-z][a-z0-9]{0,31}}", self.receive)
        ]

    async def receive(self, request: web.Request) -> web.Response:
        """Read, hand over, answer."""
        if "Content-Encoding" in request.headers:
            return web.Response(status=415, text="Send it uncompressed.")
        body = await _read(request)
        if isinstance(body, web.Response):
            return body
        lines = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers
        )
        notification = HttpRequest("POST", request.raw_path, Headers(lines), body)
        provider, account = request.match_info["provider"], request.match_info["account"]
        async with self._turns:
            try:
                reply = await self._checkout.receive(provider, account, notification)
            except Exception:  # the webhook edge
                log.exception(
                    "A notification could not be taken; the institution will repeat it.", provider=provider
                )
                return web.Response(status=500, text="Try again later.")
        return _response(reply)


async def _read(request: web.Request) -> bytes | web.Response:
    if (request.content_length or 0) > BODY_BYTES_MAX:
        return _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    return _too_large()
    except TimeoutError:
        late = web.Response(status=408, text="The body took too long.")
        late.force_close()
        return late
    return bytes(body)


def _too_large() -> web.Response:
    response = web.Response(status=413, text=f"At most {BODY_BYTES_MAX} bytes.")
    response.force_close()
    return response


def _response(reply: HttpReply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body)
    for name, value in reply.headers.lines:
        if name.lower() not in _OUR_OWN_HEADERS:
            response.headers[name] = value
    return response
