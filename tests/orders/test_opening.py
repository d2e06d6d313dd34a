"""The tap on a wallet, and everything an institution can do about it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.orders.checkout import Opened, Refused, Why
from bot.orders.order import AttemptState, OrderState
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.results import Created, Declined, DeclineReason, Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet
from tests.orders.shop import PRICE, USER

AFTER = [Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE]
BEFORE = [Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE]
UNBELIEVABLE = [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE]


def answers(shop, monkeypatch, verb, *given):
    """The institution gives these answers, one call each, then its own again."""
    provider = shop.stalls["plainpay"].provider
    left = list(given)
    real = getattr(provider, verb)

    async def answer(*arguments):
        return left.pop(0) if left else await real(*arguments)

    monkeypatch.setattr(provider, verb, answer)


def creates(shop):
    return sum(request.url.endswith("/orders") for request in shop.stalls["plainpay"].transport.requests)


async def test_the_intent_is_stored_before_the_institution_is_called(shop, monkeypatch):
    order = await shop.place()
    seen = []

    async def create(intent, _call):
        stored = await shop.look(order)
        seen.append(stored.attempt(intent.number))
        return Unknown("The cable was cut.")

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "create", create)
    await shop.checkout.open(order.id, Wallet.BANK)

    [stored] = seen
    assert (stored.state, stored.called_at, stored.sends) == (AttemptState.UNKNOWN, shop.clock.now(), 1)


@pytest.mark.fault("B3", "B4", "B5", "B6")
@pytest.mark.parametrize("fault", [*AFTER, *BEFORE, *UNBELIEVABLE])
async def test_an_answer_that_cannot_be_believed_is_checked_not_failed(shop, fault):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(fault)

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert isinstance(answer, Refused)
    assert answer.why is Why.CHECKING
    assert answer.order.attempts[0].state is AttemptState.UNKNOWN

    await shop.pass_time(10, step=2)

    [attempt] = (await shop.look(order)).attempts
    assert attempt.state is AttemptState.OPENED
    assert attempt.number == order.attempts[0].number
    assert creates(shop) == 2
    assert shop.teller.results == ["pending"]
    assert shop.teller.shown[-1].attempts[0].code == attempt.code


@pytest.mark.fault("B2", "B3")
async def test_a_tap_while_it_is_checked_asks_again_under_the_same_number(shop):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_AFTER)
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    opened = await shop.open(order, Wallet.BANK)

    assert [attempt.number for attempt in opened.order.attempts] == [opened.attempt.number]


@pytest.mark.fault("B1")
async def test_a_call_that_never_left_can_be_made_again_at_once(shop):
    order = await shop.place()
    for stall in shop.stalls.values():
        stall.transport.refuse(1)

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert isinstance(answer, Refused)
    assert answer.why is Why.OUT_OF_ORDER
    assert answer.order.attempts[0].state is AttemptState.INTENT
    assert (await shop.open(order, Wallet.BANK)).attempt.number == answer.order.attempts[0].number


@pytest.mark.fault("B1")
async def test_a_second_call_that_never_left_says_nothing_about_the_first(shop, monkeypatch):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_AFTER)
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
    shop.stalls["plainpay"].transport.refuse(1)

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.order.attempts[0].state is AttemptState.UNKNOWN


@pytest.mark.fault("A6")
async def test_a_notification_that_overtakes_the_reply_wins(shop, monkeypatch):
    order = await shop.place()
    stall = shop.stalls["plainpay"]
    create = stall.provider.create

    async def slow_create(intent, call):
        created = await create(intent, call)
        stall.pay(created.code, Wallet.BANK)
        await shop.deliver()
        return created

    monkeypatch.setattr(stall.provider, "create", slow_create)
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.ALREADY_PAID
    assert (await shop.look(order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.parametrize(
    ("reason", "why"),
    [(DeclineReason.PAYER, Why.DECLINED), (DeclineReason.MISCONFIGURED, Why.OUT_OF_ORDER)],
)
async def test_a_clear_no_leaves_the_order_open_for_other_wallets(shop, monkeypatch, reason, why):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Declined(reason, "NO", "Not today."))
    if why is Why.OUT_OF_ORDER:
        shop.stalls["unionpay"].transport.refuse(1)  # or it would take the tap

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is why
    assert AttemptState.DECLINED in {attempt.state for attempt in answer.order.attempts}
    assert (await shop.open(order, Wallet.QUICKPASS)).order.state is OrderState.PENDING


@pytest.mark.fault("B8")
async def test_an_account_that_is_down_is_offered_again_after_a_while(shop, monkeypatch):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Declined(DeclineReason.MISCONFIGURED, "KEY", "Wrong key."))
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert "plainpay" not in {offer.provider for offer in shop.checkout.offers(order)}
    assert any("KEY" in refusal.reason for refusal in shop.checkout.refusals(order))
    await shop.worker.drain()
    assert "Wrong key." in shop.watch.alerts[0]

    shop.clock.advance(301)
    assert "plainpay" in {offer.provider for offer in shop.checkout.offers(order)}


@pytest.mark.fault("B9")
async def test_a_number_known_with_other_parameters_is_our_bug_and_goes_to_a_person(shop, monkeypatch):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Declined(DeclineReason.CONFLICT, "CONFLICT", "Other amount."))

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.IN_REVIEW
    assert answer.order.state is OrderState.NEEDS_REVIEW


async def test_a_no_to_a_repeated_call_is_not_believed(shop, monkeypatch):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Unknown("cut"), Declined(DeclineReason.OTHER, "NO", "Not today."))
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.CHECKING
    assert answer.order.attempts[0].state is AttemptState.UNKNOWN


@pytest.mark.fault("B10")
async def test_already_paid_on_create_is_asked_about(shop, monkeypatch):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Declined(DeclineReason.ALREADY_PAID, "ORDERPAID", "It is paid."))

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.CHECKING
    assert answer.order.attempts[0].state is AttemptState.UNKNOWN


@pytest.mark.fault("L2")
async def test_a_code_with_a_strange_beginning_is_shown_to_nobody(shop, monkeypatch):
    order = await shop.place()
    answers(shop, monkeypatch, "create", Created(code="https://phishing.example/1"))

    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
    await shop.worker.drain()

    assert isinstance(answer, Refused)
    assert all(attempt.code is None for shown in shop.teller.shown for attempt in shown.attempts)
    assert "was not shown" in shop.watch.alerts[0]


@pytest.mark.fault("B20")
@pytest.mark.parametrize("number", ["another", None])
async def test_a_snapshot_instead_of_a_code_is_taken_only_for_this_number(shop, monkeypatch, number):
    shop.hearsay = True
    order = await shop.place()
    provider = shop.stalls["plainpay"].provider

    async def create(intent, _call):
        return Snapshot(
            number=number or intent.number,
            merchant=shop.account("plainpay").merchant,
            amount=PRICE,
            state=Paid.PAID,
        )

    monkeypatch.setattr(provider, "create", create)
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is (Why.CHECKING if number else Why.ALREADY_PAID)


@pytest.mark.fault("B16")
async def test_a_plugin_that_trips_leaves_the_attempt_unknown(shop, monkeypatch):
    order = await shop.place()

    async def create(_intent, _call):
        raise KeyError("code_url")

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "create", create)
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.CHECKING
    assert answer.order.attempts[0].state is AttemptState.UNKNOWN


@pytest.mark.fault("B17")
async def test_a_plugin_that_hangs_is_cut_off(shop, monkeypatch):
    order = await shop.place()

    async def create(_intent, _call):
        await asyncio.sleep(60)

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "create", create)
    slow = replace(shop.account("plainpay"), call_within_s=0)
    shop.checkout.till.accounts = {("plainpay", "main"): slow}
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.CHECKING


@pytest.mark.fault("B18")
async def test_a_cancelled_caller_leaves_the_truth_behind(shop, monkeypatch):
    order = await shop.place()
    started = asyncio.Event()

    async def create(_intent, _call):
        started.set()
        await asyncio.sleep(60)

    with monkeypatch.context() as patch:
        patch.setattr(shop.stalls["plainpay"].provider, "create", create)
        tap = asyncio.create_task(shop.checkout.open(order.id, Wallet.BANK, user_id=USER))
        await started.wait()
        tap.cancel()
        with pytest.raises(asyncio.CancelledError):
            await tap

    assert (await shop.look(order)).attempts[0].state is AttemptState.UNKNOWN
    await shop.pass_time(60, step=10)
    assert (await shop.look(order)).attempts[0].state is AttemptState.OPENED


async def test_refusals_say_why(shop):
    order = await shop.place()

    async def why(order_id=order.id, wallet=Wallet.BANK, user_id=USER, way=None):
        answer = await shop.checkout.open(order_id, wallet, user_id=user_id, way=way)
        assert isinstance(answer, Refused)
        return answer.why

    assert await why("nobody") is Why.UNKNOWN_ORDER
    assert await why(user_id=7002) is Why.NOT_YOURS
    assert await why(wallet=Wallet.ALIPAY) is Why.NO_OFFER
    assert await why(way=Way.INVOICE) is Why.NO_OFFER
    shop.clock.advance(899)
    assert await why() is Why.EXPIRED


@pytest.mark.fault("C11")
async def test_whoever_holds_the_link_may_open(shop):
    order = await shop.place()

    assert isinstance(await shop.checkout.open(order.id, Wallet.BANK), Opened)


async def test_a_code_that_has_died_is_replaced_by_a_new_one(shop, monkeypatch):
    order = await shop.place()
    real = shop.stalls["plainpay"].provider.create

    async def short(intent, call):
        created = await real(intent, call)
        return replace(created, usable_until=shop.clock.now() + timedelta(seconds=60))

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "create", short)
    first = await shop.open(order, Wallet.BANK)
    shop.clock.advance(60)

    second = await shop.open(order, Wallet.BANK)

    assert second.attempt.number != first.attempt.number
    assert second.order.attempt(first.attempt.number).state is AttemptState.CLOSED


@pytest.mark.fault("L7")
async def test_what_is_sent_is_what_is_stored(shop):
    title = "拿铁 Latte"
    opened = await shop.opened_order(Wallet.BANK)

    [request] = shop.stalls["plainpay"].transport.requests
    sent = json.loads(request.body)
    assert sent["number"] == opened.attempt.number
    assert sent["amount"] == opened.attempt.amount.minor
    assert sent["title"] == title
    assert sent["expires_at"] == opened.attempt.expires_at.isoformat()


async def test_the_attempt_lives_as_long_as_the_institution_allows(shop):
    info = shop.stalls["plainpay"].plugin.info
    shop.infos["plainpay"] = replace(info, expires_after_min_s=1200, expires_after_max_s=3600)
    shop.open_door()
    request = PaymentRequest(amount=PRICE, title="t", order_key="long")

    short = await shop.open(await shop.place(), Wallet.BANK)
    [order] = await shop.checkout.place([replace(shop.draft(), request=request, expires_after_s=86400)])
    long = await shop.open(order, Wallet.BANK)

    assert (short.attempt.expires_at - shop.clock.now()).seconds == 1200
    assert (long.attempt.expires_at - shop.clock.now()).seconds == 3600


async def test_a_payer_who_is_still_typing_is_waited_for(shop, monkeypatch):
    order = await shop.place()

    async def create(intent, _call):
        merchant = shop.account("plainpay").merchant
        return Snapshot(number=intent.number, merchant=merchant, amount=PRICE, state=Paid.PAYING)

    monkeypatch.setattr(shop.stalls["plainpay"].provider, "create", create)
    answer = await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)

    assert answer.why is Why.CHECKING
    [attempt] = answer.order.attempts
    assert attempt.state is AttemptState.UNKNOWN
    assert (attempt.next_check_at - shop.clock.now()).seconds == 2


async def test_pending_is_told_once_however_often_nobody_answers(shop):
    order = await shop.place()
    shop.stalls["plainpay"].faults.arm(Fault.TIMEOUT_BEFORE, times=5)

    for _ in range(3):
        await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
        await shop.worker.drain()

    assert shop.teller.results == ["pending"]
