"""The line between the host and the Bot API: payments do not wait for the messenger, and receipts come once it is back."""

import asyncio

import pytest

from providers.sdk.wallets import Wallet
from tests.proof.guest import until
from tests.proof.house import becomes, draft
from tests.proof.proxy import BYTE_BY_BYTE, CLEAR, DOWN, HALF_OPEN, Weather

RECEIPT = "✅"


@pytest.fixture
async def host(world):
    async with world.host() as host:
        yield host


async def opened(world, host):
    guest = world.guest()
    await guest.send("/start")
    await guest.see("Choose a mini program:")
    [order] = await host.checkout.place([draft("cup-1")])
    code = (await host.checkout.open(order.id, Wallet.WECHAT)).attempt.code
    await guest.see("¥18.00")
    return guest, order, code


@pytest.mark.fault("I2")
async def test_a_payment_is_booked_while_telegram_is_away_and_its_receipt_comes_afterwards(world, host):
    guest, order, code = await opened(world, host)
    world.telegram.weather = DOWN

    await guest.pay("wechat", code)
    await becomes(host, order.id, "paid", 10)
    world.telegram.weather = CLEAR

    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("I3")
async def test_a_receipt_whose_answer_was_lost_is_there_and_repeated_once_at_most(world, host):
    guest, order, code = await opened(world, host)
    world.telegram.weather = Weather(cut_answers_after=0)

    await guest.pay("wechat", code)
    await guest.see(RECEIPT)  # it has arrived, and we do not know
    await becomes(host, order.id, "paid", 10)
    world.telegram.weather = CLEAR
    await asyncio.sleep(3)

    assert (
        await guest.count(RECEIPT) <= 2
    )  # the Bot API has no key that would make the second of two the first


@pytest.mark.fault("I1")
async def test_told_to_be_quiet_the_house_waits_and_payments_do_not(world, host):
    guest, order, code = await opened(world, host)
    for method in ("editMessageCaption", "editMessageText", "editMessageMedia", "sendMessage", "sendPhoto"):
        world.sandbox.telegram.fault(method, code=429, retry_after=3)

    await guest.pay("wechat", code)

    await becomes(host, order.id, "paid", 10)
    assert await guest.count(RECEIPT) == 0
    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("I2")
@pytest.mark.parametrize(
    "weather", [BYTE_BY_BYTE, Weather(latency_s=0.2, jitter_s=0.3)], ids=["byte by byte", "slow"]
)
async def test_over_a_bad_line_to_telegram_a_purchase_ends_with_one_receipt(world, host, weather):
    world.telegram.weather = weather
    guest = world.guest()

    await guest.pay("alipay", await guest.order_coffee())

    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("I2")
async def test_a_host_that_starts_while_telegram_is_away_books_payments_and_serves_chats_afterwards(world):
    guest = world.guest()
    async with world.host() as host:
        _, order, code = await opened(world, host)
    world.telegram.weather = DOWN
    async with world.host() as host:
        await guest.pay("wechat", code)
        await becomes(host, order.id, "paid", 20)
        world.telegram.weather = CLEAR

        await guest.see(RECEIPT)
        await guest.send("/apps")

        async def served():
            return await guest.count("Choose a mini program:") >= 1

        await until("the list", served)
        assert await guest.count(RECEIPT) == 1


@pytest.mark.fault("I2")
async def test_a_half_open_line_to_telegram_is_left_and_updates_come_again(world, host):
    guest = world.guest()
    await guest.send("/start")
    await guest.see("Choose a mini program:")
    world.telegram.weather = HALF_OPEN
    await guest.send("/orders")
    await asyncio.sleep(1)
    world.telegram.weather = CLEAR
    world.telegram.reset()

    await guest.see("You have no orders yet")
