"""Placing an order: stored once, whoever asks again, and nobody is called."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.orders.checkout import OrderRefusedError
from bot.orders.order import AttemptState, OrderState
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import PRICE, USER


def creates(shop):
    return sum(request.url.endswith("/orders") for request in shop.stalls["plainpay"].transport.requests)


async def test_placing_calls_nobody(shop):
    order = await shop.place()

    [attempt] = order.attempts
    assert (order.state, attempt.state, attempt.called_at) == (OrderState.PENDING, AttemptState.INTENT, None)
    assert all(not stall.transport.requests for stall in shop.stalls.values())


async def test_the_same_key_gives_the_same_order(shop):
    first, second = await shop.place(), await shop.place()

    assert first.id == second.id
    assert len(await shop.checkout.orders_of(USER)) == 1


@pytest.mark.fault("C2")
async def test_sixteen_placings_of_one_key_at_once_give_one_order(shop):
    orders = await asyncio.gather(*(shop.place() for _ in range(16)))

    assert len({order.id for order in orders}) == 1


@pytest.mark.fault("C5")
async def test_the_same_key_with_another_amount_is_refused_and_nothing_of_the_batch_is_stored(shop):
    order = await shop.place()

    with pytest.raises(OrderRefusedError, match="key of its own") as caught:
        await shop.checkout.place([shop.draft("cart-2"), shop.draft("cart-1", Money.cny("19.00"))])

    assert caught.value.order_key == "cart-1"
    assert await shop.checkout.orders_of(USER) == (order,)


async def test_other_people_may_use_the_same_key(shop):
    mine, yours = await shop.place(), await shop.place(user_id=7002)

    assert mine.id != yours.id
    assert [order.id for order in await shop.checkout.orders_of(7002)] == [yours.id]


async def test_an_order_for_nothing_is_the_authors_mistake(shop):
    with pytest.raises(ValueError, match="above zero"):
        shop.draft(amount=Money.cny("0"))
    with pytest.raises(ValueError, match="expires_after_s"):
        shop.draft(expires_after_s=-1)


async def test_an_amount_nobody_takes_fails_and_is_told(shop):
    order = await shop.place(amount=Money(100, "HKD"))
    await shop.worker.drain()

    assert order.state is OrderState.FAILED
    assert order.attempts == ()
    assert shop.teller.results == ["failed No configured account takes HKD 1.00."]


async def test_an_order_is_found_by_its_link_only_when_it_fits(shop):
    order = await shop.place()

    assert await shop.checkout.find_by_link(order.link_token) == order
    assert await shop.checkout.find_by_link(order.link_token[:-1]) is None
    assert await shop.checkout.find("nobody") is None
    assert order.link_token not in repr(order)


@pytest.mark.fault("E7")
@pytest.mark.parametrize("seconds", [0, -1, -(10**12), 7 * 86400 + 1, 10**15])
def test_a_span_that_makes_no_sense_is_the_authors_mistake(shop, seconds):
    with pytest.raises(ValueError, match="expires_after_s"):
        shop.draft(expires_after_s=seconds)


@pytest.mark.fault("E7")
@pytest.mark.parametrize(
    "now", [datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)]
)
async def test_leap_days_and_the_last_year_are_days_like_others(shop, now):
    shop.clock.advance((now - shop.clock.now()).total_seconds())

    order = await shop.place()
    opened = await shop.open(order, Wallet.BANK)
    shop.pay(opened)
    await shop.deliver()

    found = await shop.look(order)
    assert found.state is OrderState.PAID
    assert found.expires_at == now + timedelta(seconds=900)


@pytest.mark.fault("M5")
@pytest.mark.parametrize("field", ["title", "order_key"])
def test_a_nul_is_refused_before_a_store_trips_over_it(shop, field):
    words = {"amount": PRICE, "title": "Latte", "order_key": "k", field: "a\0b"}

    with pytest.raises(ValueError, match="NUL"):
        shop.draft(request=PaymentRequest(**words))
