"""A merchant's settings, the simulated institution's refusals, and what this provider says of itself."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import providers.cmpay
from providers.cmpay import CmpaySettings, messages, plugin, signing, wire
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest

RULES = {
    "create", "query", "close", "refund", "query_refund", "notification", "payer_code", "in_app", "payout",
    "statement", "key_rotation", "vectors", "scrub", "gateway", "faults",
}  # fmt: skip


def settings_with(**more):
    return CmpaySettings(**{"merchant_id": "888009953110001", "sign_key": "canary-key", **more})


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ("Nothing=a,b", "no message"),
        ("OrderQuery", "each field once"),
        ("OrderQuery=merchantId,orderId,orderId", "each field once"),
        ("OrderQuery=merchantId,order id", "each field once"),
        ("OrderQuery=merchantId,orderId,hmac", "without hmac"),
        ("OrderQuery=merchantId", "orderId must be signed"),
        ("OrderQuery.answer=merchantId,orderId,status", "amount, returnCode must be signed"),
        ("OfflineNotify=merchantId,payNo,returnCode,orderId,status", "amount must be signed"),
        ("OrderQuery=merchantId,orderId,shopNo", "shopNo a value in fixed_values"),
    ],
)
def test_a_table_that_cannot_hold_is_refused_with_its_cure(orders, words):
    with pytest.raises(ValidationError, match=words):
        settings_with(field_orders=orders)


@pytest.mark.parametrize("values", ["a", "a=1;a=2", "=1", "a b=1"])
def test_fixed_values_that_cannot_be_read_are_refused(values):
    with pytest.raises(ValidationError, match="name=value"):
        settings_with(fixed_values=values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"merchant_id": "a b"},
        {"sign_key": ""},
        {"character_set": "03"},
        {"payer_code_version": "1.0"},
        {"code_prefix": "https://evil.example/"},
        {"close_grace_s": -1},
    ],
)
def test_a_wrong_setting_is_refused_and_no_secret_is_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        settings_with(**wrong)

    assert "canary" not in str(refused.value)


async def test_a_field_of_the_contract_s_own_is_signed_and_sent():
    row = "merchantId,requestId,signType,type,version,orderId,shopNo"
    overrides = {
        "query_type": "OrderQuery",
        "fixed_values": "shopNo=7",
        "field_orders": f"OrderQuery={row};\n",
    }
    stall = Stall(plugin, overrides=overrides)

    await stall.provider.query(stall.ref(stall.intent(Money.cny("1.00"))), stall.call)

    fields = wire.decode_form(stall.transport.requests[0].body, "gbk")
    assert (tuple(fields), fields["shopNo"]) == ((*row.split(","), "hmac"), "7")


def test_the_key_is_in_no_repr(stall):
    key = stall.merchant["sign_key"]

    assert key not in repr(stall.settings) + repr(stall.provider) + repr(stall.gateway)


def test_the_merchant_s_number_is_the_one_that_answers_are_held_to(stall):
    assert stall.settings.merchant == stall.merchant["merchant_id"] == "888009953110001"


def test_quality_says_every_rule_and_every_unsure_line_names_a_setting():
    quality = tomllib.loads(Path(providers.cmpay.__file__).with_name("quality.toml").read_text())

    assert set(quality) - {"unsure"} == RULES
    assert all(value == "done" or "exempt" in value for value in (quality[rule] for rule in RULES))
    assert set(quality["unsure"]) - {"refund_window"} <= set(CmpaySettings.model_fields)


def order_of(stall, **more):
    fields = {
        "characterSet": "00",
        "callbackUrl": "https://shop.example/",
        "notifyUrl": "https://shop.example/n",
        "ipAddress": "127.0.0.1",
        "merchantId": stall.merchant["merchant_id"],
        "requestId": "R1",
        "signType": "MD5",
        "type": "CASDirectPayConfirm",
        "version": "2.0.0",
        "amount": "1800",
        "currency": "00",
        "orderDate": "20260701",
        "orderId": "Latte20260701A1",
        "merAcDate": "20260701",
        "period": "30",
        "periodUnit": "00",
        "productName": "Latte",
    }
    return {**fields, **more}


async def answer_to(stall, fields, *, path=wire.ONLINE_PATH, method="POST", key=""):
    order = messages.field_orders("", "2.0.0").get(fields.get("type"), ())
    sent = signing.signed(fields, order, key or stall.merchant["sign_key"])
    reply = await stall.gateway.handle(HttpRequest(method, path, body=wire.encode_form(sent, "gbk")))
    return wire.decode_answer(reply.body, "gbk", {"message"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "000000"),
        ({"merchantId": "888009953110002"}, "IPS0001"),
        ({"type": "Nothing"}, "D77040"),
        ({"type": "CloudQuickPay"}, "D77040"),
        ({"amount": "0"}, "C01014"),
        ({"amount": "18.00"}, "C01014"),
        ({"currency": "01"}, "C01019"),
        ({"orderDate": "2026-07-01"}, "C01025"),
        ({"period": "1000"}, "C01027"),
        ({"periodUnit": "09"}, "C01030"),
        ({"productName": ""}, "C01033"),
        ({"productName": "x" * 51}, "C01081"),
        ({"orderId": ""}, "D22208"),
        ({"requestId": "a b"}, "D22208"),
    ],
)
async def test_the_simulated_institution_refuses_by_the_published_codes(stall, change, code):
    assert (await answer_to(stall, order_of(stall, **change)))["returnCode"] == code


async def test_a_merchant_s_hmac_is_really_verified(stall):
    answer = await answer_to(stall, order_of(stall), key="another key")

    assert (answer["returnCode"], answer["message"], "hmac" in answer) == ("IPS0008", "签名不符", False)


async def test_an_order_or_request_number_is_taken_once(stall):
    await answer_to(stall, order_of(stall))

    same_order = await answer_to(stall, order_of(stall, requestId="R2"))
    same_request = await answer_to(stall, order_of(stall, orderId="Latte20260701A2"))

    assert same_order["returnCode"] == same_request["returnCode"] == "D22208"


@pytest.mark.parametrize("body", [b"", b"a", b"a=1&a=2", b"characterSet=00&x=%ff%ff", b"\xff"])
async def test_what_is_no_form_is_refused_not_a_crash(stall, body):
    reply = await stall.gateway.handle(HttpRequest("POST", wire.ONLINE_PATH, body=body))

    assert wire.decode_answer(reply.body, "gbk", ())["returnCode"] == "IPS0001"


async def test_another_path_or_method_is_refused(stall):
    elsewhere = await answer_to(stall, order_of(stall), path="/else/cmpayService")
    got = await answer_to(stall, order_of(stall), method="GET")

    assert elsewhere["returnCode"] == got["returnCode"] == "D77040"


async def test_two_accounts_of_different_keys_do_not_mix(stall):
    other = Stall(plugin, start=stall.clock.now().replace(month=8))
    created = await other.provider.create(other.intent(Money.cny("1.00")), other.call)

    assert isinstance(created, Created)
    assert stall.gateway.recognise(created.code) is None
