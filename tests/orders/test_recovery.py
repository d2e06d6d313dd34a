"""A restored backup: the institutions are asked before new money is moved, and nothing is paid or returned twice."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from bot.orders.answers import ClosedError
from bot.orders.checkout import Refused, Why
from bot.orders.order import AttemptState, OrderState, RefundState
from bot.orders.recovery import CLOSED
from bot.orders.tide import Mark, Marks
from providers.sdk.gateway import Fault
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER
from tests.orders.test_wishes import wish


@pytest.fixture
async def lost_payment(shop, keeper, backup):
    """Opened, backed up, paid; then the backup is put back."""
    opened = await shop.opened_order(Wallet.BANK)
    await shop.worker.drain()
    await backup.take()
    shop.pay(opened)
    [shop.lost_post] = shop.post("plainpay")
    await shop.receive("plainpay", shop.lost_post)
    await shop.worker.drain()
    await keeper().step()
    shop.teller.told.clear()
    await backup.put()
    assert (await shop.look(opened.order)).state is OrderState.PENDING
    return opened


@pytest.mark.fault("H7")
async def test_a_book_that_was_set_back_is_asked_about_before_new_payments(shop, keeper, lost_payment):
    recovery = keeper()
    await recovery.begin()

    assert shop.checkout.till.closed == CLOSED
    with pytest.raises(ClosedError):
        await shop.place("cart-2")
    refused = await shop.checkout.open(lost_payment.order.id, Wallet.QUICKPASS, user_id=USER)
    assert (refused.why, refused.detail) == (Why.CHECKING, CLOSED)
    await recovery.step()
    await shop.worker.drain()

    assert (await shop.look(lost_payment.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]
    assert shop.checkout.till.closed == ""
    assert (await shop.place("cart-2")).state is OrderState.PENDING
    assert any("open again" in text for text in shop.watch.alerts)


@pytest.mark.fault("H7")
async def test_while_an_institution_is_silent_the_till_stays_closed_and_post_is_taken(
    shop, keeper, lost_payment
):
    recovery = keeper()
    shop.stalls["plainpay"].transport.refuse(1)
    await recovery.begin()

    await recovery.step()
    assert shop.checkout.till.closed
    [order] = await shop.checkout.orders_of(USER)
    assert isinstance(await shop.checkout.refund(order.id, order.amount, "x", "operator:li"), Refused)
    reply = await shop.receive("plainpay", shop.lost_post)
    await shop.worker.process_inbox()
    assert reply.status == 204
    assert (await shop.look(order)).state is OrderState.PAID
    assert shop.checkout.till.closed
    await recovery.step()

    assert shop.checkout.till.closed == ""
    assert (await shop.look(lost_payment.order)).state is OrderState.PAID


@pytest.mark.fault("H7")
async def test_a_host_that_dies_in_between_goes_on_asking(shop, keeper, lost_payment):
    shop.stalls["plainpay"].transport.refuse(1)
    await keeper().begin()
    await keeper().step()

    await shop.restart()
    await keeper().begin()

    assert shop.checkout.till.closed == CLOSED


@pytest.mark.fault("H7")
async def test_what_stood_as_never_sent_is_asked_about_too(shop, keeper, backup):
    order = await shop.place()
    await shop.worker.drain()
    await backup.take()
    opened = await shop.open(order, Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LOST)
    shop.pay(opened)
    await keeper().step()
    await backup.put()
    assert (await shop.look(order)).attempts[0].state is AttemptState.INTENT
    recovery = keeper()

    await recovery.begin()
    await recovery.step()
    await shop.pass_time(1200)

    done = await shop.look(order)
    assert done.attempts[0].called_at is not None


@pytest.mark.fault("H7")
async def test_a_refund_that_was_sent_after_the_backup_is_not_made_twice(shop, keeper, backup):
    order = await shop.paid_order(Wallet.BANK)
    before = shop.stalls["plainpay"].purses.left[Wallet.BANK]
    await shop.checkout.place([], [wish()])
    await backup.take()
    await shop.worker.drain()
    await keeper().step()
    await backup.put()
    assert (await shop.look(order)).refunds[0].state is RefundState.RESERVED
    recovery = keeper()

    await recovery.begin()
    await recovery.step()
    await shop.pass_time(600)

    assert (await shop.look(order)).refunds[0].state is RefundState.DONE
    assert shop.stalls["plainpay"].purses.left[Wallet.BANK] == before + 1800


async def test_an_operator_can_close_and_open_it(shop, keeper, marks):
    await shop.place()
    recovery = keeper()
    await recovery.begin()
    assert shop.checkout.till.closed == ""
    tide = (await marks.read()).tide

    await marks.write(Mark(tide=tide, recovering=True))
    await recovery.begin()
    assert shop.checkout.till.closed == CLOSED
    await marks.write(Mark(tide=tide))
    await recovery.begin()

    assert shop.checkout.till.closed == ""


async def test_a_sound_book_is_never_closed_and_a_broken_mark_is_no_mark(shop, keeper, marks):
    await shop.paid_order(Wallet.BANK)
    await keeper().step()
    (marks.folder / "book-mark.json").write_text("{broken")

    await keeper().step()

    assert shop.checkout.till.closed == ""
    assert (await marks.read()).tide > 0


@pytest.mark.fault("H7", "F14")
@pytest.mark.parametrize(
    "trouble", [OSError(24, "Too many open files"), OperationalError("SELECT", {}, Exception())]
)
async def test_a_store_that_is_away_for_a_look_does_not_end_the_house(
    shop, keeper, marks, monkeypatch, trouble
):
    order = await shop.place()
    recovery, read, left = keeper(), Marks.read, [trouble] * 3

    async def away(self):
        if left:
            raise left.pop()
        return await read(self)

    monkeypatch.setattr(Marks, "read", away)
    running = asyncio.create_task(recovery.run())

    for _ in range(500):
        if not left and (await read(marks)).tide:
            break
        await asyncio.sleep(0.01)

    assert not running.done()
    assert (await read(marks)).tide
    running.cancel()
    assert await shop.look(order) == order
