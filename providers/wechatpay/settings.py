"""The settings of one WeChat Pay merchant, and the keys they hold."""

from dataclasses import dataclass, field
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from pydantic import Field, SecretStr

from providers.sdk.contract import ProviderSettings, pem
from providers.sdk.errors import ConfigurationError
from providers.wechatpay import signing
from providers.wechatpay.wire import HOST


class WeChatPaySettings(ProviderSettings):
    """A direct merchant. Public-key mode, platform-certificate mode, or both while WeChat Pay switches you over."""

    merchant_field: ClassVar[str] = "mchid"

    base_url: str = Field(
        default=HOST,
        description="API host; https://api2.mch.weixin.qq.com is the standby, the sandbox another.",
    )
    appid: str = Field(description="The appid bound to the merchant, wx…", max_length=32)
    mchid: str = Field(description="The merchant number.", max_length=32)
    serial_no: str = Field(
        description="Serial of the merchant API certificate (apiclient_cert.pem), hexadecimal."
    )
    private_key: SecretStr = Field(
        description="The merchant's private key (apiclient_key.pem, PKCS#1 or PKCS#8): PEM text or a path."
    )
    apiv3_key: SecretStr = Field(
        description="The APIv3 key: exactly 32 bytes, as set in the merchant platform."
    )
    public_key_id: str = Field(
        default="", description="Id of WeChat Pay's public key, PUB_KEY_ID_…; empty in certificate mode."
    )
    public_key: str = Field(
        default="",
        description="WeChat Pay's public key (pub_key.pem): PEM text or a path; goes with public_key_id.",
    )
    platform_certificates: str = Field(
        default="",
        description="Platform certificates, one PEM bundle or its path; empty: downloaded, or public-key mode only.",
    )
    store_id: str = Field(
        default="0001", description="Number of the shop that scans payer codes (scene_info.store_info.id)."
    )
    transfer_scene_id: str = Field(
        default="",
        description="Scene of transfers to users, granted by WeChat Pay (1000 …); empty: no payouts.",
    )
    app_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The appid's AppSecret, to learn who claims a payout; empty: payouts cannot be claimed with WeChat.",
    )
    open_url: str = Field(
        default="https://open.weixin.qq.com", description="Where WeChat's web view asks who the visitor is."
    )
    oauth_url: str = Field(
        default="https://api.weixin.qq.com", description="Where the openid behind a visit is asked for."
    )
    transfer_scene_report: dict[str, str] = Field(
        default={}, description='What the scene must report, as JSON: {"活动名称": "新会员有礼"}.'
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """The merchant's own keys and the pinned ones of WeChat Pay, read once."""

    private: RSAPrivateKey = field(repr=False)
    apiv3: bytes = field(repr=False)
    public: dict[str, RSAPublicKey] = field(repr=False)  # the public key by its id; empty in certificate mode
    certificates: bytes = field(repr=False)  # pinned by settings; what was downloaded is in the key store

    @classmethod
    def of(cls, settings: WeChatPaySettings) -> "Keys":
        """Raises `ConfigurationError` naming the setting that is wrong."""
        return cls(
            private=signing.private_key(_file(settings.private_key, "private_key"), "private_key"),
            apiv3=_apiv3(settings.apiv3_key),
            public=_public(settings),
            certificates=_certificates(settings.platform_certificates),
        )


def _apiv3(setting: SecretStr) -> bytes:
    key = setting.get_secret_value().encode()
    if len(key) != signing.APIV3_KEY_BYTES:
        raise ConfigurationError(
            f"apiv3_key has {len(key)} bytes, not 32; copy it again from the merchant platform, API security."
        )
    return key


def _public(settings: WeChatPaySettings) -> dict[str, RSAPublicKey]:
    name = settings.public_key_id
    if not name and not settings.public_key:
        return {}
    if not name.startswith(signing.PUBLIC_KEY_PREFIX) or not settings.public_key:
        raise ConfigurationError(
            "public_key_id (PUB_KEY_ID_…) and public_key go together; set both, or neither for certificate mode."
        )
    return {name: signing.public_key(_file(settings.public_key, "public_key"), "public_key")}


def _certificates(setting: str) -> bytes:
    bundle = _file(setting, "platform_certificates") if setting else b""
    try:
        signing.certificates(bundle)
    except ValueError:
        raise ConfigurationError("platform_certificates is not a bundle of certificates in PEM.") from None
    return bundle


def _file(setting: SecretStr | str, name: str) -> bytes:
    try:
        return pem(setting)
    except (OSError, ValueError):  # a ValueError: a path with a NUL
        raise ConfigurationError(
            f"The file named by {name} cannot be read; give its path, or the PEM text itself."
        ) from None
