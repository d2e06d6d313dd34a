"""One e-CNY merchant account: what the operator sets."""

import json
import re
from typing import ClassVar, Final, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import Field, SecretStr, field_validator

from providers.ecny import signing
from providers.sdk.contract import ProviderSettings

PRODUCTION: Final = "https://api.huifu.com"


class EcnySettings(ProviderSettings):
    """The merchant's contract with Huifu, the keys, and the choices that Huifu's public papers leave open."""

    merchant_field: ClassVar[str] = "huifu_id"

    channel: Literal["huifu"] = Field(
        default="huifu",
        description="The institution the merchant signed with; Huifu (Dougong) is the one that is built.",
    )
    base_url: str = Field(
        default=PRODUCTION,
        description="Huifu's gateway; https://spin-test.cloudpnr.com is its test environment.",
    )
    sys_id: str = Field(
        description="Huifu id of who signs the requests: the merchant itself, or its service provider.",
        pattern=r"^[0-9]{16}$",
    )
    product_id: str = Field(
        description="Product number that Huifu assigned, such as MCS.", pattern=r"^[0-9A-Za-z]{1,32}$"
    )
    huifu_id: str = Field(
        description="Huifu id of the merchant who is paid, 16 digits.", pattern=r"^[0-9]{16}$"
    )
    private_key: SecretStr = Field(
        description="The merchant's RSA key: PEM, its path, or the base64 text of Huifu's console."
    )
    public_key: str = Field(
        description="Huifu's RSA public key: PEM, its path, or base64 text. Two may stand there while Huifu changes it."
    )
    api_version: Literal["v3", "v2"] = Field(
        default="v3", description="Version of the payment calls; v2 for merchants whose contract is older."
    )
    digital_bank_no: str = Field(
        default="",
        description="Number of the operating institution that receives the money (dc_data), where the contract names one.",
    )
    terminal_device_data: str = Field(
        default="", description="Terminal data as a JSON object, where the contract asks for it."
    )
    send_close: bool = Field(
        default=True,
        description="Ask Huifu to close an order. Its papers disagree on whether e-CNY orders can be closed.",
    )
    close_grace_s: int = Field(
        default=300,
        ge=0,
        description="Seconds after an order's time_expire before one that Huifu still calls in process counts as closed.",
    )
    unknown_order_codes: str = Field(
        default="23000001",
        description="Response codes of a query that mean: no such order. Comma-separated.",
        pattern=r"^[0-9]{8}( *, *[0-9]{8})*$",
    )

    @field_validator("terminal_device_data")
    @classmethod
    def _is_object(cls, text: str) -> str:
        if text and not isinstance(_loaded(text), dict):
            raise ValueError("terminal_device_data must be a JSON object.")
        return text

    @property
    def absent_codes(self) -> frozenset[str]:
        """`unknown_order_codes`, read."""
        return frozenset(re.findall(r"[0-9]{8}", self.unknown_order_codes))

    def signer(self) -> rsa.RSAPrivateKey:
        """Load the merchant's key. Raises `ConfigurationError`."""
        return signing.private_key(self.private_key, "private_key")

    def trusted(self) -> tuple[rsa.RSAPublicKey, ...]:
        """Load Huifu's keys. Raises `ConfigurationError`."""
        return signing.public_keys(self.public_key, "public_key")


def _loaded(text: str) -> object:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError:
        return None
    return value
