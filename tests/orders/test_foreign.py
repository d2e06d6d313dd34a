"""Refunds that the shop's owner made in the institution's own console."""

import pytest

from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import OrphanError, Refused
from bot.orders.foreign import TooEarlyError
from bot.orders.order import OrderState, Refund, RefundState
from bot.orders.rows import ledger_of, trail
from bot.orders.schema import InboxState
from providers.sdk.contract import AttemptRef, RefundRequest
from providers.sdk.money import Money
from providers.sdk.results import NotFound, RefundSnapshot, Returned
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.test_notifications import notices

CAUSE = Cause(CauseKind.OPERATOR, "test")
SIX = Money.cny("6")


def ref(attempt):
    return AttemptRef(
        number=attempt.number,
        amount=attempt.amount,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        provider_ref=attempt.provider_ref,
        memo=attempt.memo,
    )


async def refund_in_console(shop, order, amount=SIX, number="CONSOLE00000001"):
    """The owner does there what we would do by the API; the number is nobody's here."""
    [attempt] = [one for one in order.attempts if one.paid_at]
    stall = shop.stalls[attempt.provider]
    request = RefundRequest(
        number=number,
        attempt=ref(attempt),
        amount=amount,
        reason="console",
        created_at=shop.clock.now(),
        notify_url="https://shop.example/notify",
    )
    return await stall.provider.refund(request, stall.call)


async def apply(shop, fact, name="plainpay"):
    await shop.checkout.apply(fact, CAUSE, provider_id=name, account="main")


def fact_of(order, state=Returned.DONE, amount=SIX, number="CONSOLE00000001"):
    [attempt] = [one for one in order.attempts if one.paid_at]
    return RefundSnapshot(number=number, attempt_number=attempt.number, amount=amount, state=state)


@pytest.mark.fault("D12")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_a_refund_made_in_the_console_is_booked_once_counted_and_reported(shop):
    order = await shop.paid_order(Wallet.QUICKPASS)
    await refund_in_console(shop, order)
    [notification] = shop.post("unionpay")

    for _ in range(2):
        await shop.receive("unionpay", notification)
        await shop.worker.drain()

    done = await shop.look(order)
    [refund] = done.refunds
    lines = await shop.book.read(lambda one: ledger_of(one, order.id))
    assert (refund.state, refund.amount, refund.number_there) == (RefundState.DONE, SIX, "CONSOLE00000001")
    assert refund.number != refund.number_there
    assert done.state is OrderState.PARTLY_REFUNDED
    assert done.attempts[0].refunding_minor == 600
    assert sum(line.minor for line in lines if line.account in {"orders", "revenue"}) == -1200
    assert await notices(shop) == [InboxState.DONE, InboxState.DONE]
    assert len([text for text in shop.watch.alerts if "not by us" in text]) == 1


@pytest.mark.fault("D12")
async def test_what_is_left_after_it_is_all_that_can_be_refunded(shop):
    shop.hearsay = True
    order = await shop.paid_order(Wallet.BANK)
    await apply(shop, fact_of(order))

    too_much = await shop.checkout.refund(order.id, Money.cny("12.01"), "cold", "operator:li")
    rest = await shop.checkout.refund(order.id, Money.cny("12"), "cold", "operator:li")

    assert isinstance(too_much, Refused)
    assert isinstance(rest, Refund)
    assert (await shop.look(order)).state is OrderState.REFUNDED


async def test_one_that_is_still_on_its_way_is_asked_about_by_its_own_number(shop):
    order = await shop.paid_order(Wallet.BANK)
    await refund_in_console(shop, order)
    await apply(shop, fact_of(order, Returned.PENDING))
    assert (await shop.look(order)).refunds[0].state is RefundState.SENT
    assert (await shop.look(order)).state is OrderState.PAID

    await shop.pass_time(30, step=5)

    assert (await shop.look(order)).refunds[0].state is RefundState.DONE


@pytest.mark.fault("A4")
async def test_one_that_comes_before_its_payment_waits_for_it(shop):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    shop.pay(opened)
    [payment] = shop.post("unionpay")
    paid = {"paid_at": shop.clock.now(), "provider_ref": ""}
    there = await shop.stalls["unionpay"].provider.query(ref(opened.attempt), shop.stalls["unionpay"].call)
    from dataclasses import replace

    attempt = replace(opened.attempt, **{**paid, "provider_ref": there.provider_ref})
    await refund_in_console(shop, replace(opened.order, attempts=(attempt,)))
    [back] = shop.post("unionpay")
    await shop.receive("unionpay", back)
    await shop.worker.process_inbox()
    assert (await shop.look(opened.order)).refunds == ()

    await shop.receive("unionpay", payment)
    await shop.pass_time(10, step=2)

    done = await shop.look(opened.order)
    assert done.state is OrderState.PARTLY_REFUNDED


async def test_one_that_is_more_than_is_left_is_kept_until_there_is_room(shop, monkeypatch):
    order = await shop.paid_order(Wallet.BANK)
    provider = shop.stalls["plainpay"].provider

    async def never_heard(*_):
        return NotFound()

    monkeypatch.setattr(provider, "refund", never_heard)
    await shop.checkout.refund(order.id, Money.cny("18"), "cold", "operator:li")

    with pytest.raises(TooEarlyError, match="0 minor units left"):
        await apply(shop, fact_of(order))

    assert len((await shop.look(order)).refunds) == 1


async def test_one_that_failed_there_is_noted_and_holds_nothing(shop):
    order = await shop.paid_order(Wallet.BANK)

    await apply(shop, fact_of(order, Returned.FAILED))

    same = await shop.look(order)
    entries = await shop.book.read(lambda one: trail(one, order.id))
    assert same.refunds == ()
    assert same.attempts[0].refunding_minor == 0
    assert entries[-1].event == "refund_failed_there"


async def test_one_in_another_currency_or_of_nothing_books_nothing_and_calls_a_person(shop):
    order = await shop.paid_order(Wallet.BANK)

    await apply(shop, fact_of(order, amount=Money(600, "HKD")))
    await apply(shop, fact_of(order, amount=Money.cny("0")))
    await shop.worker.drain()

    assert (await shop.look(order)).refunds == ()
    assert len(shop.watch.alerts) == 2


async def test_one_of_a_payment_that_is_not_ours_stays_an_orphan(shop):
    order = await shop.paid_order(Wallet.BANK)
    fact = fact_of(order)

    with pytest.raises(OrphanError, match="not in the book"):
        await apply(shop, RefundSnapshot(
            number=fact.number, attempt_number="Nobody1", amount=SIX, state=Returned.DONE
        ))  # fmt: skip
    with pytest.raises(OrphanError, match="another account"):
        await apply(shop, fact, "unionpay")


async def test_a_page_cannot_take_the_name_of_a_refund_made_elsewhere(shop):
    order = await shop.paid_order(Wallet.BANK)

    answer = await shop.checkout.refund(order.id, SIX, "x", "page", refund_key="there:CONSOLE00000001")

    assert isinstance(answer, Refused)
