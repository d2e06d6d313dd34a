"""Every ailment that a doctor names, whatever the institution."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from pydantic import Field, SecretStr

from providers.sdk.contract import ProviderSettings
from providers.sdk.doctor import (
    Pair,
    Weight,
    examine_certificate,
    examine_private,
    examine_public,
    look_over,
    mix_up,
    serial_of,
    signed_by,
    why_unverified,
)
from providers.sdk.testing import NOON

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PKCS8, PKCS1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def text_of(key, form=PKCS8, secret=None):
    return key.private_bytes(Encoding.PEM, form, secret or NoEncryption()).decode()


def public_text(key=KEY, form=PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def certificate(key=KEY, *, since=NOON - timedelta(days=1), until=NOON + timedelta(days=365)):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "1900000001")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(0xABC)
    dated = builder.public_key(key.public_key()).not_valid_before(since).not_valid_after(until)
    return dated.sign(OTHER, hashes.SHA256())


CERTIFICATE = certificate().public_bytes(Encoding.PEM).decode()


def private(text, **wishes):
    pair, [finding] = examine_private(SecretStr(text), "private_key", **wishes)
    return pair, finding


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
def test_a_sound_key_is_told_by_its_form_and_the_print_of_its_public_half(form):
    pair, finding = private(text_of(KEY, form))

    assert finding.weight is Weight.FINE
    assert pair.form == {PKCS1: "PKCS#1", PKCS8: "PKCS#8"}[form]
    assert pair.print in finding.text


PRIVATE = {
    "a certificate": (CERTIFICATE, "It holds a certificate"),
    "a public key": (public_text(), "the pair is swapped"),
    "an encrypted key": (text_of(KEY, secret=BestAvailableEncryption(b"word")), "encrypted with a password"),
    "half a key": (text_of(KEY)[:900], "no whole private key"),
    "a line without header": ("".join(text_of(KEY).splitlines()[1:-1]), "Base64 without a header"),
    "line ends spelt out": (text_of(KEY).replace("\n", "\\n"), r"the two characters \n"),
    "an elliptic curve": (text_of(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
    "an elliptic curve, old form": (
        text_of(ec.generate_private_key(ec.SECP256R1()), PKCS1),
        "elliptic-curve",
    ),
    "PKCS#1 under the header of PKCS#8": (
        text_of(KEY, PKCS1).replace("RSA PRIVATE", "PRIVATE"),
        "PKCS#1 under the header of PKCS#8",
    ),
    "PKCS#8 under the header of PKCS#1": (
        text_of(KEY).replace("PRIVATE", "RSA PRIVATE"),
        "PKCS#8 under the header of PKCS#1",
    ),
    "a path to nowhere": ("/nowhere/apiclient_key.pem", "a file that cannot be read"),
}


@pytest.mark.parametrize(("text", "said"), PRIVATE.values(), ids=PRIVATE.keys())
def test_what_is_no_private_key_is_named(text, said):
    _, finding = private(text)

    assert finding.weight is Weight.WRONG
    assert said in finding.text


def test_a_pkcs1_key_where_pkcs8_is_wanted_is_named_with_the_command_that_converts_it():
    pair, finding = private(text_of(KEY, PKCS1), pkcs8=True)

    assert pair is None
    assert "PKCS#1 (BEGIN RSA PRIVATE KEY) where PKCS#8 is wanted" in finding.text
    assert "openssl pkcs8 -topk8" in finding.text


def test_a_bare_line_will_do_where_the_institution_s_tool_gives_one():
    pair, finding = private("".join(text_of(KEY, PKCS1).splitlines()[1:-1]), bare=True)

    assert (pair.form, finding.weight) == ("PKCS#1", Weight.FINE)


def test_a_key_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes("商户私钥\n".encode("gbk") + text_of(KEY).encode())

    _, finding = private(str(path))

    assert "Its bytes are GBK where UTF-8 is wanted" in finding.text


PUBLIC = {
    "our own": (public_text(KEY), "public half of your own private key"),
    "a private key": (text_of(OTHER), "It holds a private key: the pair is swapped"),
    "a certificate": (CERTIFICATE, "It holds a certificate"),
    "PKCS#1": (public_text(OTHER, PublicFormat.PKCS1), "It is PKCS#1"),
    "half a key": (public_text(OTHER)[:200], "no RSA public key"),
}


@pytest.mark.parametrize(("text", "said"), PUBLIC.values(), ids=PUBLIC.keys())
def test_what_is_not_the_institution_s_public_key_is_named(text, said):
    key, [finding] = examine_public(text, "public_key", Pair(KEY, "PKCS#8"), "The bank")

    assert key is None
    assert finding.weight is Weight.WRONG
    assert said in finding.text


DATES = {
    "expired": ({"until": NOON - timedelta(hours=1)}, Weight.WRONG, "Expired on 2026-07-01"),
    "not yet": ({"since": NOON + timedelta(hours=1)}, Weight.WRONG, "Not valid before 2026-07-01"),
    "soon": ({"until": NOON + timedelta(days=10)}, Weight.NOTE, "Expires on 2026-07-11, in 10 days"),
    "in date": ({}, Weight.FINE, "Valid until 2027-07-01, serial 0ABC, subject 1900000001"),
}


@pytest.mark.fault("P1")
@pytest.mark.parametrize(("dates", "weight", "said"), DATES.values(), ids=DATES.keys())
def test_a_certificate_s_dates_and_serial_are_told(dates, weight, said):
    [finding] = examine_certificate(certificate(**dates), "cert", NOON)

    assert finding.weight is weight
    assert said in finding.text


@pytest.mark.fault("P1")
def test_a_certificate_of_another_key_is_named():
    ours, theirs = certificate(KEY), certificate(OTHER)

    _, match = examine_certificate(ours, "cert", NOON, own=Pair(KEY, ""))
    _, wrong = examine_certificate(theirs, "cert", NOON, own=Pair(KEY, ""))

    assert (match.weight, wrong.weight) == (Weight.FINE, Weight.WRONG)
    assert "another key" in wrong.text
    assert serial_of(ours) == "0ABC"


MIXED = {
    "GBK bytes": ("拿铁咖啡".encode("gbk"), "bytes are GBK"),
    "UTF-8 as GBK": ("新会员有礼啊".encode().decode("gbk"), "UTF-8 that was read as GBK"),
    "UTF-8 as Latin-1": ("拿铁".encode().decode("latin-1"), "UTF-8 that was read as Latin-1"),
    "GBK as Latin-1": ("拿铁".encode("gbk").decode("latin-1"), "GBK that was read as Latin-1"),
    "lost": ("拿\ufffd", "characters were lost"),
}


@pytest.mark.parametrize(("content", "said"), MIXED.values(), ids=MIXED.keys())
def test_a_mix_up_of_gbk_and_utf_8_is_named(content, said):
    assert said in mix_up(content)


@pytest.mark.parametrize(
    "content", ["", "latte", "拿铁 Latte ￥18", "月门小店·二维码已失效", "拿铁".encode(), "é"]
)
def test_sound_texts_are_not_suspected(content):
    assert mix_up(content) == ""


CHANGED = {
    "as it is": ("拿铁=1".encode(), "拿铁=1".encode(), "exactly these bytes"),
    "GBK signed": ("拿铁=1".encode(), "拿铁=1".encode("gbk"), "signed in GBK and arrived in UTF-8"),
    "UTF-8 signed": ("拿铁=1".encode("gbk"), "拿铁=1".encode(), "signed in UTF-8 and arrived in GBK"),
    "CRLF": (b"a\nb", b"a\r\nb", "Line ends were changed"),
    "last LF missing": (b"a\nb", b"a\nb\n", "last line end is missing"),
    "plus": (b"a b", b"a+b", "plus sign was decoded"),
    "another text": (b"a", b"b", ""),
}


@pytest.mark.parametrize(("arrived", "signed", "said"), CHANGED.values(), ids=CHANGED.keys())
def test_why_a_signature_does_not_verify_is_found_by_trying(arrived, signed, said):
    import base64

    signature = base64.b64encode(KEY.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()

    found = why_unverified(arrived, lambda text: signed_by([KEY.public_key()], text, signature))

    assert said in found
    assert bool(said) == bool(found)


class Bank(ProviderSettings):
    merchant_id: str = Field("1", description="Number.")
    key: SecretStr = Field(SecretStr(""), description="Key.")
    cert: str = Field("", description="Certificate.")
    title: str = Field("", description="Title.")


LOOKED = {
    "an expired certificate": ({"cert": CERTIFICATE}, NOON + timedelta(days=900), "cert: Expired on"),
    "a swapped key": ({"key": public_text()}, NOON, "key: It holds a public key: the pair is swapped"),
    "a shared key with a line end": ({"key": "12345678\n"}, NOON, "key: There are blanks or line ends"),
    "a shared key in quotation marks": ({"key": '"12345678"'}, NOON, "key: It stands in quotation marks"),
    "a shared key": ({"key": "12345678"}, NOON, "key: 8 bytes."),
    "a mixed up title": ({"title": "拿铁".encode().decode("latin-1")}, NOON, "title: It is UTF-8 that"),
}


@pytest.mark.parametrize(("fields", "now", "said"), LOOKED.values(), ids=LOOKED.keys())
def test_any_provider_s_settings_are_looked_over_without_showing_a_secret(fields, now, said):
    findings = [f"{finding.about}: {finding.text}" for finding in look_over(Bank(**fields), now)]

    assert any(line.startswith(said) for line in findings), findings
    assert "12345678" not in str(findings)
