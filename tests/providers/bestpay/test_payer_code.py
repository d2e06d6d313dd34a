"""The digits a payer shows, over the older gateway: accepted is not paid, and a wallet may take its time or say no."""

import asyncio

import pytest

from providers.bestpay import wire
from providers.bestpay.signing import PLACE_MAC, QUERY_MAC, Mac
from providers.sdk.gateway import Fault
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import BASE_URL
from providers.sdk.wallets import Wallet

DIGITS = "515665002854886972"
CALLS = [Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE]


async def test_a_shown_code_is_charged_at_once(shop):
    foil = await shop.taken()
    seen = await shop.query(foil)

    assert isinstance(foil.answer, Snapshot)
    assert foil.answer.state is seen.state is Paid.PAID
    assert foil.answer.amount == seen.amount == foil.intent.amount
    assert foil.answer.merchant == seen.merchant == shop.settings.merchant
    assert foil.answer.provider_ref == seen.provider_ref != ""
    assert shop.purses.left[Wallet.BESTPAY] == 100_000_00 - 1800


async def test_the_form_carries_what_the_user_guide_asks_for(shop):
    await shop.taken()

    sent = shop.sent(0)

    assert shop.transport.requests[0].url == f"{BASE_URL}/barcode/placeOrder"
    assert (sent["channel"], sent["busiType"], sent["storeId"]) == ("05", "0000001", "201231")
    assert (sent["orderAmt"], sent["productAmt"], sent["attachAmt"]) == ("1800", "1800", "0")
    assert sent["orderDate"] == "20260701120000"
    assert sent["merchantId"] == shop.settings.payer_merchant != shop.settings.merchant
    assert sent["mac"] == Mac(shop.merchant["data_key"]).of(sent, PLACE_MAC)


async def test_the_number_goes_out_with_an_even_length(shop):
    foil = await shop.taken()
    assert len(foil.intent.number) % 2 == 1

    sent = shop.sent(0)

    assert sent["orderNo"] == sent["orderReqNo"] == f"{foil.intent.number}1"
    assert foil.answer.number == foil.intent.number


async def test_a_query_asks_by_number_and_day(shop):
    foil = await shop.taken()

    await shop.query(foil)

    sent = shop.sent()
    assert shop.transport.requests[-1].url == f"{BASE_URL}/query/queryOrder"
    assert sent["orderDate"] == "20260701"
    assert sent["mac"] == Mac(shop.merchant["data_key"]).of(sent, QUERY_MAC)


async def test_a_payer_typing_a_password_is_paying_then_paid(shop):
    shop.faults.arm(Fault.USER_PAYING)

    foil = await shop.taken()
    first, second = await shop.query(foil), await shop.query(foil)

    assert (foil.answer.state, foil.answer.code, foil.answer.provider_ref) == (Paid.PAYING, "A", "")
    assert first.state is Paid.PAYING
    assert second.state is Paid.PAID
    assert len(shop.purses.moves) == 1


async def test_a_wallet_that_says_no_is_declined_by_the_payer(shop):
    shop.faults.arm(Fault.DECLINED)

    foil = await shop.taken()
    seen = await shop.query(foil)

    assert isinstance(foil.answer, Declined)
    assert foil.answer.reason is DeclineReason.PAYER
    assert (seen.state, seen.code) == (Paid.FAILED, "C")
    assert shop.purses.moves == []


async def test_an_empty_purse_is_declined_by_the_payer(shop):
    shop.purses.left[Wallet.BESTPAY] = 1799

    answer = (await shop.taken()).answer

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.PAYER


async def test_a_code_that_nobody_shows_is_declined(shop):
    foil = await shop.taken(payer_code="510000000000000000")

    assert isinstance(foil.answer, Declined)
    assert (foil.answer.reason, foil.answer.code) == (DeclineReason.PAYER, "BARCODE_VALIDATE_ERROR")
    assert await shop.query(foil) == NotFound("BE110062")


@pytest.mark.parametrize("digits", ["", "130000000000000000", "51566500285488697", "51" + "١" * 16, None])
async def test_digits_that_are_no_bestpay_code_are_not_sent_at_all(shop, digits):
    answer = (await shop.taken(payer_code=digits)).answer

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.PAYER
    assert shop.transport.requests == []


@pytest.mark.parametrize(("length", "fits"), [(27, True), (28, True), (29, True), (30, False), (32, False)])
async def test_a_number_that_the_gateway_cannot_hold_is_declined_before_it_is_sent(shop, length, fits):
    answer = (await shop.taken(number="A" * length)).answer

    if fits:
        assert answer.state is Paid.PAID
        assert len(shop.sent(0)["orderNo"]) <= 30
    else:
        assert answer.reason is DeclineReason.MISCONFIGURED
        assert "30" in answer.message
        assert shop.transport.requests == []


async def test_a_notification_address_that_is_too_long_is_declined_before_it_is_sent(shop):
    answer = (await shop.taken(notify_url="https://shop.example/" + "n" * 240)).answer

    assert answer.reason is DeclineReason.MISCONFIGURED
    assert shop.transport.requests == []


async def test_a_long_title_is_cut_to_256_bytes(shop):
    answer = (await shop.taken(title="拿" * 200)).answer

    assert answer.state is Paid.PAID
    assert shop.sent(0)["goodsName"] == "拿" * 85


@pytest.mark.parametrize("fault", CALLS)
async def test_charged_though_the_answer_was_spoilt_is_unknown_and_then_found_paid(shop, fault):
    shop.faults.arm(fault)

    foil = await shop.taken()
    seen = await shop.query(foil)

    assert isinstance(foil.answer, Unknown)
    assert seen.state is Paid.PAID


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_an_answer_without_the_right_mac_is_unknown(shop, fault):
    foil = await shop.taken()
    for call in (shop.query, shop.close):
        shop.faults.arm(fault)

        assert isinstance(await call(foil), Unknown)


async def test_an_answer_with_a_wrong_amount_is_told_as_it_is(shop):
    foil = await shop.taken()
    shop.faults.arm(Fault.WRONG_AMOUNT)

    assert (await shop.query(foil)).amount.minor == 1801


async def test_a_refused_connection_was_not_sent(shop):
    shop.transport.refuse()

    assert isinstance((await shop.taken()).answer, NotSent)


async def test_a_charged_number_sent_again_is_unknown_and_charges_once(shop):
    foils = await asyncio.gather(*(shop.taken() for _ in range(20)))

    answers = [foil.answer for foil in foils]

    assert sum(isinstance(answer, Snapshot) for answer in answers) == 1
    assert sum(isinstance(answer, Unknown) for answer in answers) == 19
    assert len(shop.purses.moves) == 1


@pytest.mark.parametrize("code", ["BE999999", "-302", "BE123456", "5148"])
async def test_a_word_that_is_not_certain_leaves_it_to_a_query(shop, scripted, code):
    body = b'{"success":false,"result":null,"errorCode":"%s","errorMsg":"?"}' % code.encode()
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    answer = (await shop.taken()).answer

    assert isinstance(answer, Unknown)
    assert code in answer.reason


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"success":null}',
        b'{"success":true,"result":null}',
        b'{"success":true,"result":{}}',
        b'{"success":true,"result":{"transStatus":"B"}}',
        b'{"success":"yes","result":{}}',
        b'{"success":false,"result":null,"errorCode":{}}',
    ],
)
async def test_an_odd_answer_is_unknown(shop, scripted, body):
    foil = await shop.taken()
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    assert isinstance((await shop.taken(number="Latte2")).answer, Unknown)
    assert isinstance(await shop.query(foil), Unknown)


async def test_closing_while_the_payer_types_makes_it_void_for_good(shop):
    shop.faults.arm(Fault.USER_PAYING)
    foil = await shop.taken()

    closed = await shop.close(foil)
    seen = await shop.query(foil)

    assert isinstance(closed, Closed)
    assert (seen.state, seen.code) == (Paid.CLOSED, "G")
    assert shop.purses.moves == []
    assert isinstance(await shop.close(foil), Closed)


async def test_closing_a_paid_one_takes_nothing_back(shop):
    foil = await shop.taken()

    assert isinstance(await shop.close(foil), AlreadyPaid)

    assert len(shop.purses.moves) == 1
    assert all("reverse" not in request.url for request in shop.transport.requests)


async def test_a_payment_that_the_reversal_overtook_was_paid_by_nobody(shop):
    """The reversal of a payment that went through meanwhile is a refund: the money is back, the attempt is closed."""
    shop.faults.arm(Fault.USER_PAYING)
    foil = await shop.taken()
    honest = shop.transport.send

    async def overtaking(request):
        if request.url.endswith(wire.REVERSE):
            await shop.query(foil)
        return await honest(request)

    shop.transport.send = overtaking
    closed = await shop.close(foil)
    seen = await shop.query(foil)

    assert isinstance(closed, Closed)
    assert (seen.state, seen.code) == (Paid.CLOSED, "reversed")
    assert sum(minor for _, minor, _ in shop.purses.moves) == 0
    assert len(shop.purses.moves) == 2


async def test_an_unsigned_flag_alone_does_not_undo_a_payment(shop):
    foil = await shop.taken()
    honest = shop.transport.send

    async def flagged(request):
        reply = await honest(request)
        return type(reply)(
            reply.status, reply.headers, reply.body.replace(b'"refundFlag":"0"', b'"refundFlag":"3"')
        )

    shop.transport.send = flagged

    assert (await shop.query(foil)).state is Paid.REFUNDED


async def test_a_reversal_is_not_tried_on_another_day(shop):
    shop.faults.arm(Fault.USER_PAYING)
    foil = await shop.taken()
    shop.clock.advance(13 * 3600)

    shop.faults.arm(Fault.USER_PAYING)
    answer = await shop.close(foil)

    assert isinstance(answer, Unknown)
    assert all("reverse" not in request.url for request in shop.transport.requests)


async def test_closing_one_that_never_arrived_waits_until_its_code_is_dead(shop):
    shop.faults.arm(Fault.TIMEOUT_BEFORE)
    foil = await shop.taken()

    shop.clock.advance(60)
    early = await shop.close(foil)
    shop.clock.advance(61)
    late = await shop.close(foil)

    assert isinstance(early, Unknown)
    assert isinstance(late, Closed)


async def test_without_the_trade_key_nothing_is_reversed_or_refunded(shop_with):
    shop = shop_with(merchant_pwd="")
    shop.faults.arm(Fault.USER_PAYING)
    foil = await shop.taken()

    closed = await shop.close(foil)
    _, refunded = await shop.refund(foil)

    assert isinstance(closed, Unknown)
    assert "merchant_pwd" in closed.reason
    assert refunded.reason is DeclineReason.MISCONFIGURED


async def test_without_a_data_key_payer_codes_are_declined(shop_with):
    shop = shop_with(data_key="")

    foil = await shop.taken()

    assert foil.answer.reason is DeclineReason.MISCONFIGURED
    assert isinstance(await shop.query(foil), Unknown)
    assert shop.transport.requests == []


async def test_the_digits_stand_in_no_answer_no_repr_and_no_scrubbed_transcript(shop):
    foil = await shop.taken()
    await shop.refund(foil)
    bodies = b"".join(request.body for request in shop.transport.requests)
    secrets = (DIGITS, shop.merchant["merchant_pwd"])
    assert all(secret.encode() in bodies for secret in secrets)

    scrubbed = shop.provider.scrub(bodies)

    for secret in secrets:
        assert secret not in repr(foil.answer)
        assert secret not in repr(shop.transport.requests)
        assert f"={secret}".encode() not in scrubbed
    assert foil.intent.number.encode() in scrubbed
    assert DIGITS not in "".join(shop.drawer.texts.values())


async def test_the_answer_about_another_order_is_not_believed(shop, scripted):
    """Genuine, signed, and about somebody else: an order, and a refund of the same order."""
    foil, other = await shop.taken(), await shop.taken(number="Latte20260701A3")
    request, _ = await shop.refund(foil, 600)
    await shop.query(other)
    about_other = shop.transport.replies[-1].body
    await shop.query_refund(request)
    about_refund = shop.transport.replies[-1].body

    for body in (about_other, about_refund):
        shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)
        assert isinstance(await shop.query(foil), Unknown)


@pytest.mark.parametrize("code", ["BE300001", "BE999999", "BE110078", ""])
async def test_only_no_such_order_is_not_found(shop, scripted, code):
    foil = await shop.taken()
    body = b'{"success":false,"result":null,"errorCode":"%s","errorMsg":"?"}' % code.encode()
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    assert isinstance(await shop.query(foil), Unknown)
