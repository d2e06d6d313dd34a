"""A process that opens a book, and may be killed at the n-th statement of its migration: `migrating.py URL N`."""

import asyncio
import os
import signal
import sys

from sqlalchemy import Engine, event

from bot.orders.book import open_book


def _kill_at(n: int) -> None:
    seen = 0

    @event.listens_for(Engine, "after_cursor_execute")
    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == n:
            os.kill(os.getpid(), signal.SIGKILL)


async def _open(url: str) -> None:
    book = await open_book(url)
    await book.close()


if __name__ == "__main__":
    if int(sys.argv[2]):
        _kill_at(int(sys.argv[2]))
    asyncio.run(_open(sys.argv[1]))
