"""From a tap to a receipt, through a real provider and its simulated institution, on both stores."""

import asyncio

import pytest

from bot.orders.checkout import Opened
from bot.orders.order import AttemptState, OrderState
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import USER

pytestmark = pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)


@pytest.mark.fault("A1")
async def test_a_payment_is_told_once_and_shown(shop):
    opened = await shop.opened_order()

    shop.pay(opened)
    await shop.deliver()

    order = await shop.look(opened.order)
    assert order.state is OrderState.PAID
    assert order.attempt(opened.attempt.number).state is AttemptState.PAID
    assert shop.teller.results == ["paid"]
    assert shop.teller.shown[-1].state is OrderState.PAID
    assert order.message_id == 101


@pytest.mark.fault("A2")
async def test_sixteen_copies_at_once_make_one_receipt(shop):
    opened = await shop.opened_order()
    shop.pay(opened)
    [notification] = shop.post()

    replies = await asyncio.gather(*(shop.receive("unionpay", notification) for _ in range(16)))
    await asyncio.gather(*(shop.worker.drain() for _ in range(4)))

    assert {reply.status for reply in replies} == {200}
    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]
    assert shop.watch.counts.count("notification_stored") == 1


@pytest.mark.fault("C1")
async def test_a_double_tap_gets_the_same_code(shop):
    order = await shop.place()

    taps = await asyncio.gather(
        *(shop.checkout.open(order.id, Wallet.QUICKPASS, user_id=USER) for _ in range(5))
    )

    assert all(isinstance(tap, Opened) for tap in taps)
    assert len({tap.attempt.code for tap in taps}) == 1
    assert len(shop.stalls["unionpay"].transport.requests) == 1
