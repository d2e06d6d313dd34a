"""Refunds that a mini program asks for: its own orders only, once per key, and it hears what became of them."""

import asyncio
from dataclasses import replace

import pytest

from bot.orders.checkout import RefundRefusedError, Refused
from bot.orders.order import OrderState, Refund, RefundDraft, RefundState
from bot.orders.rows import trail
from miniprograms.sdk.refund import RefundRequest, RefundStatus
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import NotSent, RefundSnapshot, Returned, Unknown
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import USER
from tests.orders.test_refunds import answers, paid, purse

HALF = Money.cny("50")


def wish(order_key="cart-1", amount=None, refund_key="back-1", **more):
    request = RefundRequest(order_key=order_key, amount=amount, reason="冷了", refund_key=refund_key)
    fields = {"app_id": "coffee", "page": "pages/order/order", "chat_id": USER, "user_id": USER}
    return RefundDraft(**{**fields, "event_key": "u1", **more}, request=request)


async def ask(shop, *wishes):
    await shop.checkout.place([], wishes)
    await shop.worker.drain()


def heard(shop):
    return [(word.result.status, word.result.amount, word.result.detail) for word in shop.teller.refunds]


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_however_often_a_page_asks_the_money_goes_back_once(shop):
    order = await paid(shop)
    before = purse(shop)

    await asyncio.gather(*(shop.checkout.place([], [wish(amount=HALF)]) for _ in range(5)))
    await shop.worker.drain()
    await ask(shop, wish(amount=HALF, event_key="u2"))

    done = await shop.look(order)
    assert purse(shop) == before + 5000
    assert (done.state, len(done.refunds)) == (OrderState.PARTLY_REFUNDED, 1)
    assert heard(shop) == [(RefundStatus.DONE, HALF, "")]
    [word] = shop.teller.refunds
    assert (word.page, word.result.refund_key, word.result.order_key) == (
        "pages/order/order",
        "back-1",
        "cart-1",
    )


async def test_without_an_amount_all_that_is_left_goes_back(shop):
    order = await paid(shop)

    await ask(shop, wish(amount=Money.cny("30")), wish(refund_key="back-2"))

    told = [result for _, result, _ in heard(shop)]  # two calls at once are answered in any order
    assert sorted(told, key=lambda one: one.minor) == [Money.cny("30"), Money.cny("70")]
    assert (await shop.look(order)).state is OrderState.REFUNDED


async def test_the_wish_is_stored_and_nobody_is_called_before_the_worker_comes(shop):
    order = await paid(shop)
    calls = len(shop.stalls["plainpay"].transport.requests)

    await shop.checkout.place([], [wish()])

    [refund] = (await shop.look(order)).refunds
    assert (refund.state, refund.actor, refund.called_at) == (RefundState.RESERVED, "program:coffee", None)
    assert len(shop.stalls["plainpay"].transport.requests) == calls


async def test_a_process_that_dies_after_the_turn_gives_back_all_the_same(shop):
    order = await paid(shop)
    await shop.checkout.place([], [wish()])

    await shop.restart()
    await shop.worker.drain()

    assert (await shop.look(order)).state is OrderState.REFUNDED


async def test_an_order_and_a_refund_of_one_turn_stand_or_fall_together(shop):
    await paid(shop)

    with pytest.raises(RefundRefusedError):
        await shop.checkout.place([shop.draft("cart-2")], [wish("nobody's")])

    assert [order.order_key for order in await shop.checkout.orders_of(USER)] == ["cart-1"]


@pytest.mark.fault("D14")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
@pytest.mark.parametrize("stranger", [{"app_id": "evil"}, {"user_id": 7002}])
async def test_nobody_gives_back_the_order_of_another_program_or_person(shop, stranger):
    order = await paid(shop)
    before = purse(shop)

    for name in (order.order_key, order.id):
        with pytest.raises(RefundRefusedError, match="has no order"):
            await shop.checkout.place([], [wish(name, **stranger)])
    await shop.worker.drain()

    entries = await shop.book.read(lambda one: trail(one, order.id))
    assert ("order", "refund_refused") in [(entry.subject, entry.event) for entry in entries]
    assert any("not its own" in text for text in shop.watch.alerts)
    assert (purse(shop), (await shop.look(order)).refunds) == (before, ())
    assert shop.teller.refunds == []


async def test_a_key_that_named_another_amount_is_refused(shop):
    await paid(shop)
    await ask(shop, wish(amount=HALF))

    with pytest.raises(RefundRefusedError, match="new refund_key"):
        await shop.checkout.place([], [wish(amount=Money.cny("20"))])


@pytest.mark.fault("D2")
async def test_what_cannot_go_back_is_told_and_audited(shop):
    order = await paid(shop)
    await shop.place("cart-2")

    await ask(
        shop,
        wish(amount=Money.cny("100.01")),
        wish("cart-2", refund_key="back-2"),
        wish(amount=Money(1, "HKD"), refund_key="back-3"),
    )

    assert sorted(detail for _, _, detail in heard(shop)) == ["not_refundable", "over_budget", "wrong_amount"]
    entries = await shop.book.read(lambda one: trail(one, order.id))
    assert [entry.event for entry in entries].count("refund_refused") == 2


async def test_a_refusal_is_told_once_per_turn_that_asked(shop):
    await paid(shop)
    too_much = wish(amount=Money.cny("200"))

    await ask(shop, too_much)
    await ask(shop, too_much)
    await ask(shop, replace(too_much, event_key="u2"))

    assert len(heard(shop)) == 2


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.TIMEOUT_BEFORE, Fault.GARBAGE])
async def test_an_unknown_refund_is_pending_and_then_done(shop, fault):
    await paid(shop)
    before = purse(shop)
    shop.stalls["plainpay"].faults.arm(fault)

    await ask(shop, wish())
    assert [status for status, _, _ in heard(shop)] == [RefundStatus.PENDING]
    await shop.pass_time(120, step=5)

    assert [status for status, _, _ in heard(shop)] == [RefundStatus.PENDING, RefundStatus.DONE]
    assert purse(shop) == before + 10000


async def test_a_refund_that_fails_at_the_institution_is_told_and_can_be_asked_for_anew(shop, monkeypatch):
    order = await paid(shop)

    async def fail(request, _call):
        return RefundSnapshot(
            number=request.number,
            attempt_number=request.attempt.number,
            state=Returned.FAILED,
            amount=request.amount,
            code="ACCOUNT_CLOSED",
        )

    provider = shop.stalls["plainpay"].provider
    with monkeypatch.context() as patch:
        patch.setattr(provider, "refund", fail)
        await ask(shop, wish())
    await ask(shop, wish(refund_key="back-2"))

    [failed, done] = [word.result for word in shop.teller.refunds]
    assert "ACCOUNT_CLOSED" in failed.err_msg
    assert done.err_msg == "requestRefund:ok"
    assert (await shop.look(order)).state is OrderState.REFUNDED


@pytest.mark.parametrize("first", [NotSent("no route"), Unknown("cut")])
async def test_a_page_hears_at_once_that_it_takes_its_time(shop, monkeypatch, first):
    await paid(shop)
    answers(shop, monkeypatch, "refund", first)

    await shop.checkout.place([], [wish()])
    await shop.worker.sweep()
    await shop.worker.send_outbox()

    assert [word.result.err_msg for word in shop.teller.refunds] == ["requestRefund:fail (processing)"]


async def test_an_operators_refund_is_told_to_the_page_that_asked_for_the_payment(shop):
    order = await paid(shop)

    answer = await shop.checkout.refund(order.id, HALF, "冷了", "operator:li")
    await shop.worker.drain()

    assert isinstance(answer, Refund)
    [word] = shop.teller.refunds
    assert (word.page, word.result.refund_key, word.result.status) == (order.page, "", RefundStatus.DONE)


async def test_the_return_of_a_second_payment_is_no_refund_of_the_order(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse(1)
    second = await shop.open(first.order, Wallet.QUICKPASS)
    shop.pay(second)
    shop.pay(first)

    await shop.deliver()

    done = await shop.look(first.order)
    assert [refund.state for refund in done.refunds] == [RefundState.DONE]
    assert shop.teller.refunds == []


async def test_an_operator_cannot_take_the_key_of_a_page(shop):
    order = await paid(shop)

    answer = await shop.checkout.refund(order.id, HALF, "冷了", "operator:li", refund_key="page:back-1")

    assert isinstance(answer, Refused)
