"""`python -m tests.orders.kill`: SIGKILL a purchase at every step, take it up in another process, check it.

A program of its own, because it forks: nothing else may be running in the process that does.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from providers.sdk.testing import FixedRandom, JsonDrawer
from tests.orders.crash import Fuse, check, purchase, recover, wire
from tests.orders.shop import Shop

_ENOUGH = 400


class FileDrawer(JsonDrawer):
    """The institution outlives our process."""

    def __init__(self, path: Path) -> None:
        super().__init__(json.loads(path.read_text()) if path.exists() else None)
        self._path = path

    def put(self, key: str, value: object) -> None:
        super().put(key, value)  # type: ignore[arg-type]  # the kit's own type
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self.texts))
        fresh.replace(self._path)


async def open_shop(folder: Path) -> Shop:
    shop = await Shop.opened(f"sqlite:///{folder}/book.db")
    shop.random = FixedRandom(str(os.getpid()))
    shop.open_door()
    stall = shop.stalls["plainpay"]
    drawer = FileDrawer(folder / "plainpay.json")
    if "key" not in drawer.texts:
        drawer.put("key", stall.drawer.get("key"))
    stall.drawer = drawer
    stall.restart_gateway()
    return shop


async def live(folder: Path, points: int) -> None:
    shop = await open_shop(folder)
    wire(shop, Fuse(points, lambda: os.kill(os.getpid(), signal.SIGKILL)))
    await purchase(shop)
    await shop.close()


async def take_up(folder: Path) -> None:
    shop = await open_shop(folder)
    shop.clock.advance(1)
    await recover(shop)
    await check(shop)
    await shop.close()


def in_a_process(work: Callable[[], Coroutine[None, None, None]]) -> int:
    """Its exit status; negative when a signal ended it."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001  # a child says why and goes
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


async def make(path: Path) -> None:
    """An empty book to copy; and the institutions' keys, which are slow to make, for every fork to inherit."""
    shop = await Shop.opened(f"sqlite:///{path}")
    await shop.close()


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        asyncio.run(make(home / "fresh.db"))
        for points in range(_ENOUGH):
            folder = home / str(points)
            folder.mkdir()
            shutil.copy(home / "fresh.db", folder / "book.db")
            ended = in_a_process(partial(live, folder, points))
            if in_a_process(partial(take_up, folder)):
                sys.stderr.write(f"Killed at point {points}, it did not end right.\n")
                return 1
            if ended == 0:
                sys.stdout.write(f"{points} points, all of them end right.\n")
                return 0
            if ended != -signal.SIGKILL:
                return 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
