"""One BestPay merchant account: what the operator sets."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from providers.bestpay.signing import Mac, Signer, Trust
from providers.bestpay.wire import CASHIER
from providers.sdk.contract import ProviderSettings, pem
from providers.sdk.errors import ConfigurationError
from providers.sdk.results import Paid

_STATES = {state.value: state for state in (Paid.UNPAID, Paid.PAYING, Paid.PAID, Paid.CLOSED, Paid.FAILED)}
_PATH = r"^/[A-Za-z0-9/_-]{1,120}$"


class BestPaySettings(ProviderSettings):
    """The contract's two halves (MAPI, payer codes), their keys, and the choices that public papers leave open."""

    merchant_field: ClassVar[str] = "merchant_no"

    merchant_no: str = Field(
        description="Merchant number (商户号) at MAPI; the payer-code gateway's, if that is all you have.",
        pattern=r"^[0-9A-Za-z]{1,30}$",
    )
    base_url: str = Field(
        default="https://mapi.bestpay.com.cn/mapi",
        description="MAPI; https://mapi.test.bestpay.net/mapi is the test environment.",
    )
    sign_key: SecretStr = Field(
        default=SecretStr(""),
        description="MAPI: the merchant's private key, PEM text or path, or the path of the .p12. Empty: no MAPI.",
    )
    sign_key_password: SecretStr = Field(default=SecretStr(""), description="Password of the .p12.")
    platform_cert: str = Field(
        default="",
        description="MAPI: BestPay's certificate from the merchant portal, PEM text or path; may hold old and new.",
    )
    platform_hashes: str = Field(
        default="SHA1,SHA256",
        description="Hashes that MAPI may sign with, in the order tried. Comma-separated.",
    )
    mapi_version: str = Field(
        default="1.0.3", description="BESTPAY_MAPI_VERSION of the envelope.", pattern=r"^[0-9.]{1,10}$"
    )
    code_path: str = Field(
        default="/aggregate/aggregatepay/offline/c2b/payOrder",
        description="MAPI path that opens an order with a code (product 1006).",
        pattern=_PATH,
    )
    code_query_path: str = Field(
        default="/aggregate/aggregatepay/tradeQuery",
        description="MAPI path that queries such an order.",
        pattern=_PATH,
    )
    code_refund_path: str = Field(
        default="/aggregate/aggregatepay/offline/refund",
        description="MAPI path that refunds such an order.",
        pattern=_PATH,
    )
    code_refund_query_path: str = Field(
        default="/uniformReceipt/refundOrderQuery",
        description="MAPI path that queries the refund of such an order.",
        pattern=_PATH,
    )
    code_close_path: str = Field(
        default="/o2o/aggregatePay/service/closeTrade",
        description="MAPI path that closes such an order.",
        pattern=_PATH,
    )
    code_prefix: str = Field(
        default="",
        description="What a codeUrl must begin with to be shown; empty takes any that BestPay signs.",
    )
    more_fields: str = Field(
        default="{}",
        description='Further fields of a MAPI order that your contract asks for, a JSON object: {"storeCode":"001"}.',
    )
    expiry_field: str = Field(
        default="",
        description="Name of a MAPI order's field for its expiry (yyyy-MM-dd HH:mm:ss); empty sends none.",
        pattern=r"^[A-Za-z]{0,40}$",
    )
    risk_service: str = Field(
        default="10000001", description="service_identify in riskControlInfo, as your contract says."
    )
    cashier_url: str = Field(
        default="", description="The H5 cashier that a link opens; empty is BestPay's own under base_url."
    )
    more_statuses: str = Field(
        default="",
        description=f"Further words of tradeStatus, as WORD=state with {', '.join(_STATES)}. Comma-separated.",
    )
    unknown_order_codes: str = Field(
        default="TRADE_NOT_EXIST", description="MAPI error codes that mean: no such number. Comma-separated."
    )
    unsigned_refusals: bool = Field(
        default=False,
        description="Believe a MAPI refusal that carries no sign; TLS alone vouches for it then.",
    )
    payer_code_url: str = Field(
        default="https://webpaywg.bestpay.com.cn", description="The payer-code gateway."
    )
    payer_code_merchant: str = Field(
        default="",
        description="Merchant number at the payer-code gateway; empty is merchant_no.",
        pattern=r"^[0-9A-Za-z]{0,30}$",
    )
    sub_merchant: str = Field(
        default="", description="Sub-merchant number there, if you have one.", pattern=r"^[0-9A-Za-z]{0,20}$"
    )
    data_key: SecretStr = Field(
        default=SecretStr(""),
        description="Payer codes: the data key (数据 KEY) for the macs. Empty: no payer codes.",
    )
    merchant_pwd: SecretStr = Field(
        default=SecretStr(""),
        description="Payer codes: the trade key (交易 KEY), needed to refund and reverse.",
    )
    store_id: str = Field(
        default="", description="Payer codes: the store number (门店号).", pattern=r"^[0-9A-Za-z]{0,10}$"
    )
    notification_names: Literal["pc", "mobile"] = Field(
        default="pc",
        description="Names that a payment notification is signed under: pc ORDERID/PAYMENT/PAYDATE, mobile as sent.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """One half may be missing, but neither may be there by half."""
        if not self.has_mapi and not self.has_payer_codes:
            raise ValueError(
                "BestPay needs sign_key and platform_cert (MAPI), data_key (payer codes), or both."
            )
        if self.has_mapi != bool(self.platform_cert):
            raise ValueError("BestPay's MAPI needs both: sign_key and platform_cert.")
        if self.has_payer_codes and not self.store_id:
            raise ValueError("BestPay's payer codes also need: store_id.")
        return self

    @property
    def has_mapi(self) -> bool:
        """Whether codes and links can be offered."""
        return bool(self.sign_key.get_secret_value())

    @property
    def has_payer_codes(self) -> bool:
        """Whether payer codes can be taken."""
        return bool(self.data_key.get_secret_value())

    @property
    def payer_merchant(self) -> str:
        """Our number at the payer-code gateway."""
        return self.payer_code_merchant or self.merchant_no

    @property
    def cashier(self) -> str:
        """Where a link leads."""
        return self.cashier_url or self.base_url.rstrip("/") + CASHIER

    def signer(self) -> Signer:
        """Load the merchant's key. Raises `ConfigurationError`."""
        value = self.sign_key.get_secret_value()
        try:
            if value.lower().endswith((".p12", ".pfx")):
                content = Path(value).expanduser().read_bytes()
                return Signer.from_p12(content, self.sign_key_password.get_secret_value())
            return Signer.from_pem(pem(self.sign_key))
        except OSError:
            raise ConfigurationError(
                "The file that the BestPay setting sign_key names cannot be read."
            ) from None

    def trust(self) -> Trust:
        """Load whose messages are believed. Raises `ConfigurationError`."""
        try:
            content = pem(self.platform_cert)
        except OSError:
            raise ConfigurationError(
                "The file that the BestPay setting platform_cert names cannot be read."
            ) from None
        return Trust.of(content, _listed(self.platform_hashes))

    def mac(self) -> Mac:
        """The data key, ready for use."""
        return Mac(self.data_key.get_secret_value())

    def statuses(self) -> Mapping[str, Paid]:
        """The operator's own words of tradeStatus. Raises `ConfigurationError`."""
        pairs = [entry.partition("=")[::2] for entry in _listed(self.more_statuses)]
        if any(not re.fullmatch(r"[A-Z_]{1,40}", word) or state not in _STATES for word, state in pairs):
            raise ConfigurationError(
                f"The BestPay setting more_statuses is a list of WORD=state; states are {', '.join(_STATES)}."
            )
        return {word: _STATES[state] for word, state in pairs}

    def unknown_codes(self) -> frozenset[str]:
        """Error codes that mean: no such number."""
        return frozenset(_listed(self.unknown_order_codes))

    def order_fields(self) -> dict[str, str]:
        """The contract's further fields. Raises `ConfigurationError`."""
        try:
            fields = json.loads(self.more_fields or "{}")
        except ValueError:
            fields = None
        if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
            raise ConfigurationError("The BestPay setting more_fields must be a JSON object of strings.")
        return fields


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.replace(" ", "").split(",")))
