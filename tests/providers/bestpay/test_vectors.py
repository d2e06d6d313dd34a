"""Published messages: the user guide's mac of a payment, and the official demo's signed MAPI answer."""

import json

import pytest

from providers.bestpay import signing, wire
from providers.sdk.errors import SignatureError

# User guide V2.8, 5.4; the key is the guide's.
PAYMENT = {
    "merchantId": "043101180050000",
    "orderNo": "1433734609560",
    "orderReqNo": "14337346095601",
    "orderDate": "20150608113649",
    "barcode": "515665002854886972",
    "orderAmt": "1",
}
KEY = "344C4FB521F5A52EA28FB7FC79AEA889478D4343E4548C02"
PAYMENT_MAC = "3B5E200FD1EF8988693F242438A32475"

# The demo's recorded answer; its certificate ran out in September 2022.
SIGNED = (
    'errorCode=null&errorMsg=null&result={"buyerContractNo":null,"memo":null,"merchantNo":"3178033925245778",'
    '"merchantOrderNo":"51051961121411114968722","outTradeNo":"51051961121411114968722",'
    '"tradeNo":"20210910100000210002110248557045","tradeResultCode":null,"tradeResultDesc":null,'
    '"tradeStatus":"WAITFORPAY","tradeprodNo":"2021091017TPPIOP1110001459527428"}&success=true'
)
SIGN = (
    "eO/gZym6aH1BFLbHNcMj04bt22U358l0rGk9+eO8EVCaR+HovuOJ1gpoyOAgs72Rwfpu4/fNUZ/teIdha25je6FedoDWZRYw4kXgcLUmKMSW"
    "bPAuT/CZJ/caX2vAPYWBV0TE2jTpBVVvXJMBkA71b55vRgEi86x1ZwRXq+vwyOo="
)
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIICZDCCAc+gAwIBAgIECLCVbTALBgkqhkiG9w0BAQUwMzELMAkGA1UEBhMCQ04x
JDAiBgNVBAMMG2Jlc3RwYXkgY2Egb25saW5lY2FfUlNBcm9vdDAeFw0xOTA5MTUx
NjAwMDBaFw0yMjA5MTUxNjAwMDBaMGQxCzAJBgNVBAYTAkNOMRAwDgYDVQQKDAdC
RVNUUEFZMScwJQYDVQQDDB7lpKnnv7znlLXlrZDllYbliqHmnInpmZDlhazlj7gx
GjAYBgNVBAUTETIwMTkwOTE2MTQ0MDI1NDg2MIGdMAsGCSqGSIb3DQEBAQOBjQAw
gYkCgYEApyqtnZpmJHzOHBMPDj6t4uFq6/Q23v1J9SDUtAJI5zBE7OeJDdbN5A0H
A7b4muXwYh7b/q4cyN8r+8DPjfQVPjoF3VZjtWG4BPMX2CL6x6v2zlhY3Iegyp4K
+YvfG3db9wc4akAKi60SLFJ2C+0yKHFiYdidrwLnRvWbro/UjakCAwEAAaNaMFgw
HwYDVR0jBBgwFoAU3uYiedkx4p9GitScsGH1myw+T0wwCwYDVR0PBAQDAgeAMB0G
A1UdDgQWBBRcKiIYnAtIHESm2kR6lbADj1NR5zAJBgNVHRMEAjAAMAsGCSqGSIb3
DQEBBQOBgQBJhn9uC27Csy3erZ4HPPmyivHrEVGTVFly31gLXHOG/+LBtkvnW71O
2otfYiUSzTB6ZsWZLnxot0u2LhD7SQyFGRrltfqsesHf6GiWmMB2umTlgh0ej8NM
cNOWcaE/SlpEbr5GLRSb/TFkWEGum0YP+ArkooK1arBbT0KgHGdFxw==
-----END CERTIFICATE-----
"""


def recorded():
    """The answer as it came: in another order than it is signed in, and indented."""
    fields = dict(part.split("=", 1) for part in SIGNED.split("&"))
    answer = {name: json.loads(text) for name, text in reversed(fields.items())}
    answer["result"] = dict(reversed(answer["result"].items()))
    return json.dumps(answer | {"sign": SIGN}, indent="\t").encode()


def test_a_payments_mac_is_the_published_one():
    assert signing.Mac(KEY).of(PAYMENT, signing.PLACE_MAC) == PAYMENT_MAC


@pytest.mark.parametrize("field", list(PAYMENT))
def test_every_field_of_a_payment_is_in_its_mac(field):
    changed = PAYMENT | {field: "2"}

    assert signing.Mac(KEY).of(changed, signing.PLACE_MAC) != PAYMENT_MAC


def test_the_signed_text_of_the_recorded_answer_is_the_published_one():
    assert signing.signed_text(wire.decode_json(recorded())) == SIGNED


def test_the_recorded_answer_verifies_under_its_certificate():
    signing.Trust.of(CERTIFICATE.encode()).check(wire.decode_json(recorded()))


def test_the_recorded_answer_is_signed_with_sha1_alone():
    signing.Trust.of(CERTIFICATE.encode(), ("SHA1",)).check(wire.decode_json(recorded()))

    with pytest.raises(SignatureError):
        signing.Trust.of(CERTIFICATE.encode(), ("SHA256",)).check(wire.decode_json(recorded()))


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (b"WAITFORPAY", b"SUCCESS"),
        (b'"memo": null', b'"memo": ""'),
        (b"51051961121411114968722", b"51051961121411114968723"),
        (b'"success": true', b'"success": false'),
        (b'"errorCode": null', b'"errorCode": 0'),
        (b'"errorCode": null', b'"more": 1, "errorCode": null'),
    ],
)
def test_a_changed_recording_does_not_verify(found, put):
    body = recorded()
    assert found in body

    with pytest.raises(SignatureError):
        signing.Trust.of(CERTIFICATE.encode()).check(wire.decode_json(body.replace(found, put)))
