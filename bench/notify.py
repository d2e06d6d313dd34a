"""How fast notifications are stored and acknowledged, beside the bare insert rate of the same store in the same run.

    python bench/notify.py [--notifications 400] [--at-once 16] [--rounds 3] [--store sqlite --store postgres]

Real notifications of WeChat Pay (RSA-SHA256 over the raw bytes, AES-256-GCM inside), signed before the clock starts, each
about an order of its own, posted over loopback to the real web app; nothing works the inbox off meanwhile. The bare rate
is the same row inserted by the same store class, with the same durability (SQLite `synchronous=FULL`, PostgreSQL
`synchronous_commit=on`), one row a transaction, as many at once. Rounds take turns, so that a noisy machine is noisy for
both; medians are shown, and the ratio is what travels to another machine. This process is client and server in one.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import click
from sqlalchemy.ext.asyncio import AsyncConnection

# As a script, this folder comes first on the path, and `bench/providers.py` would be taken for the package `providers`.
if not __package__:
    sys.path.pop(0)

from bot.machine import MachineClock, MachineRandom
from bot.orders import inbox
from bot.orders.book import Book, open_book
from bot.orders.checkout import Checkout
from bot.orders.ports import Account
from bot.web import Tally, build_web, listen
from providers.sdk.contract import Call
from providers.sdk.gateway import Notification
from providers.sdk.money import Money
from providers.sdk.results import Created, Verified
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin
from tests.proof.servers import PostgresServer

Work = Callable[[int], Awaitable[None]]


@dataclass
class Measure:
    """One kind of work on one store, over all rounds."""

    per_s: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, took_s: Sequence[float], whole_s: float) -> None:
        """One round."""
        cuts = statistics.quantiles(took_s, n=100)
        self.per_s.append(len(took_s) / whole_s)
        self.p50_ms.append(cuts[49] * 1000)
        self.p99_ms.append(cuts[98] * 1000)


async def timed(measure: Measure, times: int, at_once: int, work: Work) -> None:
    """`times` pieces of work, so many at once."""
    left, took_s = iter(range(times)), list[float]()

    async def hand() -> None:
        for number in left:
            began = time.perf_counter()
            await work(number)
            took_s.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(hand() for _ in range(at_once)))
    measure.add(took_s, time.perf_counter() - began)


class Post:
    """Notifications of as many payments as there are, each signed by the institution."""

    def __init__(self) -> None:
        self._stall = Stall(plugin)
        self._stall.clock = MachineClock()  # type: ignore[assignment]  # signatures are of now
        self._stall.restart_gateway()
        self._call = Call(self._stall.transport, self._stall.clock, MachineRandom())

    @property
    def account(self) -> Account:
        """The merchant they are for."""
        stall = self._stall
        return Account(
            provider_id=plugin.info.id,
            merchant=str(stall.settings.merchant),
            info=plugin.info,
            provider=stall.provider,
            call=lambda: self._call,
            notify_url="http://127.0.0.1/notify/wechatpay/main",
        )

    async def write(self, count: int) -> list[Notification]:
        """That many, never used before."""
        for _ in range(count):
            number = MachineRandom().text(20)
            intent = self._stall.intent(Money.cny("0.01"), number, wallet=Wallet.WECHAT)
            created = await self._stall.provider.create(intent, self._call)
            if not isinstance(created, Created):
                raise TypeError(f"No order was opened: {created}")
            bill = self._stall.gateway.recognise(created.code or "")
            if bill is None:
                raise TypeError("The gateway does not know its own code.")
            self._stall.gateway.settle(bill.id, Wallet.WECHAT)
        return list(self._stall.courier.take())

    def read(self, notification: Notification) -> Verified:
        """As the house reads it."""
        verdict = self._stall.read(notification)
        if not isinstance(verdict, Verified):
            raise TypeError(f"Not believed: {verdict}")
        return verdict


async def bench_store(url: str, post: Post, times: int, at_once: int, rounds: int) -> tuple[Measure, Measure]:
    """Acknowledged notifications, and bare inserts."""
    acknowledged, bare = Measure(), Measure()
    async with AsyncExitStack() as stack:
        book = await open_book(url)
        stack.push_async_callback(book.close)
        clock, tally = MachineClock(), Tally()
        checkout = Checkout(book, [post.account], clock=clock, random=MachineRandom(), watch=tally)
        app = build_web(checkout, clock, checks={}, metrics=tally.registry)
        door = await stack.enter_async_context(listen(app, "127.0.0.1", 0))
        client = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{door.port}"))
        for number in range(rounds + 1):  # the first warms up
            letters = await post.write(times)
            measures = (acknowledged, bare) if number else (Measure(), Measure())
            await timed(measures[0], times, at_once, _deliver(client, letters))
            await timed(measures[1], times, at_once, _insert(book, post, letters, f"bare{number}"))
    return acknowledged, bare


def _deliver(client: aiohttp.ClientSession, letters: list[Notification]) -> Work:
    async def deliver(number: int) -> None:
        request = letters[number].request
        headers = list(request.headers.lines)
        async with client.post("/notify/wechatpay/main", data=request.body, headers=headers) as answer:
            await answer.read()
            if answer.status // 100 != 2:
                raise TypeError(f"Not acknowledged: {answer.status}")

    return deliver


def _insert(book: Book, post: Post, letters: list[Notification], account: str) -> Work:
    verified = [post.read(letter) for letter in letters]
    now = MachineClock().now()

    async def insert(number: int) -> None:
        async def transaction(connection: AsyncConnection) -> bool:
            request = letters[number].request
            return await inbox.keep(
                connection, request, verified[number], provider="wechatpay", account=account, now=now
            )

        if not await book.write(transaction):
            raise TypeError("The row was there already.")

    return insert


def line(store: str, what: str, measure: Measure, bare: Measure) -> str:
    """One row of the table."""
    per_s, bare_per_s = statistics.median(measure.per_s), statistics.median(bare.per_s)
    p50_ms, p99_ms = statistics.median(measure.p50_ms), statistics.median(measure.p99_ms)
    return f"| {store:<10} | {what:<22} | {per_s:>7.0f} | {per_s / bare_per_s:>6.2f} | {p50_ms:>7.1f} | {p99_ms:>7.1f} |"


@click.command()
@click.option("--notifications", default=400, show_default=True, help="Per round.")
@click.option("--at-once", default=16, show_default=True, help="Connections of the institution.")
@click.option("--rounds", default=3, show_default=True, help="Medians are shown.")
@click.option(
    "--store",
    "stores",
    multiple=True,
    type=click.Choice(["sqlite", "postgres"]),
    default=["sqlite", "postgres"],
)
def main(notifications: int, at_once: int, rounds: int, stores: tuple[str, ...]) -> None:
    """Measure, and print one table."""
    print("| store      | what                   |   per s | × bare |  p50 ms |  p99 ms |")
    print("|---|---|--:|--:|--:|--:|")
    for store in stores:
        home = Path(tempfile.mkdtemp(prefix="moongate-notify-"))
        server = PostgresServer(home) if store == "postgres" else None
        try:
            if server is not None:
                server.make()
                server.start()
            url = server.url() if server is not None else f"sqlite:///{home}/book.db"
            acknowledged, bare = asyncio.run(bench_store(url, Post(), notifications, at_once, rounds))
            print(line(store, "stored, acknowledged", acknowledged, bare))
            print(line(store, "bare insert", bare, bare))
        finally:
            if server is not None:
                server.stop()
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
