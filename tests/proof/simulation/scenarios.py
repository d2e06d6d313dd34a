"""What happens in a world. The name says what is let loose at once; what must hold is the same for all."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from bot.orders.checkout import Opened
from bot.orders.order import Order
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER
from tests.proof.simulation.host import Host
from tests.proof.simulation.world import INSTITUTION_OF, World

SIXTY = Money.cny("60.00")
WALLETS = sorted(INSTITUTION_OF)


@dataclass(frozen=True)
class Scenario:
    """`hosts` is how many processes share the store: one is SQLite, more is PostgreSQL."""

    play: Callable[[World], Awaitable[None]]
    hosts: tuple[int, ...] = (1, 2, 2, 3)

    @property
    def name(self) -> str:
        return self.play.__name__


def _tap(host: Host, order: Order, wallet: Wallet) -> Awaitable[object]:
    return host.do(host.checkout.open(order.id, wallet, user_id=USER))


def _refund(host: Host, order: Order, amount: Money = SIXTY, key: str = "") -> Awaitable[object]:
    return host.do(host.checkout.refund(order.id, amount, "cold", "operator:li", refund_key=key))


def _codes(answers: list[object]) -> list[Opened]:
    return [answer for answer in answers if isinstance(answer, Opened)]


async def two_refunds(world: World) -> None:
    """60 and 60 of 100."""
    order = await world.paid()
    world.stormy = world.random.random() < 0.5
    await world.at_once(_refund(world.host, order), _refund(world.host, order), *_rounds(world))


async def one_refund_asked_for_twice(world: World) -> None:
    """An operator and the house, under one key."""
    order = await world.paid()
    world.stormy = world.random.random() < 0.5
    key = "stock:sold-out"
    answers = await world.at_once(
        _refund(world.host, order, key=key), _refund(world.host, order, key=key), *_rounds(world)
    )
    numbers = {answer.number for answer in answers[:2] if hasattr(answer, "number")}
    if len(numbers) > 1:
        world.witness.fault(f"One key gave {len(numbers)} refunds.")


async def a_double_tap(world: World) -> None:
    """Phone and desktop, three taps: one code."""
    order = await world.place()
    wallet = world.random.choice(WALLETS)
    answers = await world.at_once(*(_tap(world.host, order, wallet) for _ in range(3)), *_rounds(world))
    opened = _codes(answers)
    if len({answer.attempt.code for answer in opened}) != 1:
        world.witness.fault(f"Three taps gave {len(opened)} codes: {answers[:3]}.")
    for answer in opened:
        world.pay(answer.attempt.provider, answer.attempt.code, wallet)


async def two_wallets(world: World) -> None:
    """Both are tapped at once, and whatever code appears is paid."""
    order = await world.place()
    world.stormy = world.random.random() < 0.7
    works = [_tap_and_pay(world, order, wallet) for wallet in WALLETS]
    await world.at_once(*works, *_rounds(world))
    await world.at_once(*(_tap_and_pay(world, order, wallet) for wallet in WALLETS), *_rounds(world))


async def everything_in_the_same_tick(world: World) -> None:
    """Pay, notification, poll, close, cancel, expiry and a refund."""
    opened = await world.opened(expires_after_s=60)
    order, attempt = opened.order, opened.attempt
    world.clock.advance(60 - world.random.choice([0, 0.5, 1, 3]))
    world.stormy = world.random.random() < 0.5

    async def pay() -> None:
        world.pay(attempt.provider, attempt.code, attempt.wallet)

    canceller, ender = world.host, world.host
    works = [
        pay(),
        canceller.do(canceller.checkout.cancel(order.id, USER)),
        ender.do(ender.checkout.ending.expire(order.id)),
        _refund(world.host, order),
    ]
    await world.at_once(*works, *_rounds(world), within_s=world.random.choice([0, 0.1, 1]))


async def many_copies_of_one_notification(world: World) -> None:
    """Sixteen at once, two workers."""
    opened = await world.opened()
    attempt = opened.attempt
    world.pay(attempt.provider, attempt.code, attempt.wallet)
    [notification] = world.stalls[attempt.provider].courier.sent
    replies = await world.at_once(
        *(world.host.serve(attempt.provider, notification) for _ in range(16)), *_rounds(world)
    )
    gateway = world.stalls[attempt.provider].gateway
    refused = [reply for reply in replies[:16] if not gateway.acknowledged(reply)]
    if refused:
        world.witness.fault(f"A copy was not acknowledged: {refused[0]}.")


async def a_notification_before_the_reply(world: World) -> None:
    """The code is paid while the reply that carries it is on its way; refunds are noticed before their reply, too."""
    order = await world.place()
    for stall in world.stalls.values():
        stall.transport = _Eavesdropped(stall.transport, world, stall.plugin.info.id)
    await world.at_once(_tap(world.host, order, world.random.choice(WALLETS)), *_rounds(world))
    await world.quiet()
    await world.at_once(_refund(world.host, order), *_rounds(world))


async def a_host_is_killed(world: World) -> None:
    """A purchase and a refund, with a SIGKILL somewhere, perhaps with two."""
    order = await world.place()
    world.stormy = world.random.random() < 0.5
    for _ in range(world.random.choice([1, 1, 2])):
        victim = world.host
        work = [_tap_and_pay(world, order, world.random.choice(WALLETS)), _refund(victim, order)]
        await world.at_once(*work, *_rounds(world), _death(world, victim), within_s=0.8)


async def a_day_at_work(world: World) -> None:
    """The hosts' own loops, a purchase, a change of mind, a refund."""
    running = [host.start(host.worker.run()) for host in world.hosts]
    order = await world.place(expires_after_s=60)
    world.stormy = True
    for _ in range(2):
        works = [_tap_and_pay(world, order, wallet) for wallet in WALLETS]
        if world.random.random() < 0.3:
            works.append(world.host.checkout.cancel(order.id, USER))
        works.append(_refund(world.host, order, Money.cny("100.00")))
        await world.at_once(*works, within_s=3)
    for task in running:
        task.cancel()


SCENARIOS = tuple(
    map(
        Scenario,
        (
            two_refunds,
            one_refund_asked_for_twice,
            a_double_tap,
            two_wallets,
            everything_in_the_same_tick,
            many_copies_of_one_notification,
            a_notification_before_the_reply,
            a_host_is_killed,
            a_day_at_work,
        ),
    )
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def _rounds(world: World) -> list[Awaitable[object]]:
    """Every host works off its post and sweeps, once or twice, while the rest happens."""
    return [host.do(_work(world, host)) for host in world.hosts if host.alive]


async def _work(world: World, host: Host) -> None:
    for _ in range(world.random.choice([1, 2])):
        await asyncio.gather(host.worker.process_inbox(), host.worker.sweep(), host.worker.send_outbox())
        await asyncio.sleep(world.random.uniform(0, 1.5))


async def _tap_and_pay(world: World, order: Order, wallet: Wallet) -> None:
    answer = await _tap(world.host, order, wallet)
    if isinstance(answer, Opened):
        await asyncio.sleep(world.random.uniform(0, 1))
        world.pay(answer.attempt.provider, answer.attempt.code, wallet)


async def _death(world: World, victim: Host) -> None:
    await asyncio.sleep(world.random.uniform(0, 2))
    if victim.alive:
        world.kill(victim)


class _Eavesdropped:
    """A payer who sees the code before the merchant does."""

    def __init__(self, transport, world: World, institution: str) -> None:
        self._transport, self._world, self._institution = transport, world, institution

    async def send(self, request):
        reply = await self._transport.send(request)
        text = reply.body.decode(errors="replace")
        for code in parse_qs(text).get("qrCode", []):
            self._world.pay(self._institution, code, Wallet.QUICKPASS)
        if request.path.endswith("/orders"):
            code = json.loads(text).get("code", "")
            self._world.pay(self._institution, code, Wallet.BANK)
        return reply
