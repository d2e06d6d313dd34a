"""Money back: never more than came, never twice, never forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import Refused, Why
from bot.orders.order import OrderState, Refund, RefundState
from bot.orders.rows import ledger_of
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    RefundSnapshot,
    Returned,
    Unknown,
)
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES

HUNDRED = Money.cny("100")
SIXTY = Money.cny("60")


async def paid(shop, amount=HUNDRED, key="cart-1"):
    opened = await shop.open(await shop.place(key, amount), Wallet.BANK)
    shop.pay(opened)
    await shop.deliver()
    return await shop.look(opened.order)


def purse(shop):
    return shop.stalls["plainpay"].purses.left[Wallet.BANK]


def answers(shop, monkeypatch, verb, *given):
    provider = shop.stalls["plainpay"].provider
    left, real = list(given), getattr(provider, verb)

    async def answer(*arguments):
        return left.pop(0) if left else await real(*arguments)

    monkeypatch.setattr(provider, verb, answer)


async def refund(shop, order, amount=SIXTY, **more):
    return await shop.checkout.refund(order.id, amount, "冷了", "operator:li", **more)


@pytest.mark.fault("D1")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_of_two_refunds_of_sixty_from_a_hundred_one_is_made(shop):
    order = await paid(shop)
    before = purse(shop)

    answers = await asyncio.gather(refund(shop, order), refund(shop, order))

    made = [answer for answer in answers if isinstance(answer, Refund)]
    [refused] = [answer for answer in answers if isinstance(answer, Refused)]
    assert [one.state for one in made] == [RefundState.DONE]
    assert refused.why is Why.OVER_BUDGET
    assert purse(shop) == before + 6000
    assert (await shop.look(order)).state is OrderState.PARTLY_REFUNDED


@pytest.mark.fault("D3")
async def test_parts_add_up_to_the_whole_to_the_fen(shop):
    order = await paid(shop, Money(7, "CNY"))

    for part in (1, 2, 3):
        assert isinstance(await refund(shop, order, Money(part, "CNY")), Refund)
    assert (await shop.look(order)).state is OrderState.PARTLY_REFUNDED
    await refund(shop, order, Money(1, "CNY"))

    done = await shop.look(order)
    lines = await shop.book.read(lambda one: ledger_of(one, order.id))
    assert done.state is OrderState.REFUNDED
    assert sum(line.minor for line in lines if line.account in {"orders", "revenue"}) == 0
    assert isinstance(await refund(shop, order, Money(1, "CNY")), Refused)


@pytest.mark.fault("D2")
async def test_what_makes_no_sense_is_refused_before_any_call(shop):
    order = await paid(shop)
    unpaid = await shop.place("cart-2")
    calls = len(shop.stalls["plainpay"].transport.requests)

    async def why(one, amount):
        answer = await refund(shop, one, amount)
        assert isinstance(answer, Refused)
        return answer.why

    assert await why(order, Money.cny("100.01")) is Why.OVER_BUDGET
    assert await why(order, Money.cny("0")) is Why.WRONG_AMOUNT
    assert await why(order, Money(6000, "HKD")) is Why.WRONG_AMOUNT
    assert await why(unpaid, SIXTY) is Why.NOT_REFUNDABLE
    assert await why(replace(order, id="nobody"), SIXTY) is Why.UNKNOWN_ORDER
    assert len(shop.stalls["plainpay"].transport.requests) == calls


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"refund_window": None}, Why.NOT_REFUNDABLE),
        ({"refund_window": timedelta(seconds=1)}, Why.TOO_LATE),
        ({"partial_refunds": False}, Why.NOT_REFUNDABLE),
        ({"refunds_max": 0}, Why.NOT_REFUNDABLE),
    ],
)
async def test_the_institutions_limits_are_kept(shop, limits, why):
    order = await paid(shop)
    shop.infos["plainpay"] = replace(shop.stalls["plainpay"].plugin.info, **limits)
    shop.open_door()
    shop.clock.advance(60)

    answer = await refund(shop, order)

    assert answer.why is why


@pytest.mark.fault("D1")
async def test_the_budget_is_reserved_before_the_call(shop, monkeypatch):
    order = await paid(shop)
    seen = []

    async def look(request, _call):
        stored = await shop.look(order)
        seen.append((stored.refund(request.number).state, stored.attempts[0].refunding_minor))
        return Unknown("cut")

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "refund", look)
    await refund(shop, order)

    assert seen == [(RefundState.UNKNOWN, 6000)]


@pytest.mark.fault("D4", "D5")
@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.TIMEOUT_BEFORE, Fault.GARBAGE])
async def test_an_unknown_refund_is_asked_about_and_made_once(shop, fault):
    order = await paid(shop)
    before = purse(shop)
    shop.stalls["plainpay"].faults.arm(fault)

    asked = await refund(shop, order)
    assert asked.state is RefundState.UNKNOWN
    assert isinstance(await refund(shop, order), Refused)
    await shop.pass_time(60, step=5)

    done = await shop.look(order)
    assert [(one.number, one.state) for one in done.refunds] == [(asked.number, RefundState.DONE)]
    assert purse(shop) == before + 6000


async def test_a_refund_that_never_left_is_sent_by_the_sweeper(shop):
    order = await paid(shop)
    shop.stalls["plainpay"].transport.refuse(1)

    asked = await refund(shop, order)
    assert asked.state is RefundState.RESERVED
    await shop.pass_time(10, step=5)

    assert (await shop.look(order)).refunds[0].state is RefundState.DONE


async def test_a_question_that_never_left_says_nothing_about_the_refund(shop, monkeypatch):
    order = await paid(shop)
    answers(shop, monkeypatch, "refund", Unknown("cut"))
    answers(shop, monkeypatch, "query_refund", NotSent("refused"))

    await refund(shop, order)
    shop.clock.advance(31)
    await shop.worker.sweep()

    [asked] = (await shop.look(order)).refunds
    assert (asked.state, asked.sends) == (RefundState.UNKNOWN, 1)


async def test_a_clear_no_gives_the_budget_back(shop, monkeypatch):
    order = await paid(shop)
    answers(shop, monkeypatch, "refund", Declined(DeclineReason.WINDOW, "LATE", "Too late."))

    asked = await refund(shop, order)
    await shop.worker.drain()

    assert asked.state is RefundState.FAILED
    assert (await shop.look(order)).attempts[0].refunding_minor == 0
    assert "LATE" in shop.watch.alerts[0]
    assert isinstance(await refund(shop, order, HUNDRED), Refund)


@pytest.mark.fault("D5", "D7")
async def test_a_low_balance_keeps_the_reservation_and_tries_later_with_the_same_number(shop, monkeypatch):
    order = await paid(shop)
    answers(shop, monkeypatch, "refund", Declined(DeclineReason.BALANCE, "NOTENOUGH", "Top up."))

    asked = await refund(shop, order)

    assert asked.state is RefundState.RESERVED
    assert isinstance(await refund(shop, order), Refused)
    await shop.pass_time(3600, step=600)
    [done] = (await shop.look(order)).refunds
    assert (done.number, done.state) == (asked.number, RefundState.DONE)


async def test_a_conflict_moves_nothing_and_calls_a_person(shop, monkeypatch):
    order = await paid(shop)
    answers(shop, monkeypatch, "refund", Declined(DeclineReason.CONFLICT, "CONFLICT", "Other amount."))

    asked = await refund(shop, order)
    await shop.worker.drain()

    assert asked.state is RefundState.UNKNOWN
    assert "other parameters" in shop.watch.alerts[0]


async def test_a_no_to_a_repeat_is_final_once_the_first_call_cannot_arrive_any_more(shop, monkeypatch):
    order = await paid(shop)
    no = Declined(DeclineReason.WINDOW, "LATE", "Too late.")
    answers(shop, monkeypatch, "refund", Unknown("cut"), no, no, no, no, no)
    answers(shop, monkeypatch, "query_refund", *[NotFound()] * 9)

    await refund(shop, order)
    await shop.pass_time(6, step=6)
    assert (await shop.look(order)).refunds[0].state is RefundState.UNKNOWN
    await shop.pass_time(600, step=60)

    assert (await shop.look(order)).refunds[0].state is RefundState.FAILED


@pytest.mark.fault("D5", "D11")
async def test_the_same_key_refunds_once(shop):
    order = await paid(shop)

    first, second = await asyncio.gather(
        refund(shop, order, refund_key="ticket-9"), refund(shop, order, refund_key="ticket-9")
    )
    other = await refund(shop, order, Money.cny("1"), refund_key="ticket-9")

    assert first.number == second.number
    assert len((await shop.look(order)).refunds) == 1
    assert other.why is Why.WRONG_AMOUNT


async def test_a_refund_still_on_its_way_is_asked_about(shop, monkeypatch):
    order = await paid(shop)
    answers(
        shop,
        monkeypatch,
        "refund",
        NotSent("refused"),
    )
    provider = shop.stalls["plainpay"].provider
    real = provider.refund

    async def pending(request, call):
        answer = await real(request, call)
        return replace(answer, state=Returned.PENDING) if isinstance(answer, RefundSnapshot) else answer

    monkeypatch.setattr(provider, "refund", pending)
    await refund(shop, order)
    shop.clock.advance(5)
    await shop.worker.sweep()
    assert (await shop.look(order)).refunds[0].state is RefundState.SENT

    await shop.pass_time(60, step=30)

    assert (await shop.look(order)).refunds[0].state is RefundState.DONE


@pytest.mark.parametrize(
    "change", [{"amount": Money.cny("59.99")}, {"attempt_number": "another"}, {"amount": Money(6000, "HKD")}]
)
async def test_a_refund_report_that_does_not_match_books_nothing(shop, monkeypatch, change):
    shop.hearsay = True
    order = await paid(shop)
    answers(shop, monkeypatch, "refund", Unknown("cut"))
    asked = await refund(shop, order)
    fact = RefundSnapshot(
        number=asked.number, attempt_number=asked.attempt_number, amount=SIXTY, state=Returned.DONE
    )
    cause = Cause(CauseKind.OPERATOR, "test")

    await shop.checkout.apply(replace(fact, **change), cause, provider_id="plainpay", account="main")
    await shop.worker.drain()

    assert (await shop.look(order)).state is OrderState.PAID
    assert shop.watch.alerts

    await shop.checkout.apply(fact, cause, provider_id="plainpay", account="main")
    assert (await shop.look(order)).state is OrderState.PARTLY_REFUNDED


@pytest.mark.fault("D9")
async def test_a_bounced_refund_calls_a_person_and_stays_in_the_books(shop):
    order = await paid(shop)
    asked = await refund(shop, order)
    fact = RefundSnapshot(
        number=asked.number,
        attempt_number=asked.attempt_number,
        amount=SIXTY,
        state=Returned.FAILED,
        code="ACCOUNT_CLOSED",
    )
    cause = Cause(CauseKind.OPERATOR, "test")

    await shop.checkout.apply(fact, cause, provider_id="plainpay", account="main")
    await shop.worker.drain()

    assert (await shop.look(order)).refunds[0].state is RefundState.DONE
    assert "ACCOUNT_CLOSED" in shop.watch.alerts[0]


@pytest.mark.fault("D6")
async def test_a_refund_through_unionpay_is_told_by_its_notification(shop):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    shop.pay(opened)
    await shop.deliver()

    await refund(shop, opened.order, Money.cny("6"))
    await shop.deliver()

    order = await shop.look(opened.order)
    assert order.refunds[0].state is RefundState.DONE
    assert order.state is OrderState.PARTLY_REFUNDED
