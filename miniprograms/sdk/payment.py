"""Asking for money, and hearing what became of it, in WeChat's words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class PaymentStatus(StrEnum):
    """`pending` is never a failure: it is settled later, by the institution's own word."""

    PAID = "paid"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PENDING = "pending"


class IfLate(StrEnum):
    """What becomes of money that arrives after the order has ended."""

    KEEP = "keep"  # the page hears `paid` with the detail `late`, and delivers or gives it back
    REFUND = "refund"  # the house gives it back at once; the page hears of the refund alone


# requestPayment's errMsg (wx.requestPayment, "Object res"): ok, cancel, or a detail.
_ERR_MSG: Final = {
    PaymentStatus.PAID: "requestPayment:ok",
    PaymentStatus.CANCELLED: "requestPayment:fail cancel",
    PaymentStatus.FAILED: "requestPayment:fail ({detail})",
    PaymentStatus.PENDING: "requestPayment:fail (processing)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a page asks to be paid. `order_key` is the author's own: the same key asks for the same order again."""

    amount: Money
    title: str
    order_key: str
    if_late: IfLate | None = None  # None: as the host is set


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCode:
    """A payer's code that the host has read. `slip` stands for it: the digits are money, and no page ever has them.

    A slip is good for a minute, once, in this program and for this person; it may be kept in `data`. `wallets` are
    those the code may be of, the likeliest first; when it is `ambiguous`, somebody has to say which.
    """

    slip: str
    wallets: tuple[Wallet, ...]
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentResult:
    """What became of it. Delivered once per change, also after a restart or hours later."""

    order_id: str
    order_key: str
    status: PaymentStatus
    amount: Money
    detail: str = ""

    @property
    def paid(self) -> bool:
        """The money is there."""
        return self.status is PaymentStatus.PAID

    @property
    def err_msg(self) -> str:
        """WeChat's own words, such as `requestPayment:ok` and `requestPayment:fail cancel`."""
        return _ERR_MSG[self.status].format(detail=self.detail or "unknown")
