"""A check has a name that states a fact, belongs to one of sixteen parts, and is run on a fresh bench."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from providers.sdk.contract import ProviderPlugin
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked

Run = Callable[[Bench], Awaitable[None]]


class Part(StrEnum):
    """The sixteen parts, and the gateway."""

    CLAIMS = "claims"
    TRANSPORT = "transport"
    QUERY = "query"
    INTEGRITY = "integrity"
    VERIFY = "verify"
    ACKNOWLEDGE = "acknowledge"
    PURE = "pure"
    REFUND = "refund"
    STATEMENT = "statement"
    DEADLINE = "deadline"
    CONFINED = "confined"
    SCRUB = "scrub"
    COMPARE = "compare"
    MONEY = "money"
    PARALLEL = "parallel"
    VECTORS = "vectors"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns when the rule holds, raises `Broken` when it does not and `NotAsked` where it does not apply."""

    name: str
    part: Part
    run: Run
    doc: str


class Verdict(StrEnum):
    """How one check ended."""

    HELD = "held"
    BROKEN = "broken"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check of one provider."""

    check: Check
    verdict: Verdict
    said: str = ""


_checks: dict[str, Check] = {}


def check(part: Part) -> Callable[[Run], Run]:
    """Enter a function into the kit under its own name."""

    def enter(run: Run) -> Run:
        _enter(Check(run.__name__, part, run, run.__doc__ or ""))
        return run

    return enter


def check_each(part: Part, name: str, doc: str, runs: Mapping[str, Run]) -> None:
    """Enter one check per word: `name` has a `{}` for it."""
    for word, run in runs.items():
        _enter(Check(name.format(word), part, run, doc.format(word)))


def entered() -> tuple[Check, ...]:
    """All checks that were entered, in the order of their parts."""
    return tuple(sorted(_checks.values(), key=lambda one: list(Part).index(one.part)))


def attempt(
    one: Check, plugin: ProviderPlugin, proofs: Mapping[str, Sequence[Path]] | None = None
) -> Outcome:
    """Run one check. A provider that trips over itself does not hold it."""
    match asyncio.run(_run(one, plugin, proofs)):
        case None:
            return Outcome(one, Verdict.HELD)
        case NotAsked() as reason:
            return Outcome(one, Verdict.NOT_ASKED, str(reason))
        case Broken() as broken:
            return Outcome(one, Verdict.BROKEN, str(broken))
        case mishap:
            return Outcome(one, Verdict.BROKEN, f"it raised {type(mishap).__name__}: {mishap}")


async def _run(
    one: Check, plugin: ProviderPlugin, proofs: Mapping[str, Sequence[Path]] | None
) -> BaseException | None:
    async def on_a_fresh_bench() -> None:
        await one.run(Bench(plugin, proofs))

    [ending] = await asyncio.gather(on_a_fresh_bench(), return_exceptions=True)
    return ending


def _enter(one: Check) -> None:
    if one.name in _checks:
        raise ValueError(f"Two checks are called {one.name}.")
    _checks[one.name] = one
