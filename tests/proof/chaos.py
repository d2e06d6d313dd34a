"""`make chaos`: a purchase and a refund, killed at every crash point, on both stores, and taken up again.

Prints a line per case, and ends with 1 when one was not killed, did not come back, or broke an invariant.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.catalogue import Catalogue, read_catalogue
from bot.crashpoint import POINTS
from tests.orders import postgres
from tests.proof.life import Coffee, LostWord, Story, TwoWallets, live
from tests.proof.stores import Stores, postgres_stores, sqlite_stores
from tests.proof.town import found_town, open_town

_AT_ONCE = 3
_HEAD = f"{'point':<22} nth  {'store':<10}  {'story':<11}  {'killed':<6}  {'recovered':<9}  {'invariants':<10}  {'sec':>5}"
# Points that only a change of mind, or a lost word, reaches; all others are passed by every purchase.
_STORIES = {
    "attempt.leaving": TwoWallets,
    "close.answered": TwoWallets,
    "refund.asked": TwoWallets,
    "query.answered": LostWord,
}
# Two wallets once more, at the moments that decide who is paid back.
_AGAIN = ("create.answered", "notification.stored", "notice.applied", "refund.called", "refund.answered")


@dataclass(frozen=True, slots=True)
class Case:
    """The house dies when it reaches the point for the n-th time."""

    point: str
    store: str
    nth: int = 1
    story: type[Story] = Coffee

    @property
    def name(self) -> str:
        return f"{self.point}:{self.nth} {self.store} {self.story.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`fault` is empty when all is well."""

    case: Case
    killed: bool
    fault: str
    seconds: float

    @property
    def line(self) -> str:
        killed, well = ("no", "yes")[self.killed], ("no", "yes")[not self.fault]
        case = self.case
        return (
            f"{case.point:<22} {case.nth:>3}  {case.store:<10}  {case.story.name:<11}  {killed:<6}  {well:<9}  "
            f"{well:<10}  {self.seconds:>5.1f}"
        )


class Proof:
    """Everything the cases have in common: keys that are cut, stores that are migrated, plugins that are loaded."""

    def __init__(self, home: Path, catalogue: Catalogue, stores: dict[str, Stores]) -> None:
        self._home, self._catalogue, self.stores = home, catalogue, stores
        self._count = 0

    async def run(self, case: Case) -> Outcome:
        """One case in a folder of its own."""
        self._count += 1
        folder = self._home / str(self._count)
        folder.mkdir()
        began = time.monotonic()
        url = await self.stores[case.store].fresh(folder, migrated=case.point != "book.migrating")
        killed, fault = False, ""
        try:
            async with open_town(folder, self._home, self._catalogue, url) as town:
                killed = await live(town, case.story(), f"{case.point}:{case.nth}")
        except Exception as error:  # noqa: BLE001  # whatever ends a case is what this table is for
            fault = str(error) or type(error).__name__
        if not killed and not fault:
            fault = f"{case.point} was never reached for the {case.nth}. time."
        return Outcome(case, killed, fault, time.monotonic() - began)


async def prepare(stack: AsyncExitStack, stores: tuple[str, ...]) -> Proof:
    """Make what all cases share."""
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moongate-chaos-")))
    catalogue = read_catalogue()
    await found_town(home, catalogue)
    found: dict[str, Stores] = {}
    if "sqlite" in stores:
        found["sqlite"] = await sqlite_stores(home)
    if "postgresql" in stores:
        found["postgresql"] = await stack.enter_async_context(postgres_stores())
    return Proof(home, catalogue, found)


def cases(stores: tuple[str, ...]) -> list[Case]:
    """Every point on every store, and the deciding ones again with two wallets."""
    return [
        *(Case(point, store, story=_STORIES.get(point, Coffee)) for point in POINTS for store in stores),
        *(Case(point, store, 2, TwoWallets) for point in _AGAIN for store in stores),
    ]


def table() -> str:
    """The points, as the documentation has them."""
    lines = [f"| `{name}` | {words} |" for name, words in POINTS.items()]
    return "\n".join(["| point | what is true when the house dies there |", "|---|---|", *lines])


async def main(words: list[str]) -> int:
    """All cases, or those whose name holds one of the words."""
    stores = ("sqlite", "postgresql") if postgres.binaries() else ("sqlite",)
    chosen = [case for case in cases(stores) if not words or any(word in case.name for word in words)]
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        proof = await prepare(stack, stores)
        gate = asyncio.Semaphore(_AT_ONCE)
        _say(_HEAD)

        async def one(case: Case) -> Outcome:
            async with gate:
                outcome = await proof.run(case)
            _say(outcome.line + (f"\n{outcome.fault}" if outcome.fault else ""))
            return outcome

        outcomes = await asyncio.gather(*map(one, chosen))
    bad = sum(bool(outcome.fault) for outcome in outcomes)
    _say(f"{len(outcomes)} deaths, {bad} of them not survived; {time.monotonic() - began:.0f} s.")
    if "postgresql" not in stores:
        _say(postgres.NO_SERVER)
    return 1 if bad or "postgresql" not in stores else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if "--points" in sys.argv:
        _say(table())
        sys.exit(0)
    sys.exit(asyncio.run(main(sys.argv[1:])))
