"""D_MICROPAY: the digits a payer shows."""

import asyncio
import json

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet

DIGITS = "0112345678901234567"
LATTE = Money.cny("18.00")


@pytest.fixture
def shown(stall):
    stall.purses.show(DIGITS, Wallet.ECNY)
    return stall


def intent_of(stall, amount=LATTE, number="Latte20260701A1", digits=DIGITS):
    return stall.intent(amount, number, way=Way.PAYER_CODE, payer_code=digits)


async def test_a_payer_code_is_paid_at_once(shown):
    intent = intent_of(shown)

    paid = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)
    [verdict] = shown.read_post()

    assert isinstance(paid, Snapshot)
    assert (paid.state, paid.amount, paid.code) == (Paid.PAID, LATTE, "S")
    assert (seen.state, seen.provider_ref) == (Paid.PAID, paid.provider_ref)
    assert verdict.event == "D_MICROPAY"
    assert verdict.fact.state is Paid.PAID
    assert shown.purses.left[Wallet.ECNY] == 100_000_00 - 1800


async def test_the_digits_go_out_as_auth_code_and_nowhere_else(shown):
    intent = intent_of(shown)

    await shown.provider.create(intent, shown.call)

    [request] = shown.transport.requests
    assert request.url.endswith("/v3/trade/payment/micropay")
    assert json.loads(request.body)["data"]["auth_code"] == DIGITS
    assert DIGITS not in repr(request)
    assert DIGITS not in repr(intent)
    assert DIGITS.encode() not in shown.provider.scrub(request.body)


async def test_a_payer_entering_a_password_is_paying_then_paid(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)

    accepted = await shown.provider.create(intent, shown.call)
    first = await shown.provider.query(shown.ref(intent), shown.call)
    second = await shown.provider.query(shown.ref(intent), shown.call)

    assert [seen.state for seen in (accepted, first, second)] == [Paid.PAYING, Paid.PAYING, Paid.PAID]
    assert len(shown.purses.moves) == 1


async def test_a_payer_without_the_money_while_typing_is_failed(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)
    shown.purses.left[Wallet.ECNY] = 0
    await shown.provider.query(shown.ref(intent), shown.call)

    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert seen.state is Paid.FAILED
    assert shown.purses.moves == []


async def test_a_wallet_that_says_no_is_declined_by_the_payer(shown):
    shown.faults.arm(Fault.DECLINED)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.PAYER, "90000000")
    assert seen.state is Paid.FAILED
    assert shown.purses.moves == []


async def test_an_empty_purse_is_declined_by_the_payer(shown):
    shown.purses.left[Wallet.ECNY] = 1799

    answer = await shown.provider.create(intent_of(shown), shown.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.PAYER


async def test_more_than_the_class_may_pay_is_declined_by_the_payer(shown):
    answer = await shown.provider.create(intent_of(shown, Money.cny("50000.01")), shown.call)

    assert isinstance(answer, Declined)
    assert answer.reason in {DeclineReason.PAYER, DeclineReason.LIMIT}
    assert "限额" in answer.message
    assert shown.purses.moves == []


@pytest.mark.parametrize("owner", [None, Wallet.WECHAT, Wallet.BANK])
async def test_a_code_that_no_e_cny_wallet_shows_is_declined(stall, owner):
    if owner:
        stall.purses.show(DIGITS, owner)

    answer = await stall.provider.create(intent_of(stall), stall.call)

    assert isinstance(answer, Declined)
    assert stall.purses.moves == []


@pytest.mark.parametrize(
    "digits", ["", "130000000000000000", "01123", "01" + "1" * 18, "01١" + "1" * 16, "62" + "1" * 17, None]
)
async def test_digits_that_are_no_e_cny_code_are_not_sent_at_all(stall, digits):
    answer = await stall.provider.create(intent_of(stall, digits=digits), stall.call)

    assert isinstance(answer, Declined)
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_AFTER,
        Fault.HTTP_500_AFTER,
        Fault.TRUNCATED,
        Fault.GARBAGE,
        Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE,
    ],
)
async def test_charged_though_the_answer_was_lost_is_unknown_and_then_found_paid(shown, fault):
    if fault in {Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE}:
        shown.faults.arm(fault, 2)  # the notification goes first
    else:
        shown.faults.arm(fault)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert isinstance(answer, Unknown)
    assert seen.state is Paid.PAID


async def test_a_paid_answer_with_another_amount_is_unknown(shown):
    shown.faults.arm(Fault.WRONG_AMOUNT, 2)

    assert isinstance(await shown.provider.create(intent_of(shown), shown.call), Unknown)


async def test_sending_a_charged_code_again_tells_paid_and_charges_once(shown):
    intent = intent_of(shown)

    answers = await asyncio.gather(*(shown.provider.create(intent, shown.call) for _ in range(20)))

    assert {answer.state for answer in answers} == {Paid.PAID}
    assert len(shown.purses.moves) == 1


async def test_one_that_never_arrived_is_not_found(shown):
    shown.faults.arm(Fault.TIMEOUT_BEFORE)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)

    assert isinstance(answer, Unknown)
    assert isinstance(await shown.provider.query(shown.ref(intent), shown.call), NotFound)
