"""Giving money back, and hearing what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from providers.sdk.money import Money


class RefundStatus(StrEnum):
    """`pending` is never a failure: institutions take from seconds to days."""

    DONE = "done"
    PENDING = "pending"
    FAILED = "failed"


# WeChat gives refunds to servers alone and has no errMsg for them; these follow requestPayment's.
_ERR_MSG: Final = {
    RefundStatus.DONE: "requestRefund:ok",
    RefundStatus.PENDING: "requestRefund:fail (processing)",
    RefundStatus.FAILED: "requestRefund:fail ({detail})",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What a page asks to give back of the order that it placed under `order_key`. No amount: all that is left.

    `refund_key` is the author's own and names the refund for ever: the same key gives back once.
    """

    order_key: str
    amount: Money | None
    reason: str
    refund_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundResult:
    """What became of it. Delivered once per change, also after a restart or days later.

    `refund_key` is empty when the program did not ask: an operator, the house or the institution gave the money back.
    `detail` says why it failed: `over_budget`, `too_late`, `not_refundable`, or the institution's words.
    """

    order_id: str
    order_key: str
    refund_key: str
    status: RefundStatus
    amount: Money
    detail: str = ""

    @property
    def done(self) -> bool:
        """The money is back, as the institution says."""
        return self.status is RefundStatus.DONE

    @property
    def err_msg(self) -> str:
        """`requestRefund:ok`, `requestRefund:fail (processing)` or `requestRefund:fail (over_budget)`."""
        return _ERR_MSG[self.status].format(detail=self.detail or "unknown")
