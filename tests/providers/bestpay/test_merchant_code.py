"""A code of product 1006, and a link to the H5 cashier, from the order to its end, against the simulated institution."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from providers.bestpay import mapi_gateway, wire
from providers.sdk.contract import Way
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import BASE_URL
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet

ONLINE = [Way.MERCHANT_CODE, Way.LINK]


async def test_the_order_goes_out_in_a_signed_envelope(shop):
    foil = await shop.open()
    [request] = shop.transport.requests
    envelope = wire.decode_json(request.body)

    assert request.url == f"{BASE_URL}/mapi/sdkRequest?BESTPAY_MAPI_VERSION=1.0.3"
    assert set(envelope) == {"path", "commonParams", "bizContent", "sign"}
    assert envelope["path"] == "/aggregate/aggregatepay/offline/c2b/payOrder"
    assert envelope["commonParams"] == (
        f'{{"institutionType":"MERCHANT","institutionCode":"{shop.settings.merchant}"}}'
    )
    assert isinstance(foil.answer, Created)


async def test_the_order_says_fen_and_beijings_time(shop):
    foil = await shop.open()

    sent = shop.sent()

    assert (sent["tradeAmt"], sent["ccy"]) == ("1800", "156")
    assert sent["requestDate"] == "2026-07-01 12:00:00"
    assert sent["outTradeNo"] == foil.intent.number
    assert sent["notifyUrl"] == foil.intent.notify_url
    assert (sent["subject"], sent["goodsInfo"]) == ("拿铁 Latte", "拿铁 Latte")
    risk = wire.decode_json(wire.word(sent, "riskControlInfo")[1:-1].encode())
    assert (risk["service_identify"], risk["boby"]) == ("10000001", "拿铁 Latte")


async def test_what_the_contract_adds_goes_out_too(shop_with):
    shop = shop_with(more_fields='{"storeCode":"S1","tradeChannel":"APP"}', expiry_field="expireTime")

    await shop.open()

    sent = shop.sent()
    assert (sent["storeCode"], sent["tradeChannel"]) == ("S1", "APP")
    assert sent["expireTime"] == "2026-07-01 12:30:00"


async def test_a_simulated_code_has_the_form_of_a_bestpay_code(shop):
    foil = await shop.open()

    assert re.fullmatch(r"http://m\.bestpay\.com\.cn/#/apa/[0-9A-Za-z]{32}face2face", foil.answer.code)
    assert foil.answer.provider_ref
    assert foil.answer.usable_until == foil.intent.expires_at


async def test_a_code_must_begin_as_the_operator_says(shop_with):
    strict = shop_with(code_prefix="https://pay.bestpay.cn/")
    fitting = shop_with(code_prefix="http://m.bestpay.com.cn/")

    refused = (await strict.open()).answer

    assert isinstance(refused, Unknown)
    assert "code_prefix" in refused.reason
    assert isinstance((await fitting.open()).answer, Created)


async def test_a_link_is_the_cashiers_form_in_the_address_signed(shop):
    foil = await shop.open(Way.LINK, return_url="https://shop.example/back")

    parts = urlsplit(foil.answer.link)
    fields = dict(parse_qsl(parts.query))

    assert shop.asked_path() == "/uniformReceipt/proCreateOrder"
    assert foil.answer.link.startswith(f"{BASE_URL}/mapi/form/cashier/H5/pay?")
    assert (fields["signType"], fields["platform"], fields["tradeType"]) == (
        "CA",
        "H5_4.0_route",
        "acquiring",
    )
    assert (fields["tradeAmt"], fields["tradeNo"]) == ("1800", foil.answer.provider_ref)
    assert fields["merchantFrontUrl"] == "https://shop.example/back"
    assert fields["sign"]


async def test_the_cashier_shows_a_page_for_a_signed_link_and_none_for_another(shop):
    foil = await shop.open(Way.LINK, title="<b>Latte</b>")
    link = foil.answer.link.removeprefix(BASE_URL)

    shown = await shop.gateway.handle(HttpRequest("GET", link))
    posted = await shop.gateway.handle(
        HttpRequest("POST", urlsplit(link).path, body=urlsplit(link).query.encode())
    )
    spoilt = await shop.gateway.handle(HttpRequest("GET", link.replace("tradeAmt=1800", "tradeAmt=1")))

    assert (shown.status, posted.status, spoilt.status) == (200, 200, 400)
    assert shown.body == posted.body
    assert b"<b>" not in shown.body
    assert shop.gateway.recognise(foil.answer.link.replace("tradeAmt=1800", "tradeAmt=1")) is None


async def test_a_cashier_of_ones_own_can_stand_in_the_link(shop_with):
    shop = shop_with(cashier_url="https://shop.example/to-bestpay")

    foil = await shop.open(Way.LINK)

    assert foil.answer.link.startswith("https://shop.example/to-bestpay?")


@pytest.mark.parametrize("way", ONLINE)
async def test_an_order_is_unpaid_then_paid_in_notification_and_query_alike(shop, way):
    foil = await shop.open(way)
    before = await shop.query(foil)

    shop.pay(foil.answer.code or foil.answer.link, Wallet.BESTPAY)
    [verdict] = shop.read_post()
    after = await shop.query(foil)

    assert isinstance(before, Snapshot)
    assert (before.state, before.amount.minor) == (Paid.UNPAID, 1800)
    assert after.state is verdict.fact.state is Paid.PAID
    assert after.merchant == verdict.fact.merchant == shop.settings.merchant
    assert after.number == verdict.fact.number == foil.intent.number
    assert after.provider_ref == verdict.fact.provider_ref == foil.answer.provider_ref
    assert after.paid_at == shop.clock.now()
    assert after.wallet is Wallet.BESTPAY


@pytest.mark.parametrize("way", ONLINE)
async def test_each_product_is_spoken_to_under_its_own_paths(shop, way):
    foil = await shop.open(way)
    await shop.close(foil)
    await shop.refund(foil)

    paths = [shop.asked_path(index) for index in range(len(shop.transport.requests))]

    own = "/uniformReceipt/" if way is Way.LINK else "/aggregate/"
    closing = "/tradeprod/closeOrder" if way is Way.LINK else "/o2o/aggregatePay/service/closeTrade"
    assert [path for path in paths if not path.startswith(own)] == (
        [closing] if way is Way.LINK else [closing, "/uniformReceipt/refundOrderQuery"]
    )


async def test_paths_of_another_contract_can_be_set(shop_with):
    shop = shop_with(code_path="/uniformReceipt/proCreateOrder", code_query_path="/uniformReceipt/tradeQuery")

    await shop.open()

    assert shop.asked_path() == "/uniformReceipt/proCreateOrder"


@pytest.mark.parametrize("way", ONLINE)
async def test_a_closed_order_cannot_be_paid(shop, way):
    foil = await shop.open(way)

    closed = await shop.close(foil)
    seen = await shop.query(foil)

    assert isinstance(closed, Closed)
    assert seen.state is Paid.CLOSED
    with pytest.raises(BillGone):
        shop.pay(foil.answer.code or foil.answer.link, Wallet.BESTPAY)
    assert shop.purses.moves == []


async def test_a_paid_order_is_not_closed(shop):
    foil = await shop.paid()

    assert isinstance(await shop.close(foil), AlreadyPaid)
    assert all("close" not in shop.asked_path(index).lower() for index in range(len(shop.transport.requests)))


async def test_a_payer_who_was_faster_than_the_closing_is_found(shop):
    foil = await shop.open()
    honest = shop.transport.send

    async def paying(request):
        if b"closeTrade" in request.body:
            shop.pay(foil.answer.code, Wallet.BESTPAY)
        return await honest(request)

    shop.transport.send = paying

    assert isinstance(await shop.close(foil), AlreadyPaid)


async def test_an_order_that_never_arrived_is_closed_when_its_time_is_over(shop):
    shop.faults.arm(Fault.TIMEOUT_BEFORE)
    foil = await shop.open()
    assert isinstance(foil.answer, Unknown)

    early = await shop.close(foil)
    shop.clock.advance(1800)
    late = await shop.close(foil)

    assert isinstance(early, Unknown)
    assert isinstance(late, Closed)
    assert await shop.query(foil) == NotFound("TRADE_NOT_EXIST")


async def test_an_order_whose_answer_was_lost_is_found_and_opened_again_as_the_same(shop):
    shop.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await shop.open()

    seen = await shop.query(lost)
    again = await shop.open()
    bill = shop.gateway.recognise(again.answer.code)

    assert isinstance(lost.answer, Unknown)
    assert seen.state is Paid.UNPAID
    assert bill.number == lost.intent.number


async def test_another_order_under_the_same_number_is_declined(shop):
    await shop.open()

    other = (await shop.open(title="Mocha")).answer

    assert isinstance(other, Declined)


async def test_a_paid_order_is_not_opened_again(shop):
    await shop.paid()

    again = (await shop.open()).answer

    assert isinstance(again, Declined)
    assert again.reason is DeclineReason.ALREADY_PAID


async def test_an_order_that_nobody_pays_dies(shop):
    foil = await shop.open()

    shop.clock.advance(24 * 3600)

    assert (await shop.query(foil)).state is Paid.CLOSED
    with pytest.raises(BillGone):
        shop.gateway.recognise(foil.answer.code)


async def test_another_wallet_is_turned_away(shop):
    foil = await shop.open()

    with pytest.raises(PurseRefused):
        shop.pay(foil.answer.code, Wallet.WECHAT)

    assert shop.purses.moves == []
    assert (await shop.query(foil)).state is Paid.UNPAID


async def test_a_refused_connection_was_not_sent(shop):
    shop.transport.refuse()

    assert isinstance((await shop.open()).answer, NotSent)


@pytest.mark.parametrize("status", [199, 302, 400, 404, 500, 502])
async def test_another_status_is_no_answer(shop, scripted, status):
    shop.stall.call = type(shop.call)(scripted(b"{}", status=status), shop.clock, shop.random)

    assert isinstance((await shop.open()).answer, Unknown)


async def test_an_unknown_product_is_refused_by_the_institution(shop_with):
    shop = shop_with(code_path="/aggregate/nothing")

    answer = (await shop.open()).answer

    assert isinstance(answer, Declined)
    assert answer.code == mapi_gateway.NO_SUCH_API


async def test_without_mapi_a_code_is_declined_and_nothing_is_sent(shop_with):
    shop = shop_with(sign_key="", platform_cert="")

    for way in ONLINE:
        answer = (await shop.open(way)).answer
        assert isinstance(answer, Declined)
        assert answer.reason is DeclineReason.MISCONFIGURED
    assert shop.transport.requests == []


async def test_the_answer_about_another_order_is_not_believed(shop, scripted):
    foil, other = await shop.open(), await shop.paid(number="Latte20260701A3")
    await shop.query(other)
    body = shop.transport.replies[-1].body
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    assert isinstance(await shop.query(foil), Unknown)
    assert isinstance((await shop.open()).answer, Unknown)


async def test_only_the_codes_of_the_setting_are_not_found(shop_with):
    knowing, other = shop_with(), shop_with(unknown_order_codes="ORDER_NOT_EXIST")
    foils = []
    for shop in (knowing, other):
        shop.faults.arm(Fault.TIMEOUT_BEFORE)
        foils.append(await shop.open())

    assert isinstance(await knowing.query(foils[0]), NotFound)
    answer = await other.query(foils[1])
    assert isinstance(answer, Unknown)
    assert "unknown_order_codes" in answer.reason
