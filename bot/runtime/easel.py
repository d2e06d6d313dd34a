"""The live screen of one seat: one message, edited while it is the newest of the chat, moved down when it is not.

Turns of one process that wait for the brush are drawn once, with the newest screen: fifty quick taps are fifty turns
and a few edits, which is also what Telegram's limits ask for.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.runtime.events import Seat
from bot.runtime.screen import Screen, Surface
from bot.runtime.store import SessionStore

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Easel:
    """Lives while somebody of this process is at work on the seat. `door` lets one turn in at a time."""

    seat: Seat
    store: SessionStore
    surface: Surface
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    guests: int = 0
    live: int | None = None
    last: int = 0
    _brush: asyncio.Lock = field(default_factory=asyncio.Lock)
    _wanted: Screen | None = None
    _asked: int = 0
    _painted: int = 0

    def learn(self, live: int | None, last: int) -> None:
        """What the store, or a message of the person's, tells about the chat. Message ids only grow."""
        self.live = max(self.live or 0, live or 0) or None
        self.last = max(self.last, last)

    def ask_for(self, screen: Screen) -> int:
        """This is what the seat shows now. Called inside the door, so that the order is that of the turns."""
        self._wanted = screen
        self._asked += 1
        return self._asked

    async def paint(self, number: int) -> None:
        """Return when the screen of that number, or a newer one, is up."""
        async with self._brush:
            if self._painted >= number or self._wanted is None:
                return
            newest = self._asked
            await self._put_up(self._wanted)
            self._painted = newest

    async def paint_again(self) -> None:
        """The newest screen once more: another process may have drawn an older one over it."""
        async with self._brush:
            if self._wanted is not None:
                await self._put_up(self._wanted)

    async def _put_up(self, screen: Screen) -> None:
        old = self.live
        edit = old if old is not None and old >= self.last else None
        drawn = await self.surface.draw(self.seat.chat_id, screen, edit=edit)
        if drawn is None or drawn.message_id == old:
            return
        self.live = drawn.message_id
        self.last = max(self.last, drawn.message_id)
        await self.store.note(self.seat, live=drawn.message_id, last=drawn.message_id)
        if old is not None:
            await self.surface.erase(self.seat.chat_id, old)


@dataclass(slots=True)
class Studio:
    """The easels in use. `second_look_s` is how long a draw of another process may take to reach the messenger."""

    store: SessionStore
    surface: Surface
    second_look_s: float = 1.0
    _easels: dict[Seat, Easel] = field(default_factory=dict)
    _looks: set[asyncio.Task[None]] = field(default_factory=set)

    def enter(self, seat: Seat) -> Easel:
        """The seat's easel; `leave` it when done."""
        easel = self._easels.get(seat)
        if easel is None:
            easel = self._easels[seat] = Easel(seat, self.store, self.surface)
        easel.guests += 1
        return easel

    def leave(self, easel: Easel) -> None:
        """The last one to leave takes it down."""
        easel.guests -= 1
        if easel.guests == 0:
            del self._easels[easel.seat]

    def look_again(self, seat: Seat, seq: int) -> None:
        """Two processes drew at nearly the same time: draw once more, unless the session has gone on from `seq`."""
        look = asyncio.create_task(self._look_again(self.enter(seat), seq))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def close(self) -> None:
        """Look no more."""
        looks = list(self._looks)
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _look_again(self, easel: Easel, seq: int) -> None:
        try:
            await asyncio.sleep(self.second_look_s)
            if await self.store.seq(easel.seat) == seq:
                await easel.paint_again()
        except Exception:  # the update edge: nobody waits for this
            log.exception("second_look_failed")
        finally:
            self.leave(easel)
