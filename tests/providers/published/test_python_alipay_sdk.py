"""`python-alipay-sdk`, as published, against our Alipay: only the host it calls is another.

The SDK verifies the signature of every answer itself and raises when it does not hold. `AliPay` is its public-key mode,
`DCAliPay` its certificate mode.
"""

from urllib.parse import parse_qsl

import pytest
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

pytestmark = [
    pytest.mark.xdist_group("published python-alipay-sdk"),
    # This SDK reads its certificates with what pyOpenSSL has since deprecated; our code does not use pyOpenSSL.
    pytest.mark.filterwarnings(r"ignore:X509\.get_issuer is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def institution(street):
    return street.serve("alipay")


def made(kind, institution, letterbox, **mode):
    merchant = institution.merchant
    sdk = kind(
        appid=merchant["app_id"],
        app_notify_url=letterbox.url,
        app_private_key_string=merchant["private_key"],
        **mode,
    )
    sdk._gateway = f"{institution.base_url}/gateway.do"
    return sdk


@pytest.fixture
def by_public_key(institution, letterbox):
    return made(
        AliPay, institution, letterbox, alipay_public_key_string=institution.merchant["alipay_public_key"]
    )


@pytest.fixture
def by_certificate(institution, letterbox):
    merchant = institution.merchant
    return made(
        DCAliPay,
        institution,
        letterbox,
        app_public_key_cert_string=merchant["app_cert"],
        alipay_public_key_cert_string=merchant["alipay_cert"],
        alipay_root_cert_string=merchant["root_cert"],
    )


@pytest.fixture(params=["by_public_key", "by_certificate"])
def sdk(request):
    return request.getfixturevalue(request.param)


def ordered(sdk, number):
    opened = sdk.api_alipay_trade_precreate(subject="拿铁 Latte", out_trade_no=number, total_amount="18.00")
    assert opened["code"] == "10000", opened
    return opened["qr_code"]


def notified(letterbox):
    _, body = letterbox.take()
    fields = dict(parse_qsl(body.decode()))
    return fields, fields.pop("sign")


def test_it_creates_an_order_that_a_wallet_pays_and_reads_it_as_paid(sdk, institution, number):
    code = ordered(sdk, number)
    before = sdk.api_alipay_trade_query(out_trade_no=number)

    institution.pay(code)
    after = sdk.api_alipay_trade_query(out_trade_no=number)

    assert code.startswith("https://qr.alipay.com/")
    assert before["sub_code"] == "ACQ.TRADE_NOT_EXIST"  # a code that nobody has scanned is no trade yet
    assert (after["trade_status"], after["total_amount"]) == ("TRADE_SUCCESS", "18.00")


def test_it_verifies_the_notification_of_a_payment(sdk, institution, letterbox, number):
    institution.pay(ordered(sdk, number))

    fields, signature = notified(letterbox)

    assert sdk.verify(dict(fields), signature)
    assert fields["trade_status"] == "TRADE_SUCCESS"
    assert (fields["out_trade_no"], fields["app_id"]) == (number, institution.merchant["app_id"])


def test_it_does_not_believe_a_notification_in_which_the_amount_was_changed(
    sdk, institution, letterbox, number
):
    institution.pay(ordered(sdk, number))

    fields, signature = notified(letterbox)

    assert not sdk.verify({**fields, "total_amount": "0.01"}, signature)


def test_it_refunds_part_and_finds_the_refund(sdk, institution, letterbox, number):
    institution.pay(ordered(sdk, number))

    refunded = sdk.api_alipay_trade_refund(
        refund_amount="8.00", out_trade_no=number, out_request_no=f"R{number}"
    )
    found = sdk.api_alipay_trade_fastpay_refund_query(f"R{number}", out_trade_no=number)

    assert (refunded["code"], refunded["fund_change"], refunded["refund_fee"]) == ("10000", "Y", "8.00")
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "8.00")


def test_it_refuses_an_answer_that_another_key_signed(by_public_key, number):
    by_public_key._alipay_public_key = by_public_key._app_private_key.public_key()

    with pytest.raises(AliPayValidationError):
        ordered(by_public_key, number)


def test_what_it_signs_with_another_key_is_refused(institution, letterbox, number):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = stranger.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    sdk = AliPay(
        appid=institution.merchant["app_id"],
        app_private_key_string=text,
        alipay_public_key_string=institution.merchant["alipay_public_key"],
    )
    sdk._gateway = f"{institution.base_url}/gateway.do"

    with pytest.raises(AliPayException, match=r"isv\.invalid-signature"):
        sdk.api_alipay_trade_query(out_trade_no=number)
