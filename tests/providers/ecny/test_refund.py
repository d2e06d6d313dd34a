"""Refunds: a number of their own, back to the wallet that paid, once."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from providers.ecny import plugin
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    Created,
    Declined,
    DeclineReason,
    NotFound,
    RefundSnapshot,
    Returned,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet

LATTE = Money.cny("18.00")
FULL = 100_000_00


async def bought(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    stall.pay(created.code, Wallet.ECNY)
    stall.courier.take()
    return stall.ref(intent, created)


async def test_a_refund_is_accepted_then_done_and_told(stall):
    attempt = await bought(stall)
    request = stall.refund(attempt, Money.cny("8.00"))

    accepted = await stall.provider.refund(request, stall.call)
    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    [verdict] = stall.read_post()

    assert (accepted.state, accepted.done_at) == (Returned.PENDING, None)
    assert (seen.state, seen.amount, seen.done_at) == (Returned.DONE, Money.cny("8.00"), stall.clock.now())
    assert (seen.number, seen.attempt_number) == (request.number, attempt.number)
    assert verdict.fact == seen
    assert stall.purses.left[Wallet.ECNY] == FULL - 1000


async def test_a_refund_is_sent_as_huifu_documents_it(stall):
    attempt = await bought(stall)
    await stall.provider.refund(stall.refund(attempt, Money.cny("8.00")), stall.call)

    data = json.loads(stall.transport.requests[-1].body)["data"]

    assert data == {
        "req_date": "20260701",
        "req_seq_id": "Refund20260701A1",
        "huifu_id": "6666000108854952",
        "ord_amt": "8.00",
        "org_req_date": "20260701",
        "org_req_seq_id": attempt.number,
        "digital_currency_data": '{"refund_desc":"冷了 cold"}',
        "remark": attempt.number,
        "notify_url": "https://shop.example/notify/provider/main",
    }


async def test_parts_may_go_back_until_all_is_back(stall):
    attempt = await bought(stall)
    for number, yuan in (("R1aaaa", "10.00"), ("R2aaaa", "8.00")):
        answer = await stall.provider.refund(stall.refund(attempt, Money.cny(yuan), number), stall.call)
        assert isinstance(answer, RefundSnapshot)

    more = await stall.provider.refund(stall.refund(attempt, Money.cny("0.01"), "R3aaaa"), stall.call)

    assert (more.reason, more.code) == (DeclineReason.LIMIT, "23000003")
    assert stall.purses.left[Wallet.ECNY] == FULL


async def test_the_same_number_goes_back_once_however_often_it_is_sent(stall):
    attempt = await bought(stall)
    request = stall.refund(attempt, Money.cny("8.00"))

    answers = await asyncio.gather(*(stall.provider.refund(request, stall.call) for _ in range(20)))

    assert {answer.state for answer in answers} == {Returned.PENDING}
    assert stall.purses.left[Wallet.ECNY] == FULL - 1000


async def test_the_same_number_with_another_amount_returns_nothing_more(stall):
    attempt = await bought(stall)
    await stall.provider.refund(stall.refund(attempt, Money.cny("8.00")), stall.call)

    other = await stall.provider.refund(stall.refund(attempt, Money.cny("1.00")), stall.call)

    assert other.amount == Money.cny("8.00")  # the host compares, and doubts
    assert stall.purses.left[Wallet.ECNY] == FULL - 1000


async def test_a_refund_sent_again_on_another_day_is_the_same_refund():
    stall = Stall(plugin, start=datetime(2026, 7, 1, 15, 59, tzinfo=UTC))
    attempt = await bought(stall)
    request = stall.refund(attempt, Money.cny("8.00"))
    stall.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await stall.provider.refund(request, stall.call)
    stall.clock.advance(120)

    again = await stall.provider.refund(request, stall.call)

    assert isinstance(lost, Unknown)
    assert isinstance(again, RefundSnapshot)
    assert stall.purses.left[Wallet.ECNY] == FULL - 1000


async def test_what_was_not_paid_waits_and_what_does_not_exist_is_refused(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    unpaid = stall.ref(intent, created)
    nobody = stall.ref(stall.intent(LATTE, "Nobody1"))

    early = await stall.provider.refund(stall.refund(unpaid, LATTE), stall.call)
    never = await stall.provider.refund(stall.refund(nobody, LATTE), stall.call)

    assert (early.reason, early.code) == (DeclineReason.BALANCE, "23000000")
    assert isinstance(never, Declined)
    assert never.code == "23000001"


async def test_a_year_later_it_is_too_late(stall):
    attempt = await bought(stall)
    stall.clock.advance(361 * 24 * 3600)

    answer = await stall.provider.refund(stall.refund(attempt, LATTE), stall.call)

    assert answer.reason is DeclineReason.WINDOW


async def test_a_wallet_that_cannot_take_it_back_fails_the_refund_and_the_money_stays(stall, monkeypatch):
    from providers.sdk.gateway import PurseRefused

    attempt = await bought(stall)
    request = stall.refund(attempt, LATTE)

    def full(*_):
        raise PurseRefused("The wallet is full.")

    monkeypatch.setattr(stall.purses, "credit", full)
    await stall.provider.refund(request, stall.call)

    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert (seen.state, seen.code) == (Returned.FAILED, "F")
    assert [verdict.fact.state for verdict in stall.read_post()] == [Returned.FAILED]


async def test_an_unknown_refund_is_not_found(stall):
    attempt = await bought(stall)
    ref = stall.refund_ref(stall.refund(attempt, LATTE))

    assert await stall.provider.query_refund(ref, stall.call) == NotFound("23000001")


async def test_a_payment_is_no_refund_and_a_refund_no_payment(stall):
    attempt = await bought(stall)
    request = stall.refund(attempt, LATTE)
    await stall.provider.refund(request, stall.call)
    as_refund = stall.refund_ref(stall.refund(attempt, LATTE, attempt.number))
    as_payment = stall.ref(stall.intent(LATTE, request.number))

    assert isinstance(await stall.provider.query_refund(as_refund, stall.call), NotFound)
    assert isinstance(await stall.provider.query(as_payment, stall.call), NotFound)


@pytest.mark.parametrize(
    "fault",
    [Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE],
)
async def test_a_lost_answer_is_unknown_and_the_refund_is_found(stall, fault):
    attempt = await bought(stall)
    request = stall.refund(attempt, LATTE)
    stall.faults.arm(fault)

    answer = await stall.provider.refund(request, stall.call)
    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert isinstance(answer, Unknown)
    assert seen.state is Returned.DONE


async def test_a_wrong_amount_is_told_as_it_is(stall):
    attempt = await bought(stall)
    request = stall.refund(attempt, Money.cny("8.00"))
    await stall.provider.refund(request, stall.call)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert seen.amount == Money.cny("8.01")
