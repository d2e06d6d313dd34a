"""The real host in a process of its own, so that it can be killed, on a clock that another process turns.

    python -m tests.proof.host_process FILE

FILE holds the settings, the merchants and where the clock is, as `write_orders` made it.
"""

import asyncio
import json
import mmap
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import Outside, open_host
from bot.cli.house import keep_until_told
from bot.log import set_up_logging
from bot.machine import MachineRandom
from bot.settings import AccountName, Settings
from tests.proof.house import World, small_catalogue

_STEP_S = 0.05


class ClockFace:
    """How far the world's clock is ahead of the machine's, in a file that several processes look at."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._face = mmap.mmap(file.fileno(), 8)

    @property
    def ahead_s(self) -> float:
        """Seconds."""
        return float(struct.unpack("d", self._face[:8])[0])

    @ahead_s.setter
    def ahead_s(self, seconds: float) -> None:
        self._face[:8] = struct.pack("d", seconds)


class FollowingClock:
    """`providers.sdk.clock.Clock`, told by a face that another process turns."""

    def __init__(self, face: ClockFace) -> None:
        self._face = face

    def now(self) -> datetime:
        """The world's time."""
        return datetime.now(UTC) + timedelta(seconds=self._face.ahead_s)

    async def sleep(self, seconds: float) -> None:
        """Until that much of the world's time has gone by."""
        wake_at = self.now() + timedelta(seconds=seconds)
        while (left_s := (wake_at - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  # another process turns it
            await asyncio.sleep(min(left_s, _STEP_S))


def write_orders(path: Path, world: World, face: Path, **settings: str) -> None:
    """What the host of that world is to be."""
    orders = {
        "settings": {
            "telegram_bot_token": world.sandbox.bot_token,
            "telegram_api_base": f"http://127.0.0.1:{world.telegram.port}",
            "data_dir": str(world.folder / "host"),
            "web_port": str(world.web_port),
            "provider_deadline_s": "2",
            "log_format": "json",
            **settings,
        },
        "merchants": world.merchant_fields,
        "face": str(face),
    }
    path.write_text(json.dumps(orders))


async def _keep(text: str) -> None:
    orders = json.loads(text)
    settings = Settings(_env_file=None, **orders["settings"])
    set_up_logging("info", "json")
    catalogue = small_catalogue()
    merchants = {
        AccountName(provider): catalogue.plugins[provider].settings.model_validate(fields)
        for provider, fields in orders["merchants"].items()
    }
    clock = FollowingClock(ClockFace(Path(orders["face"])))
    outside = Outside(clock=clock, random=MachineRandom(), merchants=merchants)
    async with open_host(settings, catalogue, outside) as host:
        await host.run()


if __name__ == "__main__":
    keep_until_told(_keep(Path(sys.argv[1]).read_text()))
