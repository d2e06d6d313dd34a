"""One China Unicom merchant account: what the operator sets."""

import re
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, SecretStr, model_validator

from providers.sdk.contract import ProviderSettings
from providers.unicompay import wire

NOTIFICATION: Final = (
    "merchant=merNo; number=orderNo; amount=amount; result=transRst; reference=payJnlno; paid_at=payTime"
)
ROLES: Final = frozenset({"merchant", "number", "amount", "result", "reference", "paid_at"})
_BELIEVED: Final = ROLES - {"paid_at"}
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


class UnicompaySettings(ProviderSettings):
    """The merchant's number and key, and the many choices that no public paper of China Unicom settles."""

    merchant_field: ClassVar[str] = "mer_no"

    pay_url: str = Field(
        default=f"{wire.HOST}{wire.PAGE_PATH}{wire.CHARSET_QUERY}",
        description="The order page (an older host is pay.unicompayment.com, without /pay).",
    )
    form_page_url: str = Field(
        default="",
        description="A page of your own that posts its query to pay_url as a form; empty when pay_url may be opened by GET.",
    )
    query_url: str = Field(
        default=f"{wire.HOST}{wire.QUERY_PATH}{wire.CHARSET_QUERY}", description="The query of an order."
    )
    refund_url: str = Field(
        default="", description="Where refunds are sent; not published, ask China Unicom. Empty: no refunds."
    )
    refund_query_url: str = Field(
        default="", description="Where refunds are asked about; not published. Empty: they are not."
    )
    mer_no: str = Field(description="Merchant number (merNo).", pattern=r"^[0-9A-Za-z]{4,32}$")
    sign_key: SecretStr = Field(description="The merchant's signing key.", min_length=1)
    sign_type: Literal["MD5", "SHA-1"] = Field(default="MD5", description="How messages are signed.")
    tran_type: Literal["20101", "20102"] = Field(
        default="20101", description="20101: China Unicom's own cashier. 20102: straight to bank_code's bank."
    )
    bank_code: str = Field(default="", description="The bank of tran_type 20102, such as ICBC_B2C.")
    open_first: bool = Field(
        default=False,
        description="Open each order page once from here, so that a wrong order is known before a payer sees it.",
    )
    send_validity: bool = Field(
        default=False,
        description="Send orderValidityNum, so that a page dies with its order; seen in other products of China Unicom.",
    )
    unknown_order_results: str = Field(
        default="ORDER_NOT_EXIST",
        description="Results of a query that mean: no such order or refund. Comma-separated.",
    )
    unpaid_states: str = Field(
        default="0", description="orderState of an order that nobody has paid; 1 is paid. Comma-separated."
    )
    closed_states: str = Field(
        default="", description="orderState of an order that can no longer be paid. Comma-separated."
    )
    refunded_states: str = Field(
        default="", description="orderState of an order that was paid and given back. Comma-separated."
    )
    refund_result_field: str = Field(
        default="refundResult", description="Which field of a refund's answer tells the result."
    )
    refund_done_results: str = Field(
        default="SUCCESS", description="Results of a refund that was made. Comma-separated."
    )
    refund_pending_results: str = Field(
        default="", description="Results of a refund that is on its way. Comma-separated."
    )
    refund_refused_results: str = Field(
        default="", description="Results of a refund that will never be made. Comma-separated."
    )
    notification_fields: str = Field(
        default=NOTIFICATION, description="Which field of a notification says what: role=field; role=field."
    )
    notification_order: str = Field(
        default="",
        description="The signed fields of a notification, in their order, by comma. Empty: all of them, sorted.",
    )
    notification_paid_results: str = Field(
        default="1", description="Results in a notification that mean paid. Comma-separated."
    )
    notification_failed_results: str = Field(
        default="2",
        description="Results that mean a try failed; others are kept and ignored. Comma-separated.",
    )
    notification_reply: str = Field(
        default="success", description="What China Unicom wants to read when a notification was received."
    )
    close_grace_s: int = Field(
        default=120, ge=0, description="Seconds after an order's expiry before it counts as closed."
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """What cannot be read is refused at the start, not at the first notification."""
        roles = self.roles()
        order = self.order()
        if order and not {roles[role] for role in _BELIEVED} <= set(order):
            raise ValueError("notification_order must name every field of notification_fields but paid_at.")
        if self.tran_type == "20102" and not self.bank_code:
            raise ValueError("tran_type 20102 also needs bank_code.")
        return self

    def roles(self) -> dict[str, str]:
        """Role → field of a notification. Raises `ValueError`."""
        cut = [part.partition("=") for part in self.notification_fields.split(";") if part.strip()]
        roles = {role.strip(): name.strip() for role, _, name in cut}
        if set(roles) != ROLES or len(cut) != len(ROLES) or not all(map(_FIELD.fullmatch, roles.values())):
            raise ValueError(
                f"notification_fields must read role=field; for each of {', '.join(sorted(ROLES))}."
            )
        return roles

    def order(self) -> tuple[str, ...]:
        """The signed fields of a notification where the contract lists them. Raises `ValueError`."""
        names = tuple(name.strip() for name in self.notification_order.split(",") if name.strip())
        if len(set(names)) < len(names) or not all(map(_FIELD.fullmatch, names)):
            raise ValueError("notification_order must name each field once, by comma.")
        return names


def listed(text: str) -> frozenset[str]:
    """The words of a comma-separated setting."""
    return frozenset(word.strip() for word in text.split(",") if word.strip())
