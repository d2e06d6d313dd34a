import pytest
from cryptography.hazmat.primitives import serialization

from providers.sdk.errors import ConfigurationError
from providers.sdk.testing import MemoryKeys, Stall
from providers.wechatpay import plugin, signing


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_an_apiv3_key_of_another_length_is_refused_by_name(stall: Stall, length: int) -> None:
    settings = stall.settings_with(apiv3_key="k" * length)

    with pytest.raises(ConfigurationError, match=f"apiv3_key has {length} bytes, not 32"):
        plugin.build(settings, MemoryKeys())


def test_an_apiv3_key_is_counted_in_bytes(stall: Stall) -> None:
    settings = stall.settings_with(apiv3_key="密" * 32)

    with pytest.raises(ConfigurationError, match="96 bytes"):
        plugin.build(settings, MemoryKeys())


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
async def test_the_private_key_may_be_pkcs1_or_pkcs8_as_text_or_file(stall: Stall, tmp_path, form) -> None:
    key = signing.private_key(stall.merchant["private_key"].encode(), "private_key")
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = tmp_path / "apiclient_key.pem"
    path.write_bytes(pem)

    for setting in (pem.decode(), str(path)):
        provider = plugin.build(stall.settings_with(private_key=setting), MemoryKeys())
        assert provider.reply(accepted=True).status == 204


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("private_key", "/nowhere/CANARY.pem"),
        ("private_key", "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----"),
        ("public_key", "-----BEGIN PUBLIC KEY-----\nCANARY\n-----END PUBLIC KEY-----"),
        ("public_key", "/nowhere/CANARY.pem"),
        ("public_key_id", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"),
        ("public_key_id", ""),
        ("platform_certificates", "-----BEGIN CERTIFICATE-----\nCANARY\n-----END CERTIFICATE-----"),
    ],
)
def test_a_wrong_key_is_named_and_not_shown(stall: Stall, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        plugin.build(stall.settings_with(**{name: value}), MemoryKeys())

    assert "CANARY" not in repr(caught.value)


def test_every_setting_is_described() -> None:
    assert [name for name, field in plugin.settings.model_fields.items() if not field.description] == []
