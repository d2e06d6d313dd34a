"""Whose certificate is believed: chain, dates, organisation. The yansongda hole stays shut here."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from providers.sdk.errors import SignatureError
from providers.sdk.testing import NOON
from providers.unionpay.authority import LEAF_NAME, Authority, Seal, certificate
from providers.unionpay.signing import ORGANISATION, TEST_ORGANISATION, Trust, organisation_of

YEAR = timedelta(days=365)
MESSAGE = {"orderId": "Latte20260701A1", "respCode": "00", "txnAmt": "1800"}


@pytest.fixture(scope="module")
def keys():
    return Authority.made(NOON)


@pytest.fixture(scope="module")
def trust(keys):
    return Trust((keys.root.certificate,), (keys.middle.certificate,), frozenset({ORGANISATION}))


def leaf_of(keys, name, *, issuer=None, since=NOON - YEAR, until=NOON + YEAR):
    return Seal(keys.leaf.key, certificate(name, keys.leaf.key, since, until, issuer or keys.middle))


def test_a_leaf_of_the_chain_with_unionpays_name_is_believed(keys, trust):
    trust.check(keys.leaf.sign(MESSAGE), NOON)


def test_the_next_leaf_of_the_same_chain_is_believed_without_any_change(keys, trust):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    next_leaf = Seal(key, certificate(LEAF_NAME, key, NOON - YEAR, NOON + YEAR, keys.middle))

    trust.check(next_leaf.sign(MESSAGE), NOON)


def test_a_self_made_certificate_with_unionpays_name_is_refused(keys, trust):
    with pytest.raises(SignatureError):
        trust.check(keys.stranger.sign(MESSAGE), NOON)


def test_a_certificate_whose_issuer_only_has_the_right_name_is_refused(keys, trust):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    namesake = Seal(key, certificate("CFCA SANDBOX OCA1", key, NOON - YEAR, NOON + YEAR))

    with pytest.raises(SignatureError):
        trust.check(leaf_of(keys, LEAF_NAME, issuer=namesake).sign(MESSAGE), NOON)


def test_a_merchants_certificate_of_the_same_authority_is_refused(keys, trust):
    with pytest.raises(SignatureError):
        trust.check(keys.merchant.sign(MESSAGE), NOON)


def test_a_leaf_straight_under_the_root_is_refused(keys, trust):
    with pytest.raises(SignatureError):
        trust.check(leaf_of(keys, LEAF_NAME, issuer=keys.root).sign(MESSAGE), NOON)


def test_a_middle_of_another_root_is_refused(keys):
    other = Authority.made(NOON)
    mixed = Trust((other.root.certificate,), (keys.middle.certificate,), frozenset({ORGANISATION}))

    with pytest.raises(SignatureError):
        mixed.check(keys.leaf.sign(MESSAGE), NOON)


@pytest.mark.fault("A23")
def test_an_old_and_a_new_authority_overlap(keys):
    other = Authority.made(NOON)
    both = Trust(
        (other.root.certificate, keys.root.certificate),
        (other.middle.certificate, keys.middle.certificate),
        frozenset({ORGANISATION}),
    )

    both.check(keys.leaf.sign(MESSAGE), NOON)
    both.check(other.leaf.sign(MESSAGE), NOON)


@pytest.mark.parametrize("moment", [NOON - YEAR - timedelta(seconds=1), NOON + YEAR + timedelta(seconds=1)])
def test_a_leaf_outside_its_dates_is_refused(keys, trust, moment):
    signed = leaf_of(keys, LEAF_NAME).sign(MESSAGE)

    trust.check(signed, NOON)
    with pytest.raises(SignatureError):
        trust.check(signed, moment)


def test_an_expired_middle_is_refused(keys, trust):
    with pytest.raises(SignatureError):
        trust.check(leaf_of(keys, LEAF_NAME, until=NOON + 40 * YEAR).sign(MESSAGE), NOON + 30 * YEAR)


@pytest.mark.parametrize(
    "name",
    [
        ORGANISATION,
        f"041@{ORGANISATION}",
        f"041@{ORGANISATION}@8310000000083040@00016495",
        "041@83@中国银联股份有限公司北京分公司@1",
        f"041@8310000000083040@{TEST_ORGANISATION}@00016495",
    ],
)
def test_another_name_is_refused(keys, trust, name):
    with pytest.raises(SignatureError):
        trust.check(leaf_of(keys, name).sign(MESSAGE), NOON)


@pytest.mark.fault("P3")
def test_the_test_environments_second_signer_is_believed_only_there(keys, trust):
    signed = leaf_of(keys, f"041@Z2017-11-1@{TEST_ORGANISATION}@00000001").sign(MESSAGE)
    testing = replace(trust, organisations=frozenset({ORGANISATION, TEST_ORGANISATION}))

    testing.check(signed, NOON)
    with pytest.raises(SignatureError):
        trust.check(signed, NOON)


def test_two_common_names_are_no_name(keys):
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("SHOP", LEAF_NAME)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(keys.middle.certificate.subject)
        .public_key(keys.leaf.key.public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + YEAR)
    )

    assert organisation_of(builder.sign(keys.middle.key, hashes.SHA256())) == ""


def test_a_leaf_that_is_not_rsa_is_refused(keys, trust):
    key = ec.generate_private_key(ec.SECP256R1())
    curved = certificate(LEAF_NAME, key, NOON - YEAR, NOON + YEAR, keys.middle)
    enclosed = curved.public_bytes(serialization.Encoding.PEM).decode().strip()

    with pytest.raises(SignatureError):
        trust.check({**keys.leaf.sign(MESSAGE), "signPubKeyCert": enclosed}, NOON)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": ""},
        {"signature": "!!!!"},
        {"signature": "AAAA"},
        {"signPubKeyCert": ""},
        {"signPubKeyCert": "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----"},
        {"signPubKeyCert": "A" * 20_000},
        {"signMethod": "11"},
        {"version": "5.0.0"},
        {"txnAmt": "1801"},
        {"extra": "1"},
    ],
)
def test_anything_changed_is_refused(keys, trust, change):
    with pytest.raises(SignatureError):
        trust.check({**keys.leaf.sign(MESSAGE), **change}, NOON)


def with_sha1(one, issuer):
    """The same certificate signed with SHA-1, as CFCA's are: `cryptography` reads such, but makes none."""
    sha256_oid, sha1_oid = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
    body = one.tbs_certificate_bytes.replace(sha256_oid, sha1_oid)
    signature = issuer.key.sign(body, PKCS1v15(), hashes.SHA1())
    whole = one.public_bytes(serialization.Encoding.DER).replace(sha256_oid, sha1_oid)
    return x509.load_der_x509_certificate(whole.replace(one.signature, signature))


def test_a_chain_signed_with_sha1_is_verified_all_the_same(keys):
    middle = Seal(keys.middle.key, with_sha1(keys.middle.certificate, keys.root))
    leaf = Seal(keys.leaf.key, with_sha1(keys.leaf.certificate, keys.middle))
    trust = Trust((keys.root.certificate,), (middle.certificate,), frozenset({ORGANISATION}))

    trust.check(leaf.sign(MESSAGE), NOON)

    assert isinstance(leaf.certificate.signature_hash_algorithm, hashes.SHA1)
    forged = Seal(keys.leaf.key, with_sha1(keys.leaf.certificate, keys.stranger))
    with pytest.raises(SignatureError):
        trust.check(forged.sign(MESSAGE), NOON)
