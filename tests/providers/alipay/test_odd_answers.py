"""What Alipay may answer instead of what was hoped for, and what becomes of it."""

import asyncio
import json

import pytest

from providers.alipay import wire
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    Created,
    Declined,
    DeclineReason,
    NotSent,
    Paid,
    Unknown,
)
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import LATTE, Counter


def sent(stall, place=-1):
    form = wire.decode_form(stall.transport.requests[place].body)
    return form, json.loads(form["biz_content"])


def methods(stall):
    return [
        wire.decode_form(one.body)["method"].removeprefix("alipay.trade.") for one in stall.transport.requests
    ]


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE])
async def test_a_fault_before_the_effect_leaves_no_code(stall, fault):
    stall.faults.arm(fault)

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), Unknown)

    assert [key for key, _ in stall.drawer.scan("alipay/code/")] == []


async def test_a_connection_that_never_opened_is_not_sent(stall):
    stall.transport.refuse()

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), NotSent)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE, Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY,
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["create", "query", "close", "refund", "query_refund"])
async def test_a_spoilt_answer_is_unknown_for_every_verb(either, fault, verb):
    intent, ref = await either.paid()
    refund = either.refund(ref, Money.cny("1.00"))
    await either.provider.refund(refund, either.call)
    fresh = either.refund(ref, Money.cny("1.00"), "Refund0000002")
    asked = {"create": intent, "refund": fresh, "query_refund": either.refund_ref(refund)}.get(verb, ref)
    either.faults.clear()
    either.faults.arm(fault)

    answer = await getattr(either.provider, verb)(asked, either.call)

    assert isinstance(answer, Unknown), answer


async def test_a_wrong_amount_in_a_query_is_told_as_it_is(stall):
    _, ref = await stall.paid()
    stall.faults.arm(Fault.WRONG_AMOUNT)

    assert (await stall.provider.query(ref, stall.call)).amount == Money.cny("18.01")


@pytest.mark.parametrize(
    "fields",
    [
        {"trade_status": "TRADE_PENDING"},
        {"trade_status": ""},
        {"total_amount": 18},
        {"total_amount": "1.8e1"},
        {"total_amount": "-18.00"},
        {"total_amount": "18.001"},
        {"total_amount": None},
        {"trans_currency": "ZZZ"},
        {"out_trade_no": "Another"},
        {"out_trade_no": ["Latte20260701A1"]},
        {"send_pay_date": "yesterday"},
        {"code": 10000},
        {"code": None},
        {"code": "10003"},
        {"code": "20000", "sub_code": "aop.ACQ.SYSTEM_ERROR"},
        {"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"},
        {"code": "40005"},
        {"code": "99999"},
    ],
)
async def test_a_signed_answer_that_is_odd_in_any_way_is_unknown(stall, fields):
    _, ref = await stall.paid()
    document = {
        "code": "10000", "msg": "Success", "out_trade_no": ref.number, "trade_no": "20260701",
        "trade_status": "TRADE_SUCCESS", "total_amount": "18.00", **fields,
    }  # fmt: skip
    stall.answer_with(wire.QUERY, document)

    answer = await stall.provider.query(ref, stall.call)

    assert isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"trade_status": "TRADE_FINISHED"}, Paid.PAID),
        ({"credit_pay_mode": "creditAdvanceV2"}, Paid.PAYING),
        ({"credit_pay_mode": "somethingNew"}, Paid.PAYING),
        ({"trade_status": "TRADE_CLOSED"}, Paid.CLOSED),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": "2026-07-01 12:00:00"}, Paid.REFUNDED),
    ],
)
async def test_every_word_of_a_trade_has_its_meaning(stall, fields, state):
    _, ref = await stall.paid()
    document = {
        "code": "10000", "out_trade_no": ref.number, "trade_status": "TRADE_SUCCESS", "total_amount": "18.00",
        **fields,
    }  # fmt: skip
    stall.answer_with(wire.QUERY, document)

    assert (await stall.provider.query(ref, stall.call)).state is state


async def test_a_known_pay_later_mode_counts_as_paid_where_the_operator_says_so():
    stall = Counter(credit_pay_modes="creditAdvanceV2, another")
    _, ref = await stall.paid()
    document = {
        "code": "10000", "out_trade_no": ref.number, "trade_status": "TRADE_SUCCESS", "total_amount": "18.00",
        "credit_pay_mode": "another",
    }  # fmt: skip
    stall.answer_with(wire.QUERY, document)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


@pytest.mark.fault("L2")
@pytest.mark.parametrize(
    "code",
    [
        "https://qr.alipay.com@evil.example/bax1",
        "https://qr.аlipay.com/bax1",  # a Cyrillic letter: the trap
        "http://qr.alipay.com/bax1",
        "https://qr.alipay.com/bax1?x=1",
        "https://qr.alipay.com/\u202ebax1",
        "weixin://wxpay/bizpayurl?pr=1",
        "",
    ],
)
async def test_a_code_that_is_not_alipays_own_is_not_shown(stall, code):
    stall.answer_with(wire.PRECREATE, {"code": "10000", "out_trade_no": "Latte20260701A1", "qr_code": code})

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), Unknown)


@pytest.mark.parametrize(
    ("code", "sub_code", "reason"),
    [
        ("40004", "ACQ.TOTAL_FEE_EXCEED", DeclineReason.LIMIT),
        ("40004", "ACQ.ACCESS_FORBIDDEN", DeclineReason.MISCONFIGURED),
        ("40004", "ACQ.SOMETHING_NEW", DeclineReason.OTHER),
        ("40006", "isv.insufficient-isv-permissions", DeclineReason.MISCONFIGURED),
        ("40002", "isv.invalid-signature", DeclineReason.MISCONFIGURED),
        ("40002", "isv.invalid-parameter", DeclineReason.OTHER),
        ("20001", "aop.invalid-app-auth-token", DeclineReason.MISCONFIGURED),
    ],
)
async def test_a_signed_refusal_of_a_code_is_definite(stall, code, sub_code, reason):
    stall.answer_with(wire.PRECREATE, {"code": code, "sub_code": sub_code, "sub_msg": "因为"})

    answer = await stall.provider.create(stall.intent(LATTE), stall.call)

    assert answer == Declined(reason, sub_code, "因为")


@pytest.mark.parametrize("way", [Way.IN_APP, Way.LINK, Way.INVOICE])
async def test_other_ways_and_currencies_are_refused_before_anything_is_sent(stall, way):
    by_way = await stall.provider.create(stall.intent(LATTE, way=way), stall.call)
    in_dollars = await stall.provider.create(stall.intent(Money(1800, "USD")), stall.call)

    assert isinstance(by_way, Declined)
    assert isinstance(in_dollars, Declined)
    assert stall.transport.requests == []


async def test_fifty_codes_at_once_are_fifty_orders(stall):
    intents = [stall.intent(LATTE, f"Parallel{index:04d}") for index in range(50)]

    created = await asyncio.gather(*(stall.provider.create(intent, stall.call) for intent in intents))

    assert len({one.code for one in created if isinstance(one, Created)}) == 50


async def test_a_restarted_institution_goes_on_where_it_was(stall):
    _, created, ref = await stall.opened()

    stall.restart_gateway()
    stall.pay(created.code, Wallet.ALIPAY)

    assert [verdict.fact.state for verdict in stall.read_post()] == [Paid.PAID]
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID
