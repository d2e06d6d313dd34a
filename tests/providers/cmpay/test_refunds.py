"""Money back: once per refund number, never more than was paid, and never a guess."""

import asyncio

import pytest

from providers.cmpay import plugin
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, RefundSnapshot, Returned, Unknown
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet

DIGITS = "100498904982440770"
LATTE = Money.cny("18.00")


async def paid(stall, way=Way.MERCHANT_CODE):
    stall.purses.show(DIGITS, Wallet.CMPAY)
    intent = stall.intent(LATTE, way=way, payer_code=DIGITS if way is Way.PAYER_CODE else None)
    created = await stall.provider.create(intent, stall.call)
    if way is Way.MERCHANT_CODE:
        stall.pay(created.code, Wallet.CMPAY)
    return stall.ref(intent)


def returned(stall):
    return sum(minor for _, minor, _ in stall.purses.moves if minor > 0)


@pytest.mark.parametrize(("way", "path"), [(Way.MERCHANT_CODE, "ips"), (Way.PAYER_CODE, "cps")])
async def test_parts_go_back_until_nothing_is_left(stall, way, path):
    ref = await paid(stall, way)
    parts = [stall.refund(ref, Money.cny(f"{yuan}.00"), f"Refund{yuan}") for yuan in (10, 8)]

    answers = [await stall.provider.refund(part, stall.call) for part in parts]
    over = await stall.provider.refund(stall.refund(ref, Money.cny("0.01"), "Refund99"), stall.call)

    assert [(answer.state, answer.amount) for answer in answers] == [
        (Returned.DONE, Money.cny("10.00")),
        (Returned.DONE, Money.cny("8.00")),
    ]
    assert all(answer.provider_ref for answer in answers)
    assert (over.reason, over.code) == (DeclineReason.LIMIT, "D22401")
    assert returned(stall) == 1800
    assert stall.transport.requests[-2].url.endswith(f"/{path}/cmpayService")


async def test_the_same_number_returns_once_however_often_it_is_sent(stall):
    ref = await paid(stall)
    request = stall.refund(ref, Money.cny("5.00"))

    answers = await asyncio.gather(*(stall.provider.refund(request, stall.call) for _ in range(20)))

    assert {(answer.state, answer.amount.minor) for answer in answers} == {(Returned.DONE, 500)}
    assert returned(stall) == 500


async def test_a_full_refund_sent_again_is_found_and_not_taken_for_a_refusal(stall):
    ref = await paid(stall)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)
    again = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert isinstance(lost, Unknown)
    assert again.state is Returned.DONE
    assert returned(stall) == 1800


async def test_without_a_query_of_refunds_a_lost_answer_waits_for_a_person():
    stall = Stall(plugin, overrides={"refund_query": False})
    ref = await paid(stall)
    request = stall.refund(ref, LATTE)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.refund(request, stall.call)
    asked = await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    again = await stall.provider.refund(request, stall.call)

    assert all(isinstance(answer, Unknown) for answer in (lost, asked, again))
    assert "portal" in asked.reason
    assert returned(stall) == 1800


async def test_a_refund_that_never_came_is_not_found_and_may_be_sent_again(stall):
    ref = await paid(stall)
    request = stall.refund(ref, LATTE)
    stall.faults.arm(Fault.TIMEOUT_BEFORE)
    await stall.provider.refund(request, stall.call)

    missing = await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    made = await stall.provider.refund(request, stall.call)
    found = await stall.provider.query_refund(stall.refund_ref(request, made.provider_ref), stall.call)

    assert isinstance(missing, NotFound)
    assert made.state is Returned.DONE
    assert (found.number, found.attempt_number, found.amount) == (request.number, ref.number, LATTE)
    assert found.provider_ref == made.provider_ref


async def test_an_unpaid_order_gives_nothing_back(stall):
    intent = stall.intent(LATTE)
    await stall.provider.create(intent, stall.call)

    answer = await stall.provider.refund(stall.refund(stall.ref(intent), LATTE), stall.call)

    assert isinstance(answer, Declined)
    assert stall.purses.moves == []


async def test_an_order_that_china_mobile_does_not_know_gives_nothing_back(stall):
    answer = await stall.provider.refund(stall.refund(stall.ref(stall.intent(LATTE)), LATTE), stall.call)

    assert isinstance(answer, Unknown)


async def test_an_answer_of_another_amount_is_no_answer(stall):
    ref = await paid(stall)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    answer = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert isinstance(answer, Unknown)


async def test_a_killed_institution_remembers_its_refunds(stall):
    ref = await paid(stall)
    request = stall.refund(ref, LATTE)
    await stall.provider.refund(request, stall.call)

    stall.restart_gateway()

    assert isinstance(
        await stall.provider.query_refund(stall.refund_ref(request), stall.call), RefundSnapshot
    )
