"""Money back: sent once however often it is asked for, and judged by what the refund query says."""

import json

import pytest

from providers.alipay import wire
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    RefundSnapshot,
    Returned,
    Unknown,
    Verified,
)
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import LATTE, Counter

FIVE = Money.cny("5.00")


async def test_a_part_goes_back_to_the_wallet_that_paid(either):
    _, ref = await either.paid()
    request = either.refund(ref, FIVE)

    done = await either.provider.refund(request, either.call)
    seen = await either.provider.query_refund(either.refund_ref(request), either.call)

    assert isinstance(done, RefundSnapshot)
    assert (done.state, done.amount, done.number) == (Returned.DONE, FIVE, request.number)
    assert (seen.state, seen.amount, seen.attempt_number) == (Returned.DONE, FIVE, ref.number)
    assert done.done_at == seen.done_at == either.clock.now()
    assert either.purses.moves[-1] == (Wallet.ALIPAY, 500, ref.number)


async def test_the_same_number_moves_money_once_and_says_so(stall):
    _, ref = await stall.paid()
    request = stall.refund(ref, FIVE)
    await stall.provider.refund(request, stall.call)

    again = await stall.provider.refund(request, stall.call)

    assert (again.state, again.code) == (Returned.PENDING, "fund_change=N")
    assert len(stall.purses.moves) == 2
    content = json.loads(wire.decode_form(stall.transport.requests[-1].body)["biz_content"])
    assert content["out_request_no"] == request.number


async def test_a_lost_answer_is_healed_by_asking_or_repeating(stall):
    _, ref = await stall.paid()
    request = stall.refund(ref, FIVE)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.refund(request, stall.call)
    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert isinstance(lost, Unknown)
    assert seen.state is Returned.DONE


async def test_the_amount_of_a_second_refund_is_its_own_and_not_the_running_total(stall):
    _, ref = await stall.paid()
    await stall.provider.refund(stall.refund(ref, FIVE), stall.call)

    second = await stall.provider.refund(stall.refund(ref, Money.cny("3.00"), "Second"), stall.call)

    assert (second.amount, second.state) == (Money.cny("3.00"), Returned.DONE)


async def test_a_refund_that_does_not_exist_is_believed_missing_after_ten_seconds(stall):
    _, ref = await stall.paid()
    missing = stall.refund_ref(stall.refund(ref, FIVE))

    early = await stall.provider.query_refund(missing, stall.call)
    stall.clock.advance(10)
    late = await stall.provider.query_refund(missing, stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(late, NotFound)


async def test_a_refund_of_an_unknown_trade_is_not_found(stall):
    ref = stall.ref(stall.intent(LATTE))

    answer = await stall.provider.query_refund(stall.refund_ref(stall.refund(ref, FIVE)), stall.call)

    assert answer == NotFound("ACQ.TRADE_NOT_EXIST")


@pytest.mark.parametrize(
    ("amount", "number", "reason", "code"),
    [
        (Money.cny("18.01"), "R1", DeclineReason.LIMIT, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
        (Money.cny("4.00"), "Known", DeclineReason.CONFLICT, "ACQ.DISCORDANT_REPEAT_REQUEST"),
    ],
)
async def test_an_impossible_refund_is_declined_and_moves_nothing(stall, amount, number, reason, code):
    _, ref = await stall.paid()
    await stall.provider.refund(stall.refund(ref, FIVE, "Known"), stall.call)

    answer = await stall.provider.refund(stall.refund(ref, amount, number), stall.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (reason, code)
    assert len(stall.purses.moves) == 2


async def test_an_empty_merchant_account_is_a_matter_of_time(stall):
    _, ref = await stall.paid()
    stall.drawer.put("alipay/merchant/funds", {"minor": 0})

    answer = await stall.provider.refund(stall.refund(ref, FIVE), stall.call)

    assert answer.reason is DeclineReason.BALANCE


async def test_after_the_contracts_time_nothing_goes_back(stall):
    _, ref = await stall.paid()
    stall.clock.advance(366 * 86400)

    answer = await stall.provider.refund(stall.refund(ref, FIVE), stall.call)

    assert answer.reason is DeclineReason.WINDOW
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


async def test_after_a_full_refund_the_closed_trade_was_paid(stall):
    _, ref = await stall.paid()

    await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.REFUNDED
    assert isinstance(await stall.provider.close(ref, stall.call), AlreadyPaid)
    [verdict] = stall.read_post()
    assert (verdict.fact.state, verdict.fact.amount) == (Paid.REFUNDED, LATTE)


async def test_the_notification_of_a_part_is_no_second_payment(stall):
    _, ref = await stall.paid()

    await stall.provider.refund(stall.refund(ref, FIVE), stall.call)

    [verdict] = stall.read_post()
    assert isinstance(verdict, Verified)
    assert (verdict.fact, verdict.event) == (None, "TRADE_SUCCESS/refund")


async def test_two_refunds_are_two_events(stall):
    _, ref = await stall.paid()
    for number in ("One", "Two"):
        await stall.provider.refund(stall.refund(ref, Money.cny("1.00"), number), stall.call)

    first, second = stall.read_post()

    assert first.event_key != second.event_key


@pytest.mark.parametrize(
    "fields",
    [
        {"refund_status": "REFUND_SOMETHING"},
        {"refund_amount": None},
        {"refund_amount": "5"},
        {"out_request_no": "Another"},
        {"out_trade_no": "Another"},
        {"gmt_refund_pay": "soon"},
        {"code": "20000"},
    ],
)
async def test_an_odd_answer_about_a_refund_is_unknown(stall, fields):
    _, ref = await stall.paid()
    request = stall.refund(ref, FIVE)
    document = {
        "code": "10000", "out_trade_no": ref.number, "out_request_no": request.number, "refund_amount": "5.00",
        "refund_status": "REFUND_SUCCESS", **fields,
    }  # fmt: skip
    stall.answer_with(wire.QUERY_REFUND, document)

    answer = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert answer.amount == FIVE if fields.get("refund_amount") == "5" else isinstance(answer, Unknown)


@pytest.mark.parametrize(
    "fields",
    [{"fund_change": None}, {"refund_fee": "4.99"}, {"refund_fee": None}, {"out_trade_no": "Another"}],
)
async def test_an_odd_answer_to_a_refund_is_unknown(stall, fields):
    _, ref = await stall.paid()
    document = {
        "code": "10000", "out_trade_no": ref.number, "fund_change": "Y", "refund_fee": "5.00", **fields,
    }  # fmt: skip
    stall.answer_with(wire.REFUND, document)

    assert isinstance(await stall.provider.refund(stall.refund(ref, FIVE), stall.call), Unknown)


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        ("40004", "ACQ.SYSTEM_ERROR"),
        ("40004", "AQC.SYSTEM_ERROR"),
        ("40004", "ACQ.SOMETHING_NEW"),
        ("20000", "isp.unknow-error"),
        ("40005", "isv.app-call-limited"),
    ],
)
async def test_a_no_that_may_mean_later_is_unknown(stall, code, sub_code):
    _, ref = await stall.paid()
    stall.answer_with(wire.REFUND, {"code": code, "sub_code": sub_code})

    assert isinstance(await stall.provider.refund(stall.refund(ref, FIVE), stall.call), Unknown)


async def test_how_long_a_missing_refund_is_waited_for_is_a_setting():
    stall = Counter(refund_query_after_s=0)
    _, ref = await stall.paid()

    answer = await stall.provider.query_refund(stall.refund_ref(stall.refund(ref, FIVE)), stall.call)

    assert isinstance(answer, NotFound)
