"""A mini program can block the whole host: a loop without an `await` stops every chat and every notification.

Nothing inside the event loop can see that, so a timer outside of it (`faulthandler`, in a thread of its own) is wound up
again by every turn of the loop. When it runs down it prints where every thread stands and ends the process: what is
durable is durable, and a supervisor starts the host again as after a kill.
"""

import asyncio
import faulthandler
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TextIO

_WINDINGS: Final = 4  # how often the timer is wound up in its time, so that a busy loop is no blocked one


@asynccontextmanager
async def watched(stall_deadline_s: int, file: TextIO = sys.stderr) -> AsyncIterator[None]:
    """End the process with exit status 1 when the loop does not turn for so long inside the block; 0: never."""
    if not stall_deadline_s:
        yield
        return
    winding = asyncio.create_task(_wind(stall_deadline_s, file))
    try:
        yield
    finally:
        winding.cancel()
        with suppress(asyncio.CancelledError):
            await winding
        faulthandler.cancel_dump_traceback_later()


async def _wind(stall_deadline_s: int, file: TextIO) -> None:
    while True:
        faulthandler.dump_traceback_later(stall_deadline_s, exit=True, file=file)
        await asyncio.sleep(stall_deadline_s / _WINDINGS)
