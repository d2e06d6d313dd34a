"""A merchant's settings: keys from PEM, file or .p12, refusals that name the setting, secrets that stay inside."""

import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from pydantic import ValidationError

import providers.bestpay
from providers.bestpay import BestPaySettings, plugin
from providers.sdk.errors import ConfigurationError
from providers.sdk.results import Created, Paid
from providers.sdk.testing import MemoryKeys

CANARY = "canary-password"


async def test_a_p12_with_its_password_signs_like_its_pem(shop, shop_with, tmp_path):
    path = tmp_path / "bestpay.p12"
    key = load_pem_private_key(shop.merchant["sign_key"].encode(), None)
    encryption = serialization.BestAvailableEncryption(CANARY.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"conname", key, None, None, encryption))

    by_p12 = shop_with(sign_key=str(path), sign_key_password=CANARY)

    assert isinstance((await by_p12.open()).answer, Created)
    assert by_p12.settings.signer().sign({"a": "1"}) == shop.settings.signer().sign({"a": "1"})
    with pytest.raises(ConfigurationError, match="sign_key_password"):
        shop.settings_with(sign_key=str(path), sign_key_password="wrong").signer()


def test_keys_may_be_paths(shop, tmp_path):
    for name in ("sign_key", "platform_cert"):
        (tmp_path / name).write_text(shop.merchant[name])
    paths = {name: str(tmp_path / name) for name in ("sign_key", "platform_cert")}

    plugin.build(shop.settings_with(**paths), MemoryKeys())


def test_a_key_of_another_kind_is_refused(shop):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(ConfigurationError, match="RSA"):
        shop.settings_with(sign_key=key.decode()).signer()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sign_key", "-----BEGIN PRIVATE KEY-----\ncanary-password\n-----END PRIVATE KEY-----"),
        ("sign_key", "/nowhere/canary-password.pem"),
        ("sign_key", "/nowhere/canary-password.p12"),
        ("platform_cert", "-----BEGIN CERTIFICATE-----\ncanary-password\n-----END CERTIFICATE-----"),
        ("platform_cert", "-----BEGIN PUBLIC KEY-----\ncanary-password\n-----END PUBLIC KEY-----"),
        ("platform_cert", "-----BEGIN 中文"),
        ("platform_cert", "/nowhere/canary-password.cer"),
        ("platform_hashes", "MD5, canary-password"),
        ("platform_hashes", " "),
        ("more_statuses", "canary-password"),
        ("more_statuses", "DONE=canary-password"),
        ("more_fields", "canary-password"),
        ("more_fields", '{"a": 1}'),
        ("more_fields", "[]"),
    ],
)
def test_a_wrong_setting_is_refused_at_start_by_its_name_and_never_by_its_value(shop, field, value):
    with pytest.raises(ConfigurationError, match=field) as refusal:
        plugin.build(shop.settings_with(**{field: value}), MemoryKeys())

    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize(
    "overrides",
    [
        {"sign_key": "", "platform_cert": "", "data_key": ""},
        {"sign_key": ""},
        {"platform_cert": ""},
        {"store_id": ""},
        {"merchant_no": ""},
        {"store_id": "12345678901"},
        {"code_path": "no slash"},
        {"notification_names": "other"},
    ],
)
def test_half_a_contract_is_refused_without_showing_any_value(shop, overrides):
    with pytest.raises(ValidationError) as refusal:
        shop.settings_with(**overrides)

    assert shop.merchant["data_key"] not in str(refusal.value)
    assert shop.merchant["merchant_pwd"] not in str(refusal.value)


async def test_one_merchant_number_may_do_for_both_gateways(shop_with):
    shop = shop_with(payer_code_merchant="", merchant_no="043101180050000", sign_key="", platform_cert="")

    foil = await shop.taken()

    assert foil.answer.state is Paid.PAID
    assert foil.answer.merchant == shop.settings.merchant == shop.settings.payer_merchant


def test_no_secret_stands_in_a_repr(shop):
    settings = shop.settings
    secrets = [shop.merchant["sign_key"].splitlines()[1], shop.merchant["data_key"]]
    secrets.append(f"'{shop.merchant['merchant_pwd']}'")

    for thing in (settings, shop.provider, settings.signer(), settings.mac(), vars(shop.provider)):
        assert not any(secret in repr(thing) for secret in secrets)


def test_every_setting_says_what_it_is_for():
    assert all(field.description for field in BestPaySettings.model_fields.values())


def test_every_unsure_point_names_the_setting_that_decides_it():
    quality = tomllib.loads(Path(providers.bestpay.__file__).with_name("quality.toml").read_text())

    assert set(quality["unsure"]) <= set(BestPaySettings.model_fields)
