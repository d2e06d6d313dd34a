"""The digits a payer shows: accepted is not paid, and a wallet may take its time or say no."""

import asyncio

import pytest

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
from providers.sdk.wallets import Wallet
from providers.unionpay import wire

DIGITS = "6221234567890123456"
LATTE = Money.cny("18.00")


@pytest.fixture
def shown(stall):
    stall.purses.show(DIGITS, Wallet.QUICKPASS)
    return stall


def intent_of(stall, **more):
    return stall.intent(LATTE, way=Way.PAYER_CODE, payer_code=more.pop("payer_code", DIGITS), **more)


async def test_accepted_is_paying_and_a_query_tells_that_it_was_paid(shown):
    intent = intent_of(shown)

    accepted = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)
    [verdict] = shown.read_post()

    assert isinstance(accepted, Snapshot)
    assert (accepted.state, accepted.code) == (Paid.PAYING, "00")
    assert seen == verdict.fact.__class__(**{**_as_dict(verdict.fact), "message": seen.message})
    assert seen.state is Paid.PAID
    assert seen.provider_ref == accepted.provider_ref != ""
    assert shown.purses.left[Wallet.QUICKPASS] == 100_000_00 - 1800


def _as_dict(snapshot):
    return {name: getattr(snapshot, name) for name in snapshot.__slots__}


async def test_a_payer_entering_a_password_is_paying_then_paid(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)

    await shown.provider.create(intent, shown.call)
    first = await shown.provider.query(shown.ref(intent), shown.call)
    second = await shown.provider.query(shown.ref(intent), shown.call)

    assert (first.state, first.code) == (Paid.PAYING, "05")
    assert second.state is Paid.PAID
    assert len(shown.purses.moves) == 1


async def test_a_wallet_that_says_no_is_declined_by_the_payer(shown):
    shown.faults.arm(Fault.DECLINED)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.PAYER, "64")
    assert seen.state is Paid.FAILED
    assert shown.purses.moves == []


async def test_an_empty_purse_is_declined_by_the_payer(shown):
    shown.purses.left[Wallet.QUICKPASS] = 1799

    answer = await shown.provider.create(intent_of(shown), shown.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.PAYER


async def test_a_code_that_nobody_shows_is_declined(stall):
    answer = await stall.provider.create(intent_of(stall), stall.call)

    assert isinstance(answer, Declined)


async def test_a_code_of_another_wallet_is_declined(stall):
    stall.purses.show(DIGITS, Wallet.WECHAT)

    answer = await stall.provider.create(intent_of(stall), stall.call)

    assert isinstance(answer, Declined)
    assert stall.purses.moves == []


@pytest.mark.parametrize(
    "digits", ["", "130000000000000000", "62123", "62" + "1" * 18, "62١" + "1" * 16, None]
)
async def test_digits_that_are_no_unionpay_code_are_not_sent_at_all(stall, digits):
    answer = await stall.provider.create(intent_of(stall, payer_code=digits), stall.call)

    assert isinstance(answer, Declined)
    assert stall.transport.requests == []


async def test_charged_though_the_answer_was_lost_is_unknown_and_then_found_paid(shown):
    shown.faults.arm(Fault.TIMEOUT_AFTER)
    intent = intent_of(shown)

    answer = await shown.provider.create(intent, shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert isinstance(answer, Unknown)
    assert seen.state is Paid.PAID


async def test_sending_a_charged_code_again_is_unknown_and_charges_once(shown):
    intent = intent_of(shown)

    answers = await asyncio.gather(*(shown.provider.create(intent, shown.call) for _ in range(20)))

    assert sum(answer.code == "00" for answer in answers if isinstance(answer, Snapshot)) == 1
    assert all(isinstance(answer, Snapshot) and answer.state is Paid.PAYING for answer in answers)
    assert len(shown.purses.moves) == 1


async def test_closing_while_the_payer_types_reverses_it_for_good(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown)
    await shown.provider.create(intent, shown.call)

    closed = await shown.provider.close(shown.ref(intent), shown.call)
    seen = await shown.provider.query(shown.ref(intent), shown.call)

    assert isinstance(closed, Closed)
    assert seen.state is Paid.CLOSED
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


async def test_a_reversal_is_not_tried_on_another_clearing_day(shown):
    shown.faults.arm(Fault.USER_PAYING)
    intent = intent_of(shown, expires_at=shown.clock.now().replace(day=3))
    await shown.provider.create(intent, shown.call)
    shown.clock.advance(12 * 3600)

    answer = await shown.provider.close(shown.ref(intent), shown.call)

    assert isinstance(answer, Unknown)
    assert all(wire.decode_form(sent.body)["txnType"] != "99" for sent in shown.transport.requests)


async def test_the_digits_stand_in_no_answer_no_repr_and_no_scrubbed_transcript(shown):
    intent = intent_of(shown)
    answer = await shown.provider.create(intent, shown.call)
    body = shown.transport.requests[0].body
    assert DIGITS.encode() in body

    assert DIGITS not in repr(answer)
    assert DIGITS not in repr(shown.transport.requests)
    assert DIGITS.encode() not in shown.provider.scrub(body)
    assert b"orderId=" + intent.number.encode() in shown.provider.scrub(body)
    assert DIGITS not in "".join(shown.drawer.texts.values())
