"""The coffee shop, from the menu to the receipt, in a chat without a messenger."""

from collections.abc import AsyncIterator

import pytest
from fakeredis.aioredis import FakeRedis
from pydantic import SecretStr

from bot.runtime import Runtime, SessionStore
from miniprograms.coffee import app
from miniprograms.sdk import Money, PaymentStatus
from tests.fakes.counter import FakeCounter
from tests.fakes.machine import FakeClock, FakeRandom
from tests.fakes.person import Person
from tests.fakes.surface import FakeSurface


@pytest.fixture
def counter() -> FakeCounter:
    return FakeCounter()


@pytest.fixture
async def anna(counter) -> AsyncIterator[Person]:
    surface, random = FakeSurface(), FakeRandom()
    async with FakeRedis() as redis:
        runtime = Runtime(
            [app],
            SessionStore(redis, random),
            counter,
            surface,
            clock=FakeClock(),
            random=random,
            secret=SecretStr("a secret of the host, thirty-two characters"),
            web_url="https://pay.example.com",
            home="com.moongate.coffee",
        )
        anna = Person(runtime, surface)
        await anna.command("start")
        yield anna


async def test_two_lattes_and_a_tea_are_paid_and_remembered(anna, counter):
    for cup in ("Latte", "Latte", "Jasmine tea"):
        await anna.tap(cup)
    await anna.tap("Checkout")
    assert anna.sees() == "Latte ×2\nJasmine tea ×1\nTotal ¥48.50\n"

    await anna.tap("Pay")
    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert counter.orders["order1"].amount == Money.cny("48.50")
    assert "Paid ✓" in anna.sees()
    assert not any("Pay" in label for label in anna.labels())
    await anna.tap("Back")
    await anna.tap("My orders")
    assert anna.sees() == "My orders\n¥48.50  order1\n"


async def test_a_cancelled_order_can_be_tried_again_as_a_new_one(anna, counter):
    await anna.tap("Latte")
    await anna.tap("Checkout")
    await anna.tap("Pay")
    await anna.settle(counter, "order1", PaymentStatus.CANCELLED)

    await anna.tap("Pay")
    await anna.settle(counter, "order2", PaymentStatus.PAID)

    assert counter.placed == 2
    assert "Paid ✓" in anna.sees()


async def test_pay_twice_before_an_answer_is_one_order(anna, counter):
    await anna.tap("Mocha")
    await anna.tap("Checkout")

    await anna.tap("Pay")
    await anna.tap("Pay")

    assert counter.placed == 1


async def test_an_empty_cart_is_not_checked_out(anna):
    assert await anna.tap("Checkout") == "Your cart is empty."
    assert "Coffee shop" in anna.sees()


async def test_the_shop_speaks_chinese(anna):
    anna.language = "zh-hans"
    await anna.command("start")

    assert anna.sees() == "咖啡店\n想喝点什么？"


async def test_the_tray_holds_twenty(anna):
    for _ in range(20):
        await anna.tap("Latte")

    assert await anna.tap("Latte") == "The tray is full."
