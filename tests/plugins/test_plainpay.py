"""The stranger's provider keeps the contract, so that what is built on it means something."""

import sys
from pathlib import Path

import pytest

from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    NotFound,
    Paid,
    Rejected,
    Unknown,
    Verified,
)
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet

sys.path.insert(0, str(Path(__file__).parent / "plainpay"))
from plainpay import plugin  # found through the line above

PRICE = Money.cny("18.00")


@pytest.fixture
def stall():
    return Stall(plugin)


async def test_a_code_is_paid_notified_and_refunded_once(stall):
    intent = stall.intent(PRICE)
    created = await stall.provider.create(intent, stall.call)
    stall.pay(created.code, Wallet.BANK)
    ref = stall.ref(intent, created)

    [verdict] = stall.read_post()
    snapshot = await stall.provider.query(ref, stall.call)
    request = stall.refund(ref, Money.cny("5.00"))
    refunds = [await stall.provider.refund(request, stall.call) for _ in range(2)]

    assert isinstance(verdict, Verified)
    assert verdict.fact == snapshot
    assert (snapshot.state, snapshot.amount, snapshot.merchant) == (Paid.PAID, PRICE, "M1001")
    assert (
        refunds[0] == refunds[1] == await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    )
    assert stall.purses.moves == [(Wallet.BANK, -1800, "拿铁 Latte"), (Wallet.BANK, 500, "Refund")]


async def test_what_is_closed_cannot_be_paid_and_what_is_paid_cannot_be_closed(stall):
    first, second = stall.intent(PRICE, "First0001"), stall.intent(PRICE, "Second001")
    for intent in (first, second):
        await stall.provider.create(intent, stall.call)
    stall.gateway.settle("Second001", Wallet.BANK)

    assert isinstance(await stall.provider.close(stall.ref(first), stall.call), Closed)
    assert isinstance(await stall.provider.close(stall.ref(second), stall.call), AlreadyPaid)


async def test_the_same_number_again_is_the_same_order_and_another_amount_is_a_conflict(stall):
    once = await stall.provider.create(stall.intent(PRICE), stall.call)
    again = await stall.provider.create(stall.intent(PRICE), stall.call)
    other = await stall.provider.create(stall.intent(Money.cny("1.00")), stall.call)

    assert once == again
    assert isinstance(other, Declined)


async def test_a_number_nobody_sent_is_not_found(stall):
    assert await stall.provider.query(stall.ref(stall.intent(PRICE)), stall.call) == NotFound("NOT_FOUND")


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE,
        Fault.TIMEOUT_AFTER,
        Fault.HTTP_500_AFTER,
        Fault.TRUNCATED,
        Fault.GARBAGE,
        Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE,
        Fault.UNKNOWN_KEY,
    ],
)
async def test_an_odd_answer_is_unknown_and_the_next_try_finds_the_order(stall, fault):
    stall.faults.arm(fault)

    assert isinstance(await stall.provider.create(stall.intent(PRICE), stall.call), Unknown)
    assert isinstance(await stall.provider.create(stall.intent(PRICE), stall.call), Created)


@pytest.mark.parametrize(
    "fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK]
)
async def test_a_notification_that_cannot_be_believed_is_rejected(stall, fault):
    created = await stall.provider.create(stall.intent(PRICE), stall.call)
    stall.faults.arm(fault)
    stall.pay(created.code, Wallet.BANK)

    [verdict] = stall.read_post()

    assert isinstance(verdict, Rejected)
