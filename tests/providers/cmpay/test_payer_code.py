"""The digits a payer shows: taken is not paid, and a wallet may take its time or say no."""

import asyncio
from dataclasses import replace

import pytest

from providers.cmpay import messages, plugin, signing, wire
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet

DIGITS = "100498904982440770"
LATTE = Money.cny("18.00")


@pytest.fixture
def shown(stall):
    stall.purses.show(DIGITS, Wallet.CMPAY)
    return stall


def intent_of(stall, **more):
    return stall.intent(LATTE, way=Way.PAYER_CODE, payer_code=more.pop("payer_code", DIGITS), **more)


async def test_taken_is_paying_and_a_query_and_a_notification_tell_that_it_was_paid(shown):
    intent = intent_of(shown)

    taken = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)
    [verdict] = shown.read_post()

    assert (taken.state, taken.code) == (Paid.PAYING, "000000")
    assert seen.state is verdict.fact.state is Paid.PAID
    assert seen.amount == verdict.fact.amount == LATTE
    assert verdict.event == "counter"
    assert shown.transport.requests[0].url.endswith("/cps/cmpayService")
    assert shown.purses.left[Wallet.CMPAY] == 100_000_00 - 1800


@pytest.mark.parametrize("version", ["2.0.0", "2.0.1", "2.0.0-flags"])
async def test_each_version_of_the_message_is_sent_in_its_own_order(version):
    stall = Stall(plugin, overrides={"payer_code_version": version})
    stall.purses.show(DIGITS, Wallet.CMPAY)

    taken = await stall.provider.create(intent_of(stall), stall.call)

    fields = wire.decode_form(stall.transport.requests[0].body, "gbk")
    assert tuple(fields) == (*messages.PAYER_CODE_ORDERS[version].split(), "hmac")
    assert fields["version"] == version[:5]
    assert taken.state is Paid.PAYING


async def test_the_wrong_version_is_refused_as_a_wrong_signature():
    orders = "CloudQuickPay=" + ",".join(reversed(messages.PAYER_CODE_ORDERS["2.0.0"].split()))
    stall = Stall(plugin, overrides={"field_orders": orders, "unsigned_refusals": True})
    stall.purses.show(DIGITS, Wallet.CMPAY)

    answer = await stall.provider.create(intent_of(stall), stall.call)

    assert (answer.reason, answer.code) == (DeclineReason.MISCONFIGURED, "IPS0008")


async def test_fixed_values_are_sent_where_the_message_has_the_field():
    stall = Stall(plugin, overrides={"payer_code_version": "2.0.1", "fixed_values": "pikFlag=1; oprId=00"})
    stall.purses.show(DIGITS, Wallet.CMPAY)

    await stall.provider.create(intent_of(stall), stall.call)

    fields = wire.decode_form(stall.transport.requests[0].body, "gbk")
    assert (fields["pikFlag"], fields["oprId"], fields["reserved1"]) == ("1", "00", "")


async def test_a_payer_entering_a_password_is_paying_then_paid(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)

    taken = await shown.provider.create(intent, shown.call)
    first = await shown.provider.query(shown.ref(intent), shown.call)
    second = await shown.provider.query(shown.ref(intent), shown.call)

    assert (taken.state, taken.code) == (Paid.PAYING, "CPS01134")
    assert (first.state, first.code) == (Paid.PAYING, "等待付款")
    assert second.state is Paid.PAID
    assert len(shown.purses.moves) == 1


async def test_a_wallet_that_says_no_or_is_empty_is_declined_by_the_payer(shown):
    shown.faults.arm(Fault.DECLINED)
    intent = intent_of(shown)
    shown.purses.left[Wallet.CMPAY] = 1799

    refused = await shown.provider.create(intent, shown.call)
    empty = await shown.provider.create(intent_of(shown, number="Latte20260701A2"), shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert refused == empty == Declined(DeclineReason.PAYER, "PCC00225", "条码支付额度超限")
    assert seen.state is Paid.CLOSED
    assert shown.purses.moves == []


async def test_a_payer_who_cannot_pay_in_the_end_has_not_paid(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)
    shown.purses.left[Wallet.CMPAY] = 0

    await shown.provider.query(shown.ref(intent), shown.call)

    assert (await shown.provider.query(shown.ref(intent), shown.call)).state is Paid.CLOSED


@pytest.mark.parametrize("wallet", [None, Wallet.WECHAT])
async def test_a_code_of_nobody_or_of_another_wallet_is_declined(stall, wallet):
    if wallet:
        stall.purses.show(DIGITS, wallet)

    assert isinstance(await stall.provider.create(intent_of(stall), stall.call), Declined)

    assert stall.purses.moves == []


@pytest.mark.parametrize("digits", ["", "123", "1" * 25, "10٠" + "1" * 15, "x" * 18, None])
async def test_digits_that_are_no_payer_code_are_not_sent_at_all(stall, digits):
    answer = await stall.provider.create(intent_of(stall, payer_code=digits), stall.call)

    assert isinstance(answer, Declined)
    assert stall.transport.requests == []


async def test_charged_though_the_answer_was_lost_is_unknown_and_then_found_paid(shown):
    shown.faults.arm(Fault.TIMEOUT_AFTER)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)

    assert isinstance(answer, Unknown)
    assert (await shown.provider.query(shown.ref(intent), shown.call)).state is Paid.PAID


async def test_twenty_at_once_charge_once(shown):
    intent = intent_of(shown)

    answers = await asyncio.gather(*(shown.provider.create(intent, shown.call) for _ in range(20)))

    assert sum(isinstance(answer, Snapshot) for answer in answers) == 1
    assert sum(isinstance(answer, Unknown) for answer in answers) == 19
    assert len(shown.purses.moves) == 1


async def test_closing_while_the_payer_types_cancels_it_for_good(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)

    closed = await shown.provider.close(shown.ref(intent), shown.call)

    assert isinstance(closed, Closed)
    assert (await shown.provider.query(shown.ref(intent), shown.call)).state is Paid.CLOSED
    assert shown.purses.moves == []


async def test_closing_a_paid_one_takes_nothing_back(shown):
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)

    assert isinstance(await shown.provider.close(shown.ref(intent), shown.call), AlreadyPaid)

    assert len(shown.purses.moves) == 1


async def test_closing_one_that_never_arrived_waits_until_its_code_is_dead(shown):
    shown.faults.arm(Fault.TIMEOUT_BEFORE)
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)
    assert isinstance(await shown.provider.query(shown.ref(intent), shown.call), NotFound)

    early = await shown.provider.close(shown.ref(intent), shown.call)
    shown.clock.advance(121)
    late = await shown.provider.close(shown.ref(intent), shown.call)

    assert isinstance(early, Unknown)
    assert isinstance(late, Closed)


@pytest.mark.parametrize("code", ["SYS00001", "D22208", "CPS99999"])
async def test_a_code_that_no_table_explains_does_not_end_a_payer_code(shown, code):
    class Says:
        async def send(self, request):
            asked = wire.decode_form(request.body, "gbk")
            order = messages.field_orders("", "2.0.0")["CloudQuickPay.answer"]
            fields = {name: asked.get(name, "") for name in order} | {"returnCode": code}
            body = signing.signed(fields, order, shown.merchant["sign_key"])
            return HttpReply(200, body=wire.encode_answer(body, "gbk", ()))

    answer = await shown.provider.create(intent_of(shown), replace(shown.call, transport=Says()))

    assert isinstance(answer, Unknown)
    assert code in answer.reason


async def test_the_digits_stand_in_no_answer_no_repr_no_drawer_and_no_scrubbed_transcript(shown):
    intent = intent_of(shown)
    answer = await shown.provider.create(intent, shown.call)
    body = shown.transport.requests[0].body
    assert DIGITS.encode() in body

    scrubbed = shown.provider.scrub(body)

    assert DIGITS not in repr(answer) + repr(shown.transport.requests) + repr(shown.provider)
    assert DIGITS not in "".join(shown.drawer.texts.values())
    assert DIGITS.encode() not in scrubbed
    assert b"orderId=" + intent.number.encode() in scrubbed
    assert shown.provider.scrub(b"x=1&mobile=138****0773&mblNo=1") == b"x=1&mobile=***&mblNo=***"
    assert shown.provider.scrub(b"shown " + DIGITS.encode()) == b"shown ***"
