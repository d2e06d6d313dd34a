"""Charging the code that a payer shows."""

import json

import pytest

from providers.alipay import wire
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import LATTE, PAYER_CODE


async def test_a_shown_code_is_paid_at_once(either):
    intent = either.shown()

    answer = await either.provider.create(intent, either.call)

    assert isinstance(answer, Snapshot)
    assert (answer.state, answer.amount, answer.merchant) == (Paid.PAID, LATTE, either.merchant["app_id"])
    assert answer.paid_at == either.clock.now()
    assert [verdict.fact.state for verdict in either.read_post()] == [Paid.PAID]
    assert either.purses.moves == [(Wallet.ALIPAY, -1800, intent.number)]


async def test_a_payer_with_a_password_to_enter_is_paying_and_then_paid(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = stall.shown()

    busy = await stall.provider.create(intent, stall.call)
    first = await stall.provider.query(stall.ref(intent), stall.call)
    second = await stall.provider.query(stall.ref(intent), stall.call)

    assert (busy.state, busy.code) == (Paid.PAYING, "10003")
    assert (first.state, second.state) == (Paid.UNPAID, Paid.PAID)
    assert len(stall.purses.moves) == 1


async def test_a_payer_whose_password_leads_to_an_empty_purse_has_not_paid(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)
    stall.purses.left[Wallet.ALIPAY] = 0

    await stall.provider.query(stall.ref(intent), stall.call)

    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.CLOSED
    assert stall.purses.moves == []


@pytest.mark.parametrize("empty", [True, False])
async def test_a_refused_payer_is_declined_for_good(stall, empty):
    intent = stall.shown()
    if empty:
        stall.purses.left[Wallet.ALIPAY] = 0
    else:
        stall.faults.arm(Fault.DECLINED)

    answer = await stall.provider.create(intent, stall.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.PAYER, "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.CLOSED


async def test_a_code_works_once_and_only_while_it_is_shown(stall):
    await stall.provider.create(stall.shown("First00000001"), stall.call)

    again = await stall.provider.create(stall.shown("Second0000001"), stall.call)
    nobody = stall.intent(LATTE, "Third00000001", way=Way.PAYER_CODE, payer_code="281111111111111111")
    unknown = await stall.provider.create(nobody, stall.call)

    assert (again.code, unknown.code) == ("ACQ.PAYMENT_AUTH_CODE_INVALID",) * 2
    assert len(stall.purses.moves) == 1


@pytest.mark.parametrize(
    "code",
    [
        "",
        "28123",
        "241234567890123456",
        "311234567890123456",
        "28" * 13,
        "28１２３４５６７８９０１２３４５６",
    ],
)
async def test_what_is_no_alipay_code_is_refused_before_anything_is_sent(stall, code):
    answer = await stall.provider.create(stall.intent(LATTE, way=Way.PAYER_CODE, payer_code=code), stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.PAYER
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    ("code", "scene"),
    [("2512345678901234", "bar_code"), ("30" + "1" * 22, "bar_code"), ("fp" + "a" * 33, "security_code")],
)
async def test_every_form_of_a_code_goes_out_under_its_scene(stall, code, scene):
    await stall.provider.create(stall.shown(code=code), stall.call)

    content = json.loads(wire.decode_form(stall.transport.requests[0].body)["biz_content"])
    assert (content["scene"], content["auth_code"]) == (scene, code)
    assert (await stall.provider.query(stall.ref(stall.shown()), stall.call)).state is Paid.PAID


async def test_the_code_stands_in_no_result_and_no_scrubbed_request(stall):
    intent = stall.shown()

    answer = await stall.provider.create(intent, stall.call)

    assert PAYER_CODE not in repr(intent) + repr(answer)
    assert PAYER_CODE.encode() not in stall.provider.scrub(stall.transport.requests[0].body)


# Ending.


async def test_a_charge_that_was_paid_is_not_given_back_by_closing(stall):
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), AlreadyPaid)

    assert len(stall.purses.moves) == 1


async def test_a_charge_under_way_is_cancelled(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)

    assert await stall.provider.close(stall.ref(intent), stall.call) == Closed(code="close")

    for _ in range(3):
        assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.CLOSED
    assert stall.purses.moves == []


async def test_a_payment_that_slips_in_before_the_cancel_is_given_back(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)
    send = stall.transport.send

    async def send_after_the_payer(request):
        if wire.decode_form(request.body)["method"] == wire.CANCEL:
            stall.gateway.settle(intent.number, Wallet.ALIPAY)
        return await send(request)

    stall.transport.send = send_after_the_payer

    assert await stall.provider.close(stall.ref(intent), stall.call) == Closed(code="refund")
    assert [minor for _, minor, _ in stall.purses.moves] == [-1800, 1800]
    stall.transport.send = send
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.CLOSED


async def test_a_charge_that_never_arrived_is_closed_once_its_code_has_died(stall):
    stall.faults.arm(Fault.TIMEOUT_BEFORE)
    intent = stall.shown()
    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)

    early = await stall.provider.close(stall.ref(intent), stall.call)
    stall.clock.advance(120)
    late = await stall.provider.close(stall.ref(intent), stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(late, Closed)


async def test_a_charge_whose_answer_was_lost_is_found_by_asking(stall):
    stall.faults.arm(Fault.TIMEOUT_AFTER)
    intent = stall.shown()

    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)

    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


@pytest.mark.parametrize(
    "fields",
    [
        {"retry_flag": "Y"},
        {"retry_flag": None},
        {"action": "something"},
        {"out_trade_no": "Another"},
        {"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"},
        {"code": "20000"},
    ],
)
async def test_a_cancel_that_is_not_clearly_done_is_unknown(stall, fields):
    stall.faults.arm(Fault.USER_PAYING)
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)
    send = stall.transport.send

    async def answer_cancels(request):
        if wire.decode_form(request.body)["method"] != wire.CANCEL:
            return stall.signed(
                wire.QUERY, {**busy, "trade_status": "WAIT_BUYER_PAY", "total_amount": "18.00"}
            )
        document = {**busy, "retry_flag": "N", "action": "close", **fields}
        return stall.signed(wire.CANCEL, document)

    busy = {"code": "10000", "out_trade_no": intent.number}
    stall.transport.send = answer_cancels

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), Unknown)
    stall.transport.send = send
    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), Closed)


async def test_a_refused_cancel_is_settled_by_what_the_query_says(stall):
    intent = stall.shown()
    await stall.provider.create(intent, stall.call)
    refund = stall.refund(stall.ref(intent), Money.cny("1.00"))
    await stall.provider.refund(refund, stall.call)
    send, asked = stall.transport.send, []

    async def unpaid_at_first(request):
        asked.append(request)
        if len(asked) > 1:
            return await send(request)
        document = {"code": "10000", "out_trade_no": intent.number, "trade_status": "WAIT_BUYER_PAY"}
        return stall.signed(wire.QUERY, {**document, "total_amount": "18.00"})

    stall.transport.send = unpaid_at_first

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), AlreadyPaid)
    assert len(asked) == 3  # asked, refused to cancel, asked again


async def test_closing_without_a_connection_is_not_sent(stall):
    intent = stall.shown()
    stall.transport.refuse()

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), NotSent)


async def test_a_refusal_that_this_house_does_not_know_proves_nothing(stall):
    stall.answer_with(wire.PAY, {"code": "40004", "sub_code": "ACQ.SOMETHING_NEW"})

    assert isinstance(await stall.provider.create(stall.shown(), stall.call), Unknown)


async def test_an_unknown_number_is_not_found(stall):
    ref = stall.ref(stall.intent(Money.cny("1.00"), "Nothing000001"))

    assert isinstance(await stall.provider.query(ref, stall.call), NotFound)
