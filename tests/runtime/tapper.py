"""A host process of its own: `python -m tests.runtime.tapper <socket> <prefix> <folder> <data> <first> <count>`.

It taps one button `count` times at once, as update numbers `first` and on, and prints nothing.
"""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from bot.runtime import Runtime, SessionStore
from bot.runtime.events import Origin, Seat, Tap
from tests.fakes.counter import FakeCounter
from tests.fakes.machine import FakeClock, FakeRandom
from tests.fakes.programs import Counting, app_of
from tests.fakes.surface import FakeSurface


async def main(socket: str, prefix: str, folder: str, data: str, updates: range) -> None:
    app = app_of(Path(folder))
    app.page("home")(Counting)
    async with Redis(unix_socket_path=socket) as redis:
        random = FakeRandom(f"process{updates.start}")
        runtime = Runtime(
            [app],
            SessionStore(redis, random, prefix=prefix),
            FakeCounter(),
            FakeSurface(),
            clock=FakeClock(),
            random=random,
            secret=SecretStr("a secret of the host, thirty-two characters"),
            web_url="https://pay.example.com",
        )
        taps = (
            Tap(Origin(key=f"u{number}", seat=Seat(7, 7), message_id=102, callback_id=f"c{number}"), data)
            for number in updates
        )
        await asyncio.gather(*map(runtime.handle, taps))
        await runtime.close()


if __name__ == "__main__":
    *where, first, count = sys.argv[1:]
    asyncio.run(main(*where, range(int(first), int(first) + int(count))))
