"""Placing an order: stored once, whoever asks again, and nobody is called."""

import asyncio

import pytest

from bot.orders.checkout import OrderRefusedError
from bot.orders.order import AttemptState, OrderState
from providers.sdk.money import Money
from tests.orders.shop import USER


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
