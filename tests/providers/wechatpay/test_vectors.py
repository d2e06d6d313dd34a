"""Published vectors of the official SDKs and documents; see vectors.toml for their origin."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from providers.sdk.errors import SignatureError
from providers.sdk.transport import Headers
from providers.wechatpay import signing, wire

VECTORS = tomllib.loads((Path(__file__).parent / "vectors.toml").read_text(encoding="utf-8"))
SIGN, NOTICE = VECTORS["sign"], VECTORS["notification"]
KEY = signing.public_key(SIGN["public_key"].encode(), "public_key")
THEN = datetime.fromtimestamp(int(NOTICE["timestamp"]), UTC)


def notice_headers(**replaced: str | None) -> Headers:
    values = {
        "Wechatpay-Serial": NOTICE["serial"],
        "Wechatpay-Timestamp": NOTICE["timestamp"],
        "Wechatpay-Nonce": NOTICE["nonce"],
        "Wechatpay-Signature": NOTICE["signature"],
    }
    names = {name.lower().replace("-", "_"): name for name in values}
    values |= {names[name]: value for name, value in replaced.items()}
    return Headers.of({name: value for name, value in values.items() if value is not None})


def check_notice(headers: Headers, now: datetime = THEN) -> None:
    signing.KeyRing({NOTICE["serial"]: KEY}).check(headers, NOTICE["body"].encode(), now)


def test_the_published_signature_verifies() -> None:
    signing.verify(KEY, SIGN["message"].encode(), SIGN["signature"])


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        ("sourcf", SIGN["signature"]),
        ("", SIGN["signature"]),
        ("source", ""),
        ("source", SIGN["signature"][:-2]),
        ("source", SIGN["signature"] + "\n"),
        ("source", " " + SIGN["signature"]),
        ("source", "not base64!"),
        ("source", "签名"),
        ("source", signing.PROBE_PREFIX + SIGN["signature"]),
    ],
)
def test_nothing_near_the_published_signature_verifies(message: str, signature: str) -> None:
    with pytest.raises(SignatureError):
        signing.verify(KEY, message.encode(), signature)


def test_a_signature_with_its_spare_base64_bits_changed_is_refused() -> None:
    assert SIGN["signature"].endswith("g==")

    with pytest.raises(SignatureError, match="canonical"):
        signing.verify(KEY, b"source", SIGN["signature"][:-3] + "h==")


@pytest.mark.fault("P8")
def test_the_published_notification_verifies_and_opens() -> None:
    check_notice(notice_headers())

    resource = json.loads(NOTICE["body"])["resource"]
    opened = wire.open_resource(resource, NOTICE["apiv3_key"].encode())
    assert opened.decode() == NOTICE["plaintext"]


def test_the_published_notification_is_stale_in_2026() -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        check_notice(notice_headers(), datetime(2026, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(("seconds", "fresh"), [(299, True), (-299, True), (300, False), (-300, False)])
def test_five_minutes_are_the_limit_on_both_sides(seconds: int, *, fresh: bool) -> None:
    now = THEN + timedelta(seconds=seconds)

    if fresh:
        check_notice(notice_headers(), now)
    else:
        with pytest.raises(SignatureError):
            check_notice(notice_headers(), now)


@pytest.mark.parametrize(
    "replaced",
    [
        {"wechatpay_serial": None},
        {"wechatpay_timestamp": None},
        {"wechatpay_nonce": None},
        {"wechatpay_signature": None},
        {"wechatpay_signature": ""},
        {"wechatpay_serial": "D7CE59D1F522D702"},
        {"wechatpay_serial": "PUB_KEY_ID_0000000000000024101100397200000006"},
        {"wechatpay_timestamp": "1624523847"},
        {"wechatpay_timestamp": "１６２４５２３８４６"},
        {"wechatpay_timestamp": "1624523846.0"},
        {"wechatpay_nonce": "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBy"},
    ],
)
def test_every_header_is_needed_and_signed(replaced: dict[str, str | None]) -> None:
    with pytest.raises(SignatureError):
        check_notice(notice_headers(**replaced))


def test_a_header_that_stands_twice_is_refused() -> None:
    doubled = Headers((*notice_headers().lines, ("WECHATPAY-NONCE", NOTICE["nonce"])))

    with pytest.raises(Exception, match="2 times"):
        check_notice(doubled)


@pytest.mark.parametrize("vector", VECTORS["aes"], ids=["32 bytes", "16 bytes"])
def test_the_published_ciphertexts_open_and_seal(vector: dict[str, str]) -> None:
    key, nonce, aad = vector["key"].encode(), vector["nonce"], vector["associated_data"]

    assert signing.open_sealed(key, nonce, aad, vector["ciphertext"]).decode() == vector["plaintext"]
    assert signing.seal(key, nonce, aad, vector["plaintext"].encode()) == vector["ciphertext"]


@pytest.mark.parametrize("ciphertext", ["", "AAAA", "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwM=", "签", "ulwSi"])
def test_a_ciphertext_that_does_not_open_is_a_signature_error(ciphertext: str) -> None:
    vector = VECTORS["aes"][0]

    with pytest.raises(SignatureError):
        signing.open_sealed(vector["key"].encode(), vector["nonce"], vector["associated_data"], ciphertext)


def test_the_published_certificate_download_opens_to_its_serial_and_dates() -> None:
    sealed = VECTORS["certificate"]
    key = VECTORS["aes"][0]["key"].encode()

    pem = signing.open_sealed(key, sealed["nonce"], sealed["associated_data"], sealed["ciphertext"])

    inside, before, after = (datetime(year, 6, 1, tzinfo=UTC) for year in (2026, 2023, 2029))
    assert list(signing.certificate_keys(pem, inside)) == [sealed["serial_no"]]
    assert signing.certificate_keys(pem, before) == {}
    assert signing.certificate_keys(pem, after) == {}
    assert signing.unexpired(pem + pem, inside).count(b"BEGIN CERTIFICATE") == 1
    assert signing.unexpired(pem, after) == b""


def test_the_authorization_header_has_the_published_layout() -> None:
    header = VECTORS["header"]
    signed = signing.SignedRequest(
        method="GET", target="/", timestamp=header["timestamp"], nonce=header["nonce"]
    )

    text = signing.header_text(header["mchid"], header["serial_no"], signed, "SIGNATURE")

    assert text == (
        'WECHATPAY2-SHA256-RSA2048 mchid="1234567890",nonce_str="A1B2C3D4E5F6G7",timestamp="1624523846",'
        'serial_no="0123456789ABC",signature="SIGNATURE"'
    )


def test_a_request_is_signed_over_five_lines_with_its_query_and_an_empty_body_line() -> None:
    target = "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109"
    signed = signing.SignedRequest(
        method="GET", target=target, timestamp="1554208460", nonce="593BEC0C930BF1AF"
    )

    assert signed.message == f"GET\n{target}\n1554208460\n593BEC0C930BF1AF\n\n".encode()


def test_a_reply_is_verified_over_three_lines_of_raw_bytes() -> None:
    reply = VECTORS["reply"]

    message = signing.sealed_lines(reply["timestamp"], reply["nonce"], reply["body"].encode())

    assert message == (
        b"1722850421\nd824f2e086d3c1df967785d13fcd22ef\n"
        b'{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}\n'
    )
    assert signing.sealed_lines("1", "n", b"") == b"1\nn\n\n"


def test_the_client_signs_four_lines() -> None:
    lines = VECTORS["bridge"]["lines"]

    assert signing.sealed_lines(*lines) == ("\n".join(lines) + "\n").encode()
