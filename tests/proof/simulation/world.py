"""One seed, one world: hosts on one store, two institutions, their post, a messenger, and payers with a code in hand."""

import asyncio
import functools
import hashlib
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.orders.book import Book, open_book
from bot.orders.checkout import Opened
from bot.orders.order import Draft, Order
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.contract import Provider
from providers.sdk.gateway import BillGone, Notification
from providers.sdk.money import Money
from providers.sdk.results import Verified
from providers.sdk.testing import NOON, Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER, plainpay, unionpay
from tests.proof.simulation.checks import Witness
from tests.proof.simulation.driver import engine_on
from tests.proof.simulation.host import Host
from tests.proof.simulation.outside import Messenger, stall_in_a_new_world
from tests.proof.simulation.store import Store
from tests.proof.world import Acknowledged

PRICE = Money.cny("100.00")
INSTITUTION_OF = {Wallet.BANK: "plainpay", Wallet.QUICKPASS: "unionpay"}
_JUMPS_MAX = 400


class WorldClock:
    """The loop's virtual time as a date; `advance` jumps."""

    def __init__(self) -> None:
        self._loop, self._jumped_s = asyncio.get_running_loop(), 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._jumped_s + self._loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self._jumped_s += seconds


@functools.cache
def fresh_book() -> bytes:
    """An empty book of today's schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.db"
        asyncio.run(_make(f"sqlite:///{path}"))
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = DELETE")
        octets = connection.serialize()
        connection.close()
    return octets


async def _make(url: str) -> None:
    book = await open_book(url)
    await book.close()


@dataclass(frozen=True)
class StorePlan:
    """What is taken away from the store, to see that it is missed."""

    checks: bool = True
    row_locks: bool = True
    prepare: Callable[[bytes], bytes] = lambda fresh: fresh


class World:
    """Make it inside a `SeededLoop` that was given the same `random`."""

    def __init__(self, seed: int, random: Random, plan: StorePlan, *, hosts: int) -> None:
        self.seed, self.random, self._loop = seed, random, asyncio.get_running_loop()
        self.clock, self.trace, self.stormy = WorldClock(), list[str](), False
        self.single_writer = hosts == 1
        self.store = Store(plan.prepare(fresh_book()), checks=plan.checks, row_locks=plan.row_locks)
        self.witness = Witness()
        self.store.committed = self.witness.look
        self.messenger = Messenger(self.witness.compare)
        self.acknowledged = list[Acknowledged]()
        self.observer = Book(engine_on(self.store, _at_once, single_writer=True))
        self.stalls = {"plainpay": self._stall(plainpay), "unionpay": self._stall(unionpay)}
        self.posts = list[asyncio.Task[None]]()
        self.holds_post, self.bag = False, list[tuple[str, Notification]]()
        self.hosts = [self._host() for _ in range(hosts)]

    @property
    def host(self) -> Host:
        """One of those that live."""
        return self.random.choice([host for host in self.hosts if host.alive])

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        self.trace.append(f"{self._loop.time():.6f} {who} {what}")

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """As a task of this world."""
        return self._loop.create_task(work)

    async def place(self, *, expires_after_s: int = 900) -> Order:
        """An order of one person's page."""
        draft = self.draft(expires_after_s)
        [order] = await self.host.checkout.place([draft])
        return order

    async def opened(self, wallet: Wallet | None = None, **more: Any) -> Opened:
        """An order with a code in the payer's hand. Fine weather."""
        order = await self.place(**more)
        answer = await self.host.checkout.open(
            order.id, wallet or self.random.choice(sorted(INSTITUTION_OF)), user_id=USER
        )
        assert isinstance(answer, Opened), answer
        return answer

    async def paid(self, wallet: Wallet | None = None) -> Order:
        """An order whose payment is booked. Fine weather."""
        opened = await self.opened(wallet)
        self.pay(opened.attempt.provider, opened.attempt.code, opened.attempt.wallet)
        await self.quiet()
        await self.host.worker.drain()
        order = await self.host.checkout.find(opened.order.id)
        assert order is not None
        assert order.paid
        return order

    def pay(self, institution: str, code: str | None, wallet: Wallet) -> bool:
        """The payer scans and confirms; False when the code is no longer taken."""
        try:
            self.stalls[institution].pay(code, wallet)
        except (BillGone, LookupError) as error:
            self.note("payer", f"is refused by {institution}: {type(error).__name__}")
            return False
        self.note("payer", f"pays {institution}")
        return True

    async def at_once(self, *works: Coroutine[Any, Any, object], within_s: float = 0.5) -> list[object]:
        """All of them, each begun within that time. What a host answers is never an exception."""

        async def one(work: Coroutine[Any, Any, object]) -> object:
            await asyncio.sleep(self.random.uniform(0, within_s))
            return await work

        answers = await asyncio.gather(*(one(work) for work in works), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, Exception):
                self.witness.fault(f"A caller got {answer!r}")
        return answers

    def kill(self, host: Host) -> None:
        """SIGKILL: nothing of it reaches the outside from now on. Another starts in its place."""
        self.note(host.name, "is killed")
        host.kill()
        self.hosts.append(self._host())

    async def quiet(self) -> None:
        """Until all post is delivered or given up."""
        while self.posts:
            waiting, self.posts = self.posts, []
            await asyncio.gather(*waiting)

    async def settle(self) -> None:
        """The weather turns fine, and time jumps from one due moment to the next until nothing is due any more."""
        self.stormy = False
        for host in self.hosts:
            host.stop()
        for stall in self.stalls.values():
            stall.faults.clear()
        await self.quiet()
        worker = self.host.worker
        for _ in range(_JUMPS_MAX):
            await worker.drain()
            await self.quiet()
            due = self.witness.next_due()
            if due is None:
                return
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()) + 0.001)
        self.witness.fault("Something is due for ever.")

    async def close(self) -> None:
        """Give everything back."""
        for host in self.hosts:
            await host.close()
        await self.observer.close()
        self.store.close()

    def digest(self) -> str:
        """Of the trace: the same seed gives the same digest, in every process."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]

    def draft(self, expires_after_s: int = 900, key: str = "cart-1", amount: Money = PRICE) -> Draft:
        """What the page asks for."""
        request = PaymentRequest(amount=amount, title="Latte", order_key=key)
        fields = {"app_id": "coffee", "page": "pages/menu/menu", "chat_id": USER, "user_id": USER}
        return Draft(language="en", request=request, expires_after_s=expires_after_s, **fields)

    def provider(self, institution: str, stall: Stall) -> Provider:  # for worlds with moods
        """What a host talks to that institution through."""
        return stall.provider

    def _host(self) -> Host:
        return Host(self, len(getattr(self, "hosts", [])) + 1)

    def _stall(self, plugin: Any) -> Stall:
        def hand_over(notification: Notification, late: bool) -> None:
            self._post(plugin.info.id, notification, late=late)

        return stall_in_a_new_world(plugin, self.clock, hand_over)

    def _post(self, institution: str, notification: Notification, *, late: bool) -> None:
        if self.holds_post:
            self.bag.append((institution, notification))
            return
        copies = 2 if self.stormy and self.random.random() < 0.3 else 1
        for _ in range(copies):
            delivery = self._deliver(institution, notification, late=late)
            self.posts.append(self.start(delivery))

    async def _deliver(self, institution: str, notification: Notification, *, late: bool) -> None:
        """Again and again until it is acknowledged, to whichever host answers."""
        await asyncio.sleep(self.random.uniform(0, 20 if late else 1))
        for _ in range(20):
            reply = await self.bring(institution, notification)
            if reply is not None and (self._accepted(institution, reply) or reply.status < 500):
                return  # or refused for good: forged
            await asyncio.sleep(self.random.uniform(0.5, 3))

    async def bring(self, institution: str, notification: Notification) -> HttpReply | None:
        """One notification, once; None when the host died over it."""
        host = self.host
        verdict = self.stalls[institution].provider.read_notification(notification.request, host.clock.now())
        reply = await host.serve(institution, notification)
        self.note("post", f"of {institution}: {reply.status if reply else 'no answer'}")
        if reply is not None and self._accepted(institution, reply):
            key = verdict.event_key if isinstance(verdict, Verified) else "forged"
            self.acknowledged.append(Acknowledged(institution, key))
        return reply

    def _accepted(self, institution: str, reply: HttpReply) -> bool:
        return self.stalls[institution].gateway.acknowledged(reply)


async def _at_once(_what: str, _at_most_s: float = 0) -> None:
    """Whoever only looks takes no time."""
