"""One process of the house: its own checkout, worker, connections and lines, and a death that nothing survives."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from bot.orders.book import Book
from bot.orders.checkout import Checkout
from bot.orders.ports import Account
from bot.orders.worker import Worker
from providers.sdk.clock import Clock
from providers.sdk.contract import Call
from providers.sdk.gateway import Notification
from providers.sdk.testing import FixedRandom, Stall
from providers.sdk.transport import HttpReply
from tests.orders.shop import ListWatch
from tests.proof.simulation.driver import engine_on
from tests.proof.simulation.outside import Line, SlowTeller

if TYPE_CHECKING:
    from tests.proof.simulation.world import World

_TO_STORE_S = 0.02


class HostClock:
    """The world's time as this machine believes it to be."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.off_by_s = clock, 0.0

    def now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self.off_by_s)

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Host:
    """`start` gives it work of its own; what it was doing when it was killed is cancelled and has no more effect."""

    def __init__(self, world: "World", number: int) -> None:
        self.world, self.name, self.alive = world, f"host {number}", True
        self.clock = HostClock(world.clock)
        self._tasks = list[asyncio.Task[Any]]()
        self._engine = engine_on(world.store, self.pause, single_writer=world.single_writer)
        self.watch = ListWatch()
        self.checkout = Checkout(
            Book(self._engine),
            [self._account(name, stall) for name, stall in world.stalls.items()],
            clock=self.clock,
            random=FixedRandom(f"{world.seed}:{number}"),
            watch=self.watch,
        )
        self.worker = Worker(self.checkout, SlowTeller(self, world.messenger))

    @property
    def random(self) -> Random:
        return self.world.random

    @property
    def stormy(self) -> bool:
        return self.world.stormy

    async def pause(self, what: str, at_most_s: float = _TO_STORE_S) -> None:
        """Time passes before an effect, and the dead get no further."""
        self._live()
        await asyncio.sleep(self.random.uniform(0, at_most_s))
        self._live()
        self.world.note(self.name, what)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """As one of this process's own tasks."""
        task = self.world.start(work)
        self._tasks.append(task)
        return task

    async def serve(self, institution: str, notification: Notification) -> HttpReply | None:
        """A notification comes in; None when the process died over it."""
        if not self.alive:
            return None
        task = self.start(self.checkout.receive(institution, "main", notification.request))
        await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    async def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What somebody asks of this process; None when it died over it."""
        if not self.alive:
            work.close()
            return None
        task = self.start(work)
        await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    def stop(self) -> None:
        """Its endless tasks end; it lives on."""
        for task in self._tasks:
            task.cancel()

    def kill(self) -> None:
        """From now on every effect of it ends in nothing."""
        self.alive = False
        self.stop()

    async def close(self) -> None:
        """Wait for the cancelled, then drop the connections."""
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.dispose()

    def _live(self) -> None:
        if not self.alive:
            raise asyncio.CancelledError

    def _account(self, name: str, stall: Stall) -> Account:
        call = Call(Line(self, name, stall), self.clock, stall.random)
        return Account(
            provider_id=name,
            merchant=str(stall.settings.merchant),
            info=stall.plugin.info,
            provider=self.world.provider(name, stall),
            call=lambda: call,
            notify_url="https://shop.example/notify",
        )
