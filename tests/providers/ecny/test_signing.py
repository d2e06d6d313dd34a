"""What Huifu signs, byte for byte, and what of a reply is believed."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from providers.ecny import signing
from providers.ecny.seals import Seals, private_text, public_text
from providers.sdk.errors import ConfigurationError, ReplyError, SignatureError

DATA = {
    "trans_amt": "0.10",
    "remark": "",
    "goods_desc": '拿铁 <Latte> & "co"',
    "dropped": None,
    "dc_data": '{"digital_bank_no":"C1010411000013"}',
    "nested": {"b": 1, "a": {"d": "x", "c": None}},
}


@pytest.fixture
def seals(stall):
    return Seals.kept_in(stall.drawer)


@pytest.fixture
def trusted(seals):
    return (seals.huifu.public_key(),)


def reply(seals, raw, signed=None):
    signature = signing.signature_of(raw if signed is None else signed, seals.huifu)
    return f'{{"sign":"{signature}","data":{raw}}}'.encode()


def test_the_signed_text_of_a_request_is_the_one_that_bspay_go_sdk_signs():
    text = signing.canonical(DATA)

    assert text == (
        '{"dc_data":"{\\"digital_bank_no\\":\\"C1010411000013\\"}","goods_desc":"拿铁 <Latte> & \\"co\\"",'
        '"nested":{"a":{"c":null,"d":"x"},"b":1},"remark":"","trans_amt":"0.10"}'
    )
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "d2633a649fd7fd1f2f2c98031bc3bacc656ea795ad6164462f32d143be0c63d7"
    )


def test_a_reply_is_verified_over_its_data_as_it_stands_on_the_wire(seals, trusted):
    raw = '{ "resp_code" : "00000000", "b":"1","a":"\\u4e2d" }'

    assert signing.read_reply(reply(seals, raw), trusted) == {"resp_code": "00000000", "b": "1", "a": "中"}


def test_a_reply_that_was_sorted_before_it_was_signed_is_believed_too(seals, trusted):
    raw, signed = '{"b":"1", "a":"<&>"}', '{"a":"<&>","b":"1"}'

    assert signing.read_reply(reply(seals, raw, signed), trusted) == {"a": "<&>", "b": "1"}


@pytest.mark.parametrize("raw", ['{"a":"2"}', '{"a":"1","b":"2"}', "{}"])
def test_a_reply_of_other_values_than_were_signed_is_not(seals, trusted, raw):
    with pytest.raises(SignatureError):
        signing.read_reply(reply(seals, raw, '{"a":"1"}'), trusted)


def test_every_flipped_byte_of_a_reply_is_refused_or_changes_nothing(seals, trusted):
    body = reply(seals, '{"resp_code":"00000000","trans_amt":"18.00","trans_stat":"S"}')
    whole = signing.read_reply(body, trusted)

    for at in range(0, len(body), 7):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        try:
            assert signing.read_reply(flipped, trusted) == whole
        except ReplyError:
            continue


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data":{}}',
        b'{"data":"text","sign":"AAAA"}',
        b'{"data":{},"sign":7}',
        b'{"data":{},"sign":"not base64!"}',
        b'{"data":{"a":1,"a":2},"sign":"AAAA"}',
        b'{"data":{},"data":{},"sign":"AAAA"}',
        b'{"data":{},"sign":"AAAA"} more',
        b'{"data":{},"sign":"AAAA"',
        b'{"data":{"a":NaN},"sign":"AAAA"}',
        b'{"data":{"a":"\xff"},"sign":"AAAA"}',
        b'\xef\xbb\xbf{"data":{},"sign":"AAAA"}',
        b'{"data":{"a":' + b"1" * 5000 + b'},"sign":"AAAA"}',
        b'{"data":{"a":' + b"[" * 50_000 + b'},"sign":"AAAA"}',
        b'{"data":{"a":"' + b"1" * 300_000 + b'"},"sign":"AAAA"}',
        b'{"data":{"a":"\\ud800"},"sign":"AAAA"}',
        b"<html>502</html>",
    ],
)
def test_what_is_no_signed_envelope_is_refused(trusted, body):
    with pytest.raises(ReplyError):
        signing.read_reply(body, trusted)


def test_a_second_member_of_a_name_is_refused_though_the_first_verifies(seals, trusted):
    body = reply(seals, '{"a":"1"}')
    doubled = body[:-1] + b',"data":{"a":"2"}}'

    with pytest.raises(ReplyError):
        signing.read_reply(doubled, trusted)


def test_no_reply_of_a_strangers_key_is_believed(seals, trusted):
    raw = '{"a":"1"}'
    body = json.dumps({"data": {"a": "1"}, "sign": signing.signature_of(raw, seals.stranger)}).encode()

    with pytest.raises(SignatureError):
        signing.read_reply(body, trusted)


# Keys: PEM, a path, or the bare base64 of Huifu's console.


def bare(pem_text):
    return "".join(pem_text.strip().splitlines()[1:-1])


def test_a_private_key_may_be_pem_a_path_or_bare_base64(seals, tmp_path):
    text = private_text(seals.merchant)
    path = tmp_path / "key.pem"
    path.write_text(text)

    for setting in (text, str(path), bare(text)):
        key = signing.private_key(SecretStr(setting), "private_key")
        assert key.private_numbers() == seals.merchant.private_numbers()


def test_public_keys_may_be_pem_a_path_or_bare_base64_and_more_than_one(seals, tmp_path):
    old, new = public_text(seals.huifu), public_text(seals.stranger)
    path = tmp_path / "keys.pem"
    path.write_text(old + new)

    for setting in (old + new, str(path), f"{bare(old)},{bare(new)}"):
        keys = signing.public_keys(setting, "public_key")
        assert [key.public_numbers() for key in keys] == [
            seals.huifu.public_key().public_numbers(),
            seals.stranger.public_key().public_numbers(),
        ]


@pytest.mark.parametrize("setting", ["", "nowhere.pem", "A" * 400, "-----BEGIN PUBLIC KEY-----"])
def test_a_key_that_cannot_be_read_names_the_setting_and_never_its_value(setting):
    for read in (
        lambda: signing.private_key(SecretStr(setting), "private_key"),
        lambda: signing.public_keys(setting, "public_key"),
    ):
        with pytest.raises(ConfigurationError) as error:
            read()
        assert "_key" in str(error.value)
        assert not setting or setting not in str(error.value)


def test_a_key_of_another_kind_is_refused():
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

    with pytest.raises(ConfigurationError):
        signing.private_key(SecretStr(text), "private_key")
