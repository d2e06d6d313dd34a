"""Serving an app on a port, with limits that aiohttp leaves to its proxy.

A connection that does not send its first whole header in time is closed, and there is a cap on connections: aiohttp
alone keeps a stalled one for an hour.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

HEADER_WITHIN_S: Final = 10.0
CONNECTIONS_MAX: Final = 1000
_LINE_BYTES_MAX: Final = 8190
_KEEP_ALIVE_S: Final = 30.0
_DRAIN_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A served app; `port` is the real one when 0 was asked for."""

    host: str
    port: int


@asynccontextmanager
async def listen(
    app: web.Application,
    host: str,
    port: int,
    *,
    header_within_s: float = HEADER_WITHIN_S,
    connections_max: int = CONNECTIONS_MAX,
) -> AsyncIterator[Listener]:
    """Serve until the block ends; requests under way are finished first. Raises `OSError` when the port is taken."""
    log = logging.getLogger("moongate.http")
    log.addFilter(_is_ours)
    runner = web.AppRunner(
        app,
        logger=log,
        access_log=None,  # addresses of the one-code page open orders
        keepalive_timeout=_KEEP_ALIVE_S,
        max_line_size=_LINE_BYTES_MAX,
        max_field_size=_LINE_BYTES_MAX,
        shutdown_timeout=_DRAIN_WITHIN_S,
    )
    await runner.setup()
    try:
        gate = _Gate(cast(web.Server, runner.server), header_within_s, connections_max)
        server = await asyncio.get_running_loop().create_server(gate.enter, host, port, backlog=128)
        try:
            yield Listener(host, server.sockets[0].getsockname()[1])
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _is_ours(record: logging.LogRecord) -> bool:
    """A stranger's malformed request is answered with 400 and is no error of ours to fill the log with."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


class _Gate:
    """Lets connections in to aiohttp's protocol, and watches each until its first header is whole."""

    def __init__(self, server: web.Server, within_s: float, most: int) -> None:
        self._server = server
        self.within_s = within_s
        self.most = most
        self.inside = 0

    def enter(self) -> asyncio.Protocol:
        return _Guest(self, self._server())


class _Guest(asyncio.Protocol):
    """One connection: everything is passed on to `inner`; only the first header is timed."""

    def __init__(self, gate: _Gate, inner: asyncio.Protocol) -> None:
        self._gate = gate
        self._inner = inner
        self._head = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._gate.inside += 1
        self._inner.connection_made(transport)
        if self._gate.inside > self._gate.most:
            transport.close()
            return
        self._timer = asyncio.get_running_loop().call_later(self._gate.within_s, transport.close)

    def data_received(self, data: bytes) -> None:
        if self._timer is not None:
            self._head = (self._head + data)[-3 - len(data) :]
            if b"\r\n\r\n" in self._head:
                self._seen()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.inside -= 1
        self._seen()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _seen(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._head = None, b""
