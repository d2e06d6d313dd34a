"""A merchant's settings: keys from PEM, file or .pfx, refusals that name the setting, secrets that stay inside."""

import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pydantic import ValidationError

import providers.unionpay
from providers.sdk.errors import ConfigurationError
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.testing import MemoryKeys, Stall
from providers.unionpay import UnionPaySettings, plugin
from providers.unionpay.authority import Seal

CANARY = "canary-password"


@pytest.fixture
def seal(stall):
    return Seal.of(stall.merchant["sign_key"])


async def test_a_pfx_with_its_password_signs_like_its_pem(stall, seal, tmp_path):
    path = tmp_path / "acp_test_sign.pfx"
    encryption = serialization.BestAvailableEncryption(CANARY.encode())
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"shop", seal.key, seal.certificate, None, encryption)
    )
    by_pfx = Stall(plugin, overrides={"sign_key": str(path), "sign_key_password": CANARY})

    assert by_pfx.settings.signer().cert_id == stall.settings.signer().cert_id
    assert isinstance(await by_pfx.provider.create(by_pfx.intent(Money.cny("1.00")), by_pfx.call), Created)
    with pytest.raises(ConfigurationError, match="sign_key_password"):
        stall.settings_with(sign_key=str(path), sign_key_password="wrong").signer()


def test_keys_may_be_paths(stall, tmp_path):
    for name in ("sign_key", "root_cert", "middle_cert"):
        (tmp_path / name).write_text(stall.merchant[name])
    paths = {name: str(tmp_path / name) for name in ("sign_key", "root_cert", "middle_cert")}

    plugin.build(stall.settings_with(**paths), MemoryKeys())


def test_an_authority_may_be_der(stall, tmp_path):
    seal = Seal.of(stall.merchant["sign_key"])
    path = tmp_path / "root.cer"
    path.write_bytes(seal.certificate.public_bytes(serialization.Encoding.DER))

    assert stall.settings_with(root_cert=str(path)).trust().roots == (seal.certificate,)


def test_a_set_cert_id_wins_over_the_certificates_serial(stall):
    assert stall.settings_with(cert_id="69903319369").signer().cert_id == "69903319369"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sign_key", "-----BEGIN PRIVATE KEY-----\ncanary-password\n-----END PRIVATE KEY-----"),
        ("sign_key", "/nowhere/canary-password.pem"),
        ("sign_key", "/nowhere/canary-password.pfx"),
        ("root_cert", "-----BEGIN CERTIFICATE-----\ncanary-password\n-----END CERTIFICATE-----"),
        ("middle_cert", "/nowhere/canary-password.cer"),
    ],
)
def test_a_wrong_key_is_refused_at_start_naming_the_setting_and_never_its_value(stall, field, value):
    with pytest.raises(ConfigurationError, match=field) as refusal:
        plugin.build(stall.settings_with(**{field: value}), MemoryKeys())

    assert CANARY not in str(refusal.value)


def test_a_wrong_merchant_id_is_refused_without_showing_any_value(stall):
    with pytest.raises(ValidationError) as refusal:
        stall.settings_with(mer_id=CANARY)

    assert CANARY not in str(refusal.value)


def test_no_secret_stands_in_a_repr(stall):
    body = stall.merchant["sign_key"].splitlines()[1]

    for thing in (stall.settings, stall.provider, stall.settings.signer(), vars(stall.provider)):
        assert body not in repr(thing)


def test_every_setting_says_what_it_is_for():
    assert all(field.description for field in UnionPaySettings.model_fields.values())
    assert all(field.description.endswith(".") for field in UnionPaySettings.model_fields.values())


def test_every_unsure_point_names_the_setting_that_decides_it():
    quality = tomllib.loads(Path(providers.unionpay.__file__).with_name("quality.toml").read_text())

    assert set(quality["unsure"]) <= set(UnionPaySettings.model_fields)
