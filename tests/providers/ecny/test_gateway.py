"""The simulated Huifu refuses what Huifu refuses, and wallets pay what their class may."""

import json

import pytest

from providers.ecny import signing
from providers.ecny.seals import Seals, envelope
from providers.sdk.gateway import PurseRefused
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet

CREATE = "/v3/trade/payment/jspay"


def order(**more):
    data = {
        "req_date": "20260701",
        "req_seq_id": "A1",
        "huifu_id": "6666000108854952",
        "goods_desc": "latte",
        "trade_type": "D_NATIVE",
        "trans_amt": "0.10",
        "notify_url": "https://shop.example/notify",
        **more,
    }
    return {name: value for name, value in data.items() if value is not None}


async def answer_to(stall, data, *, path=CREATE, sign=None, **outside):
    text = signing.canonical(data)
    key = Seals.kept_in(stall.drawer).merchant
    body = {"sys_id": "6666000108854952", "product_id": "MCS", "data": data, **outside}
    body["sign"] = signing.signature_of(text, key) if sign is None else sign
    reply = await stall.gateway.handle(HttpRequest("POST", path, body=json.dumps(body, indent=1).encode()))
    assert reply.status == 200
    return signing.read_reply(reply.body, stall.settings.trusted())


async def test_a_good_order_is_taken_which_is_not_paid(stall):
    answer = await answer_to(stall, order())

    assert (answer["resp_code"], answer["trans_stat"]) == ("00000100", "P")
    assert (answer["req_seq_id"], answer["req_date"]) == ("A1", "20260701")
    assert answer["qr_code"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"huifu_id": "6666000000000000"}, "22000002"),
        ({"req_date": "20260702"}, "10000000"),
        ({"req_date": None}, "10000000"),
        ({"req_seq_id": ""}, "10000000"),
        ({"req_seq_id": "a b"}, "10000000"),
        ({"req_seq_id": "a" * 129}, "10000000"),
        ({"goods_desc": None}, "10000000"),
        ({"goods_desc": "a" * 128}, "10000000"),
        ({"trans_amt": "0.1"}, "10000000"),
        ({"trans_amt": "0.00"}, "10000000"),
        ({"trans_amt": "00.10"}, "10000000"),
        ({"trans_amt": 10}, "10000000"),
        ({"trans_amt": "1" * 12 + ".00"}, "10000000"),
        ({"time_expire": "20260701120000"}, "10000000"),
        ({"time_expire": "soon"}, "10000000"),
        ({"notify_url": "https://shop.example/notify?a=1"}, "10000000"),
        ({"trade_type": "T_NATIVE"}, "23000004"),
        ({"trade_type": None}, "23000004"),
    ],
)
async def test_a_wrong_field_is_refused_by_its_code(stall, change, code):
    assert (await answer_to(stall, order(**change)))["resp_code"] == code


@pytest.mark.parametrize("outside", [{"product_id": "OTHER"}, {"sys_id": "1"}, {"product_id": 7}])
async def test_another_product_or_system_is_refused(stall, outside):
    assert (await answer_to(stall, order(), **outside))["resp_code"] == "22000000"


@pytest.mark.parametrize("sign", ["", "AAAA", "no base64", 7])
async def test_a_merchants_signature_is_really_verified(stall, sign):
    answer = await answer_to(stall, order(), sign=sign)

    assert (answer["resp_code"], answer["resp_desc"]) == ("10000000", "签名验证失败")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"{", b'{"data":1,"sign":"x"}', b"\xff"])
async def test_a_body_that_is_no_envelope_is_refused_in_a_signed_answer(stall, body):
    reply = await stall.gateway.handle(HttpRequest("POST", CREATE, body=body))

    assert signing.read_reply(reply.body, stall.settings.trusted())["resp_code"] == "10000000"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", CREATE), ("POST", "/"), ("POST", "/v1/trade/payment/jspay"), ("POST", CREATE + "/")],
)
async def test_what_is_no_call_of_huifu_is_not_found(stall, method, path):
    assert (await stall.gateway.handle(HttpRequest(method, path, body=b"{}"))).status == 404


async def test_a_query_goes_by_either_number_and_needs_one(stall):
    first = await answer_to(stall, order())
    path = "/v3/trade/payment/scanpay/query"
    who = {"huifu_id": "6666000108854952"}

    by_theirs = await answer_to(stall, {**who, "org_hf_seq_id": first["hf_seq_id"]}, path=path)
    by_ours = await answer_to(stall, {**who, "org_req_seq_id": "A1", "org_req_date": "20260701"}, path=path)
    by_none = await answer_to(stall, who, path=path)
    another_day = await answer_to(
        stall, {**who, "org_req_seq_id": "A1", "org_req_date": "20260702"}, path=path
    )

    assert by_theirs == by_ours
    assert by_ours["trans_stat"] == "P"
    assert by_none["resp_code"] == "21000000"
    assert another_day["resp_code"] == "23000001"


@pytest.mark.parametrize("reason", [None, "", "{}", '{"refund_desc":""}', "no json"])
async def test_a_refund_of_e_cny_without_a_reason_is_refused(stall, reason):
    data = order(ord_amt="0.10", org_req_date="20260701", org_req_seq_id="A1", digital_currency_data=reason)

    answer = await answer_to(stall, data, path="/v3/trade/payment/scanpay/refund")

    assert answer["resp_code"] in {"10000000", "21000000"}


async def test_a_replys_data_stands_on_the_wire_exactly_as_it_was_signed(stall):
    sealed = Seals.kept_in(stall.drawer).seal({"b": "<&>", "a": "中"}, stall.faults)

    assert envelope(sealed).startswith('{"data":{"a":"中","b":"<&>"},"sign":"'.encode())


# Wallet classes.


async def pay(stall, yuan, number):
    created = await stall.provider.create(stall.intent(Money.cny(yuan), number), stall.call)
    assert isinstance(created, Created)
    stall.pay(created.code, Wallet.ECNY)


def of_class(stall, wallet_class, **spent):
    stall.drawer.put("payer/ecny", {"wallet_class": wallet_class, **spent})
    stall.purses.left[Wallet.ECNY] = 10**9


async def test_a_wallet_is_of_class_two_until_its_record_says_otherwise(stall):
    of_class(stall, "II")
    stall.drawer.texts.pop("payer/ecny")

    await pay(stall, "50000.00", "A1")
    with pytest.raises(PurseRefused, match=r"二类钱包单笔支付限额.*50000\.00"):
        await pay(stall, "50000.01", "A2")

    assert stall.drawer.get("payer/ecny")["wallet_class"] == "II"


async def test_a_class_four_wallet_stops_at_its_day_and_goes_on_tomorrow(stall):
    of_class(stall, "IV")
    await pay(stall, "2000.00", "A1")
    await pay(stall, "2000.00", "A2")
    with pytest.raises(PurseRefused, match="当日累计"):
        await pay(stall, "1000.01", "A3")
    await pay(stall, "1000.00", "A4")

    stall.clock.advance(12 * 3600)  # noon to midnight in Beijing

    await pay(stall, "2000.00", "A5")
    assert sum(minor for _, minor, _ in stall.purses.moves) == -7_000_00


async def test_a_wallet_is_put_into_another_class_and_what_it_paid_today_still_counts(stall):
    stall.purses.left[Wallet.ECNY] = 10**9
    await pay(stall, "4000.00", "A1")

    stall.gateway.put_in_class(Wallet.ECNY, "IV", Money.cny("6000"))

    assert stall.gateway.class_of(Wallet.ECNY) == "IV"
    with pytest.raises(PurseRefused, match="四类钱包单笔支付限额"):
        await pay(stall, "2000.01", "A2")
    with pytest.raises(PurseRefused, match="当日累计"):
        await pay(stall, "1000.01", "A3")
    await pay(stall, "1000.00", "A4")


def test_a_class_that_may_not_hold_what_the_wallet_holds_is_refused(stall):
    with pytest.raises(PurseRefused, match=r"holds at most ¥10000\.00"):
        stall.gateway.put_in_class(Wallet.ECNY, "IV", Money.cny("10000.01"))
    with pytest.raises(PurseRefused, match="There is no class V"):
        stall.gateway.put_in_class(Wallet.ECNY, "V", Money.cny("1"))

    stall.gateway.check_receipt(Wallet.ECNY, Money.cny("499999"), Money.cny("1"))
    with pytest.raises(PurseRefused, match="余额上限"):
        stall.gateway.check_receipt(Wallet.ECNY, Money.cny("499999"), Money.cny("1.01"))
    assert stall.gateway.class_of(Wallet.ECNY) == "II"


async def test_a_class_four_wallet_stops_at_its_year(stall):
    of_class(stall, "IV", day="20260630", day_minor=1_00, year_minor=49_999_00)

    with pytest.raises(PurseRefused, match="年累计"):
        await pay(stall, "1.01", "A1")

    await pay(stall, "1.00", "A2")


async def test_a_class_one_wallet_has_no_limit(stall):
    of_class(stall, "I")

    await pay(stall, "1000000.00", "A1")


async def test_a_refused_payment_changes_nothing_and_can_be_tried_again(stall):
    of_class(stall, "IV")
    created = await stall.provider.create(stall.intent(Money.cny("2000.01")), stall.call)
    before = dict(stall.drawer.texts)

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.ECNY)
    unchanged = stall.drawer.texts == before
    stall.drawer.put("payer/ecny", {"wallet_class": "III"})
    stall.pay(created.code, Wallet.ECNY)

    assert unchanged
    assert len(stall.courier.sent) == 1


async def test_an_empty_purse_counts_nothing_against_the_limits(stall):
    stall.purses.left[Wallet.ECNY] = 0

    with pytest.raises(PurseRefused):
        await pay(stall, "1.00", "A1")

    assert stall.drawer.get("payer/ecny") is None
