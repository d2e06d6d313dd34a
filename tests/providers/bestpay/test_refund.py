"""What goes back: never more than came, once per number, and done only by BestPay's own word."""

import asyncio

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.results import Declined, DeclineReason, NotFound, Paid, RefundSnapshot, Returned, Unknown
from providers.sdk.wallets import Wallet

WAYS = [Way.MERCHANT_CODE, Way.LINK, Way.PAYER_CODE]


async def paid(shop, way, **more):
    return await (shop.taken(**more) if way is Way.PAYER_CODE else shop.paid(way, **more))


@pytest.mark.parametrize("way", WAYS)
async def test_a_full_refund_goes_back_to_the_wallet_that_paid(shop, way):
    foil = await paid(shop, way)

    request, answer = await shop.refund(foil)
    seen = await shop.query_refund(request)

    assert isinstance(answer, RefundSnapshot)
    assert (seen.state, seen.amount.minor, seen.number) == (Returned.DONE, 1800, request.number)
    assert seen.attempt_number == foil.intent.number
    assert shop.purses.left[Wallet.BESTPAY] == 100_000_00
    assert (await shop.query(foil)).state in {Paid.PAID, Paid.REFUNDED}


async def test_a_payer_codes_refund_is_accepted_first_and_done_later(shop):
    foil = await shop.taken()

    _, answer = await shop.refund(foil)

    assert (answer.state, answer.provider_ref) == (Returned.PENDING, "")


async def test_the_refund_of_a_payer_code_names_order_serial_day_and_password(shop):
    foil = await shop.taken()

    request, _ = await shop.refund(foil, 600)

    sent = shop.sent()
    assert sent["oldOrderNo"] == sent["oldOrderReqNo"] == f"{foil.intent.number}1"
    assert len(request.number) % 2 == 0
    assert sent["refundReqNo"] == f"{request.number}00"
    assert (sent["refundReqDate"], sent["transAmt"]) == ("20260701", "600")
    assert sent["merchantPwd"] == shop.merchant["merchant_pwd"]
    assert sent["bgUrl"] == request.notify_url


async def test_the_refund_of_a_code_names_the_original_and_its_time(shop):
    foil = await shop.paid()
    shop.clock.advance(3600)

    request, _ = await shop.refund(foil, 600)

    sent = shop.sent()
    assert (sent["outTradeNo"], sent["outRequestNo"]) == (foil.intent.number, request.number)
    assert sent["originalTradeDate"] == "2026-07-01 12:00:00"
    assert sent["requestDate"] == "2026-07-01 13:00:00"
    assert (sent["refundAmt"], sent["refundCause"]) == ("600", "冷了 cold")


@pytest.mark.parametrize("way", WAYS)
async def test_parts_add_up_and_one_fen_more_is_refused(shop, way):
    foil = await paid(shop, way)

    one, _ = await shop.refund(foil, 600, number="RefundA1")
    two, _ = await shop.refund(foil, 1199, number="RefundA2")
    _, too_much = await shop.refund(foil, 2, number="RefundA3")

    assert [(await shop.query_refund(request)).amount.minor for request in (one, two)] == [600, 1199]
    assert isinstance(too_much, Declined)
    assert shop.purses.left[Wallet.BESTPAY] == 100_000_00 - 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_repeated_number_returns_once(shop, way):
    foil = await paid(shop, way)

    await asyncio.gather(*(shop.refund(foil, 600) for _ in range(10)))
    _, again = await shop.refund(foil, 600)

    assert isinstance(again, RefundSnapshot)
    assert again.amount.minor == 600
    assert shop.purses.left[Wallet.BESTPAY] == 100_000_00 - 1200


@pytest.mark.parametrize("way", WAYS)
async def test_a_refund_whose_answer_was_lost_is_unknown_and_then_found(shop, way):
    foil = await paid(shop, way)
    shop.faults.arm(Fault.TIMEOUT_AFTER)

    request, answer = await shop.refund(foil)

    assert isinstance(answer, Unknown)
    assert (await shop.query_refund(request)).state is Returned.DONE


@pytest.mark.parametrize("way", WAYS)
async def test_a_refund_that_never_arrived_is_not_found(shop, way):
    foil = await paid(shop, way)
    shop.faults.arm(Fault.TIMEOUT_BEFORE)

    request, answer = await shop.refund(foil)

    assert isinstance(answer, Unknown)
    assert isinstance(await shop.query_refund(request), NotFound)
    assert shop.purses.left[Wallet.BESTPAY] == 100_000_00 - 1800


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_not_paid_is_not_refunded(shop, way):
    shop.faults.arm(Fault.USER_PAYING)
    foil = await (shop.taken() if way is Way.PAYER_CODE else shop.open(way))

    _, answer = await shop.refund(foil)

    assert isinstance(answer, Declined)
    assert shop.purses.moves == []


async def test_a_refusal_is_not_believed_while_our_own_refund_cannot_be_asked_for(shop, scripted):
    foil = await shop.taken()
    no = b'{"success":false,"result":null,"errorCode":"BE301011","errorMsg":"done"}'
    shop.stall.call = type(shop.call)(scripted(no, b"garbage"), shop.clock, shop.random)

    _, answer = await shop.refund(foil)

    assert isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (b"BE110078", Declined, DeclineReason.WINDOW),
        (b"BE301001", Declined, DeclineReason.LIMIT),
        (b"BE300013", Declined, DeclineReason.MISCONFIGURED),
        (b"BE301009", Declined, DeclineReason.OTHER),
        (b"BE999999", Unknown, None),
    ],
)
async def test_a_refusal_counts_when_bestpay_does_not_know_the_refund(shop, scripted, code, kind, reason):
    foil = await shop.taken()
    body = b'{"success":false,"result":null,"errorCode":"%s","errorMsg":"no"}'
    shop.stall.call = type(shop.call)(scripted(body % code, body % b"BE110062"), shop.clock, shop.random)

    _, answer = await shop.refund(foil)

    assert isinstance(answer, kind)
    assert getattr(answer, "reason", None) is reason or kind is Unknown


async def test_a_payment_stays_refundable_a_month_later_and_its_refund_is_found_by_its_own_day(shop):
    foil = await shop.taken()
    shop.clock.advance(30 * 24 * 3600)

    request, _ = await shop.refund(foil)

    assert (await shop.query_refund(request)).state is Returned.DONE


async def test_a_refund_number_that_is_too_long_is_declined_before_it_is_sent(shop):
    foil = await shop.taken()
    before = len(shop.transport.requests)

    _, answer = await shop.refund(foil, number="R" * 32)

    assert answer.reason is DeclineReason.MISCONFIGURED
    assert len(shop.transport.requests) == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_an_unsigned_or_badly_signed_answer_about_a_refund_is_unknown(shop, way, fault):
    foil = await paid(shop, way)
    request, _ = await shop.refund(foil)
    shop.courier.take()
    shop.faults.clear()
    shop.faults.arm(fault)

    assert isinstance(await shop.query_refund(request), Unknown)


@pytest.mark.parametrize("way", WAYS)
async def test_the_answer_about_another_refund_is_not_believed(shop, scripted, way):
    foil = await paid(shop, way)
    one, _ = await shop.refund(foil, 600, number="RefundA1")
    two, _ = await shop.refund(foil, 500, number="RefundA2")
    await shop.query_refund(two)
    body = shop.transport.replies[-1].body
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    assert isinstance(await shop.query_refund(one), Unknown)
    assert isinstance((await shop.refund(foil, 600, number="RefundA1"))[1], Unknown)
