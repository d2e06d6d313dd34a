"""The line between the host and Redis: gone, slow, silent. Money goes on; people are told."""

import asyncio

import pytest

from providers.sdk.wallets import Wallet
from tests.proof.guest import until
from tests.proof.house import becomes, draft
from tests.proof.proxy import BLACK_HOLE, BYTE_BY_BYTE, CLEAR, DOWN, HALF_OPEN, Line, Weather

RECEIPT = "✅"


@pytest.fixture
async def line(redis_server):
    async with Line(("127.0.0.1", redis_server.port)) as line:
        yield line


@pytest.fixture
async def host(world, line):
    async with world.host(redis_url=f"redis://127.0.0.1:{line.port}/0") as host:
        yield host


async def test_a_purchase_over_clear_lines(world, host):
    guest = world.guest()
    await guest.pay("wechat", await guest.order_coffee())
    await guest.see(RECEIPT)


@pytest.mark.fault("G2")
@pytest.mark.parametrize("weather", [DOWN, BLACK_HOLE, HALF_OPEN], ids=["down", "black hole", "half open"])
async def test_a_person_is_told_in_plain_words_while_redis_is_gone_and_their_tap_works_afterwards(
    world, host, line, weather
):
    guest = world.guest()
    await guest.send("/start")
    await guest.tap("Coffee")
    await guest.tap("Latte")
    line.weather = weather

    started = asyncio.get_running_loop().time()
    toast = await guest.tap("Latte")
    took_s = asyncio.get_running_loop().time() - started
    line.weather = CLEAR

    assert "kept and happens by itself" in toast
    assert took_s < 12
    await guest.see_button("Checkout ¥36.00")


@pytest.mark.fault("G1", "G2")
async def test_a_payment_is_stored_acknowledged_and_receipted_while_redis_is_gone(world, host, line):
    guest = world.guest()
    code = await guest.order_coffee()
    [order] = await host.checkout.orders_of(None)
    line.weather = DOWN

    await guest.pay("wechat", code)

    await becomes(host, order.id, "paid")
    await guest.see(RECEIPT)
    line.weather = CLEAR
    await asyncio.sleep(3)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("G2")
async def test_orders_are_listed_and_shown_while_redis_is_gone(world, host, line):
    guest = world.guest()
    await guest.pay("wechat", await guest.order_coffee())
    await guest.see(RECEIPT)
    line.weather = DOWN

    await guest.send("/orders")
    await guest.see("Your orders")
    await guest.tap("Coffee")

    async def twice():
        return await guest.count("Paid ¥18.00") == 2

    await until("the receipt as the newest message", twice)


@pytest.mark.fault("G9")
@pytest.mark.parametrize(
    "weather",
    [Weather(latency_s=0.7, jitter_s=0.6), BYTE_BY_BYTE],
    ids=["two seconds a reply", "byte by byte"],
)
async def test_over_a_slow_line_every_tap_counts(world, host, line, weather):
    guests = [world.guest(7100 + number) for number in range(8)]
    for guest in guests:
        await guest.send("/start")
        await guest.tap("Coffee")
    line.weather = weather

    await asyncio.gather(*(guest.tap("Latte") for guest in guests))

    for guest in guests:
        await guest.see_button("Checkout ¥18.00")


@pytest.mark.fault("G9", "G10")
@pytest.mark.parametrize("weather", [BLACK_HOLE, HALF_OPEN], ids=["black hole", "half open"])
async def test_a_line_that_falls_silent_uses_up_no_connections_and_no_tap_counts_twice(
    world, host, line, weather
):
    guests = [world.guest(7100 + number) for number in range(12)]
    for guest in guests:
        await guest.send("/start")
        await guest.tap("Coffee")
    line.weather = weather
    toasts = await asyncio.gather(*(guest.tap("Latte") for guest in guests))
    line.reset()
    line.weather = CLEAR

    for guest in guests:
        await guest.see_button("Checkout ¥18.00")
    assert all("kept and happens by itself" in toast for toast in toasts)
    assert line.live < 40
    ready = await (await world.client.get(f"http://127.0.0.1:{world.web_port}/readyz")).json()
    assert ready["redis"] == "ok"


@pytest.mark.fault("G1")
async def test_a_host_that_starts_without_redis_takes_money_and_serves_chats_as_soon_as_it_is_there(
    world, line
):
    line.weather = DOWN
    guest = world.guest()
    async with world.host(play_money=False, redis_url=f"redis://127.0.0.1:{line.port}/0") as host:
        await guest.send("/start")
        await guest.see("We are out of order for a moment.")
        [order] = await host.checkout.place([draft("before-redis")])
        opened = await host.checkout.open(order.id, Wallet.WECHAT)
        await guest.pay("wechat", opened.attempt.code)
        await becomes(host, order.id, "paid")
        await guest.see(RECEIPT)

        line.weather = CLEAR

        await guest.see("Choose a mini program:")
