"""Money back: where the contract says where, once per refund number, never more than was paid."""

import asyncio
from dataclasses import replace

import pytest

from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, Returned, Unknown
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet
from providers.unicompay import plugin, signing, wire

LATTE = Money.cny("18.00")


async def paid(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    stall.pay(created.code, Wallet.UNICOMPAY)
    [verdict] = stall.read_post()
    return replace(stall.ref(intent), provider_ref=verdict.fact.provider_ref)


def returned(stall):
    return sum(minor for _, minor, _ in stall.purses.moves if minor > 0)


@pytest.mark.parametrize("known", [True, False])
async def test_parts_go_back_until_nothing_is_left(stall, known):
    ref = await paid(stall)
    ref = ref if known else replace(ref, provider_ref="")
    parts = [stall.refund(ref, Money.cny(f"{yuan}.00"), f"Refund{yuan}") for yuan in (10, 8)]

    answers = [await stall.provider.refund(part, stall.call) for part in parts]
    over = await stall.provider.refund(stall.refund(ref, Money.cny("0.01"), "Refund99"), stall.call)

    assert [(answer.state, answer.amount.minor) for answer in answers] == [
        (Returned.DONE, 1000),
        (Returned.DONE, 800),
    ]
    assert (over.reason, over.code) == (DeclineReason.OTHER, "ILLEGAL_AMOUNT")
    assert returned(stall) == 1800


async def test_the_published_fields_are_sent(stall):
    ref = await paid(stall)

    await stall.provider.refund(stall.refund(ref, Money.cny("5.00")), stall.call)

    fields = wire.decode_form(stall.transport.requests[-1].body)
    assert fields == fields | {
        "refundReqJournl": "Refund20260701A1",
        "merNo": stall.settings.merchant,
        "orderNo": ref.number,
        "orderDate": "20260701",
        "payJournl": ref.provider_ref,
        "merReqTime": "20260701120000",
        "amount": "500",
        "reason": "冷了 cold",
        "signType": "MD5",
    }


async def test_without_an_address_a_refund_is_declined_with_the_cure_and_nothing_is_sent():
    stall = Stall(plugin, overrides={"refund_url": ""})
    ref = await paid(stall)
    sent = len(stall.transport.requests)

    answer = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert answer.reason is DeclineReason.MISCONFIGURED
    assert "refund_url" in answer.message
    assert len(stall.transport.requests) == sent


async def test_the_same_number_returns_once_however_often_it_is_sent(stall):
    ref = await paid(stall)
    request = stall.refund(ref, Money.cny("5.00"))

    answers = await asyncio.gather(*(stall.provider.refund(request, stall.call) for _ in range(20)))

    assert len(set(answers)) == 1
    assert returned(stall) == 500


async def test_another_amount_under_a_refund_number_returns_nothing_more(stall):
    ref = await paid(stall)
    await stall.provider.refund(stall.refund(ref, Money.cny("5.00")), stall.call)

    answer = await stall.provider.refund(stall.refund(ref, Money.cny("6.00")), stall.call)

    assert isinstance(answer, Unknown)
    assert returned(stall) == 500


async def test_a_lost_answer_is_found_by_the_refund_number(stall):
    ref = await paid(stall)
    request = stall.refund(ref, LATTE)
    missing = await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.refund(request, stall.call)
    found = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert isinstance(missing, NotFound)
    assert isinstance(lost, Unknown)
    assert (found.state, found.amount, found.number) == (Returned.DONE, LATTE, request.number)
    assert returned(stall) == 1800


async def test_without_a_query_of_refunds_a_lost_answer_waits_for_a_person():
    stall = Stall(plugin, overrides={"refund_query_url": ""})
    request = stall.refund(await paid(stall), LATTE)

    answer = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert isinstance(answer, Unknown)
    assert "portal" in answer.reason


async def test_an_unpaid_order_gives_nothing_back(stall):
    intent = stall.intent(LATTE)
    await stall.provider.create(intent, stall.call)

    asked = await stall.provider.refund(stall.refund(stall.ref(intent), LATTE), stall.call)
    forced = replace(stall.ref(intent), provider_ref="2026")
    refused = await stall.provider.refund(stall.refund(forced, LATTE), stall.call)

    assert isinstance(asked, Unknown)
    assert isinstance(refused, Declined)
    assert stall.purses.moves == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"refundResult": "WAIT"},
        {"refundResult": "SUCCESS", "amount": "1"},
        {"refundResult": "SUCCESS", "amount": "18.00"},
        {"refundResult": "SUCCESS", "refundReqJournl": "Refund20260701A2"},
        {"refundResult": "SUCCESS", "orderNo": ""},
    ],
)
async def test_a_signed_answer_that_is_odd_is_unknown(stall, fields):
    ref = await paid(stall)

    class Says:
        async def send(self, request):
            asked = wire.decode_form(request.body)
            known = {"merNo": asked["merNo"], "orderNo": asked["orderNo"]} | fields
            body = wire.encode_lines(signing.signed(known, stall.merchant["sign_key"], "MD5"))
            return HttpReply(200, body=body)

    call = replace(stall.call, transport=Says())

    assert isinstance(await stall.provider.refund(stall.refund(ref, LATTE), call), Unknown)


async def test_a_refund_on_its_way_is_pending_by_the_operator_s_word(stall):
    ref = await paid(stall)
    waiting = Stall(plugin, overrides={"refund_done_results": "DONE", "refund_pending_results": "SUCCESS"})
    other = await paid(waiting)

    done = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)
    pending = await waiting.provider.refund(waiting.refund(other, LATTE), waiting.call)

    assert (done.state, pending.state) == (Returned.DONE, Returned.PENDING)
