"""Whose word counts: keys that overlap, refusals that come unsigned, and values that hide a field."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import load_pem_x509_certificate

from providers.bestpay import signing, wire
from providers.bestpay.seals import Seals
from providers.sdk.errors import ConfigurationError, SignatureError
from providers.sdk.results import Created, Declined, DeclineReason, NotFound, Paid, Unknown
from providers.sdk.testing import BASE_URL


@pytest.fixture
def seals(shop):
    return Seals.kept_in(shop.drawer, shop.random, shop.clock.now())


@pytest.fixture(scope="module")
def newer():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def signed(message, key, digest="SHA1"):
    return {**message, "sign": signing.signature_of(message, key, digest)}


def test_an_old_and_a_new_key_are_both_believed(seals, newer):
    trust = signing.Trust.of(seals.platform_cert.encode() + public_pem(newer))

    for key in (seals.platform, newer):
        trust.check(signed({"a": "1"}, key))
    with pytest.raises(SignatureError):
        trust.check(signed({"a": "1"}, seals.stranger))


async def test_a_merchant_with_both_certificates_lives_through_a_rotation(shop, shop_with, seals, newer):
    both = shop.merchant["platform_cert"] + public_pem(newer).decode()
    before = shop_with(platform_cert=both)
    old_alone, new_alone = shop_with(), shop_with(platform_cert=public_pem(newer).decode())

    assert isinstance((await before.open()).answer, Created)
    assert isinstance((await old_alone.open()).answer, Created)
    assert isinstance((await new_alone.open()).answer, Unknown)


def test_both_hashes_are_believed_in_the_order_of_the_setting(seals):
    for digest in ("SHA1", "SHA256"):
        message = signed({"a": "1"}, seals.platform, digest)
        signing.Trust.of(seals.platform_cert.encode()).check(message)
        signing.Trust.of(seals.platform_cert.encode(), (digest,)).check(message)


def test_a_der_certificate_is_read_too(seals):
    certificate = load_pem_x509_certificate(seals.platform_cert.encode())

    signing.Trust.of(certificate.public_bytes(serialization.Encoding.DER)).check(signed({}, seals.platform))


def test_a_key_of_another_kind_is_refused():
    key = public_pem(ec.generate_private_key(ec.SECP256R1()))

    with pytest.raises(ConfigurationError, match="platform_cert"):
        signing.Trust.of(key)


@pytest.mark.parametrize("sign", [None, "", "====", "é", "A" * 4096, {"a": "b"}, True, "AAAA"])
def test_a_sign_that_is_none_is_refused(seals, sign):
    with pytest.raises(SignatureError):
        signing.Trust.of(seals.platform_cert.encode()).check({"a": "1", "sign": sign})


def test_a_sign_in_lines_is_read(seals):
    message = signed({"a": "1"}, seals.platform)
    sign = message["sign"]

    signing.Trust.of(seals.platform_cert.encode()).check(message | {"sign": f"{sign[:76]}\r\n{sign[76:]}"})


def test_a_value_that_hides_a_field_is_refused_though_its_sign_fits(seals):
    honest = signed({"memo": "x&outTradeNo=A1&tradeStatus=SUCCESS"}, seals.platform)
    split = {"memo": "x", "outTradeNo": "A1", "tradeStatus": "SUCCESS"}
    assert signing.signed_text(honest) == signing.signed_text(split)

    with pytest.raises(SignatureError):
        signing.Trust.of(seals.platform_cert.encode()).check(honest)


def test_a_signed_value_of_the_older_gateway_hides_nothing():
    with pytest.raises(SignatureError):
        signing.Mac("key").of({"a": "1&B=2"}, ("a", "b"))


async def test_an_unsigned_refusal_is_unknown_and_its_code_is_told(shop, scripted):
    shop.stall.call = type(shop.call)(
        scripted(b'{"success":false,"errorCode":"API100001","errorMsg":"sign"}'), shop.clock, shop.random
    )

    answer = (await shop.open()).answer

    assert isinstance(answer, Unknown)
    assert "API100001" in answer.reason


async def test_an_unsigned_refusal_is_believed_where_the_operator_says_so(shop_with, scripted):
    shop = shop_with(unsigned_refusals=True)
    foil = await shop.open()
    body = b'{"success":false,"result":null,"errorCode":"%s","errorMsg":"no"}'
    shop.stall.call = type(shop.call)(scripted(body % b"API100001"), shop.clock, shop.random)

    refused = (await shop.open(number="Latte20260701A2")).answer
    shop.stall.call = type(shop.call)(scripted(body % b"TRADE_NOT_EXIST"), shop.clock, shop.random)
    missing = await shop.query(foil)

    assert (refused.reason, refused.code) == (DeclineReason.MISCONFIGURED, "API100001")
    assert missing == NotFound("TRADE_NOT_EXIST")


async def test_an_unsigned_success_is_never_believed(shop_with, scripted):
    shop = shop_with(unsigned_refusals=True)
    foil = await shop.open()
    body = b'{"success":true,"result":{"merchantNo":"%s","outTradeNo":"%s","tradeAmt":1800,"tradeStatus":"SUCCESS"}}'
    body %= (shop.settings.merchant.encode(), foil.intent.number.encode())
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    assert isinstance(await shop.query(foil), Unknown)


async def test_an_odd_error_code_stands_in_no_reason(shop, scripted):
    shop.stall.call = type(shop.call)(
        scripted(b'{"success":false,"errorCode":"<b>515665002854886972</b>"}'), shop.clock, shop.random
    )

    answer = (await shop.open()).answer

    assert "5156650" not in answer.reason


async def test_the_operators_own_words_of_a_state_are_read(shop, shop_with, seals, scripted):
    told = {
        "success": True,
        "result": {
            "merchantNo": shop.settings.merchant,
            "outTradeNo": "Latte20260701A1",
            "tradeAmt": wire.Digits("1800"),
            "tradeStatus": "TRADE_FINISHED",
        },
    }
    body = wire.encode_json(signed(told, seals.platform)).replace(b'"1800"', b"1800")
    knowing = shop_with(more_statuses="TRADE_FINISHED=paid, TRADE_CLOSED=closed")

    answers = []
    for one in (shop, knowing):
        foil = await one.open()
        one.stall.call = type(one.call)(scripted(body), one.clock, one.random)
        answers.append(await one.query(foil))

    assert isinstance(answers[0], Unknown)
    assert "more_statuses" in answers[0].reason
    assert (answers[1].state, answers[1].amount.minor) == (Paid.PAID, 1800)


async def test_a_refusal_of_the_older_gateway_needs_no_sign(shop, scripted):
    body = '{"success":false,"result":null,"errorCode":"BE300001","errorMsg":"订单 MAC 域验证失败"}'.encode()
    shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)

    answer = (await shop.taken()).answer

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.MISCONFIGURED, "BE300001")
    assert BASE_URL in shop.merchant["payer_code_url"]


@pytest.mark.parametrize("gone", ["tradeAmt", "outTradeNo", "merchantNo", "tradeStatus"])
async def test_a_payment_that_leaves_out_what_it_is_about_is_unknown(shop, seals, scripted, gone):
    foil = await shop.open()
    result = {
        "merchantNo": shop.settings.merchant,
        "outTradeNo": foil.intent.number,
        "tradeAmt": "1800",
        "tradeStatus": "SUCCESS",
    }
    whole, lacking = (
        wire.encode_json(signed({"success": True, "result": one}, seals.platform))
        for one in (result, result | {gone: None})
    )

    answers = []
    for body in (whole, lacking):
        shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)
        answers.append(await shop.query(foil))

    assert answers[0].state is Paid.PAID
    assert isinstance(answers[1], Unknown)


async def test_a_signed_answer_of_another_merchant_is_unknown(shop, seals, scripted):
    foil = await shop.paid()
    result = {
        "outTradeNo": foil.intent.number,
        "outRequestNo": "RefundA1",
        "refundAmt": "600",
        "tradeStatus": "SUCCESS",
    }

    answers = []
    for merchant in (shop.settings.merchant, "3178999999999999"):
        body = wire.encode_json(
            signed({"success": True, "result": result | {"merchantNo": merchant}}, seals.platform)
        )
        shop.stall.call = type(shop.call)(scripted(body), shop.clock, shop.random)
        answers.append((await shop.refund(foil, 600, number="RefundA1"))[1])

    assert answers[0].amount.minor == 600
    assert isinstance(answers[1], Unknown)
