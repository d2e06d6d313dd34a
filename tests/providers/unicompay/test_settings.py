"""A merchant's settings, the simulated institution's refusals, and what this provider says of itself."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import providers.unicompay
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest
from providers.unicompay import UnicompaySettings, plugin, signing, wire

ROLES = "merchant=a; number=b; amount=c; result=d; reference=e"


def settings_with(**more):
    return UnicompaySettings(**{"mer_no": "301100710007122", "sign_key": "canary-key", **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"mer_no": "a b"},
        {"sign_key": ""},
        {"sign_type": "RSA"},
        {"tran_type": "20102"},
        {"notification_fields": ROLES},
        {"notification_fields": f"{ROLES}; paid_at=f; more=g"},
        {"notification_fields": f"{ROLES}; paid_at=f g"},
        {"notification_order": "orderNo,amount"},
        {"notification_order": "orderNo,orderNo"},
        {"close_grace_s": -1},
    ],
)
def test_a_wrong_setting_is_refused_and_no_secret_is_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        settings_with(**wrong)

    assert "canary" not in str(refused.value)


async def test_sha_1_signs_the_page(stall):
    sha = Stall(plugin, overrides={"sign_type": "SHA-1", "open_first": False})
    order = sha.provider._order(sha.intent(Money.cny("1.00")))

    assert len(order["signMsg"]) == 40
    assert order["signType"] == "SHA-1"


def test_the_key_is_in_no_repr(stall):
    key = stall.merchant["sign_key"]

    assert key not in repr(stall.settings) + repr(vars(stall.provider)) + repr(stall.gateway)


def test_quality_says_every_rule_and_every_unsure_line_names_a_setting():
    quality = tomllib.loads(Path(providers.unicompay.__file__).with_name("quality.toml").read_text())

    assert len(quality) == 16
    assert set(quality["unsure"]) - {"refund_window"} <= set(UnicompaySettings.model_fields)


def test_refunds_and_their_query_are_off_until_the_contract_says_where():
    settings = settings_with()

    assert (settings.refund_url, settings.refund_query_url) == ("", "")
    assert not settings.open_first
    assert not settings.send_validity
    assert settings.pay_url.startswith("https://epay.10010.com/pay/servlet/MerOrderPayReqServlte.htm?")


async def lines_of(stall, path, method="POST", key="", **fields):
    sent = signing.signed(
        {"merNo": stall.merchant["mer_no"], **fields}, key or stall.merchant["sign_key"], "MD5"
    )
    reply = await stall.gateway.handle(HttpRequest(method, path, body=wire.encode_form(sent)))
    return wire.decode_lines(reply.body) if reply.status == 200 else reply.status


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/pay/query/order.htm", "queryResult"),
        ("/pay/refund/order.htm", "refundResult"),
        ("/pay/query/refund.htm", "refundResult"),
    ],
)
async def test_a_merchant_s_signature_is_really_verified(stall, path, result):
    stranger = await lines_of(stall, path, key="another key", orderNo="1")
    nobody = await lines_of(stall, path, merNo="1", orderNo="1")
    missing = await lines_of(stall, path, orderNo="1")

    assert (stranger[result], "signMsg" in stranger) == ("ILLEGAL_SIGN", False)
    assert (nobody[result], "signMsg" in nobody) == ("ILLEGAL_MERCHANT_NO", False)
    assert missing[result] == "ORDER_NOT_EXIST"
    assert await lines_of(stall, path, method="GET") == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "¥18.00"),
        ({"amount": "0"}, "ILLEGAL_PARAM"),
        ({"orderNo": "a-b"}, "ILLEGAL_PARAM"),
        ({"goodsName": ""}, "ILLEGAL_PARAM"),
        ({"interfaceVersion": "9"}, "ILLEGAL_PARAM"),
        ({"orderValidityNum": "30", "reqTime": "now"}, "ILLEGAL_PARAM"),
        ({"merNo": "1"}, "ILLEGAL_MERCHANT_NO"),
        ({"goodsName": "<script>"}, "&lt;script&gt;"),
    ],
)
async def test_the_page_refuses_what_it_cannot_take(stall, change, words):
    fields = {
        "interfaceVersion": "1.0.0.0",
        "merNo": stall.merchant["mer_no"],
        "goodsName": "Latte",
        "orderNo": "Latte20260701A1",
        "amount": "1800",
        "tradeMode": "0001",
        "reqTime": "20260701120000",
    } | change
    sent = signing.signed(fields, stall.merchant["sign_key"], "MD5")

    page = await stall.gateway.handle(HttpRequest("POST", wire.PAGE_PATH, body=wire.encode_form(sent)))

    assert words in page.body.decode()


@pytest.mark.parametrize("body", [b"", b"a", b"a=1&a=2", b"\xff"])
async def test_what_is_no_form_is_answered(stall, body):
    for path in (wire.PAGE_PATH, wire.QUERY_PATH):
        assert (await stall.gateway.handle(HttpRequest("POST", path, body=body))).status == 200


async def test_the_page_of_a_paid_order_says_so_and_another_under_its_number_is_refused(stall):
    intent = stall.intent(Money.cny("18.00"))
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    other = stall.provider._order(stall.intent(Money.cny("19.00")))

    stall.gateway.settle(intent.number, min(plugin.info.wallets))
    again = await stall.gateway.handle(
        HttpRequest("GET", created.code.removeprefix("https://institution.test"))
    )
    refused = await stall.gateway.handle(HttpRequest("POST", wire.PAGE_PATH, body=wire.encode_form(other)))

    assert "订单已支付" in again.body.decode()
    assert "DUPLICATE_ORDER" in refused.body.decode()
