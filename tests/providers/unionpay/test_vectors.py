"""Published messages of UnionPay's test gateway (yansongda/pay's test fixtures), as they were on the wire."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from providers.sdk.clock import from_beijing
from providers.sdk.errors import SignatureError
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Snapshot
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest
from providers.unionpay import plugin, reading, signing, wire

# The instant of the recorded notification, inside the life of its certificate (until 2025-07-31).
RECORDED_AT = datetime(2022, 9, 8, 5, 22, 6, tzinfo=UTC)

REQUESTS = {
    "query": (
        (
            "accessType=0&bizType=000000&certId=69903319369&encoding=utf-8&merId=777290058167151"
            "&orderId=pay20240105145046&signMethod=01&txnSubType=00&txnTime=20240105145046&txnType=00&version=5.1.0"
        ),
        "089656b0a87e64e2aaa60b71485fd57d0afab55777494f16d452ce1d66e5579e",
    ),
    "consume": (
        (
            "accessType=0&backUrl=https://yansongda.cn/unipay/notify&bizType=000201&certId=69903319369&channelType=07"
            "&currencyCode=156&encoding=utf-8&frontUrl=http://127.0.0.1:8000/unipay/return&merId=777290058167151"
            "&orderId=pay20240105145046&signMethod=01&txnAmt=1&txnSubType=01&txnTime=20240105145046&txnType=01"
            "&version=5.1.0"
        ),
        "73c16a60437ae4c56e7574970d952771c143448bddfb499587ef8bdaa95f766e",
    ),
    "void": (
        (
            "accessType=0&backUrl=https://yansongda.cn/unipay/notify&bizType=000000&certId=69903319369&channelType=07"
            "&encoding=utf-8&merId=777290058167151&orderId=cancelpay20240105164725&origQryId=652401051647252574008"
            "&signMethod=01&txnAmt=1&txnSubType=00&txnTime=20240105164725&txnType=31&version=5.1.0"
        ),
        "5228e222bc00218bb96016b2554b0164152403e5ef936812e5f51d60d2ceb88a",
    ),
}

LEAF = """\
-----BEGIN CERTIFICATE-----
MIIEYzCCA0ugAwIBAgIFEDkwhTQwDQYJKoZIhvcNAQEFBQAwWDELMAkGA1UEBhMC
Q04xMDAuBgNVBAoTJ0NoaW5hIEZpbmFuY2lhbCBDZXJ0aWZpY2F0aW9uIEF1dGhv
cml0eTEXMBUGA1UEAxMOQ0ZDQSBURVNUIE9DQTEwHhcNMjAwNzMxMDExOTE2WhcN
MjUwNzMxMDExOTE2WjCBljELMAkGA1UEBhMCY24xEjAQBgNVBAoTCUNGQ0EgT0NB
MTEWMBQGA1UECxMNTG9jYWwgUkEgT0NBMTEUMBIGA1UECxMLRW50ZXJwcmlzZXMx
RTBDBgNVBAMMPDA0MUA4MzEwMDAwMDAwMDgzMDQwQOS4reWbvemTtuiBlOiCoeS7
veaciemZkOWFrOWPuEAwMDAxNjQ5NTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC
AQoCggEBAMHNa81t44KBfUWUgZhb1YTx3nO9DeagzBO5ZEE9UZkdK5+2IpuYi48w
eYisCaLpLuhrwTced19w2UR5hVrc29aa2TxMvQH9s74bsAy7mqUJX+mPd6KThmCr
t5LriSQ7rDlD0MALq3yimLvkEdwYJnvyzA6CpHntP728HIGTXZH6zOL0OAvTnP8u
RCHZ8sXJPFUkZcbG3oVpdXQTJVlISZUUUhsfSsNdvRDrcKYY+bDWTMEcG8ZuMZzL
g0N+/spSwB8eWz+4P87nGFVlBMviBmJJX8u05oOXPyIcZu+CWybFQVcS2sMWDVZy
sPeT3tPuBDbFWmKQYuu+gT83PM3G6zMCAwEAAaOB9DCB8TAfBgNVHSMEGDAWgBTP
cJ1h6518Lrj3ywJA9wmd/jN0gDBIBgNVHSAEQTA/MD0GCGCBHIbvKgEBMDEwLwYI
KwYBBQUHAgEWI2h0dHA6Ly93d3cuY2ZjYS5jb20uY24vdXMvdXMtMTQuaHRtMDkG
A1UdHwQyMDAwLqAsoCqGKGh0dHA6Ly91Y3JsLmNmY2EuY29tLmNuL1JTQS9jcmw3
NTAwMy5jcmwwCwYDVR0PBAQDAgPoMB0GA1UdDgQWBBTmzk7XEM/J/sd+wPrMils3
9rJ2/DAdBgNVHSUEFjAUBggrBgEFBQcDAgYIKwYBBQUHAwQwDQYJKoZIhvcNAQEF
BQADggEBAJLbXxbJaFngROADdNmNUyVxPtbAvK32Ia0EjgDh/vjn1hpRNgvL4flH
NsGNttCy8afLJcH8UnFJyGLas8v/P3UKXTJtgrOj1mtothv7CQa4LUYhzrVw3UhL
4L1CTtmE6D1Kf3+c2Fj6TneK+MoK9AuckySjK5at6a2GQi18Y27gVF88Nk8bp1lJ
vzOwPKd8R7iGFotuF4/8GGhBKR4k46EYnKCodyIhNpPdQfpaN5AKeS7xeLSbFvPJ
HYrtBsI48jUK/WKtWBJWhFH+Gty+GWX0e5n2QHXHW6qH62M0lDo7OYeyBvG1mh9u
Q0C300Eo+XOoO4M1WvsRBAF13g9RPSw=
-----END CERTIFICATE-----"""

NOTIFICATION = {
    "accessType": "0",
    "bizType": "000201",
    "currencyCode": "156",
    "encoding": "utf-8",
    "exchangeRate": "0",
    "merId": "777290058167151",
    "orderId": "yansongda20220908132206",
    "queryId": "782209081322060674028",
    "respCode": "00",
    "respMsg": "success",
    "settleAmt": "1",
    "settleCurrencyCode": "156",
    "settleDate": "0908",
    "signMethod": "01",
    "traceNo": "067402",
    "traceTime": "0908132206",
    "txnAmt": "1",
    "txnSubType": "01",
    "txnTime": "20220908132206",
    "txnType": "01",
    "version": "5.1.0",
    "signPubKeyCert": LEAF.replace("\n", "\r\n"),  # CRLF inside, nothing after END
    "accNo": (
        "ORRSXWY1kMr8UJNxGx9xKPuO0Uhm8JT8aQV3sWswJfIsj/grkjauH4soyAtiqB9XwQotZOwmUAs/pkMupUkfiX9npdFGGEUEc5gq"
        "q+lcEwyD7tLmd2WBzRvcEvvjAKMKwTCFDxmQbIrP48ocIVhPoZ87ZQtQM5MIyJYedrzPRlt6BzRddUPGU1gJwDA8APDx3iyNl8EA"
        "fenJw7DUDZimmhbE1VSRmQm/iqgJurI7juq/6ztDHZHv4ys1eN9JYkwhcKxCjsWpwXTSy0PGvDXhsAZsDuNXHsjI8JLhHXvTDaU2"
        "+gc289LZPiwpr4Ah/reIuPWrIHubchYm2XTqQlUAaw=="
    ),
    "signature": (
        "JeA4S2+6TbGo9yjXDUvV5A2E3oJbunoCcZ66exN6xR3OH/5PNDK1VSV1Mq7XhVdxzkTeREUveiOYHalqoagRkh71nsHVvruwGbk6"
        "azygXSaawuO5tF67UIqNd4Mbufwh1KhbVpEkKbOETUvRhFcdon0fulE97I83eMSk52INHt8E1xk8NdbhyUadSlp+Uv30AKx70PpQ"
        "bTGmVS3PJfd+Whj0b7LnvZKeC+BS1kUOtIKlcZO+gBoTigvCIJqj51kBrcBCs+x+VaeGm7EYBBhGSERpfQhQ4n+eJBwLdBeZ0/dN"
        "bo3iELjvVMx0n9KoW4klvUJhaH5LALA8pV02SbZv4Q=="
    ),
}


def fields_of(text):
    return dict(pair.split("=", 1) for pair in text.split("&"))


@pytest.mark.fault("P8")
@pytest.mark.parametrize("name", REQUESTS)
def test_published_requests_have_their_published_digest(name):
    text, digest = REQUESTS[name]

    assert signing.signing_text(fields_of(text)) == text
    assert signing.digest(fields_of(text)) == digest


def test_order_of_fields_empty_fields_and_an_old_signature_do_not_matter():
    text, digest = REQUESTS["query"]
    shuffled = dict(reversed(fields_of(text).items())) | {"reqReserved": "", "signature": "old"}

    assert signing.digest(shuffled) == digest


def test_the_hex_letters_of_the_digest_are_what_rsa_signs(stall):
    fields = fields_of(REQUESTS["query"][0])
    signer = stall.settings.signer()

    signed = signer.sign(fields)

    signer.key.public_key().verify(
        signing.base64.b64decode(signed["signature"]),
        signing.digest(signed).encode("ascii"),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    assert signed["certId"] == signer.cert_id


def test_the_recorded_notification_verifies_with_its_own_certificate():
    leaf = signing.enclosed_certificate(NOTIFICATION)

    signing.check_signature(NOTIFICATION, leaf)

    assert leaf.serial_number == 69678957876
    assert signing.organisation_of(leaf) == signing.ORGANISATION


@pytest.mark.parametrize("name", sorted(set(NOTIFICATION) - {"signature"}))
def test_any_changed_field_of_the_recorded_notification_breaks_it(name):
    leaf = signing.enclosed_certificate(NOTIFICATION)

    with pytest.raises(SignatureError):
        signing.check_signature({**NOTIFICATION, name: NOTIFICATION[name] + "0"}, leaf)
    with pytest.raises(SignatureError):
        signing.check_signature({k: v for k, v in NOTIFICATION.items() if k != name}, leaf)


def test_the_recorded_notification_survives_the_form_it_was_sent_in():
    assert wire.decode_form(wire.encode_form(NOTIFICATION)) == NOTIFICATION


def test_the_recorded_notification_survives_the_raw_form_of_an_answer():
    assert wire.decode_reply(wire.encode_reply(NOTIFICATION)) == NOTIFICATION


def test_the_recorded_notification_reads_as_a_payment_of_one_fen():
    verdict = reading.verified(NOTIFICATION, NOTIFICATION["merId"])

    assert verdict.event_key == "01/01-782209081322060674028-00"
    assert verdict.fact == Snapshot(
        number="yansongda20220908132206",
        merchant="777290058167151",
        amount=Money(1, "CNY"),
        state=Paid.PAID,
        provider_ref="782209081322060674028",
        paid_at=from_beijing("20220908132206", wire.TIME),
        code="00",
        message="success",
    )
    assert verdict.fact.paid_at == RECORDED_AT


@pytest.mark.fault("A20")
def test_a_message_of_the_test_environment_is_refused_where_its_authority_is_not_configured():
    stall = Stall(plugin, start=RECORDED_AT)
    post = HttpRequest("POST", "/notify", body=wire.encode_form(NOTIFICATION))

    verdict = stall.provider.read_notification(post, RECORDED_AT)

    assert isinstance(verdict, Rejected)
    assert "authorities" in verdict.reason
