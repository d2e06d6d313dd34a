"""One UnionPay merchant account: what the operator sets."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from providers.sdk.contract import ProviderSettings, pem
from providers.sdk.errors import ConfigurationError
from providers.unionpay.signing import ORGANISATION, TEST_ORGANISATION, Signer, Trust, authorities


class UnionPaySettings(ProviderSettings):
    """The merchant's contract, keys and the choices that UnionPay's public documents leave open."""

    merchant_field: ClassVar[str] = "mer_id"

    mode: Literal["acp", "qra"] = Field(
        default="acp",
        description="acp: certificates, ACP 5.1.0. qra: the QRA gateway, XML and a shared key.",
    )
    base_url: str = Field(
        default="https://gateway.95516.com",
        description="ACP gateway; https://gateway.test.95516.com is UnionPay's test environment.",
    )
    file_url: str = Field(
        default="https://filedownload.95516.com", description="Host of the reconciliation files."
    )
    mer_id: str = Field(default="", description="Merchant id at ACP, 15 digits.", pattern=r"^([0-9]{15})?$")
    sign_key: SecretStr = Field(
        default=SecretStr(""),
        description="Signing key: PEM (or its path) with private key and certificate, or the path of a .pfx.",
    )
    sign_key_password: SecretStr = Field(default=SecretStr(""), description="Password of the .pfx.")
    cert_id: str = Field(
        default="",
        description="Decimal serial of the signing certificate; read from the certificate when empty.",
    )
    root_cert: str = Field(
        default="", description="Root certificate (acp_prod_root.cer): PEM text or path, one or more."
    )
    middle_cert: str = Field(
        default="", description="Middle certificate (acp_prod_middle.cer): PEM text or path, one or more."
    )
    organisation: str = Field(
        default=ORGANISATION, description="Organisation that must stand in the signing certificate."
    )
    test_environment: bool = Field(
        default=False, description="Also accept 00040000:SIGN, the second signer of the test environment."
    )
    query_path: Literal["queryTrans.do", "backTransReq.do"] = Field(
        default="queryTrans.do", description="Path of queries; published clients differ for QR orders."
    )
    channel_type: Literal["07", "08"] = Field(
        default="08", description="07 internet, 08 mobile: which of the two the contract says."
    )
    term_id: str = Field(default="", description="Terminal number, where the contract asks for one.")
    unknown_order_codes: str = Field(
        default="34", description="Response codes of a query that mean: no such order. Comma-separated."
    )
    close_grace_s: int = Field(
        default=120, ge=0, description="Seconds after a code's expiry before it counts as closed."
    )
    reverse_merchant_codes: bool = Field(
        default=False,
        description="Send a reversal to close a code that nobody has scanned; ask your acquirer whether ACP takes it.",
    )
    void_same_day: bool = Field(
        default=False,
        description="Return a full amount on its own clearing day by a void (31) instead of a refund (04).",
    )
    qra_url: str = Field(default="https://qra.95516.com", description="QRA gateway.")
    qra_mch_id: str = Field(default="", description="Merchant id at the QRA gateway.")
    qra_key: SecretStr = Field(default=SecretStr(""), description="Shared key of the QRA merchant.")
    qra_unknown_order_codes: str = Field(
        default="ORDERNOTEXIST,REFUNDNOTEXIST",
        description="Error codes of a QRA query that mean: no such number. Comma-separated.",
    )

    @property
    def merchant(self) -> str:
        """The number that this mode's messages carry: QRA knows its merchants by another one than ACP."""
        return self.mer_id if self.mode == "acp" else self.qra_mch_id

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What one mode needs may be empty in the other."""
        acp, qra = ["mer_id", "sign_key", "root_cert", "middle_cert"], ["qra_mch_id", "qra_key"]
        needed = acp if self.mode == "acp" else qra
        missing = [name for name in needed if not _text(getattr(self, name))]
        if missing:
            raise ValueError(f"In mode {self.mode} UnionPay also needs: {', '.join(missing)}.")
        return self

    def signer(self) -> Signer:
        """Load the merchant's signing key. Raises `ConfigurationError`."""
        value = self.sign_key.get_secret_value()
        try:
            if value.lower().endswith((".pfx", ".p12")):
                content = Path(value).expanduser().read_bytes()
                return Signer.from_pfx(content, self.sign_key_password.get_secret_value(), self.cert_id)
            return Signer.from_pem(pem(self.sign_key), self.cert_id)
        except OSError:
            raise ConfigurationError(
                "The file that the UnionPay setting sign_key names cannot be read."
            ) from None

    def trust(self) -> Trust:
        """Load whose messages are believed. Raises `ConfigurationError`."""
        names = {self.organisation} | ({TEST_ORGANISATION} if self.test_environment else set())
        try:
            roots, middles = pem(self.root_cert), pem(self.middle_cert)
        except OSError:
            raise ConfigurationError(
                "The file that the UnionPay setting root_cert or middle_cert names cannot be read."
            ) from None
        return Trust(
            roots=authorities(roots, "root_cert"),
            middles=authorities(middles, "middle_cert"),
            organisations=frozenset(names),
        )


def _text(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
