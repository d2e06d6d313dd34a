"""One order, two wallets: the first code is closed or asked about, and what is paid twice goes back."""

import pytest

from bot.orders.checkout import Refused, Why
from bot.orders.order import AttemptState, OrderState, RefundState
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import PRICE, USER


def creates(shop):
    return sum(request.url.endswith("/orders") for request in shop.stalls["plainpay"].transport.requests)


async def test_a_second_wallet_turns_an_intent_that_nobody_heard_of(shop):
    order = await shop.place()
    first = order.attempts[0]

    wallet = Wallet.QUICKPASS if first.provider == "plainpay" else Wallet.BANK
    opened = await shop.open(order, wallet)

    assert opened.attempt.number == first.number
    assert opened.attempt.wallet is wallet
    assert len(opened.order.attempts) == 1


@pytest.mark.fault("C4")
async def test_another_wallet_closes_the_first_code(shop):
    first = await shop.opened_order(Wallet.QUICKPASS)

    second = await shop.open(first.order, Wallet.BANK)

    assert second.attempt.number != first.attempt.number
    assert second.order.attempt(first.attempt.number).state is AttemptState.CLOSED
    assert second.warning == ""


@pytest.mark.fault("B14")
async def test_a_wallet_that_was_paid_meanwhile_is_not_followed_by_another(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.pay(first)

    answer = await shop.checkout.open(first.order.id, Wallet.QUICKPASS, user_id=USER)

    assert isinstance(answer, Refused)
    assert answer.why is Why.ALREADY_PAID
    await shop.deliver()
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("C4")
async def test_when_the_first_code_cannot_be_closed_the_payer_is_warned(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse(1)

    second = await shop.open(first.order, Wallet.QUICKPASS)

    assert second.warning
    shop.clock.advance(2)
    await shop.worker.drain()
    assert (await shop.look(second.order)).attempt(first.attempt.number).state is AttemptState.CLOSED


@pytest.mark.fault("C3")
async def test_both_codes_paid_is_one_payment_and_one_refund(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse(1)
    second = await shop.open(first.order, Wallet.QUICKPASS)
    purse = shop.stalls["plainpay"].purses.left[Wallet.BANK]

    shop.pay(second)
    shop.pay(first)
    await shop.deliver()

    order = await shop.look(first.order)
    states = {attempt.state for attempt in order.attempts}
    assert order.state is OrderState.PAID
    assert states == {AttemptState.PAID, AttemptState.OVERPAID}
    assert shop.teller.results == ["paid"]
    assert [refund.state for refund in order.refunds] == ["done"]
    assert shop.stalls["plainpay"].purses.left[Wallet.BANK] == purse
    assert any("second time" in alert for alert in shop.watch.alerts)


@pytest.mark.fault("B2", "C3", "C4")
async def test_a_code_that_was_never_made_ends_although_its_order_was_paid_by_another_wallet(shop):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_BEFORE)
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
    shop.stalls["plainpay"].transport.refuse(1)  # it cannot be closed either
    second = await shop.open(order, Wallet.QUICKPASS)
    shop.pay(second)
    await shop.deliver()

    await shop.pass_time(1800)

    first = next(one for one in (await shop.look(order)).attempts if one.provider == "plainpay")
    assert first.state is AttemptState.CLOSED


@pytest.mark.fault("C4")
async def test_an_institution_that_does_not_close_is_asked_less_and_less_often(shop):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_BEFORE)
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
    await shop.open(order, Wallet.QUICKPASS)
    asked = len(shop.stalls["plainpay"].transport.requests)

    await shop.pass_time(600, step=1)

    assert len(shop.stalls["plainpay"].transport.requests) - asked < 30


@pytest.mark.fault("D10")
async def test_each_of_two_payments_goes_back_from_its_own_budget(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse(1)
    second = await shop.open(first.order, Wallet.QUICKPASS)
    shop.pay(second)
    shop.pay(first)
    await shop.deliver()

    whole = await shop.checkout.refund(first.order.id, PRICE, "cold", "operator:li")
    more = await shop.checkout.refund(first.order.id, Money.cny("0.01"), "cold", "operator:li")
    await shop.pass_time(120)
    await shop.deliver()

    order = await shop.look(first.order)
    assert isinstance(more, Refused)
    assert whole.attempt_number != next(one for one in order.refunds if one.actor == "house").attempt_number
    assert [refund.state for refund in order.refunds] == [RefundState.DONE] * 2
    assert [attempt.refunding_minor for attempt in order.attempts] == [1800, 1800]
    assert order.state is OrderState.REFUNDED


@pytest.mark.fault("C6", "C7")
async def test_what_was_paid_while_its_check_was_put_off_is_not_asked_about_for_ever(shop):
    order = await shop.paid_order(Wallet.BANK)
    [attempt] = order.attempts
    asked = len(shop.stalls["plainpay"].transport.requests)

    await shop.checkout.checking._later(order, attempt.number)
    await shop.pass_time(600)

    assert (await shop.look(order)).attempts[0].next_check_at is None
    assert len(shop.stalls["plainpay"].transport.requests) == asked
