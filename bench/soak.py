"""Money under load and faults: N chats buy at once while everything around the host breaks; then every yuan is counted.

    python bench/soak.py [--chats 12] [--seconds 60] [--seed N] [--kill] [--store sqlite|postgres]

The real host in a process of its own, on a real redis-server and a real SQL store, against the sandbox's Bot API and the
gateways of WeChat Pay and Alipay over HTTP, every line between them behind a proxy. The seed decides who pays with what,
which faults bite, and when; the machine decides the rest. With `--kill`, the host and redis-server (and PostgreSQL) are
killed with SIGKILL again and again.

At the end every charge at an institution is exactly one of: a paid order, a refund that is done, a review somebody was
alerted about; and the thirteen invariants hold. Prints a table; exits with 1 when anything is lost, doubled or broken.
"""

import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import click
from sqlalchemy.exc import SQLAlchemyError

# As a script, this folder comes first on the path, and `bench/providers.py` would be taken for the package `providers`.
if not __package__:
    sys.path.pop(0)

from bot.app import Outside, build_accounts
from bot.orders.book import open_book
from bot.orders.checkout import Checkout
from bot.orders.order import AttemptState, Order, OrderState, RefundState
from bot.orders.schema import InboxState, OutboxState
from bot.sandbox.sandbox import RECORDS
from bot.transport import close_client, open_client
from providers.sdk.gateway import CALL_FAULTS, Fault
from providers.sdk.money import Money
from tests.proof import world as proof
from tests.proof.guest import Guest, RefusedError
from tests.proof.host_process import ClockFace, write_orders
from tests.proof.house import World, make_world, open_world
from tests.proof.invariants import violations
from tests.proof.proxy import BLACK_HOLE, CLEAR, DOWN, HALF_OPEN, Line, Weather
from tests.proof.servers import PostgresServer, RedisServer
from tests.proof.street import charges_on_file, purse_on_file

_ROOT = Path(__file__).parents[1]
_WALLETS = ("wechat", "alipay")
_NOTIFY_FAULTS = (
    Fault.NOTIFY_LOST, Fault.NOTIFY_LATE, Fault.NOTIFY_TWICE, Fault.NOTIFY_REORDERED, Fault.NOTIFY_FORGED,
)  # fmt: skip
_SPOILT = (Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.WRONG_AMOUNT)
_WEATHERS = (
    DOWN, BLACK_HOLE, HALF_OPEN, Weather(latency_s=0.3, jitter_s=0.4), Weather(cut_answers_after=200),
)  # fmt: skip
_SETTLE_WITHIN_S = 240.0
_STEP_S = 15  # of the world's clock, while it settles
_RICH_MINOR = 10**10
_SUPERVISED_TRIES = 30


@dataclass
class Tally:
    """What happened in the run."""

    counts: Counter[str] = field(default_factory=Counter)

    def note(self, what: str) -> None:
        self.counts[what] += 1


class HostProcess:
    """The host, to be killed and started again."""

    def __init__(self, orders: Path, log: Path, ready: str) -> None:
        self._orders, self._log, self._ready = orders, log, ready
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, tries: int = 1) -> None:
        """Return when it answers. One that ends because the book is away is started again, as a supervisor does."""
        for left in range(tries, 0, -1):
            self._spawn()
            if await self._answers():
                return
            if left == 1:
                raise SystemExit(f"The host has ended: {self._log.read_text()[-2000:]}")
            await asyncio.sleep(1)

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.host_process", str(self._orders)],
                cwd=_ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    async def _answers(self) -> bool:
        """False when it has ended instead."""
        async with aiohttp.ClientSession() as client:
            for _ in range(900):
                if self._process is None or self._process.poll() is not None:
                    return False
                with suppress(aiohttp.ClientError):
                    async with client.get(self._ready) as answer:
                        if answer.status == 200:
                            return True
                await asyncio.sleep(0.1)
        raise SystemExit("The host does not open.")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@dataclass
class Soak:
    """One run."""

    world: World
    dice: random.Random
    tally: Tally
    host: HostProcess
    redis: RedisServer
    postgres: PostgresServer | None
    lines: dict[str, Line]
    url: str
    office: Checkout
    people: int = 0
    over: bool = False

    async def run(self, chats: int, seconds: float, *, kill: bool) -> None:
        """Everybody buys while everything breaks."""
        plan = [self._break_lines(), self._break_institutions()]
        if kill:
            plan.append(self._kill(seconds))
        breaking = [asyncio.create_task(part) for part in plan]
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._buy_on(until) for _ in range(chats)))
        self.over = True
        await asyncio.gather(*breaking)

    async def _buy_on(self, until: float) -> None:
        while time.monotonic() < until:
            self.people += 1
            guest = Guest(self.world.client, 10_000 + self.people, patience_s=20)
            try:
                await self._buy(guest)
            except (RefusedError, AssertionError, aiohttp.ClientError, TimeoutError):
                self.tally.note("purchases given up")

    async def _buy(self, guest: Guest) -> None:
        self.tally.note("purchases begun")
        code = await guest.order_coffee()
        mood, wallets = self.dice.random(), self.dice.sample(_WALLETS, 2)
        if mood < 0.08:
            self.tally.note("purchases left alone")
            return
        if mood < 0.16:
            await guest.tap("Cancel")
            self.tally.note("purchases cancelled in the chat")
            return
        bills = [(wallets[0], await self._scan(guest, wallets[0], code))]
        if mood < 0.36:  # two wallets, one order
            bills.append((wallets[1], await self._scan(guest, wallets[1], code)))
        for wallet, bill in bills:
            await self._pay(guest, wallet, bill)
        if mood > 0.8:
            await guest.see("✅")
            await self._give_back(guest.user_id)

    async def _scan(self, guest: Guest, wallet: str, code: str) -> str:
        """People scan again when the shop does not answer."""
        for _ in range(10):
            with suppress(RefusedError):
                return await guest.scan(wallet, code)
            await asyncio.sleep(1)
        return await guest.scan(wallet, code)

    async def _pay(self, guest: Guest, wallet: str, bill: str) -> None:
        faults = [fault for fault in _NOTIFY_FAULTS if self.dice.random() < 0.12]
        for fault in faults:
            self.tally.note(f"fault {fault}")
        try:
            await guest.call("POST", f"/sandbox/wallets/{wallet}/pay", bill=bill, faults=faults)
        except RefusedError:
            self.tally.note("bills that could no longer be paid")
        else:
            self.tally.note("bills paid")

    async def _give_back(self, user_id: int) -> None:
        with suppress(SQLAlchemyError, OSError):
            for order in await self.office.orders_of(user_id):
                part = self.dice.choice((order.amount.minor, order.amount.minor // 3))
                await self.office.refund(
                    order.id,
                    Money(part, "CNY"),
                    "cold",
                    "operator:soak",
                )
                self.tally.note("refunds asked for")

    async def _break_lines(self) -> None:
        while not self.over:
            name, line = self.dice.choice(list(self.lines.items()))
            line.weather = self.dice.choice(_WEATHERS)
            self.tally.note(f"bad line to {name}")
            await asyncio.sleep(self.dice.uniform(0.2, 1.2))
            line.reset()
            line.weather = CLEAR
            await asyncio.sleep(self.dice.uniform(0.3, 1.5))

    async def _break_institutions(self) -> None:
        faults = (*CALL_FAULTS, *_SPOILT)
        while not self.over:
            fault = self.dice.choice(faults)
            for institution in self.world.sandbox.institutions:
                if self.dice.random() < 0.5:
                    institution.faults.arm(fault)
                    self.tally.note(f"fault {fault}")
            await asyncio.sleep(self.dice.uniform(0.3, 1.5))

    async def _kill(self, seconds: float) -> None:
        while not self.over:
            await asyncio.sleep(self.dice.uniform(0.15, 0.3) * seconds)
            match self.dice.choice(("host", "host", "redis-server", "postgres")):
                case "redis-server":
                    self.redis.kill()
                    await asyncio.sleep(self.dice.uniform(0.1, 2))
                    await self.redis.start()
                    self.tally.note("kill -9 of redis-server")
                case "postgres" if self.postgres is not None:
                    await asyncio.to_thread(self.postgres.kill)
                    await asyncio.to_thread(self.postgres.start)
                    self.tally.note("kill -9 of PostgreSQL")
                case _:
                    self.host.kill()
                    await self.host.start(_SUPERVISED_TRIES)
                    self.tally.note("kill -9 of the host")

    async def settle(self, face: ClockFace) -> proof.World:
        """No more faults; time goes by until nothing is open. What the world is then."""
        for institution in self.world.sandbox.institutions:
            institution.faults.clear()
        for line in self.lines.values():
            line.weather = CLEAR
            line.reset()
        until = time.monotonic() + _SETTLE_WITHIN_S
        while True:
            seen = await proof.read_book(self.url)
            if _is_quiet(seen) or time.monotonic() > until:
                return seen
            for _ in range(4):
                self.world.sandbox.clock.advance(_STEP_S)
                face.ahead_s = self.world.sandbox.clock.offset_s
                await asyncio.sleep(0.25)


def _is_quiet(seen: proof.World) -> bool:
    orders_open = any(
        order.state in {OrderState.CREATED, OrderState.PENDING}
        or any(attempt.open for attempt in order.attempts)
        or any(refund.state not in {RefundState.DONE, RefundState.FAILED} for refund in order.refunds)
        for order in seen.orders
    )
    return not (
        orders_open
        or any(kept.state == InboxState.NEW for kept in seen.inbox)
        or any(letter.state == OutboxState.NEW for letter in seen.outbox)
    )


def verdict(seen: proof.World, records: Path) -> tuple[Counter[str], list[str]]:
    """Where every charge is, and what is wrong."""
    whole = replace(seen, charges=charges_on_file(records), purse=purse_on_file(records), quiet=True)
    found = {attempt.number: (order, attempt.state) for order in whole.orders for attempt in order.attempts}
    places = Counter(
        _place(*found[one.number]) if one.number in found else "LOST" for one in whole.charges or ()
    )
    wrong = violations(whole)
    return places, [*wrong, *(["A charge is in no order of ours."] if places["LOST"] else [])]


def _place(order: Order, state: AttemptState) -> str:
    if order.state is OrderState.NEEDS_REVIEW:
        return "in review, somebody was alerted"
    if state is AttemptState.OVERPAID:
        return "second payment, all of it returned"
    if state is not AttemptState.PAID:
        return "LOST"
    if order.state is OrderState.REFUNDED:
        return "paid order, refunded whole"
    return "paid order, part refunded" if order.state is OrderState.PARTLY_REFUNDED else "paid order"


@asynccontextmanager
async def opened(folder: Path, dice: random.Random, store: str) -> AsyncIterator[tuple[Soak, ClockFace]]:
    """Everything, running."""
    async with AsyncExitStack() as stack:
        (folder / "template").mkdir()
        await make_world(folder / "template")
        world = await stack.enter_async_context(open_world(folder / "soak", folder / "template"))
        for wallet in _WALLETS:
            world.sandbox.purses._drawer.put(f"balance/{wallet}", {"minor": _RICH_MINOR})  # noqa: SLF001  # no one is this rich
        redis = RedisServer(folder / "redis")
        stack.callback(redis.kill)
        await redis.start()
        lines = {"Telegram": world.telegram, **world.institutions}
        lines["Redis"] = await stack.enter_async_context(Line(("127.0.0.1", redis.port)))
        postgres, url, near = None, f"sqlite:///{folder}/book.db", f"sqlite:///{folder}/book.db"
        if store == "postgres":
            postgres = _postgres(stack)
            lines["PostgreSQL"] = await stack.enter_async_context(Line(("127.0.0.1", postgres.port)))
            url, near = postgres.url(lines["PostgreSQL"].port), postgres.url()
        face = ClockFace(folder / "clock")
        write_orders(
            folder / "orders.json", world, folder / "clock",
            redis_url=f"redis://127.0.0.1:{lines['Redis'].port}/0", database_url=url,
        )  # fmt: skip
        host = HostProcess(
            folder / "orders.json", folder / "host.log", f"http://127.0.0.1:{world.web_port}/readyz"
        )
        stack.callback(host.kill)
        await host.start()
        office = await _office(stack, world, near)
        yield Soak(world, dice, Tally(), host, redis, postgres, lines, near, office), face


def _postgres(stack: AsyncExitStack) -> PostgresServer:
    home = Path(tempfile.mkdtemp(prefix="moongate-pg-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    server = PostgresServer(home)
    server.make()
    stack.callback(server.stop)
    server.start()
    return server


async def _office(stack: AsyncExitStack, world: World, url: str) -> Checkout:
    """The operator, beside the host on the same book."""
    book = await open_book(url)
    stack.push_async_callback(book.close)
    client = open_client()
    stack.push_async_callback(close_client, client)
    outside = Outside(clock=world.sandbox.clock, random=world.sandbox.random, merchants=world.merchants)
    accounts = build_accounts(world.settings(), world.catalogue.plugins, outside, client)
    return Checkout(book, accounts, clock=outside.clock, random=outside.random)


def report(soak: Soak, seen: proof.World, places: Counter[str], wrong: list[str]) -> None:
    """One table."""
    for title, counts in (
        ("What people and faults did", soak.tally.counts),
        ("Orders", Counter(str(order.state) for order in seen.orders)),
        ("Charges at the institutions", places),
    ):
        click.echo(
            f"\n{title} ({sum(counts.values())})" if title != "What people and faults did" else f"\n{title}"
        )
        for name, count in sorted(counts.items()):
            click.echo(f"  {name:<42}{count:>7}")
    for words in wrong:
        click.echo(f"WRONG  {words}")
    click.echo(f"\n{'Nothing lost, nothing doubled.' if not wrong else f'{len(wrong)} things are wrong.'}")


async def _main(chats: int, seconds: float, seed: int, store: str, folder: Path, *, kill: bool) -> bool:
    async with opened(folder, random.Random(seed), store) as (soak, face):
        await soak.run(chats, seconds, kill=kill)
        seen = await soak.settle(face)
        places, wrong = verdict(seen, soak.world.folder / "world" / RECORDS)
        report(soak, seen, places, wrong)
    return not wrong


@click.command()
@click.option("--chats", default=12, show_default=True, help="People buying at once.")
@click.option("--seconds", default=60.0, show_default=True, help="How long they buy; settling comes on top.")
@click.option("--seed", default=None, type=int, help="Repeats the plan of an earlier run.")
@click.option("--kill", is_flag=True, help="SIGKILL the host and the servers, again and again.")
@click.option("--store", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
def main(chats: int, seconds: float, seed: int | None, store: str, *, kill: bool) -> None:
    """Run, count, print one table."""
    seed = random.SystemRandom().randrange(10**9) if seed is None else seed
    click.echo(f"SEED {seed}  chats {chats}  seconds {seconds:g}  store {store}  kill {kill}")
    with tempfile.TemporaryDirectory(prefix="moongate-soak-") as folder:
        well = asyncio.run(_main(chats, seconds, seed, store, Path(folder), kill=kill))
    click.echo(f"SEED {seed}")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
