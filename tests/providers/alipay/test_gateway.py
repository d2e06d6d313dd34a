"""The simulated institution: calls as published SDKs send them, and what it refuses."""

import json
from urllib.parse import urlencode

import pytest

from providers.alipay import signing, wire
from providers.alipay.institution import _key
from providers.sdk.gateway import BillGone
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import PAYER_CODE

CONTENT = {"out_trade_no": "sdk_1", "total_amount": 0.01, "subject": "test 拿铁"}


def parameters(stall, method=wire.PRECREATE, content=CONTENT, **more):
    """What an SDK signs: in public-key mode, local time, without `format`."""
    whole = {
        "app_id": stall.merchant["app_id"],
        "method": method,
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": "2026-07-01 04:00:00",
        "version": "1.0",
        "biz_content": json.dumps(content),
        **more,
    }
    whole = {name: value for name, value in whole.items() if value is not None}
    key = _key(stall.merchant["private_key"])
    return {**whole, "sign": signing.sign(key, signing.signing_text(whole))}


async def said(stall, request):
    reply = await stall.gateway.handle(request)
    whole = json.loads(reply.body)
    return whole, next(iter(whole.values()))


def got(sent):
    return HttpRequest("GET", f"/gateway.do?{urlencode(sent)}")


async def call(stall, method, content, **more):
    return (await said(stall, got(parameters(stall, method, content, **more))))[1]


@pytest.mark.parametrize("style", ["get", "post", "both", "twice", "absolute"])
async def test_a_call_may_stand_in_the_address_in_the_form_or_in_both(stall, style):
    sent = parameters(stall)
    form = {"biz_content": sent["biz_content"]}
    rest = urlencode({name: value for name, value in sent.items() if name != "biz_content"})
    request = {
        "get": got(sent),
        "post": HttpRequest("POST", "/gateway.do", body=urlencode(sent).encode()),
        "both": HttpRequest("POST", f"/gateway.do?{rest}", body=urlencode(form).encode()),
        "twice": HttpRequest("POST", "/gateway.do?charset=utf-8", body=urlencode(sent).encode()),
        "absolute": HttpRequest("POST", f"http://a.test/gateway.do?{rest}", body=urlencode(form).encode()),
    }[style]

    whole, answer = await said(stall, request)

    assert answer["code"] == "10000"
    assert wire.CODE.fullmatch(answer["qr_code"])
    assert set(whole) == {"alipay_trade_precreate_response", "sign"}


async def test_an_answer_is_written_as_alipay_writes_it(stall):
    reply = await stall.gateway.handle(got(parameters(stall)))
    text = reply.body.decode()
    signed = text[text.index("{", 1) : text.index("}") + 1]

    assert r"https:\/\/qr.alipay.com\/bax" in signed
    assert text.endswith(f'{signed},"sign":"{json.loads(text)["sign"]}"}}')
    public = signing.public_key(stall.merchant["alipay_public_key"], "alipay_public_key")
    signing.verify([public], signed, json.loads(text)["sign"])


async def test_in_certificate_mode_an_answer_names_its_certificate(stall):
    papers = stall.provider._keys.papers
    mode = {"app_cert_sn": papers.app_cert_sn, "alipay_root_cert_sn": papers.root_cert_sn}

    whole, answer = await said(stall, got(parameters(stall, **mode)))

    assert answer["code"] == "10000"
    assert list(whole) == ["alipay_trade_precreate_response", "alipay_cert_sn", "sign"]


@pytest.mark.parametrize(
    ("fields", "sub_code"),
    [
        ({"app_id": "2021000000000000"}, "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"method": "alipay.trade.order.settle"}, "isv.invalid-method"),
        ({"method": 'x"}'}, "isv.invalid-method"),
        ({"timestamp": "2026-07-01T04:00:00Z"}, "isv.invalid-timestamp"),
        ({"version": None}, "isv.missing-version"),
        ({"charset": "gbk"}, "isv.invalid-charset"),
        ({"format": "XML"}, "isv.invalid-format"),
        ({"app_cert_sn": "0" * 32, "alipay_root_cert_sn": "0"}, "isv.invalid-app-cert-sn"),
    ],
)
async def test_what_is_wrong_around_the_business_is_refused_without_a_signature(stall, fields, sub_code):
    whole, answer = await said(stall, got(parameters(stall, **fields)))

    assert answer["sub_code"] == sub_code
    assert "sign" not in whole


async def test_a_wrong_root_number_is_refused(stall):
    mode = {"app_cert_sn": stall.provider._keys.papers.app_cert_sn, "alipay_root_cert_sn": "0"}

    _, answer = await said(stall, got(parameters(stall, **mode)))

    assert answer["sub_code"] == "isv.invalid-alipay-root-cert-sn"


async def test_a_merchants_signature_is_checked_for_real(stall):
    sent = parameters(stall)

    for name in sorted(set(sent) - {"app_id", "sign_type", "sign"}):
        _, answer = await said(stall, got({**sent, name: f"{sent[name]}x"}))
        assert answer["sub_code"] == "isv.invalid-signature", name
    for sign, sub_code in (("", "isv.missing-signature"), ("AAAA", "isv.invalid-signature")):
        _, answer = await said(stall, got({**sent, "sign": sign}))
        assert answer["sub_code"] == sub_code


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", "/gateway.do", body=b"\xff"),
        HttpRequest("POST", "/gateway.do?a=1", body=b"a=2"),
        HttpRequest("GET", "/gateway.do?a=%FF"),
        HttpRequest("GET", "/gateway.do"),
    ],
)
async def test_a_muddled_call_is_answered_not_a_crash(stall, request_):
    _, answer = await said(stall, request_)

    assert answer["code"].startswith("4000")


@pytest.mark.parametrize(
    "request_", [HttpRequest("GET", "/"), HttpRequest("PUT", "/gateway.do"), HttpRequest("POST", "/v3/x")]
)
async def test_other_addresses_are_not_found(stall, request_):
    assert (await stall.gateway.handle(request_)).status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"out_trade_no": "a-b"},
        {"out_trade_no": "a" * 65},
        {"out_trade_no": None},
        {"total_amount": "0.001"},
        {"total_amount": "0.00"},
        {"total_amount": "-1"},
        {"total_amount": "100000000.01"},
        {"total_amount": "1e3"},
        {"subject": "a/b"},
        {"subject": "a=b"},
        {"subject": "x" * 257},
        {"subject": ""},
        {"time_expire": "2026-07-01"},
        {"time_expire": "2026-07-01 12:00:00"},
        {"time_expire": "2026-07-17 12:00:00"},
        {"timeout_express": "1.5h"},
        {"timeout_express": "16d"},
        {"timeout_express": "0m"},
    ],
)
async def test_fields_outside_the_published_limits_are_refused(stall, fields):
    answer = await call(stall, wire.PRECREATE, {**CONTENT, **fields})

    assert answer["sub_code"] == "ACQ.INVALID_PARAMETER"


@pytest.mark.parametrize("content", ["text", [], 1, "{"])
async def test_content_that_is_no_object_is_refused(stall, content):
    assert (await call(stall, wire.PRECREATE, content))["code"] == "40002"


async def test_a_notify_url_must_be_an_address(stall):
    assert (await call(stall, wire.PRECREATE, CONTENT, notify_url="ftp://x"))["code"] == "40004"


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({"timeout_express": "5m"}, 5),
        ({"timeout_express": "3h"}, 120),
        ({"timeout_express": "1d"}, 120),
        ({"timeout_express": "1c"}, 120),
        ({}, 120),
        ({"qr_code_timeout_express": "7m"}, 7),
        ({"time_expire": "2026-07-01 12:10:00", "timeout_express": "1m"}, 10),
    ],
)
async def test_a_code_lives_as_long_as_was_asked_and_two_hours_at_most(stall, fields, minutes):
    code = (await call(stall, wire.PRECREATE, {**CONTENT, **fields}))["qr_code"]
    stall.clock.advance(minutes * 60 - 1)
    assert stall.gateway.recognise(code)

    stall.clock.advance(1)
    with pytest.raises(BillGone):
        stall.gateway.recognise(code)


async def test_without_a_notify_url_nobody_is_told(stall):
    code = (await call(stall, wire.PRECREATE, CONTENT))["qr_code"]

    stall.pay(code, Wallet.ALIPAY)

    assert stall.courier.take() == []
    assert (await call(stall, wire.QUERY, {"out_trade_no": "sdk_1"}))["trade_status"] == "TRADE_SUCCESS"


async def test_its_own_number_wins_over_the_merchants(stall):
    code = (await call(stall, wire.PRECREATE, CONTENT))["qr_code"]
    stall.pay(code, Wallet.ALIPAY)
    told = await call(stall, wire.QUERY, {"out_trade_no": "sdk_1"})

    by_its_own = await call(stall, wire.QUERY, {"out_trade_no": "other", "trade_no": told["trade_no"]})
    unknown = await call(stall, wire.CANCEL, {"trade_no": "2026"})

    assert by_its_own["out_trade_no"] == "sdk_1"
    assert unknown["sub_code"] == "ACQ.TRADE_NOT_EXIST"


async def test_cancelling_what_does_not_exist_is_carried_out_and_does_nothing(stall):
    answer = await call(stall, wire.CANCEL, {"out_trade_no": "never"})

    assert answer == {"code": "10000", "msg": "Success", "out_trade_no": "never", "retry_flag": "N"}


async def test_cancelling_a_paid_trade_gives_the_money_back_once(stall):
    code = (await call(stall, wire.PRECREATE, CONTENT))["qr_code"]
    stall.pay(code, Wallet.ALIPAY)

    answers = [await call(stall, wire.CANCEL, {"out_trade_no": "sdk_1"}) for _ in range(2)]

    assert [answer["action"] for answer in answers] == ["refund", "refund"]
    assert [minor for _, minor, _ in stall.purses.moves] == [-1, 1]


@pytest.mark.parametrize(
    ("days", "refunded", "sub_code"),
    [
        (2, False, "ACQ.TRADE_CANCEL_TIME_OUT"),
        (0, True, "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
        (366, False, "ACQ.TRADE_HAS_FINISHED"),
    ],
)
async def test_a_trade_that_is_old_or_partly_refunded_cannot_be_cancelled(stall, days, refunded, sub_code):
    code = (await call(stall, wire.PRECREATE, {**CONTENT, "total_amount": "2.00"}))["qr_code"]
    stall.pay(code, Wallet.ALIPAY)
    if refunded:
        part = {"out_trade_no": "sdk_1", "refund_amount": "1", "out_request_no": "r1"}
        await call(stall, wire.REFUND, part)
    stall.clock.advance(days * 86400)

    assert (await call(stall, wire.CANCEL, {"out_trade_no": "sdk_1"}))["sub_code"] == sub_code


async def test_a_part_needs_a_request_number_and_the_whole_does_not(stall):
    code = (await call(stall, wire.PRECREATE, {**CONTENT, "total_amount": "2.00"}))["qr_code"]
    stall.pay(code, Wallet.ALIPAY)

    part = await call(stall, wire.REFUND, {"out_trade_no": "sdk_1", "refund_amount": "1.00"})
    whole = await call(stall, wire.REFUND, {"out_trade_no": "sdk_1", "refund_amount": "2.00"})
    seen = await call(stall, wire.QUERY_REFUND, {"out_trade_no": "sdk_1", "out_request_no": "sdk_1"})

    assert part["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert (whole["fund_change"], seen["refund_status"]) == ("Y", "REFUND_SUCCESS")


async def test_the_refund_query_answers_10000_for_a_refund_that_does_not_exist(stall):
    code = (await call(stall, wire.PRECREATE, CONTENT))["qr_code"]
    stall.pay(code, Wallet.ALIPAY)

    answer = await call(stall, wire.QUERY_REFUND, {"out_trade_no": "sdk_1", "out_request_no": "none"})

    assert answer == {"code": "10000", "msg": "Success"}


async def test_a_closed_trade_is_paid_and_refunded_by_nobody(stall):
    code = (await call(stall, wire.PRECREATE, CONTENT))["qr_code"]
    stall.gateway.recognise(code)
    await call(stall, wire.CLOSE, {"out_trade_no": "sdk_1"})

    again = await call(stall, wire.PRECREATE, CONTENT)
    refund = await call(stall, wire.REFUND, {"out_trade_no": "sdk_1", "refund_amount": "0.01"})
    cancel = await call(stall, wire.CANCEL, {"out_trade_no": "sdk_1"})

    assert again["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert refund["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert cancel["action"] == "close"


async def test_transfers_are_refused_outside_certificate_mode(stall):
    content = {"out_biz_no": "t1", "trans_amount": "1.00", "product_code": "TRANS_ACCOUNT_NO_PWD"}

    assert (await call(stall, wire.TRANSFER, content))["code"] == "40006"


async def test_a_bill_that_is_settled_twice_or_unknown_is_gone(stall):
    with pytest.raises(BillGone):
        stall.gateway.settle("nothing", Wallet.ALIPAY)


def test_a_restarted_institution_is_the_same_institution(stall):
    before = stall.gateway.merchant("https://a.test")

    stall.restart_gateway()

    assert stall.gateway.merchant("https://a.test") == before


async def test_its_records_hold_no_payer_code(stall):
    await stall.provider.create(stall.shown(), stall.call)

    records = "".join(stall.drawer.texts.values()) + "".join(stall.drawer.texts)
    assert "alipay/used/" in records
    assert PAYER_CODE not in records
