"""Runs worlds and says what happened in them."""

import asyncio
import re
import sys
from dataclasses import dataclass, field
from random import Random

from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.proof.simulation.checks import judge
from tests.proof.simulation.loop import SeededLoop
from tests.proof.simulation.plants import Plant
from tests.proof.simulation.scenarios import SCENARIOS, Scenario
from tests.proof.simulation.world import StorePlan, World, fresh_book

# A mishap at the worker's edge that no weather explains is a bug, even when the books come out right. A refund that
# the institution's console made may have to wait for its payment.
_WEATHER = re.compile(r"^(ConnectionError|TooEarlyError)\b")


@dataclass(frozen=True)
class Outcome:
    """Of one world. `faults` is empty when all held."""

    seed: int
    scenario: str
    faults: tuple[str, ...]
    digest: str
    trace: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        return f"SEED={self.seed} SCENARIO={self.scenario} trace {self.digest}: " + (
            " ".join(self.faults) or "all held"
        )


def scenario_of(seed: int) -> Scenario:
    """Seeds take turns."""
    return SCENARIOS[seed % len(SCENARIOS)]


def run(seed: int, scenario: Scenario | None = None, plan: StorePlan | None = None) -> Outcome:
    """Live through one world."""
    fresh_book()
    random = Random(seed)
    with (
        capture_logs([_with_error]) as logs,
        asyncio.Runner(loop_factory=lambda: SeededLoop(random)) as runner,
    ):
        return runner.run(_live(seed, random, scenario or scenario_of(seed), plan or StorePlan(), logs))


def first_found(plant: Plant, seeds: int) -> Outcome | None:
    """The first seed that shows a planted bug; None when none of that many does."""
    with plant.bug():
        outcomes = (run(seed, plant.scenario, plant.plan) for seed in range(seeds))
        return next(
            (one for one in outcomes if any(plant.refusal not in fault for fault in one.faults)), None
        )


async def _live(seed, random, scenario, plan, logs) -> Outcome:
    world = World(seed, random, plan, hosts=random.choice(scenario.hosts))
    try:
        await scenario.play(world)
        await world.settle()
        await judge(world)
    finally:
        await world.close()
    faults = [*world.witness.faults, *_mishaps(logs)]
    return Outcome(seed, scenario.name, tuple(faults), world.digest(), tuple(world.trace))


def _with_error(_logger: object, _method: str, log: EventDict) -> EventDict:
    return {**log, "error": repr(sys.exc_info()[1])}


def _mishaps(logs: list[EventDict]) -> list[str]:
    """The worker goes on after any error, so none would be seen but for its log."""
    found = [log for log in logs if log["log_level"] == "error" and not _WEATHER.search(log["error"])]
    return sorted({f"{log['event']}: {log['error']}" for log in found})
