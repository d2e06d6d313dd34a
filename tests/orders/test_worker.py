"""What the chat hears: all of it, once, in order, however long the messenger was away."""

import asyncio
import contextlib
import itertools

import pytest
from sqlalchemy import select, update

from bot.orders.order import OrderState
from bot.orders.outbox import HOOK_TRIES_MAX, resend
from bot.orders.ports import HookFailedError
from bot.orders.schema import OutboxState, outbox
from bot.orders.worker import Worker
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES


async def letters(shop, state):
    rows = await shop.book.read(lambda one: one.execute(select(outbox.c.kind).where(outbox.c.state == state)))
    return [row.kind for row in rows]


async def test_many_changes_are_drawn_once_in_their_last_state(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    for notification in shop.post("plainpay"):
        await shop.receive("plainpay", notification)
    await shop.worker.process_inbox()

    await shop.worker.send_outbox()

    assert [order.state for order in shop.teller.shown] == [OrderState.PAID]
    assert await letters(shop, OutboxState.NEW) == []


async def test_a_change_during_the_drawing_is_drawn_again(shop, monkeypatch):
    order = await shop.place()
    show = shop.teller.show

    async def slow_show(shown):
        if shown.version == order.version:
            await shop.open(order, Wallet.BANK)
        return await show(shown)

    monkeypatch.setattr(shop.teller, "show", slow_show)
    await shop.worker.drain()

    assert [bool(shown.attempts[0].code) for shown in shop.teller.shown] == [False, True]


async def test_the_same_message_is_edited_from_then_on(shop):
    order = await shop.place()
    await shop.worker.drain()

    await shop.open(order, Wallet.BANK)
    await shop.worker.drain()

    assert [shown.message_id for shown in shop.teller.shown] == [None, 101]


@pytest.mark.fault("I2")
async def test_while_the_messenger_is_away_everything_waits(shop):
    shop.teller.broken = True
    order = await shop.paid_order(Wallet.BANK)
    assert shop.teller.told == []
    shop.teller.broken = False

    await shop.pass_time(120, step=10)

    assert shop.teller.results == ["paid"]
    assert shop.teller.shown[-1].state is OrderState.PAID
    assert (await shop.look(order)).message_id is not None
    assert await letters(shop, OutboxState.NEW) == []


@pytest.mark.fault("I7")
async def test_a_chat_that_is_gone_stops_nothing(shop, monkeypatch):
    async def gone(_order):
        return None

    monkeypatch.setattr(shop.teller, "show", gone)
    order = await shop.paid_order(Wallet.BANK)

    assert order.message_id is None
    assert shop.teller.results == ["paid"]
    assert await letters(shop, OutboxState.NEW) == []


async def test_a_message_is_given_up_in_the_end_and_a_person_is_called(shop, monkeypatch):
    async def refuse(_order):
        raise ValueError("Telegram refuses this screen.")

    monkeypatch.setattr(shop.teller, "show", refuse)
    await shop.place()
    await shop.book.write(lambda one: one.execute(update(outbox).values(tries=99)))

    await shop.worker.drain()

    assert await letters(shop, OutboxState.DEAD) == ["show"]
    assert "given up" in shop.watch.alerts[0]


@pytest.mark.fault("I2", "G2")
async def test_no_message_is_given_up_or_waits_long_because_the_messenger_was_away_for_days(shop):
    shop.teller.broken = True
    await shop.place()
    await shop.book.write(lambda one: one.execute(update(outbox).values(tries=99)))
    await shop.pass_time(3 * 24 * 3600, step=1800)
    shop.teller.broken = False

    await shop.pass_time(60)

    assert await letters(shop, OutboxState.NEW) == []
    assert await letters(shop, OutboxState.DEAD) == []
    assert len(shop.teller.shown) == 1


@pytest.mark.fault("F11")
async def test_a_result_keeps_its_key_when_it_is_told_again(shop, monkeypatch):
    await shop.paid_order(Wallet.BANK)
    [(key, _)] = shop.teller.told

    await shop.book.write(lambda one: one.execute(update(outbox).values(state=OutboxState.NEW)))
    await shop.worker.drain()

    assert [told for told, _ in shop.teller.told] == [key, key]


async def test_one_order_that_cannot_be_checked_does_not_stop_the_others(shop, monkeypatch):
    bad, good = await shop.place("bad"), await shop.place("good")
    real = shop.checkout.ending.expire

    async def expire(order_id):
        if order_id == bad.id:
            raise RuntimeError("a bug of ours")
        return await real(order_id)

    monkeypatch.setattr(shop.checkout.ending, "expire", expire)
    await shop.pass_time(900, step=900)

    assert (await shop.look(good)).state is OrderState.EXPIRED
    assert (await shop.look(bad)).state is OrderState.PENDING
    monkeypatch.undo()
    await shop.pass_time(60)
    assert (await shop.look(bad)).state is OrderState.EXPIRED


class RealClock:
    """The hands stand still, sleeping is real."""

    def __init__(self, clock):
        self.now = clock.now

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


@pytest.mark.fault("G14")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_the_loops_run_until_they_are_stopped(shop):
    shop.clock = RealClock(shop.clock)
    shop.open_door()
    running = asyncio.create_task(shop.worker.run())
    told = asyncio.Event()
    tell = shop.teller.tell

    async def tell_and_ring(*arguments):
        await tell(*arguments)
        told.set()

    shop.teller.tell = tell_and_ring
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    for notification in shop.post("plainpay"):
        await shop.receive("plainpay", notification)

    async with asyncio.timeout(10):
        await told.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert shop.teller.results == ["paid"]


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_two_workers_tell_once(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    for notification in shop.post("plainpay"):
        await shop.receive("plainpay", notification)
    second = Worker(shop.checkout, shop.teller)

    await asyncio.gather(shop.worker.process_inbox(), second.process_inbox())
    if not shop.book.single_writer:
        await asyncio.gather(shop.worker.send_outbox(), second.send_outbox())
    await shop.worker.drain()

    assert shop.teller.results == ["paid"]


async def test_a_round_that_fails_is_followed_by_another(shop, monkeypatch):
    shop.clock = RealClock(shop.clock)
    shop.open_door()
    rounds = []

    async def sweep():
        rounds.append(1)
        if len(rounds) == 1:
            raise RuntimeError("a bug of ours")
        return 0

    monkeypatch.setattr(shop.worker, "sweep", sweep)
    running = asyncio.create_task(shop.worker.run())
    async with asyncio.timeout(10):
        while len(rounds) < 2:
            await asyncio.sleep(0.01)
            shop.checkout.till.bell.ring()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


class TestAHookThatRaises:
    @pytest.fixture
    def hook(self, shop, monkeypatch):
        """The program's `on_payment`: raises as often as it is told to."""
        heard, tell = [], shop.teller.tell
        shop.hook_raises = 10**6

        async def raising(key, order, result):
            heard.append((key, shop.clock.now()))
            if len(heard) <= shop.hook_raises:
                raise HookFailedError("boom")
            await tell(key, order, result)

        monkeypatch.setattr(shop.teller, "tell", raising)
        return heard

    async def test_is_told_again_and_then_has_heard(self, shop, hook):
        shop.hook_raises = 2

        await shop.paid_order(Wallet.BANK)
        await shop.pass_time(30, step=1)

        assert shop.teller.results == ["paid"]
        assert len({key for key, _ in hook}) == 1
        pauses = [(after - before).seconds for (_, before), (_, after) in itertools.pairwise(hook)]
        assert pauses == [1, 2]

    async def test_keeps_nobody_waiting(self, shop, hook):
        order = await shop.paid_order(Wallet.BANK)

        assert shop.teller.shown[-1].state is OrderState.PAID
        await shop.place("cart-2")
        await shop.worker.drain()

        assert len(hook) == 1
        assert shop.teller.shown[-1].order_key == "cart-2"
        assert await letters(shop, OutboxState.NEW) == ["tell"]
        assert (await shop.look(order)).state is OrderState.PAID

    async def test_is_given_up_as_a_dead_letter_that_a_person_can_resend(self, shop, hook):
        await shop.paid_order(Wallet.BANK)
        await shop.pass_time(6 * 3600, step=600)
        tried = len(hook)

        assert await letters(shop, OutboxState.DEAD) == ["tell"]
        assert tried == HOOK_TRIES_MAX
        assert any("was given up" in text for text in shop.watch.alerts)
        shop.hook_raises = 0
        await shop.book.write(lambda one: resend(one, None, shop.clock.now()))
        await shop.worker.drain()

        assert shop.teller.results == ["paid"]
