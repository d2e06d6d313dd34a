"""Refunds and voids are orders of their own: accepted first, done later, never more than was paid."""

import asyncio

from providers.sdk.money import Money
from providers.sdk.results import (
    Created,
    Declined,
    DeclineReason,
    NotFound,
    RefundSnapshot,
    Returned,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin, wire

LATTE = Money.cny("18.00")


async def opened(stall, **more):
    intent = stall.intent(LATTE, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created), created
    return intent, created, stall.ref(intent, created)


async def paid(stall):
    intent, created, ref = await opened(stall)
    stall.pay(created.code, Wallet.QUICKPASS)
    [verdict] = stall.read_post()
    return intent, ref, verdict.fact


async def test_a_refund_is_accepted_first_and_done_by_notification_and_query(stall):
    _, ref, _ = await paid(stall)
    request = stall.refund(ref, Money.cny("5.00"))

    accepted = await stall.provider.refund(request, stall.call)
    [verdict] = stall.read_post()
    seen = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert isinstance(accepted, RefundSnapshot)
    assert accepted.state is Returned.PENDING
    assert verdict.event == "04/00"
    assert verdict.fact == seen
    assert (seen.state, seen.amount) == (Returned.DONE, Money.cny("5.00"))
    assert (seen.number, seen.attempt_number) == (request.number, ref.number)
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00 - 1800 + 500


async def test_refunds_in_parts_stop_at_what_was_paid(stall):
    _, ref, _ = await paid(stall)

    first = await stall.provider.refund(stall.refund(ref, Money.cny("10.00"), "RefundPart1"), stall.call)
    second = await stall.provider.refund(stall.refund(ref, Money.cny("8.01"), "RefundPart2"), stall.call)
    third = await stall.provider.refund(stall.refund(ref, Money.cny("8.00"), "RefundPart3"), stall.call)

    assert isinstance(first, RefundSnapshot)
    assert isinstance(second, Declined)
    assert isinstance(third, RefundSnapshot)
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00


async def test_a_repeated_refund_returns_once(stall):
    _, ref, _ = await paid(stall)
    request = stall.refund(ref, LATTE)

    await stall.provider.refund(request, stall.call)
    again = await stall.provider.refund(request, stall.call)

    assert isinstance(again, RefundSnapshot)
    assert again.state is Returned.DONE
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00


async def test_twenty_refunds_of_one_number_at_once_return_once(stall):
    _, ref, _ = await paid(stall)
    request = stall.refund(ref, LATTE)

    answers = await asyncio.gather(*(stall.provider.refund(request, stall.call) for _ in range(20)))

    assert all(isinstance(answer, RefundSnapshot) for answer in answers)
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00


async def test_an_unpaid_code_cannot_be_refunded(stall):
    _, _, ref = await opened(stall)

    answer = await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert isinstance(answer, Declined)
    assert answer.code == "35"


async def test_an_unknown_refund_is_not_found(stall):
    _, ref, _ = await paid(stall)

    assert isinstance(
        await stall.provider.query_refund(stall.refund_ref(stall.refund(ref, LATTE)), stall.call), NotFound
    )


async def test_a_refund_names_the_payment_by_query_id_or_by_number_and_time(stall):
    _, ref, fact = await paid(stall)
    with_id = stall.ref(stall.intent(LATTE, ref.number), Created(code="x", provider_ref=fact.provider_ref))

    await stall.provider.refund(stall.refund(ref, Money.cny("1.00"), "RefundPart1"), stall.call)
    await stall.provider.refund(stall.refund(with_id, Money.cny("1.00"), "RefundPart2"), stall.call)

    by_pair, by_id = (wire.decode_form(sent.body) for sent in stall.transport.requests[-2:])
    assert (by_pair["origOrderId"], by_pair["origTxnTime"]) == (ref.number, "20260701120000")
    assert "origQryId" not in by_pair
    assert by_id["origQryId"] == fact.provider_ref
    assert "origOrderId" not in by_id


async def test_a_void_returns_everything_on_the_day_and_nothing_after(stall):
    _, ref, _ = await paid(stall)

    voided = await stall.provider.void(stall.refund(ref, LATTE, "Void0001"), stall.call)
    [verdict] = stall.read_post()

    assert isinstance(voided, RefundSnapshot)
    assert (verdict.event, verdict.fact.state) == ("31/00", Returned.DONE)
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00
    late = await stall.provider.refund(stall.refund(ref, LATTE, "Refund01"), stall.call)
    assert isinstance(late, Declined)


async def test_a_part_or_yesterdays_payment_cannot_be_voided(stall):
    _, ref, _ = await paid(stall)

    part = await stall.provider.void(stall.refund(ref, Money.cny("1.00")), stall.call)
    stall.clock.advance(11 * 3600)  # 23:00 in Beijing: the next clearing day
    tomorrow = await stall.provider.void(stall.refund(ref, LATTE), stall.call)

    assert isinstance(part, Declined)
    assert isinstance(tomorrow, Declined)
    assert tomorrow.reason is DeclineReason.WINDOW
    assert len(stall.transport.requests) == 1


async def test_a_full_refund_of_the_same_day_goes_as_a_void_where_asked_for():
    stall = Stall(plugin, overrides={"void_same_day": True})
    _, ref, _ = await paid(stall)

    await stall.provider.refund(stall.refund(ref, LATTE), stall.call)

    assert wire.decode_form(stall.transport.requests[-1].body)["txnType"] == "31"


async def test_a_payment_never_answers_for_a_refund(stall):
    _, ref, _ = await paid(stall)
    twisted = stall.refund_ref(stall.refund(ref, LATTE, ref.number))

    assert isinstance(await stall.provider.query_refund(twisted, stall.call), Unknown)
