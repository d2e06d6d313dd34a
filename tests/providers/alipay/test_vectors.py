"""Published messages and certificates, as Alipay made them (yansongda/pay's and Alipay's own test fixtures)."""

from pathlib import Path

import pytest

from providers.alipay import reading, signing, wire
from providers.sdk.clock import from_beijing
from providers.sdk.contract import PayoutRequest
from providers.sdk.errors import SignatureError
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Returned, Verified
from providers.sdk.transport import HttpRequest
from tests.providers.alipay.counter import PUBLIC_KEY_MODE, Counter

FIXTURES = Path(__file__).parent / "published"
RECORDED_AT = from_beijing("2023-12-21 16:26:45", wire.TIME)

PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAl2PJhW04G1sClzEDwMw1
nxCjlyDTubFhn89bcEzP7GB/mFWnfIRXydM2qvDALpJggjeCIc3Orm0AobZOltic
1MGOBrFWcoOMyT7haV3X05jPa0qy6bMg5YJZy7/5mjTQL/3jPJM+TA3YTNV8wPUs
JgWINENAGFIakS4HTj3oGIuPvbMgL1z7Yd66TIYzfA4FRwa08XXaZLC/u+EJ8tUe
dhQhPjwWQBL0H+bhoqWZSIW3/xdMZrMf8RF9uM22Y3mE1DAnxseXrxjW2Kg0q/47
mOjXGBcrQUOeaAB+0SamdFu6LP9ylQOESg0bpFhgqhUWIT/QYJ1I8PQrVYy9QZkA
IwIDAQAB
-----END PUBLIC KEY-----
"""

NOTIFICATION = (
    "gmt_create=2023-12-21+16%3A26%3A32&charset=utf-8&gmt_payment=2023-12-21+16%3A26%3A43"
    "&notify_time=2023-12-21+16%3A26%3A45&subject=yansongda%2B%E6%B5%8B%E8%AF%95+-+1"
    "&sign=Rs7SszD15WqbdJsGZPN%2BHpCBcQzBCkJx0ccNeg1rpUxyTVA1ps2vJ4sLhaa7O%2BlliTj6N1MSGqc8cK6JSs7nPg731RAOfneirt"
    "rqrlW2u0m15kWAKrVjgPGLUMtK%2FeT15e%2F6NcxsWra%2FbsZaan%2BnFDzO8xceOwy96W%2BqVUtTPfBRBp9Zjryi5oIONOifGMALD284Y"
    "bNC3qq2eyqVysF%2Bzgk%2B%2FMtuHk2Eh%2FfL7UbClHQXQ2hD686Dt8bR949TNMbkWCYXstmjVBO55qF8xhaoF%2Fb5zAe5%2FO%2F13g%2"
    "FQlwDXBcF3XwJpbFWrBehoFFCnJhR%2FxXZ0E%2BD2Vsw1oAQ3l%2BR2dQ%3D%3D"
    "&buyer_id=2088722003899169&invoice_amount=0.01&version=1.0&notify_id=2023122101222162644199160501632046"
    "&fund_bill_list=%5B%7B%22amount%22%3A%220.01%22%2C%22fundChannel%22%3A%22ALIPAYACCOUNT%22%7D%5D"
    "&notify_type=trade_status_sync&out_trade_no=1703147160&total_amount=0.01&trade_status=TRADE_SUCCESS"
    "&trade_no=2023122122001499160501589436&auth_app_id=9021000122682882&receipt_amount=0.01&point_amount=0.00"
    "&app_id=9021000122682882&buyer_pay_amount=0.01&sign_type=RSA2&seller_id=2088721003899159"
)

REPLY = (
    '{"code":"10000","msg":"Success","order_id":"20231220110070000002150000657610","out_biz_no":"2023122022560000",'
    '"pay_date":"2023-12-20 22:56:33","pay_fund_order_id":"20231220110070001502150000660902","status":"SUCCESS",'
    '"trans_amount":"0.01"}'
)
REPLY_SIGN = (
    "eITxP5fZiJPB2+vZb90IRkv2iARxeNx/6Omxk7FStqflhG5lMoCvGjo2FZ6Szo1bGBMBReazZuqLaqsgomWAUO9onMVurB3enLbRvwUlpE7X"
    "EZaxk/sJYjgc2Y7pIAenvnLL9PEAiXmvUvuinUlvS9J2r1XysC0p/2wu7kEJ/GgZpFDIIYY9mdM6U1rGbi+RvirQXtQHmaEuuJWLA75NR1bv"
    "fG3L8znzW9xz1kOQqOWsQmD/bF1CDWbozNLwLCUmClRJz0Fj4mUYRF0zbW2VP8ZgHu1YvVKJ2+dWC9b+0o94URk7psIpc5NjiOM9Jsn6aoC2"
    "CfrJ/sqFMRCkYWzw6A=="
)


@pytest.fixture
def key():
    return signing.public_key(PUBLIC_KEY, "alipay_public_key")


@pytest.fixture
def recorded():
    """The account that the recorded messages were for."""
    return Counter(
        **PUBLIC_KEY_MODE,
        app_id="9021000122682882",
        seller_id="2088721003899159",
        alipay_public_key=PUBLIC_KEY,
    )


def read(stall, body):
    return stall.provider.read_notification(HttpRequest("POST", "/notify", body=body.encode()), RECORDED_AT)


def test_the_recorded_notification_is_a_payment_of_one_fen(recorded):
    verdict = read(recorded, NOTIFICATION)

    assert isinstance(verdict, Verified)
    assert verdict.event_key == "2023122101222162644199160501632046"
    assert (verdict.fact.number, verdict.fact.amount) == ("1703147160", Money(1, "CNY"))
    assert verdict.fact.state is Paid.PAID
    assert verdict.fact.merchant == "9021000122682882"
    assert verdict.fact.provider_ref == "2023122122001499160501589436"
    assert verdict.fact.paid_at == from_beijing("2023-12-21 16:26:43", wire.TIME)


def test_the_recorded_notification_verifies_only_without_its_sign_type(key):
    form = wire.decode_form(NOTIFICATION.encode())

    signing.verify([key], signing.signing_text(form, signing.UNSIGNED_IN_NOTIFICATIONS), form["sign"])
    with pytest.raises(SignatureError):
        signing.verify([key], signing.signing_text(form, signing.UNSIGNED_IN_REQUESTS), form["sign"])


@pytest.mark.parametrize("name", sorted(wire.decode_form(NOTIFICATION.encode()).keys() - {"sign_type"}))
def test_any_changed_field_of_the_recorded_notification_breaks_it(recorded, name):
    form = wire.decode_form(NOTIFICATION.encode())

    changed = wire.encode_form({**form, name: f"{form[name]}0"}).decode()

    assert isinstance(read(recorded, changed), Rejected)


def test_a_notification_decoded_twice_does_not_verify(recorded):
    assert isinstance(read(recorded, NOTIFICATION.replace("%2B", "+")), Rejected)


def test_the_recorded_reply_verifies_as_the_text_that_was_received(key):
    body = f'{{"alipay_fund_trans_uni_transfer_response":{REPLY},"sign":"{REPLY_SIGN}"}}'

    envelope = wire.open_envelope(body.encode(), wire.TRANSFER)

    signing.verify([key], envelope.signed, envelope.signature)
    with pytest.raises(SignatureError):
        signing.verify([key], envelope.signed.replace("0.01", "0.02"), envelope.signature)
    with pytest.raises(SignatureError):
        signing.verify([key], envelope.signed.replace(",", ", "), envelope.signature)


def test_the_recorded_reply_is_a_transfer_of_one_fen():
    request = PayoutRequest(
        number="2023122022560000",
        amount=Money(1, "CNY"),
        payee="2088722003899169",
        title="",
        created_at=RECORDED_AT,
        notify_url="",
    )
    fields = wire.Envelope(REPLY, REPLY_SIGN).fields()

    done = reading.payout_snapshot(fields, request)

    assert (done.state, done.amount) == (Returned.DONE, Money(1, "CNY"))
    assert done.provider_ref == "20231220110070000002150000657610"


def test_the_root_file_of_production_has_its_published_number():
    text = (FIXTURES / "alipayRootCert.crt").read_bytes()

    assert signing.root_sn(text) == "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
    assert signing.root_sn(text.replace(b"\n\n", b"\n")) == signing.root_sn(text)
    assert signing.root_sn(text.replace(b"\n", b"\r\n")) == signing.root_sn(text)


def test_an_application_certificate_has_its_published_number():
    [own] = signing.certificates((FIXTURES / "alipayAppPublicCert.crt").read_bytes())

    assert signing.certificate_sn(own) == "e90dd23a37c5c7b616e003970817ff82"


def test_the_first_certificate_of_alipays_file_verifies_its_messages():
    leaf, authority = signing.certificates((FIXTURES / "alipayPublicCert.crt").read_bytes())

    signing.verify([signing.key_of(leaf)], REPLY, REPLY_SIGN)
    leaf.verify_directly_issued_by(authority)
    with pytest.raises(SignatureError):
        signing.verify([signing.key_of(authority)], REPLY, REPLY_SIGN)
