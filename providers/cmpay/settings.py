"""One China Mobile merchant account: what the operator sets."""

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from providers.cmpay import messages, wire
from providers.cmpay.messages import FieldOrders
from providers.sdk.contract import ProviderSettings

_PAYER_CODE_VERSION = Literal["2.0.0", "2.0.1", "2.0.0-flags"]
_QUERY_TYPE = Literal["OrderQueryByYPOS", "OrderQuery", "OrderQueryCPS"]


class CmpaySettings(ProviderSettings):
    """The merchant's number and key, and the choices that China Mobile's public documents leave open."""

    merchant_field: ClassVar[str] = "merchant_id"

    online_url: str = Field(
        default=f"https://ipos.10086.cn{wire.ONLINE_PATH}",
        description="Where orders are placed; https://uatipos.10086.cn/ips/cmpayService is a test environment.",
    )
    counter_url: str = Field(
        default=f"https://ipos.10086.cn{wire.COUNTER_PATH}",
        description="Where payer codes are taken and orders are queried (an older test host is 211.138.236.210).",
    )
    merchant_id: str = Field(description="Merchant number (merchantId).", pattern=r"^[0-9A-Za-z]{4,50}$")
    sign_key: SecretStr = Field(
        description="The key (signKey) of the merchant portal's key page.", min_length=1
    )
    character_set: Literal["00", "01", "02"] = Field(
        default="00", description="Charset of the wire: 00 GBK, 01 GB2312, 02 UTF-8."
    )
    merchant_abbr: str = Field(default="", description="The shop's name on China Mobile's pages.")
    coupons_flag: Literal["00", "10", "20", "30", "40"] = Field(
        default="00",
        description="Marketing means: 00 all, 10 no e-coupons, 20 no vouchers, 30 no points, 40 none.",
    )
    page_type: Literal["WAPDirectPayConfirm", "DirectPayConfirm"] = Field(
        default="WAPDirectPayConfirm",
        description="Order type of a payment page: for phones, or for computers.",
    )
    code_prefix: str = Field(
        default=wire.CODE_PREFIX,
        description="What stands before the session in the text of an order's QR code.",
        pattern=r"^https://p\.10086\.cn/",
    )
    query_type: _QUERY_TYPE = Field(
        default="OrderQueryByYPOS",
        description="Query message. OrderQueryByYPOS tells paid, closed and waiting apart; the others only paid.",
    )
    payer_code_version: _PAYER_CODE_VERSION = Field(
        default="2.0.0", description="Version of CloudQuickPay in the contract: it decides the field order."
    )
    field_orders: str = Field(
        default="",
        description="Signing order of messages where the contract's tables differ: TYPE=field,field; TYPE.answer=field,field.",
    )
    fixed_values: str = Field(
        default="pikFlag=0",
        description="Values of request fields that have no other source (oprId, couFlag …): name=value; name=value.",
    )
    encoded_fields: str = Field(
        default="message,reserved1,reserved2",
        description="Fields of an answer that arrive URL-encoded in UTF-8. Comma-separated.",
    )
    unknown_order_codes: str = Field(
        default="D22201,RPM22201", description="Return codes that mean: no such order. Comma-separated."
    )
    refunded_words: str = Field(
        default="", description="Words of ordSts that mean: paid, and some or all returned. Comma-separated."
    )
    unsigned_refusals: bool = Field(
        default=False,
        description="Believe a refusal that carries no hmac. Ask China Mobile whether its refusals are signed.",
    )
    close_grace_s: int = Field(
        default=120, ge=0, description="Seconds after an order's expiry before it counts as closed."
    )
    cancel_online_orders: bool = Field(
        default=False,
        description="Send CloudTxnCancel to close an order that nobody has paid; published for payer codes only.",
    )
    refund_query: bool = Field(
        default=False,
        description="Ask about refunds by merchantOrderRefundQuery 2.0.8; needs its answer's table in field_orders.",
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """Tables that cannot be read are refused at the start, not at the first payment."""
        self.orders()
        return self

    @property
    def codec(self) -> str:
        """Python's name of the wire's charset."""
        return wire.CODECS[self.character_set]

    def orders(self) -> FieldOrders:
        """The field order of every message. Raises `ValueError`."""
        return messages.field_orders(self.field_orders, self.payer_code_version, self.fixed())

    def fixed(self) -> dict[str, str]:
        """Request fields with a value of the operator's. Raises `ValueError`."""
        return messages.read_pairs(self.fixed_values)


def listed(text: str) -> frozenset[str]:
    """The words of a comma-separated setting."""
    return frozenset(word.strip() for word in text.split(",") if word.strip())
