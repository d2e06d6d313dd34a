"""A real house in a process of its own, that can be told to die by SIGKILL at the n-th time it reaches a crash point."""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from bot.app import Outside, open_host
from bot.catalogue import Catalogue, read_catalogue
from bot.cli.house import keep_until_told
from bot.crashpoint import arm
from bot.log import set_up_logging
from bot.machine import MachineRandom
from bot.settings import AccountName, Settings

_SLICE_S = 0.05


class SharedClock:
    """The machine's clock plus what another process has advanced it."""

    def __init__(self, ahead: "Synchronized[float]") -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead.value)

    async def sleep(self, seconds: float) -> None:
        wake_at = self.now() + timedelta(seconds=seconds)
        left_s = seconds
        while left_s > 0:  # nobody can ring: the other process only writes a number
            await asyncio.sleep(min(left_s, _SLICE_S))
            left_s = (wake_at - self.now()).total_seconds()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a house needs to know. `crash_at` is `<point>:<n>`, or empty for a house that lives."""

    settings: Mapping[str, object]
    merchants: Mapping[str, Mapping[str, str]] = field(repr=False)
    programs: tuple[str, ...]
    log: Path
    crash_at: str = ""


def bomb(crash_at: str) -> Callable[[str], None]:
    """Kill this process, as `kill -9` does, when that point is reached for the n-th time."""
    point, _, nth = crash_at.partition(":")
    left = int(nth or 1)

    def count_down(name: str) -> None:
        nonlocal left
        if name != point:
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count_down


def keep(plan: Plan, ahead: "Synchronized[float]") -> None:
    """The whole life of the process, as `moongate run` leads it."""
    with plan.log.open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    set_up_logging("info", "json")
    if plan.crash_at:
        arm(bomb(plan.crash_at))
    keep_until_told(_house(plan, ahead))


async def _house(plan: Plan, ahead: "Synchronized[float]") -> None:
    catalogue = some(read_catalogue(), plan)
    merchants = {
        AccountName(name): catalogue.plugins[name].settings.model_validate(values)
        for name, values in plan.merchants.items()
    }
    outside = Outside(clock=SharedClock(ahead), random=MachineRandom(), merchants=merchants, play_money=True)
    settings = Settings.model_validate(plan.settings)
    async with open_host(settings, catalogue, outside) as host:
        await host.run()


def some(catalogue: Catalogue, plan: Plan) -> Catalogue:
    """Only the programs and providers of the plan, so that it starts quickly."""
    return Catalogue(
        tuple(one for one in catalogue.programs if one.name in plan.programs),
        tuple(one for one in catalogue.providers if one.name in plan.merchants),
        (),
    )


def context() -> ForkServerContext:
    """Where houses are forked from: everything heavy is imported once."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.proof.doomed"])
    return found


def set_out(plan: Plan, ahead: "Synchronized[float]") -> ForkServerProcess:
    """Start one."""
    process = context().Process(target=keep, args=(plan, ahead), daemon=True)
    process.start()
    return process
