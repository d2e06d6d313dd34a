"""The simulated BestPay refuses what BestPay refuses, in answers of its own wires."""

import pytest

from providers.bestpay import mapi_gateway, plugin, signing, wire
from providers.bestpay.signing import Mac
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.results import DeclineReason
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

DIGITS = "515665002854886972"
MACS = {
    wire.PLACE: signing.PLACE_MAC,
    wire.QUERY: signing.QUERY_MAC,
    wire.REFUND: signing.REFUND_MAC,
    wire.REVERSE: signing.REVERSE_MAC,
}
SIGNS = {
    wire.PLACE: signing.ORDER_SIGN,
    wire.QUERY: signing.ORDER_SIGN,
    wire.REFUND: signing.RETURN_SIGN,
    wire.REVERSE: signing.RETURN_SIGN,
}
ORDER = {
    "merchantId": "043101180050000",
    "subMerchantId": "",
    "barcode": DIGITS,
    "orderNo": "20260701120000abcd",
    "orderReqNo": "20260701120000abcd",
    "channel": "05",
    "busiType": "0000001",
    "orderDate": "20260701120000",
    "orderAmt": "100",
    "productAmt": "80",
    "attachAmt": "20",
    "goodsName": "条码支付",
    "storeId": "201231",
    "backUrl": "https://shop.example/notify",
    "ledgerDetail": "",
    "attach": "",
}
ASKED = {name: ORDER[name] for name in ("merchantId", "orderNo", "orderReqNo")} | {"orderDate": "20260701"}
RETURN = {
    "merchantId": "043101180050000",
    "oldOrderNo": ORDER["orderNo"],
    "oldOrderReqNo": ORDER["orderReqNo"],
    "refundReqNo": "20260701130000r1",
    "refundReqDate": "20260701",
    "transAmt": "40",
    "ledgerDetail": "",
    "channel": "05",
}
DIRECT = {
    "merchantNo": mapi_gateway.MERCHANT,
    "institutionCode": mapi_gateway.MERCHANT,
    "institutionType": "MERCHANT",
    "outTradeNo": "A1",
    "tradeAmt": "1800",
    "ccy": "156",
    "requestDate": "2026-07-01 12:00:00",
    "tradeChannel": "APP",
    "accessCode": "CASHIER",
    "subject": "Latte",
    "operator": mapi_gateway.MERCHANT,
    "notifyUrl": "https://shop.example/notify",
}


async def counter(shop, path, fields, *, key=None, method="POST"):
    """One call of a client that signs as the user guide says, its answer verified the same way."""
    mac = Mac(key or shop.merchant["data_key"])
    whole = dict(fields)
    if path in {wire.REFUND, wire.REVERSE}:
        whole = {"merchantPwd": shop.merchant["merchant_pwd"]} | whole
    whole["mac"] = mac.of(whole, MACS[path])
    reply = await shop.gateway.handle(HttpRequest(method, f"/x{path}", body=wire.encode_form(whole)))
    answer = wire.decode_json(reply.body)
    if answer["success"]:
        right = Mac(shop.merchant["data_key"]).of(answer["result"], SIGNS[path])
        assert answer["result"]["sign"] == right
        return answer["result"]
    assert answer["result"] is None
    return answer["errorCode"]


async def mapi(shop, path, fields, *, signer=None):
    """One flat call of a client that posts to the path itself."""
    signer = signer or shop.settings.signer()
    body = wire.encode_json(fields | {"sign": signer.sign(fields)})
    reply = await shop.gateway.handle(HttpRequest("POST", f"/mapi{path}", body=body))
    answer = wire.decode_json(reply.body)
    shop.settings.trust().check(answer)
    return answer


@pytest.fixture
def shown(shop):
    shop.purses.show(DIGITS, Wallet.BESTPAY)
    return shop


async def test_the_user_guides_client_places_queries_and_refunds(shown):
    placed = await counter(shown, wire.PLACE, ORDER)
    asked = await counter(shown, wire.QUERY, ASKED)
    returned = await counter(shown, wire.REFUND, RETURN)
    after = await counter(shown, wire.QUERY, ASKED)
    of_refund = await counter(shown, wire.QUERY, ASKED | {"orderReqNo": RETURN["refundReqNo"]})

    assert (placed["transStatus"], placed["transAmt"], placed["orderDate"]) == ("B", "100", None)
    assert (asked["orderDate"], asked["refundFlag"]) == ("20260701120000", "0")
    assert {"refundReqNo", "oldOrderNo", "transAmt", "sign"} == set(returned)
    assert after["refundFlag"] == "2"
    assert (of_refund["transStatus"], of_refund["transAmt"]) == ("B", "40")
    assert shown.purses.left[Wallet.BESTPAY] == 100_000_00 - 60


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"merchantId": "043101180059999"}, "BE300000"),
        ({"storeId": ""}, "BARCODE_STORE_CODE_IS_EMPTY"),
        ({"storeId": "12345678901"}, "BE199999"),
        ({"orderNo": "with-a-dash", "orderReqNo": "with-a-dash"}, "BE199999"),
        ({"orderNo": "A" * 31, "orderReqNo": "A" * 31}, "BE199999"),
        ({"orderReqNo": "another"}, "BE199999"),
        ({"orderAmt": "1.00"}, "BE199999"),
        ({"orderAmt": "0", "productAmt": "0", "attachAmt": "0"}, "BE199999"),
        ({"orderAmt": "101"}, "-302"),
        ({"orderDate": "20260701"}, "BE199999"),
        ({"goodsName": "拿" * 86}, "BE199999"),
        ({"channel": "01"}, "BE199999"),
        ({"barcode": "510000000000000000"}, "BARCODE_VALIDATE_ERROR"),
    ],
)
async def test_a_wrong_field_of_a_payment_is_refused_by_its_code(shown, change, code):
    assert await counter(shown, wire.PLACE, ORDER | change) == code
    assert shown.purses.moves == []


@pytest.mark.parametrize("path", list(MACS))
async def test_a_mac_under_another_key_is_refused(shown, path):
    fields = {wire.PLACE: ORDER, wire.QUERY: ASKED}.get(path, RETURN)

    assert await counter(shown, path, fields, key="another") == "BE300001"


async def test_another_password_is_refused(shown):
    await counter(shown, wire.PLACE, ORDER)

    assert await counter(shown, wire.REFUND, RETURN | {"merchantPwd": "000000x"}) == "-309"


async def test_a_missing_field_another_method_and_no_form_are_refused(shown):
    assert await counter(shown, wire.PLACE, ORDER, method="GET") == "BE199999"
    reply = await shown.gateway.handle(HttpRequest("POST", wire.PLACE, body=b"a=1&a=2"))
    assert wire.decode_json(reply.body)["errorCode"] == "BE199999"


async def test_a_query_looks_one_day_around_its_date(shown):
    await counter(shown, wire.PLACE, ORDER)

    near = await counter(shown, wire.QUERY, ASKED | {"orderDate": "20260702"})
    far = await counter(shown, wire.QUERY, ASKED | {"orderDate": "20260703"})
    odd = await counter(shown, wire.QUERY, ASKED | {"orderDate": "2026-07-01"})

    assert near["transStatus"] == "B"
    assert (far, odd) == ("BE110062", "BE199999")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"oldOrderNo": "unknown1"}, "BE110062"),
        ({"oldOrderReqNo": "unknown1"}, "BE110062"),
        ({"refundReqNo": ORDER["orderNo"]}, "BE199999"),
        ({"refundReqNo": "oddnumber"}, "BE301008"),
        ({"transAmt": "101"}, "BE301001"),
        ({"transAmt": "0"}, "BE199999"),
        ({"refundReqDate": "01.07.2026"}, "BE199999"),
    ],
)
async def test_a_wrong_field_of_a_refund_is_refused_by_its_code(shown, change, code):
    await counter(shown, wire.PLACE, ORDER)

    assert await counter(shown, wire.REFUND, RETURN | change) == code
    assert len(shown.purses.moves) == 1


async def test_an_order_of_odd_length_is_paid_and_never_refunded(shown):
    odd = "1433734609560"
    await counter(shown, wire.PLACE, ORDER | {"orderNo": odd, "orderReqNo": odd})

    assert await counter(shown, wire.REFUND, RETURN | {"oldOrderNo": odd, "oldOrderReqNo": odd}) == "BE301008"


async def test_a_refund_number_is_taken_once(shown):
    await counter(shown, wire.PLACE, ORDER)
    await counter(shown, wire.REFUND, RETURN)

    assert await counter(shown, wire.REFUND, RETURN) == "BE301011"


async def test_a_reversal_takes_the_whole_amount_of_today_and_once(shown):
    await counter(shown, wire.PLACE, ORDER)
    whole = {name: value for name, value in RETURN.items() if name != "ledgerDetail"} | {"transAmt": "100"}

    part = await counter(shown, wire.REVERSE, whole | {"transAmt": "40"})
    done = await counter(shown, wire.REVERSE, whole)
    again = await counter(shown, wire.REVERSE, whole | {"refundReqNo": "20260701130000r2"})
    flag = (await counter(shown, wire.QUERY, ASKED))["refundFlag"]

    assert (part, done["transAmt"], again, flag) == ("BE301001", "100", "BE301012", "3")
    assert shown.purses.left[Wallet.BESTPAY] == 100_000_00


async def test_a_reversal_on_another_day_is_refused(shown):
    await counter(shown, wire.PLACE, ORDER)
    shown.clock.advance(12 * 3600)

    assert await counter(shown, wire.REVERSE, RETURN | {"transAmt": "100"}) == "BE301014"


async def test_a_flat_call_of_a_published_client_is_taken(shop):
    created = await mapi(shop, wire.CREATE, DIRECT)
    asked = await mapi(
        shop, wire.TRADE_QUERY, {"merchantNo": mapi_gateway.MERCHANT, "outTradeNo": "A1", "tradeDate": "x"}
    )

    assert created["result"]["tradeStatus"] == asked["result"]["tradeStatus"] == "WAITFORPAY"
    assert asked["result"]["tradeAmt"] == "1800"


async def test_fields_that_a_client_sends_empty_may_be_signed_or_not(shop):
    empty = DIRECT | {"remark": ""}
    signed_without = wire.encode_json(empty | {"sign": shop.settings.signer().sign(DIRECT)})

    reply = await shop.gateway.handle(HttpRequest("POST", f"/mapi{wire.CREATE}", body=signed_without))

    assert wire.decode_json(reply.body)["success"] is True
    assert (await mapi(shop, wire.CREATE, empty))["success"] is True


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tradeAmt": "18.00"}, mapi_gateway.BAD_FORM),
        ({"tradeAmt": "0"}, mapi_gateway.BAD_FORM),
        ({"ccy": "840"}, mapi_gateway.BAD_FORM),
        ({"outTradeNo": "with-a-dash"}, mapi_gateway.BAD_FORM),
        ({"requestDate": "20260701"}, mapi_gateway.BAD_FORM),
        ({"requestDate": "2026-06-28 12:00:00"}, mapi_gateway.BAD_FORM),
        ({"subject": ""}, mapi_gateway.BAD_FORM),
        ({"merchantNo": "3178999999999999"}, mapi_gateway.NO_SUCH_TRADE),
        ({"institutionCode": "3178999999999999"}, mapi_gateway.NO_SUCH_TRADE),
    ],
)
async def test_a_wrong_field_of_a_mapi_order_is_refused_in_a_signed_answer(shop, change, code):
    answer = await mapi(shop, wire.CREATE, DIRECT | change)

    assert (answer["success"], answer["result"], answer["errorCode"]) == (False, None, code)


async def test_a_merchants_signature_is_really_verified(shop):
    stranger = Stall(plugin, start=shop.clock.now().replace(month=8)).settings.signer()

    assert (await mapi(shop, wire.CREATE, DIRECT, signer=stranger))["errorCode"] == "API100001"
    assert (await mapi(shop, wire.CREATE, DIRECT))["success"] is True


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"path": {}}', b'{"sign": "AAAA"}'])
@pytest.mark.parametrize("path", ["/mapi/sdkRequest", "/mapi/uniformReceipt/proCreateOrder", "/mapi/nothing"])
async def test_nonsense_is_refused_in_a_signed_answer(shop, path, body):
    reply = await shop.gateway.handle(HttpRequest("POST", path, body=body))

    answer = wire.decode_json(reply.body)
    shop.settings.trust().check(answer)
    assert answer["success"] is False


async def test_another_merchants_key_is_declined_as_our_misconfiguration(shop):
    other = Stall(plugin, start=shop.clock.now().replace(month=8))
    provider = plugin.build(shop.settings_with(sign_key=other.merchant["sign_key"]), shop.keys)

    answer = await provider.create(shop.intent(Money.cny("18.00")), shop.call)

    assert (answer.reason, answer.code) == (DeclineReason.MISCONFIGURED, "API100001")


@pytest.mark.parametrize(
    ("reply", "received"),
    [
        (HttpReply(200, body=b'{"resultCode":"SUCCESS","resultMsg":"OK"}'), True),
        (HttpReply(200, body=b'{"resultCode":"FAILED","resultMsg":"FAILED"}'), False),
        (HttpReply(200, body=b"UPTRANSEQ_1"), False),
        (HttpReply(200, body=b"success"), False),
        (HttpReply(200, body=b"{"), False),
        (HttpReply(200), False),
        (HttpReply(302, body=b'{"resultCode":"SUCCESS"}'), False),
    ],
)
def test_an_acknowledgement_is_bestpays_own_words(shop, reply, received):
    assert shop.gateway.acknowledged(reply) is received


async def test_a_killed_gateway_goes_on_where_it_was(shop):
    foil, code = await shop.open(), await shop.taken(number="Latte20260701A3")
    before = dict(shop.gateway.merchant("https://institution.test"))

    shop.restart_gateway()
    shop.pay(foil.answer.code, Wallet.BESTPAY)

    assert dict(shop.gateway.merchant("https://institution.test")) == before
    assert (await shop.query(code)).state.value == (await shop.query(foil)).state.value == "paid"


async def test_serial_numbers_are_never_given_twice(shop):
    foils = [await shop.open(number=f"Latte{index:04d}") for index in range(20)]
    foils += [await shop.taken(number=f"Mocha{index:04d}") for index in range(20)]

    assert len({foil.answer.provider_ref for foil in foils}) == 40


@pytest.mark.parametrize("code", ["", "x", "http://m.bestpay.com.cn/#/apa/short"])
async def test_a_code_it_never_gave_out_is_not_recognised(shop, code):
    foil = await shop.open()
    guessed = foil.answer.code.replace("face2face", "")[:-1] + "0face2face"

    assert shop.gateway.recognise(code) is None
    assert shop.gateway.recognise(guessed) is None
    assert shop.gateway.recognise("https://h5.example/form/cashier/H5/pay?outTradeNo=A1") is None


async def test_the_test_merchant_can_be_set_up_as_it_stands(shop):
    assert (await shop.open(Way.LINK)).answer.link
    assert shop.settings.merchant != shop.settings.payer_merchant
