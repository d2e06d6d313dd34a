"""The line between the host and PostgreSQL: gone, silent, dead in the middle of a commit. Nothing is acknowledged that
is not stored, and nothing is stored twice."""

import asyncio
import time

import pytest

from providers.sdk.wallets import Wallet
from tests.proof.guest import until
from tests.proof.house import becomes, draft
from tests.proof.proxy import BLACK_HOLE, CLEAR, DOWN, HALF_OPEN, Line, Weather

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]
RECEIPT = "✅ Paid"


@pytest.fixture
async def line(postgres_server):
    async with Line(("127.0.0.1", postgres_server.port)) as line:
        yield line


@pytest.fixture
async def host(world, line, postgres_server, redis_server):
    async with world.host(database_url=postgres_server.url(line.port), redis_url=redis_server.url) as host:
        yield host


async def opened(world, host):
    """An order with a code on it, of somebody the bot may write to."""
    guest = world.guest()
    await guest.send("/start")
    await guest.see("Choose a mini program:")
    [order] = await host.checkout.place([draft("cup-1")])
    return guest, order, (await host.checkout.open(order.id, Wallet.WECHAT)).attempt.code


class Doorman:
    """Whether each notification was acknowledged, and how long that took."""

    def __init__(self, world, monkeypatch):
        self.statuses, self.took_s = [], []
        post = world.sandbox.office._post

        async def watched(provider, letter):
            began = time.monotonic()
            taken = await post(provider, letter)
            self.took_s.append(time.monotonic() - began)
            self.statuses.append(taken)
            return taken

        monkeypatch.setattr(world.sandbox.office, "_post", watched)


@pytest.mark.fault("A26")
async def test_while_the_book_is_down_nothing_is_acknowledged_and_the_answer_comes_within_a_second(
    world, host, line, monkeypatch
):
    guest, order, code = await opened(world, host)
    door = Doorman(world, monkeypatch)
    line.weather = DOWN

    await guest.pay("wechat", code)
    await until("the notification to be refused", _some(door.statuses))
    line.weather = CLEAR

    assert door.statuses[0] is False
    assert door.took_s[0] < 1.5  # on a busy machine; a second of it is the catalogue's
    await becomes(host, order.id, "paid")
    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("A26", "H6")
@pytest.mark.parametrize(
    "weather", [BLACK_HOLE, HALF_OPEN], ids=["black hole", "the answer to COMMIT is lost"]
)
async def test_a_book_that_falls_silent_is_not_waited_for_and_the_repeat_has_one_effect(
    world, host, line, weather, monkeypatch
):
    guest, order, code = await opened(world, host)
    door = Doorman(world, monkeypatch)
    line.weather = weather

    await guest.pay("wechat", code)
    await until("the notification to be refused", _some(door.statuses))
    line.reset()
    line.weather = CLEAR

    assert door.statuses[0] is False
    assert door.took_s[0] < 5
    await becomes(host, order.id, "paid", 60)
    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("H5")
async def test_a_purchase_goes_on_through_resets_of_every_connection(world, host, line):
    guest = world.guest()
    stop = asyncio.Event()

    async def shake():
        while not stop.is_set():
            await asyncio.sleep(0.4)
            line.reset()

    shaking = asyncio.create_task(shake())
    code = await guest.order_coffee()
    await guest.pay("wechat", code)
    await guest.see(RECEIPT)
    stop.set()
    await shaking

    [order] = await host.checkout.orders_of(None)
    await becomes(host, order.id, "paid")
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("H5")
async def test_over_a_slow_line_to_the_book_a_purchase_is_slow_and_right(world, host, line):
    guest = world.guest()
    line.weather = Weather(latency_s=0.03, jitter_s=0.05)

    await guest.pay("wechat", await guest.order_coffee())

    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("H5")
async def test_a_killed_postgresql_comes_back_with_everything_it_said_and_the_host_goes_on_by_itself(
    world, host, line, postgres_server, monkeypatch
):
    guest, order, code = await opened(world, host)
    door = Doorman(world, monkeypatch)
    await asyncio.to_thread(postgres_server.kill)

    await guest.pay("wechat", code)
    await until("the notification to be refused", _some(door.statuses))
    await guest.send("/orders")
    await asyncio.to_thread(postgres_server.start)

    await becomes(host, order.id, "paid", 60)
    await guest.see(RECEIPT)
    await guest.see("Your orders")
    assert True not in door.statuses[:1]
    assert await guest.count(RECEIPT) == 1


def _some(seen):
    async def look():
        return bool(seen)

    return look
