"""The sweeper after a long sleep and under a clock that jumps: it asks, a few at a time, and the answers decide."""

import asyncio
import contextlib

import pytest

from bot.orders.audit import CauseKind
from bot.orders.order import AttemptState, OrderState
from bot.orders.rows import trail
from providers.sdk.gateway import Fault
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES

BATCH = 50
DAY_S = 86400


async def many_open(shop, count):
    return [await shop.open(await shop.place(f"cart-{n}"), Wallet.BANK) for n in range(count)]


async def states(shop):
    return [order.state for order in await shop.checkout.orders_of(None, 1000)]


@pytest.mark.fault("E5")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_after_two_days_asleep_a_batch_is_taken_up_and_the_rest_waits_a_second(shop, monkeypatch):
    await many_open(shop, BATCH + 10)
    shop.clock.advance(2 * DAY_S)
    pauses, slept = [], asyncio.Event()

    async def stop(seconds):
        pauses.append(seconds)
        slept.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(shop.clock, "sleep", stop)
    task = asyncio.create_task(shop.worker.run())
    async with asyncio.timeout(60):
        while (await states(shop)).count(OrderState.EXPIRED) < BATCH:  # noqa: ASYNC110  # the worker has no event for us
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    shop.checkout.till.bell.ring()
    await asyncio.sleep(0.3)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert (await states(shop)).count(OrderState.EXPIRED) == BATCH
    assert 1 in pauses


@pytest.mark.fault("E5")
async def test_it_catches_up_with_all_of_it(shop):
    await many_open(shop, BATCH + 10)
    shop.clock.advance(2 * DAY_S)

    await shop.worker.drain()

    assert set(await states(shop)) == {OrderState.EXPIRED}


@pytest.mark.fault("E4")
async def test_a_clock_that_jumps_a_day_ends_nothing_without_the_institutions_word(shop):
    paid, *unpaid = await many_open(shop, 3)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LOST)
    shop.pay(paid)

    shop.clock.advance(DAY_S)
    await shop.worker.drain()

    assert (await shop.look(paid.order)).state is OrderState.PAID
    for opened in unpaid:
        order = await shop.look(opened.order)
        entries = await shop.book.read(lambda one, order=order: trail(one, order.id))
        [end] = [entry for entry in entries if entry.after == OrderState.EXPIRED]
        assert (order.state, end.cause_kind) == (OrderState.EXPIRED, CauseKind.QUERY)


@pytest.mark.fault("E4")
async def test_while_an_institution_is_silent_a_jump_ends_nothing_at_all(shop):
    [opened] = await many_open(shop, 1)
    shop.stalls["plainpay"].transport.refuse(1000)

    shop.clock.advance(DAY_S)
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PENDING


@pytest.mark.fault("E4")
async def test_a_clock_that_jumps_back_an_hour_neither_ends_nor_loses_anything(shop):
    [opened] = await many_open(shop, 1)

    shop.clock.advance(-3600)
    await shop.worker.drain()
    shop.pay(opened)
    await shop.deliver()

    order = await shop.look(opened.order)
    assert (order.state, order.attempts[0].state) == (OrderState.PAID, AttemptState.PAID)
