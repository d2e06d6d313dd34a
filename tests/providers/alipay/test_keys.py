"""A merchant's settings in both modes, keys that leak nowhere, and a certificate that changes under way."""

import base64
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

import providers.alipay
from providers.alipay import AlipaySettings, plugin, signing, wire
from providers.alipay.channel import ASKED_AT, DOWNLOADED
from providers.alipay.institution import _key
from providers.sdk.errors import ConfigurationError
from providers.sdk.gateway import Fault
from providers.sdk.results import Paid, Rejected, Snapshot, Unknown, Verified
from providers.sdk.testing import MemoryKeys
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import PUBLIC_KEY_MODE, Counter

CANARY = "canary-secret"


def asked_for(stall):
    return [wire.decode_form(one.body)["method"] for one in stall.transport.requests]


async def test_requests_name_both_certificates_in_certificate_mode_only(either):
    await either.opened()

    form = wire.decode_form(either.transport.requests[0].body)
    named = {"app_cert_sn", "alipay_root_cert_sn"} & set(form)

    assert bool(named) == bool(either.settings.app_cert)
    assert len(named) in {0, 2}


@pytest.mark.parametrize(
    ("coding", "style"),
    [
        ("pem", serialization.PrivateFormat.TraditionalOpenSSL),
        ("pem", serialization.PrivateFormat.PKCS8),
        ("line", serialization.PrivateFormat.TraditionalOpenSSL),
        ("line", serialization.PrivateFormat.PKCS8),
        ("path", serialization.PrivateFormat.PKCS8),
    ],
)
async def test_every_form_of_the_private_key_is_read(stall, tmp_path, coding, style):
    key = _key(stall.merchant["private_key"])
    pem = key.private_bytes(serialization.Encoding.PEM, style, serialization.NoEncryption()).decode()
    der = key.private_bytes(serialization.Encoding.DER, style, serialization.NoEncryption())
    path = tmp_path / "app_private_key.pem"
    path.write_text(pem)
    given = {"pem": pem, "line": base64.b64encode(der).decode(), "path": str(path)}[coding]

    again = Counter(private_key=given)

    await again.opened()


async def test_the_platforms_one_line_of_a_public_key_is_read(stall):
    line = "".join(stall.merchant["alipay_public_key"].splitlines()[1:-1])

    await Counter(**PUBLIC_KEY_MODE | {"alipay_public_key": line}).opened()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("private_key", "-----BEGIN PRIVATE KEY-----\ncanary-secret\n-----END PRIVATE KEY-----"),
        ("private_key", "/nowhere/canary-secret.pem"),
        ("private_key", "canary-secret" * 30),
        ("app_cert", "/nowhere/canary-secret.crt"),
        ("alipay_cert", "-----BEGIN CERTIFICATE-----\ncanary-secret\n-----END CERTIFICATE-----"),
        ("root_cert", "-----BEGIN\x00 canary-secret"),
    ],
)
def test_a_wrong_key_is_refused_at_start_naming_the_setting_and_never_its_value(stall, field, value):
    with pytest.raises(ConfigurationError, match=field) as refusal:
        plugin.build(stall.settings_with(**{field: value}), MemoryKeys())

    assert CANARY not in str(refusal.value)


def test_the_applications_own_public_key_certificate_must_be_that_of_its_key(stall):
    with pytest.raises(ConfigurationError, match="app_cert"):
        plugin.build(stall.settings_with(app_cert=stall.merchant["alipay_cert"]), MemoryKeys())


def test_a_wrong_public_key_is_refused_naming_the_setting(stall):
    settings = stall.settings_with(**PUBLIC_KEY_MODE, alipay_public_key="AAAA" * 60)

    with pytest.raises(ConfigurationError, match="alipay_public_key"):
        plugin.build(settings, MemoryKeys())


@pytest.mark.parametrize(
    "overrides",
    [
        {"app_cert": ""},
        {"root_cert": ""},
        PUBLIC_KEY_MODE | {"alipay_public_key": ""},
        {"app_id": "canary-secret"},
        {"seller_id": "canary-secret"},
    ],
)
def test_half_a_mode_is_no_mode(stall, overrides):
    with pytest.raises(ValidationError) as refusal:
        stall.settings_with(**overrides)

    assert CANARY not in str(refusal.value)


def test_no_secret_stands_in_a_repr(either):
    body = either.merchant["private_key"].splitlines()[1]

    for thing in (either.settings, either.provider, vars(either.provider), either.provider._keys):
        assert body not in repr(thing)


def test_every_setting_says_what_it_is_for():
    assert all(field.description.endswith(".") for field in AlipaySettings.model_fields.values())


def test_every_unsure_point_names_the_setting_that_decides_it():
    quality = tomllib.loads(Path(providers.alipay.__file__).with_name("quality.toml").read_text())

    assert set(quality["unsure"]) <= set(AlipaySettings.model_fields)


@pytest.mark.parametrize("base_url", ["https://a.test", "https://a.test/", "https://a.test/gateway.do"])
def test_the_gateways_address_may_be_written_with_its_path(stall, base_url):
    assert stall.settings_with(base_url=base_url).gateway_url == "https://a.test/gateway.do"


# A new certificate.


async def test_a_new_certificate_is_fetched_kept_and_believed_in_notifications_too(stall):
    _, created, ref = await stall.opened()
    stall.gateway.rotate_certificate()
    stall.pay(created.code, Wallet.ALIPAY)
    [notification] = stall.courier.take()
    assert isinstance(stall.read(notification), Rejected)

    seen = await stall.provider.query(ref, stall.call)

    assert isinstance(seen, Snapshot)
    assert seen.state is Paid.PAID
    assert isinstance(stall.read(notification), Verified)
    assert asked_for(stall)[-2:] == [wire.QUERY, wire.CERTIFICATE]


async def test_a_kept_certificate_is_not_asked_for_again_and_the_old_one_still_counts(stall):
    _, _, ref = await stall.opened()
    stall.gateway.rotate_certificate()
    await stall.provider.query(ref, stall.call)
    stall.provider = plugin.build(stall.settings, stall.keys)
    before = len(stall.transport.requests)

    await stall.provider.query(ref, stall.call)

    assert len(stall.transport.requests) == before + 1
    assert len(stall.provider._channel.ring()) == 2


async def test_two_changes_in_a_row_keep_every_certificate(stall):
    _, _, ref = await stall.opened()
    for _ in range(2):
        stall.gateway.rotate_certificate()
        await stall.provider.query(ref, stall.call)
        stall.clock.advance(600)

    assert len(stall.provider._channel.ring()) == 3


@pytest.mark.fault("A22")
async def test_an_unknown_number_makes_us_ask_once_in_ten_minutes(stall):
    _, _, ref = await stall.opened()
    for _ in range(3):
        stall.faults.arm(Fault.UNKNOWN_KEY)
        assert isinstance(await stall.provider.query(ref, stall.call), Unknown)
        stall.faults.clear()
    asked = asked_for(stall).count(wire.CERTIFICATE)
    stall.clock.advance(600)
    stall.faults.arm(Fault.UNKNOWN_KEY)
    await stall.provider.query(ref, stall.call)

    assert (asked, asked_for(stall).count(wire.CERTIFICATE)) == (1, 2)
    assert stall.keys.get(DOWNLOADED) is None
    assert stall.keys.get(ASKED_AT) is not None


async def test_an_unknown_certificate_that_cannot_be_asked_for_is_unknown_not_unsent(stall):
    _, _, ref = await stall.opened()
    stall.gateway.rotate_certificate()
    send, calls = stall.transport.send, []

    async def send_once(request):
        calls.append(request)
        if len(calls) > 1:
            stall.transport.refuse()
        return await send(request)

    stall.transport.send = send_once

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)


async def test_in_public_key_mode_nothing_is_fetched(stall):
    stall = Counter(**PUBLIC_KEY_MODE)
    _, _, ref = await stall.opened()
    stall.gateway.rotate_certificate()

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)

    assert wire.CERTIFICATE not in asked_for(stall)


# Whose certificate.


@pytest.fixture
def papers(stall):
    return stall.settings.alipay_cert.encode(), stall.settings.root_cert.encode()


def test_a_merchants_certificate_of_the_same_authority_is_not_alipays(stall, papers):
    bundle = stall.merchant["app_cert"].encode()

    with pytest.raises(signing.SignatureError, match="owner"):
        signing.trusted_leaf(bundle, *papers, stall.clock.now())


def test_a_certificate_of_a_strange_authority_leads_nowhere(stall, papers, monkeypatch):
    strange = Counter()
    strange.drawer.texts.clear()
    strange.restart_gateway()
    monkeypatch.setattr(signing, "_common_name", lambda _: "the same")
    bundle = strange.gateway.merchant("https://a.test")["alipay_cert"].encode()

    with pytest.raises(signing.SignatureError, match="configured root"):
        signing.trusted_leaf(bundle, *papers, stall.clock.now())


@pytest.mark.fault("P1")
def test_a_certificate_out_of_date_is_refused(stall, papers):
    later = stall.clock.now().replace(year=2050)

    with pytest.raises(signing.SignatureError, match="in date"):
        signing.trusted_leaf(papers[0], *papers, later)


def test_a_certificate_of_the_pinned_chain_is_believed(stall, papers):
    leaf = signing.trusted_leaf(papers[0], *papers, stall.clock.now())

    assert leaf == signing.certificates(papers[0])[0]


@pytest.mark.parametrize(
    "bundle", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_refused(stall, papers, bundle):
    with pytest.raises(signing.SignatureError):
        signing.trusted_leaf(bundle, *papers, stall.clock.now())


@pytest.mark.parametrize("content", ["!!", "", "AAAA"])
async def test_a_downloaded_certificate_that_is_none_leaves_the_answer_unknown(stall, content):
    _, _, ref = await stall.opened()
    send = stall.transport.send

    async def send_content(request):
        if wire.decode_form(request.body)["method"] != wire.CERTIFICATE:
            stall.faults.arm(Fault.UNKNOWN_KEY)
            return await send(request)
        document = {"code": "10000", "alipay_cert_content": content}
        return stall.signed(wire.CERTIFICATE, document)

    stall.transport.send = send_content

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)
    assert stall.keys.get(DOWNLOADED) is None


def test_a_signature_with_altered_spare_bits_is_refused(stall):
    key = _key(stall.merchant["private_key"])
    good = signing.sign(key, "text")
    last = good.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bent = good.replace(f"{last}==", f"{alphabet[alphabet.index(last) ^ 1]}==")

    signing.verify([key.public_key()], "text", good)
    assert base64.b64decode(bent) == base64.b64decode(good)
    with pytest.raises(signing.SignatureError):
        signing.verify([key.public_key()], "text", bent)
