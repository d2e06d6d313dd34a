"""The settings of one Alipay application, and the keys they hold."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from pydantic import Field, SecretStr, model_validator

from providers.alipay import signing
from providers.sdk.contract import ProviderSettings, pem
from providers.sdk.errors import ConfigurationError

_LINE_CHARS: int = 200  # longer than any path; an RSA key in one line of Base64 is longer still


class AlipaySettings(ProviderSettings):
    """One application of a direct merchant, in public-key mode or in certificate mode. Payouts need certificates."""

    merchant_field: ClassVar[str] = "app_id"

    base_url: str = Field(
        default="https://openapi.alipay.com",
        description="Gateway host; https://openapi-sandbox.dl.alipaydev.com is Alipay's own sandbox.",
    )
    bill_url: str = Field(
        default="https://dwbillcenter.alipay.com",
        description="The one host that statements are fetched from; an answer naming another is refused.",
    )
    openauth_url: str = Field(
        default="https://openauth.alipay.com",
        description="Where Alipay's web view asks who the visitor is; https://openauth-sandbox.dl.alipaydev.com for its sandbox.",
    )
    app_id: str = Field(description="The application's number, 16 digits.", pattern=r"^[0-9]{1,32}$")
    seller_id: str = Field(
        default="",
        description="The merchant's account number, 2088…; when set, a notification for another is no payment of ours.",
        pattern=r"^(2088[0-9]{12})?$",
    )
    private_key: SecretStr = Field(
        description="The application's private key (PKCS#1 or PKCS#8): PEM text, a path, or the key tool's Base64 line."
    )
    alipay_public_key: str = Field(
        default="",
        description="Public-key mode: Alipay's public key, PEM text, a path, or the Base64 line of the platform.",
    )
    app_cert: str = Field(
        default="", description="Certificate mode: appCertPublicKey_….crt, PEM text or a path."
    )
    alipay_cert: str = Field(
        default="", description="Certificate mode: alipayCertPublicKey_RSA2.crt, PEM text or a path."
    )
    root_cert: str = Field(
        default="", description="Certificate mode: alipayRootCert.crt, PEM text or a path."
    )
    store_id: str = Field(
        default="", description="Number of the shop, where the contract asks for one.", max_length=32
    )
    cancel_unscanned: bool = Field(
        default=False,
        description="Send alipay.trade.cancel for a code that nobody has scanned and count it as closed.",
    )
    close_grace_s: int = Field(
        default=60, ge=0, description="Seconds after a code's end before an unscanned one counts as closed."
    )
    refund_query_after_s: int = Field(
        default=10,
        ge=0,
        description="Seconds after a refund before its absence is believed; Alipay asks for 10.",
    )
    notification_age_max_s: int = Field(
        default=172_800,
        ge=90_000,
        description="A notification sent longer ago than this is refused; Alipay repeats one for about 25 hours.",
    )
    credit_pay_modes: str = Field(
        default="",
        description="Values of credit_pay_mode that count as paid, comma-separated; others wait for the money.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Certificates go together; without them the public key is needed."""
        given = [name for name in ("app_cert", "alipay_cert", "root_cert") if getattr(self, name)]
        if given and len(given) < 3:  # noqa: PLR2004  # the three of certificate mode
            raise ValueError("Certificate mode needs app_cert, alipay_cert and root_cert together.")
        if not given and not self.alipay_public_key:
            raise ValueError("Alipay needs alipay_public_key, or app_cert, alipay_cert and root_cert.")
        return self

    @property
    def gateway_url(self) -> str:
        """Where calls go. The path may stand in `base_url` too, as Alipay's documents write it."""
        return self.base_url.rstrip("/").removesuffix("/gateway.do") + "/gateway.do"


@dataclass(frozen=True, slots=True)
class Papers:
    """What certificate mode adds: the numbers that every request bears, and the pinned files."""

    app_cert_sn: str
    root_cert_sn: str
    alipay: bytes = field(repr=False)
    root: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The application's key and the pinned ones of Alipay, read once. Exactly one of the last two is given."""

    private: RSAPrivateKey = field(repr=False)
    public: RSAPublicKey | None = field(repr=False)
    papers: Papers | None

    @classmethod
    def of(cls, settings: AlipaySettings) -> "Keys":
        """Raises `ConfigurationError` naming the setting that is wrong."""
        private = signing.private_key(_text(settings.private_key, "private_key"), "private_key")
        if settings.app_cert:
            return cls(private, None, _papers(settings, private))
        public = signing.public_key(
            _text(settings.alipay_public_key, "alipay_public_key"), "alipay_public_key"
        )
        return cls(private, public, None)


def _papers(settings: AlipaySettings, private: RSAPrivateKey) -> Papers:
    app = _bundle(settings.app_cert, "app_cert")
    alipay, root = _bundle(settings.alipay_cert, "alipay_cert"), _bundle(settings.root_cert, "root_cert")
    own = signing.certificates(app)[0]
    if own.public_key() != private.public_key():
        raise ConfigurationError("app_cert is not the certificate of private_key; download it again.")
    return Papers(signing.certificate_sn(own), signing.root_sn(root), alipay, root)


def _bundle(setting: str, name: str) -> bytes:
    content = _text(setting, name).encode()
    if not signing.certificates(content):
        raise ConfigurationError(f"{name} holds no RSA certificate in PEM; download it again from Alipay.")
    return content


def _text(setting: SecretStr | str, name: str) -> str:
    value = setting.get_secret_value() if isinstance(setting, SecretStr) else setting
    if "-----BEGIN" not in value and len(value) > _LINE_CHARS:
        return value
    try:
        return pem(value).decode("utf-8")
    except (OSError, ValueError):  # a ValueError: a path with a NUL, or a file that is no text
        raise ConfigurationError(
            f"The file named by {name} cannot be read; give its path, or the text itself."
        ) from None
