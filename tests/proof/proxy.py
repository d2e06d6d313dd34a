"""A line between two programs that can be made bad while it is in use.

    async with Line(("127.0.0.1", 6379)) as line:
        line.weather = HALF_OPEN

Asks go to the far end, answers come from it. What a weather does holds for every connection at once, the old ones too.
"""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_READ_BYTES: Final = 65536
FarEnd = tuple[str, int] | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How the line is. `cut_answers_after` counts from the moment the weather sets in; then both ends are reset."""

    latency_s: float = 0.0  # before each read is passed on
    jitter_s: float = 0.0  # at most this much more
    piece_bytes: int = _READ_BYTES  # 1: one byte at a time
    cut_answers_after: int | None = None
    loses_asks: bool = False
    loses_answers: bool = False
    refuses: bool = False  # new connections are reset


CLEAR: Final = Weather()
BLACK_HOLE: Final = Weather(loses_asks=True, loses_answers=True)
HALF_OPEN: Final = Weather(loses_answers=True)
DOWN: Final = Weather(refuses=True, cut_answers_after=0)
BYTE_BY_BYTE: Final = Weather(piece_bytes=1)


class Line:
    """Listens on loopback; `far_end` may be changed for the connections to come."""

    def __init__(self, far_end: FarEnd, *, seed: int = 0) -> None:
        self.far_end = far_end
        self.port = 0
        self.connections = 0  # ever made
        self.answered = b""  # what the far end last said on one connection, whole
        self._weather = CLEAR
        self._cut_in = 0
        self._random = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def weather(self) -> Weather:
        """How it is now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self._cut_in = weather.cut_answers_after or 0
        if weather.refuses:
            self.reset()

    @property
    def live(self) -> int:
        """Connections that stand."""
        return len(self._open) // 2

    def reset(self) -> None:
        """RST to both ends of every connection that stands."""
        for writer in list(self._open):
            writer.transport.abort()

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def hang_up(self) -> None:
        """Connections are refused by the kernel from now on; those that stand are reset."""
        if self._server is not None:
            self._server.close()
        self.reset()

    async def _enter(self, asks: asyncio.StreamReader, answer_to: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if not self._weather.refuses:
                await self._join(asks, answer_to)
        except (OSError, asyncio.CancelledError):
            pass  # one of the ends is gone, or the test is over
        finally:
            answer_to.transport.abort()
            self._tasks.discard(task)

    async def _join(self, asks: asyncio.StreamReader, answer_to: asyncio.StreamWriter) -> None:
        far = self.far_end
        if isinstance(far, Path):
            answers, ask = await asyncio.open_unix_connection(far)
        else:
            answers, ask = await asyncio.open_connection(*far)
        ends = {ask, answer_to}
        self._open |= ends
        try:
            await asyncio.gather(self._carry(asks, ask), self._answer(answers, answer_to))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_READ_BYTES):
            await self._delay()
            if not self._weather.loses_asks:
                await self._pass_on(data, sink)
        if not self._weather.loses_asks:
            with suppress(OSError):
                sink.write_eof()

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        said = b""
        while data := await source.read(_READ_BYTES):
            said += data
            self.answered = said
            await self._delay()
            if self._weather.cut_answers_after is not None:
                data, self._cut_in = data[: self._cut_in], self._cut_in - len(data)
                await self._pass_on(data, sink)
                if self._cut_in <= 0:
                    raise ConnectionResetError
            elif not self._weather.loses_answers:
                await self._pass_on(data, sink)
        if not self._weather.loses_answers:
            raise ConnectionResetError  # the far end has hung up

    async def _pass_on(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        size = self._weather.piece_bytes
        for start in range(0, len(data), size):
            sink.write(data[start : start + size])
            await sink.drain()
            if size < _READ_BYTES:
                await asyncio.sleep(0)

    async def _delay(self) -> None:
        weather = self._weather
        if wait_s := weather.latency_s + weather.jitter_s * self._random.random():
            await asyncio.sleep(wait_s)
