"""Cancelling, expiring, and the money that comes all the same."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.orders import worker
from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import Refused, Why
from bot.orders.order import AttemptState, OrderState
from bot.orders.rows import trail
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Closed, NotFound, Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import USER

LIFE_S = 900


def verbs(shop, name="plainpay"):
    return [request.url.rpartition("test/")[2] for request in shop.stalls[name].transport.requests]


async def cause_of(shop, order, event):
    entries = await shop.book.read(lambda one: trail(one, order.id))
    return next(entry.cause_kind for entry in entries if (entry.subject, entry.event) == ("order", event))


async def test_cancelling_closes_at_the_institution_first(shop):
    opened = await shop.opened_order(Wallet.BANK)

    order = await shop.checkout.cancel(opened.order.id, USER)
    await shop.worker.drain()

    assert order.state is OrderState.CANCELLED
    assert order.attempts[0].state is AttemptState.CLOSED
    assert verbs(shop)[-1] == "orders/close"
    assert shop.teller.results == ["cancelled"]
    assert await cause_of(shop, order, "cancelled") is CauseKind.PAYER


async def test_cancelling_what_nobody_opened_calls_nobody(shop):
    order = await shop.place()

    cancelled = await shop.checkout.cancel(order.id, USER)

    assert cancelled.state is OrderState.CANCELLED
    assert verbs(shop) == []


@pytest.mark.fault("B14", "C6")
async def test_paid_beats_cancel(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)

    answer = await shop.checkout.cancel(opened.order.id, USER)
    await shop.deliver()

    assert answer.why is Why.ALREADY_PAID
    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("C6")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
@pytest.mark.parametrize("first", ["cancel", "notify"])
async def test_pay_and_cancel_together_have_one_outcome(shop, first):
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    [notification] = shop.post("plainpay")

    cancel = shop.checkout.cancel(opened.order.id, USER)
    notify = shop.receive("plainpay", notification)
    pair = (cancel, notify) if first == "cancel" else (notify, cancel)
    await asyncio.gather(*pair, shop.worker.process_inbox(), shop.worker.process_inbox())
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("C6")
async def test_money_after_cancelling_is_kept_and_told(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LATE)
    shop.pay(opened)
    provider = shop.stalls["plainpay"].provider
    real, provider.close = provider.close, lambda *_: closed()

    async def closed():
        return Closed()

    await shop.checkout.cancel(opened.order.id, USER)
    provider.close = real
    await shop.worker.drain()
    [late] = shop.stalls["plainpay"].courier.late
    await shop.receive("plainpay", late)
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID_LATE
    assert shop.teller.results == ["cancelled", "paid late"]


@pytest.mark.fault("B15")
async def test_a_cancelling_the_institution_does_not_answer_is_finished_by_the_sweeper(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_BEFORE)

    answer = await shop.checkout.cancel(opened.order.id, USER)
    tap = await shop.checkout.open(opened.order.id, Wallet.QUICKPASS, user_id=USER)

    assert answer.why is Why.CHECKING
    assert answer.order.state is OrderState.PENDING
    assert tap.why is Why.CHECKING
    await shop.pass_time(10, step=2)
    assert (await shop.look(opened.order)).state is OrderState.CANCELLED
    assert shop.teller.results == ["cancelled"]


async def test_refusals_to_cancel_say_why(shop):
    order = await shop.place()

    async def why(order_id=order.id, user_id=USER):
        answer = await shop.checkout.cancel(order_id, user_id)
        assert isinstance(answer, Refused)
        return answer.why

    assert await why("nobody") is Why.UNKNOWN_ORDER
    assert await why(user_id=7002) is Why.NOT_YOURS
    await shop.checkout.cancel(order.id, USER)
    assert await why() is Why.CANCELLED
    paid = await shop.place("cart-2")
    shop.pay(await shop.open(paid, Wallet.BANK))
    await shop.deliver()
    assert await why(paid.id) is Why.ALREADY_PAID


@pytest.mark.fault("E3")
async def test_expiry_is_query_close_query(shop):
    shop.infos["plainpay"] = replace(shop.stalls["plainpay"].plugin.info, expires_after_min_s=3600)
    shop.open_door()
    opened = await shop.opened_order(Wallet.BANK)

    shop.clock.advance(LIFE_S)
    shop.stalls["plainpay"].transport.requests.clear()
    await shop.checkout.ending.expire(opened.order.id)

    order = await shop.look(opened.order)
    assert verbs(shop) == ["orders/query", "orders/close", "orders/query"]
    assert order.state is OrderState.EXPIRED
    assert await cause_of(shop, order, "expired") is CauseKind.QUERY


@pytest.mark.fault("E3", "E4")
@pytest.mark.fault("A16")
async def test_an_intent_that_nobody_heard_of_ends_also_when_its_order_is_under_review(shop):
    shop.hearsay = True
    order = await shop.place()
    [attempt] = order.attempts
    merchant = str(shop.stalls[attempt.provider].settings.merchant)
    fact = Snapshot(number=attempt.number, merchant=merchant, amount=Money.cny("1"), state=Paid.PAID)
    cause = Cause(CauseKind.OPERATOR, "operator:li")
    await shop.checkout.apply(fact, cause, provider_id=attempt.provider, account="main")

    await shop.pass_time(2 * LIFE_S)

    order = await shop.look(order)
    assert order.state is OrderState.NEEDS_REVIEW
    assert order.attempts[0].state is AttemptState.CLOSED
    assert order.attempts[0].next_check_at is None


@pytest.mark.fault("C6", "E3")
async def test_a_tap_on_cancel_does_not_shorten_an_expiry_that_has_begun(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.clock.advance(LIFE_S)
    shop.stalls["plainpay"].transport.refuse(10)
    await shop.checkout.ending.expire(opened.order.id)
    shop.stalls["plainpay"].transport.refuse(0)

    await shop.checkout.cancel(opened.order.id, USER)

    order = await shop.look(opened.order)
    assert order.state is OrderState.EXPIRED
    assert verbs(shop)[-1] == "orders/query"
    assert await cause_of(shop, order, "expired") is CauseKind.QUERY


async def test_no_clock_alone_expires_an_order(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.BANK)

    async def away(*_):
        return Unknown("The line is dead.")

    with monkeypatch.context() as patch:
        for verb in ("query", "close"):
            patch.setattr(shop.stalls["plainpay"].provider, verb, away)
        await shop.pass_time(86400, step=3600)
        assert (await shop.look(opened.order)).state is OrderState.PENDING
        assert shop.teller.results == []

    await shop.pass_time(7200, step=600)
    assert (await shop.look(opened.order)).state is OrderState.EXPIRED


async def test_an_order_nobody_opened_expires_without_a_call(shop):
    order = await shop.place()

    await shop.pass_time(LIFE_S)

    expired = await shop.look(order)
    assert expired.state is OrderState.EXPIRED
    assert expired.attempts[0].next_check_at is None
    assert verbs(shop) == []


@pytest.mark.fault("E1")
async def test_paid_in_the_last_second_is_paid(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LATE)
    shop.clock.advance(LIFE_S - 1)
    shop.pay(opened)
    shop.clock.advance(61)

    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("A9", "E2")
async def test_paid_after_expiry_is_kept_and_told(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LATE)
    shop.pay(opened)

    async def not_there(*_):
        return NotFound()

    with monkeypatch.context() as patch:
        patch.setattr(shop.stalls["plainpay"].provider, "query", not_there)
        await shop.pass_time(LIFE_S + 300, step=300)
        assert (await shop.look(opened.order)).state is OrderState.EXPIRED

    await shop.pass_time(3600, step=1200)

    order = await shop.look(opened.order)
    assert order.state is OrderState.PAID_LATE
    assert order.paid_at is not None
    assert shop.teller.results == ["failed expired", "paid late"]
    assert shop.teller.shown[-1].state is OrderState.PAID_LATE


async def test_an_institution_that_closes_by_time_only_is_waited_for(shop, monkeypatch):
    info = replace(shop.stalls["plainpay"].plugin.info, can_close=False)
    shop.infos["plainpay"] = info
    shop.open_door()
    opened = await shop.opened_order(Wallet.BANK)
    merchant = shop.account("plainpay").merchant

    async def unpaid(ref, _call):
        return Snapshot(number=ref.number, merchant=merchant, amount=ref.amount, state=Paid.UNPAID)

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "query", unpaid)
    shop.clock.advance(LIFE_S)
    await shop.worker.drain()
    assert (await shop.look(opened.order)).state is OrderState.PENDING

    await shop.pass_time(300, step=20)

    assert (await shop.look(opened.order)).state is OrderState.EXPIRED
    assert "orders/close" not in verbs(shop)


@pytest.mark.fault("B11")
async def test_a_code_that_the_institution_does_not_know_of_is_not_gone_before_its_end(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.BANK)

    async def not_there(*_):
        return NotFound("ACQ.TRADE_NOT_EXIST")

    async def cannot_say(*_):
        return Unknown("Nobody has scanned it, and it can be scanned.")

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "query", not_there)
    monkeypatch.setattr(shop.stalls["plainpay"].provider, "close", cannot_say)
    assert (await shop.checkout.cancel(opened.order.id, USER)).why is Why.CHECKING
    await shop.pass_time(LIFE_S - 60, step=20)
    assert (await shop.look(opened.order)).state is OrderState.PENDING

    await shop.pass_time(600, step=30)

    assert (await shop.look(opened.order)).state is OrderState.CANCELLED


async def test_an_attempt_the_institution_closed_by_itself_can_be_followed_by_another(shop):
    opened = await shop.opened_order(Wallet.BANK)
    drawer = shop.stalls["plainpay"].drawer
    key = f"order:{opened.attempt.number}"
    drawer.put(key, {**drawer.get(key), "state": "CLOSED"})

    await shop.pass_time(10, step=5)

    order = await shop.look(opened.order)
    assert (order.state, order.attempts[0].state) == (OrderState.PENDING, AttemptState.CLOSED)
    assert (await shop.open(order, Wallet.BANK)).attempt.number != opened.attempt.number


async def test_an_attempt_that_opens_after_its_closing_is_closed_again(shop, monkeypatch):
    order = await shop.place()
    stall = shop.stalls["plainpay"]
    real = stall.provider.create

    async def slow_create(intent, call):
        other = shop.checkout
        shop.open_door()  # another process ends the order while this one is calling
        shop.clock.advance(LIFE_S + 60)
        await shop.worker.drain()
        assert (await shop.look(order)).state is OrderState.EXPIRED
        shop.checkout = other
        shop.clock._now = intent.created_at
        return await real(intent, call)

    monkeypatch.setattr(stall.provider, "create", slow_create)
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.EXPIRED
    assert answer.order.attempts[0].state is AttemptState.CLOSED
    await shop.worker.drain()
    assert stall.drawer.get(f"order:{answer.order.attempts[0].number}")["state"] == "CLOSED"


@pytest.mark.fault("E5")
async def test_after_two_days_of_sleep_everything_is_caught_up_a_few_at_a_time(shop, monkeypatch):
    monkeypatch.setattr(worker, "_BATCH", 5)
    orders = [await shop.open(await shop.place(f"cart-{n}"), Wallet.BANK) for n in range(12)]
    for opened in orders[:2]:
        shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LOST)
        shop.pay(opened)
    shop.stalls["plainpay"].transport.requests.clear()

    shop.clock.advance(2 * 86400)
    assert await shop.worker.sweep() <= 15
    await shop.worker.drain()

    states = [(await shop.look(opened.order)).state for opened in orders]
    assert states == [OrderState.PAID] * 2 + [OrderState.EXPIRED] * 10
    assert shop.teller.results.count("paid") == 2


@pytest.mark.fault("A9")
async def test_after_a_close_that_was_only_heard_of_money_is_looked_for_within_the_hour(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.BANK)
    account = shop.account("plainpay")

    async def closed(ref, _call):
        return Snapshot(number=ref.number, merchant=account.merchant, amount=ref.amount, state=Paid.CLOSED)

    with monkeypatch.context() as patch:
        patch.setattr(shop.stalls["plainpay"].provider, "query", closed)
        shop.clock.advance(LIFE_S + 1)
        await shop.worker.drain()

    [attempt] = (await shop.look(opened.order)).attempts
    assert (attempt.state, attempt.checks) == (AttemptState.CLOSED, 0)
    assert attempt.next_check_at - shop.clock.now() == timedelta(hours=1)
