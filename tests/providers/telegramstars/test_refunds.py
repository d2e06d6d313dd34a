"""Stars that go back: whole, once, to whoever paid."""

import json
from dataclasses import replace

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.handover import PAYER
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, Paid, RefundSnapshot, Returned, Unknown
from providers.sdk.wallets import Wallet
from tests.providers.telegramstars.test_invoices import FIVE, opened, refusing


@pytest.fixture(name="paid")
async def _paid(stall):
    """A paid attempt, as the host remembers it after the payment."""
    _, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)
    found = await stall.provider.query(ref, stall.call)
    stall.transport.requests.clear()
    return replace(ref, provider_ref=found.provider_ref, memo={PAYER: found.payer})


def methods(stall):
    return [request.path.rpartition("/")[2] for request in stall.transport.requests]


async def test_a_refund_is_one_call_with_payer_and_charge(stall, paid):
    request = stall.refund(paid, FIVE)

    answer = await stall.provider.refund(request, stall.call)

    assert methods(stall) == ["refundStarPayment"]
    asked = json.loads(stall.transport.requests[0].body)
    assert asked == {"user_id": 7001, "telegram_payment_charge_id": paid.provider_ref}
    assert answer == RefundSnapshot(
        number=request.number,
        attempt_number=paid.number,
        amount=FIVE,
        state=Returned.DONE,
        provider_ref=paid.provider_ref,
    )
    assert stall.purses.moves[-1] == (Wallet.TELEGRAM, 5, "Refund")


async def test_payer_and_charge_are_looked_up_where_the_host_has_forgotten_them(stall, paid):
    forgotten = replace(paid, provider_ref="", memo={})

    answer = await stall.provider.refund(stall.refund(forgotten, FIVE), stall.call)

    assert answer.state is Returned.DONE
    assert methods(stall) == ["getStarTransactions", "refundStarPayment"]


async def test_a_refund_that_was_made_already_is_done(stall, paid):
    request = stall.refund(paid, FIVE)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.refund(request, stall.call)
    again = await stall.provider.refund(request, stall.call)

    assert isinstance(lost, Unknown)
    assert again.state is Returned.DONE
    assert len(stall.purses.moves) == 2


async def test_a_part_is_declined_unsent(stall, paid):
    answer = await stall.provider.refund(stall.refund(paid, Money(2, "XTR")), stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.LIMIT
    assert methods(stall) == []


async def test_a_bot_without_stars_refunds_later(stall, paid):
    poor = refusing(stall, 400, "Bad Request: BALANCE_TOO_LOW")

    answer = await stall.provider.refund(stall.refund(paid, FIVE), poor)

    assert answer.reason is DeclineReason.BALANCE


async def test_a_payment_that_is_not_in_the_ledger_is_not_declined(stall):
    _, _, ref = await opened(stall)

    answer = await stall.provider.refund(stall.refund(ref, FIVE), stall.call)

    assert isinstance(answer, Unknown)


async def test_a_refund_is_found_in_the_ledger(stall, paid):
    request = stall.refund(paid, FIVE)
    assert await stall.provider.query_refund(stall.refund_ref(request), stall.call) == NotFound()
    stall.clock.advance(10)
    await stall.provider.refund(request, stall.call)

    found = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert (found.state, found.amount, found.number) == (Returned.DONE, FIVE, request.number)
    assert found.done_at == stall.clock.now()
    assert (await stall.provider.query(paid, stall.call)).state is Paid.REFUNDED


async def test_another_payment_s_refund_is_not_ours(stall, paid):
    other = stall.intent(FIVE, "Order20260701B2", way=Way.INVOICE)
    created = await stall.provider.create(other, stall.call)
    stall.pay(created.link, Wallet.TELEGRAM)
    await stall.provider.refund(stall.refund(stall.ref(other, created), FIVE), stall.call)

    ours = stall.refund_ref(stall.refund(paid, FIVE))

    assert await stall.provider.query_refund(ours, stall.call) == NotFound()


async def test_telegram_does_not_refund_what_it_does_not_know(stall, paid):
    unknown = replace(paid, provider_ref="stxnothing")
    stranger = replace(paid, memo={PAYER: "7002"})

    for attempt in (unknown, stranger):
        answer = await stall.provider.refund(stall.refund(attempt, FIVE), stall.call)
        assert isinstance(answer, Declined)
        assert "CHARGE_ID_INVALID" in answer.message
    assert len(stall.purses.moves) == 1
