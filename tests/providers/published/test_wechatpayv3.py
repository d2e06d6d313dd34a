"""`wechatpayv3`, as published, against our WeChat Pay: only the host it calls is another.

The SDK verifies every 2xx answer itself and raises when the signature does not hold.
"""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from wechatpayv3 import WeChatPay, WeChatPayType

pytestmark = pytest.mark.xdist_group("published wechatpayv3")

LATTE = {"total": 1800, "currency": "CNY"}


@pytest.fixture(scope="module")
def wechat(street):
    return street.serve("wechatpay")


def merchant(wechat, letterbox, **mode):
    merchant = wechat.merchant
    sdk = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=merchant["mchid"],
        private_key=merchant["private_key"],
        cert_serial_no=merchant["serial_no"],
        appid=merchant["appid"],
        apiv3_key=merchant["apiv3_key"],
        notify_url=letterbox.url,
        timeout=(5, 20),
        **mode,
    )
    sdk._core._gate_way = wechat.base_url
    return sdk


@pytest.fixture
def by_public_key(wechat, letterbox):
    mode = {name: wechat.merchant[name] for name in ("public_key", "public_key_id")}
    return merchant(wechat, letterbox, **mode)


@pytest.fixture
def by_certificate(wechat, letterbox, tmp_path):
    """The platform certificate lies in `cert_dir`: without one the SDK asks its real host while it is made."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "platform.pem").write_text(wechat.merchant["platform_certificates"])
    return merchant(wechat, letterbox, cert_dir=str(folder))


@pytest.fixture(params=["by_public_key", "by_certificate"])
def sdk(request):
    return request.getfixturevalue(request.param)


def ordered(sdk, number):
    status, text = sdk.pay(description="拿铁 Latte", out_trade_no=number, amount=LATTE)
    assert status == 200, text
    return json.loads(text)["code_url"]


def test_it_creates_an_order_that_a_wallet_pays_and_reads_it_as_paid(sdk, wechat, number):
    code = ordered(sdk, number)
    before = json.loads(sdk.query(out_trade_no=number)[1])

    paid = wechat.pay(code)
    status, text = sdk.query(out_trade_no=number)

    assert code.startswith("weixin://wxpay/bizpayurl?pr=")
    assert before["trade_state"] == "NOTPAY"
    assert paid == {
        "status": "paid", "wallet": "wechat", "number": number,
        "amount_minor": 1800, "currency": "CNY",
    }  # fmt: skip
    assert status == 200
    assert json.loads(text)["trade_state"] == "SUCCESS"
    assert json.loads(text)["amount"]["total"] == 1800


def test_it_verifies_and_opens_the_notification_of_a_payment(sdk, wechat, letterbox, number):
    wechat.pay(ordered(sdk, number))

    headers, body = letterbox.take()
    event = sdk.callback(headers, body)

    assert event["event_type"] == "TRANSACTION.SUCCESS"
    assert event["resource"]["out_trade_no"] == number
    assert event["resource"]["mchid"] == wechat.merchant["mchid"]


def test_it_does_not_believe_a_notification_in_which_one_byte_was_changed(sdk, wechat, letterbox, number):
    wechat.pay(ordered(sdk, number))

    headers, body = letterbox.take()

    assert sdk.callback(headers, body.replace(b"TRANSACTION", b"TRANSACTIOM")) is None


def test_it_refunds_part_and_is_notified(sdk, wechat, letterbox, number):
    wechat.pay(ordered(sdk, number))
    letterbox.take()

    status, text = sdk.refund(
        out_refund_no=f"R{number}",
        out_trade_no=number,
        amount={"refund": 800, "total": 1800, "currency": "CNY"},
        notify_url=sdk._notify_url,
    )
    found = json.loads(sdk.query_refund(f"R{number}")[1])
    event = sdk.callback(*letterbox.take())

    assert status == 200, text
    assert found["status"] == "SUCCESS"
    assert found["amount"]["refund"] == 800
    assert event["event_type"] == "REFUND.SUCCESS"
    assert event["resource"]["out_refund_no"] == f"R{number}"


def test_it_closes_an_order_that_then_cannot_be_paid(by_public_key, wechat, number):
    code = ordered(by_public_key, number)

    status, _ = by_public_key.close(number)

    assert status == 204
    assert json.loads(by_public_key.query(out_trade_no=number)[1])["trade_state"] == "CLOSED"
    with pytest.raises(OSError, match="422"):
        wechat.pay(code)


def test_what_it_signs_with_another_key_is_refused(by_public_key, number):
    by_public_key._core._private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    status, text = by_public_key.query(out_trade_no=number)

    assert status == 401
    assert json.loads(text)["code"] == "SIGN_ERROR"
