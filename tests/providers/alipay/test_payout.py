"""Transfers to Alipay accounts."""

import json

import pytest

from providers.alipay import wire
from providers.alipay.office import NOBODY
from providers.sdk.contract import PayoutRequest
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, PayoutSnapshot, Returned, Unknown
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import PUBLIC_KEY_MODE, Counter

PAYEE = "2088123412341234"


def asked(stall, amount="3.00", payee=PAYEE, number="Payout20260701A1", **more):
    return PayoutRequest(
        number=number,
        amount=Money.cny(amount),
        payee=payee,
        title="奖金 / Bonus",
        created_at=stall.clock.now(),
        notify_url="",
        **more,
    )


async def test_a_transfer_is_done_at_once_and_found_by_its_number(stall):
    request = asked(stall)

    done = await stall.provider.payout(request, stall.call)
    seen = await stall.provider.query_payout(request, stall.call)

    assert isinstance(done, PayoutSnapshot)
    assert done == seen
    assert (done.state, done.amount) == (Returned.DONE, Money.cny("3.00"))
    assert stall.purses.moves == [(Wallet.ALIPAY, 300, request.number)]


async def test_the_same_transfer_again_moves_nothing(stall):
    first = await stall.provider.payout(asked(stall), stall.call)

    again = await stall.provider.payout(asked(stall), stall.call)

    assert again == first
    assert len(stall.purses.moves) == 1


async def test_the_same_number_for_another_amount_is_a_conflict(stall):
    await stall.provider.payout(asked(stall), stall.call)

    answer = await stall.provider.payout(asked(stall, "4.00"), stall.call)

    assert answer.reason is DeclineReason.CONFLICT


async def test_without_certificates_nothing_is_sent():
    stall = Counter(**PUBLIC_KEY_MODE)

    answer = await stall.provider.payout(asked(stall), stall.call)

    assert answer.reason is DeclineReason.MISCONFIGURED
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    ("payee", "name", "kind"),
    [
        (PAYEE, "", "ALIPAY_USER_ID"),
        ("someone@example.com", "张三", "ALIPAY_LOGON_ID"),
        ("13800138000", "张三", "ALIPAY_LOGON_ID"),
        ("074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5", "", "ALIPAY_OPEN_ID"),
    ],
)
async def test_a_payee_is_named_by_its_kind(stall, payee, name, kind):
    request = asked(stall, payee=payee, payee_name=name)

    answer = await stall.provider.payout(request, stall.call)

    content = json.loads(wire.decode_form(stall.transport.requests[0].body)["biz_content"])
    assert content["payee_info"]["identity_type"] == kind
    assert (content["trans_amount"], content["biz_scene"]) == ("3.00", "DIRECT_TRANSFER")
    assert answer.state is Returned.DONE
    assert payee not in repr(request)


async def test_a_login_without_its_owners_name_and_too_little_money_are_refused_before_sending(stall):
    nameless = await stall.provider.payout(asked(stall, payee="a@b.example"), stall.call)
    little = await stall.provider.payout(asked(stall, "0.09"), stall.call)

    assert isinstance(nameless, Declined)
    assert little.reason is DeclineReason.LIMIT
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    ("amount", "payee", "reason"),
    [("3.00", NOBODY, DeclineReason.OTHER), ("10000.01", PAYEE, DeclineReason.BALANCE)],
)
async def test_a_refused_transfer_is_definite(stall, amount, payee, reason):
    request = asked(stall, amount, payee)

    answer = await stall.provider.payout(request, stall.call)

    assert answer.reason is reason
    assert await stall.provider.query_payout(request, stall.call) == NotFound("ORDER_NOT_EXIST")
    assert stall.purses.moves == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE, Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY,
    ],
)  # fmt: skip
async def test_a_lost_or_spoilt_answer_is_unknown_and_the_query_settles_it(stall, fault):
    stall.faults.arm(fault)

    lost = await stall.provider.payout(asked(stall), stall.call)

    assert isinstance(lost, Unknown)
    assert (await stall.provider.query_payout(asked(stall), stall.call)).state is Returned.DONE


@pytest.mark.parametrize(
    ("status", "state"),
    [("DEALING", Returned.PENDING), ("FAIL", Returned.FAILED), ("REFUND", Returned.FAILED)],
)
async def test_every_status_has_its_meaning(stall, status, state):
    request = asked(stall)
    stall.answer_with(wire.TRANSFER, {"code": "10000", "out_biz_no": request.number, "status": status})

    answer = await stall.provider.payout(request, stall.call)

    assert (answer.state, answer.amount) == (state, request.amount)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "MAYBE"},
        {"status": None},
        {"out_biz_no": "Another"},
        {"trans_amount": 3},
        {"code": "40004", "sub_code": "SYSTEM_ERROR"},
        {"code": "40004", "sub_code": "SOMETHING_NEW"},
        {"code": "20000"},
    ],
)
async def test_an_odd_answer_is_unknown(stall, fields):
    request = asked(stall)
    document = {"code": "10000", "out_biz_no": request.number, "status": "SUCCESS", **fields}
    stall.answer_with(wire.TRANSFER, document)

    assert isinstance(await stall.provider.payout(request, stall.call), Unknown)
