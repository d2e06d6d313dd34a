"""A whole world for a test, in one process without a network: `miniprograms.sdk.testing` loads it by entry point.

The house is the real one, from the runtime to the tables of the order book; so are the providers and their wire. Only
what lies outside is in memory: the messenger, Redis, the file under the book, and the institutions' side of the
street. Time stands still until somebody advances it. After every step all post is delivered and all work that is due
is done, so a test never waits.
"""

import asyncio
import itertools
import sys
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from fakeredis import FakeAsyncRedis, FakeServer
from pydantic import SecretStr
from structlog.testing import capture_logs
from structlog.types import EventDict

from bot.catalogue import Catalogue, read_catalogue
from bot.orders.checkout import Checkout
from bot.orders.worker import Worker
from bot.runtime import Runtime, SessionStore
from bot.sandbox.kit.book import MemoryBook
from bot.sandbox.kit.calendar import next_due
from bot.sandbox.kit.loop import InPlace, refuse_running_loop
from bot.sandbox.kit.person import PersonChat
from bot.sandbox.kit.programs import overheard
from bot.sandbox.kit.street import WEB_URL, Branch, Street, as_received
from bot.sandbox.kit.surface import MemorySurface
from miniprograms.sdk.app import App
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult
from providers.sdk.contract import ProviderPlugin
from providers.sdk.testing import FixedRandom, ManualClock, OpenPurses

T = TypeVar("T")

BOT_NAME: Final = "moongate_bot"
_TAPS_PER_MINUTE: Final = 6000  # the clock of a test stands still while its person taps
FIRST_PERSON: Final = "Ann"
_HOST_SECRET: Final = "the secret of a host that ends with its test"  # noqa: S105  # signs nothing that leaves the test
_ROUNDS_MAX: Final = 100
_MUCH: Final = 50  # the worker takes so many at once
_MOMENTS_MAX: Final = 20_000
_A_STEP_S: Final = 0.001  # so that what is done later has a later number
_AT_LEAST_S: Final = 1  # what stays due although it was worked on is looked at once a second


class World:
    """One bot with its people. Close it, or use it as a context manager."""

    def __init__(
        self,
        programs: Iterable[App] | None = None,
        providers: Iterable[ProviderPlugin] | None = None,
        *,
        seed: str = "moongate",
        keys_folder: Path | None = None,
    ) -> None:
        """Everything that is installed, unless it is said what there is."""
        self.clock = ManualClock()
        self.random = FixedRandom(seed)
        self.surface = MemorySurface()
        self.book = MemoryBook()
        self.purses = OpenPurses()
        self.log: list[EventDict] = []
        self.results: list[PaymentResult | RefundResult | PayoutResult] = []
        self.programs = _by_id(_catalogue().apps.values() if programs is None else programs)
        self.street = self._street(
            _catalogue().plugins.values() if providers is None else providers, keys_folder
        )
        self._dies_on_post = False
        self._people: dict[str, PersonChat] = {}
        self._updates = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(InPlace())
        self._redis = FakeAsyncRedis(server=FakeServer())
        self._open_door()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def chat(self) -> PersonChat:
        """The chat of the first person."""
        return next(iter(self._people.values()), None) or self.person(FIRST_PERSON)

    def person(self, name: str, language: str = "en") -> PersonChat:
        """The chat of a person of that name; the same name is the same person."""
        if name not in self._people:
            number = 7001 + len(self._people)
            self._people[name] = PersonChat(self, name, number, language)
        return self._people[name]

    def install(self, app: App) -> None:
        """Put in a program that is not installed as a package; a version of the same id goes. The host restarts."""
        app_id = app.manifest.app_id
        if self.programs.get(app_id) is not app:
            self.programs[app_id] = app
            self.restart_host()

    def restart_host(self, *, on_post: bool = False) -> None:
        """What a kill leaves: the stores, the messenger, and the institutions."""
        self._dies_on_post = on_post
        if not on_post:
            self.act(self.runtime.close())
            self._open_door()

    def advance(self, seconds: float) -> None:
        """Go from one moment at which something is due to the next, until that much time has passed."""
        until = self.clock.now() + timedelta(seconds=seconds)
        for _ in range(_MOMENTS_MAX):
            moment = self.act(self._next_moment())
            if moment is None or moment > until:
                break
            early = self.clock.now() + timedelta(seconds=_AT_LEAST_S)
            self._turn_to(min(max(moment, early), until))
            if self.clock.now() >= until:
                break
        self._turn_to(until)

    def next_update(self) -> int:
        """The messenger's number for the next thing a person does; it takes them a millisecond."""
        self.clock.advance(_A_STEP_S)
        return next(self._updates)

    def act(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, then everything that follows from it. Raises what a page, or the house, has raised on the way."""
        refuse_running_loop(work)
        with self._logged() as entries:
            result = self._loop.run_until_complete(self._act(work))
        self._raise_from(entries)
        return result

    def settle(self) -> None:
        """Deliver the post and do what is due now."""
        self._bell.set()
        self.act(_nothing())

    def close(self) -> None:
        """The end."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._shut())
            self._loop.close()

    # --- the house

    def _open_door(self) -> None:
        """Another process on the same stores."""
        self.checkout = Checkout(
            self.book,
            [branch.account() for branch in self.street],
            clock=self.clock,
            random=self.random,
        )
        self.sessions = SessionStore(self._redis, self.random)
        self.runtime = Runtime(
            [overheard(app, self.results.append) for app in self.programs.values()],
            self.sessions,
            self.checkout,
            self.surface,
            clock=self.clock,
            random=self.random,
            secret=SecretStr(_HOST_SECRET),
            web_url=WEB_URL,
            username=lambda: BOT_NAME,
            taps_per_minute=_TAPS_PER_MINUTE,
        )
        self._worker = Worker(self.checkout, self.runtime)
        self._bell = self.checkout.till.bell.ear()
        self._bell.set()

    def _street(self, plugins: Iterable[ProviderPlugin], keys_folder: Path | None) -> Street:
        branches = (
            Branch(plugin, clock=self.clock, random=self.random, purses=self.purses, keys_folder=keys_folder)
            for plugin in plugins
        )
        return Street({branch.id: branch for branch in branches}, self.clock)

    async def _act(self, work: Coroutine[Any, Any, T]) -> T:
        result = await work
        await self._settle()
        await self.runtime.close()  # a second look at a screen is for hosts that race
        return result

    async def _settle(self) -> None:
        """Until no post arrives and no work is left."""
        for _ in range(_ROUNDS_MAX):
            self.street.collect()
            arrived = self.street.due()
            for parcel in arrived:
                self.street.judge(parcel, await self.checkout.receive(*as_received(parcel.signed)))
            if arrived and self._dies_on_post:
                self._dies_on_post = False
                await self.runtime.close()
                self._open_door()
            if not arrived and not self._bell.is_set():
                return
            self._bell.clear()  # whatever makes more work rings it again
            if await self._worker.process_inbox() + await self._worker.sweep() >= _MUCH:
                self._bell.set()
            if await self._worker.send_outbox() >= _MUCH:
                self._bell.set()

    async def _shut(self) -> None:
        await self.runtime.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}  # such as those that a page has started
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._redis.aclose()
        await self.book.close()
        await self._loop.shutdown_default_executor()

    # --- time

    def _turn_to(self, moment: datetime) -> None:
        self.clock.advance((moment - self.clock.now()).total_seconds())
        self.settle()

    async def _next_moment(self) -> datetime | None:
        moments = [await self.book.read(next_due), *self.street.next_at()]
        return min((moment for moment in moments if moment is not None), default=None)

    # --- what went wrong

    @contextmanager
    def _logged(self) -> Iterator[list[EventDict]]:
        with capture_logs(processors=[_with_error]) as entries:
            try:
                yield entries
            finally:
                self.log += entries

    def _raise_from(self, entries: Sequence[EventDict]) -> None:
        """What the house has caught at its edges, so that a person never sees it, a test must see."""
        errors = [entry["exc_info"] for entry in entries if isinstance(entry.get("exc_info"), Exception)]
        if errors:
            raise errors[0]


def _by_id(programs: Iterable[App]) -> dict[str, App]:
    return {app.manifest.app_id: app for app in programs}


@cache
def _catalogue() -> Catalogue:
    return read_catalogue()


def _with_error(_logger: object, _method: str, event: EventDict) -> EventDict:
    """`exc_info=True` names the exception that is being handled now; afterwards nobody can tell."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()[1]
    return event


async def _nothing() -> None:
    pass
