"""What the till answers to a person who taps. A refusal is an answer, not an error."""

from dataclasses import dataclass
from enum import StrEnum

from bot.orders.order import Attempt, Order


class Why(StrEnum):
    """Why not. The messenger side has a sentence for each in the payer's language."""

    UNKNOWN_ORDER = "unknown_order"
    NOT_YOURS = "not_yours"
    ALREADY_PAID = "already_paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    IN_REVIEW = "in_review"
    NOT_IN_REVIEW = "not_in_review"
    NO_OFFER = "no_offer"  # this wallet cannot pay this order
    CHECKING = "checking"  # we do not know yet; asking again soon is right, giving up is wrong
    DECLINED = "declined"  # the institution refused this attempt; another wallet may do
    OUT_OF_ORDER = "out_of_order"  # the account is down or misconfigured; another wallet may do
    OVER_BUDGET = "over_budget"  # more than what is left of the payment
    TOO_LATE = "too_late"  # outside the refund window
    NOT_REFUNDABLE = "not_refundable"
    WRONG_AMOUNT = "wrong_amount"
    NOT_CLAIMABLE = "not_claimable"  # somebody has claimed it, or it went back
    LIMIT = "limit"  # more than one person may receive in a day


@dataclass(frozen=True, slots=True)
class Refused:
    """`detail` is for logs and operators, in English; `order` as it stands, when there is one."""

    why: Why
    detail: str = ""
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The payer can pay now. `warning` when another code of this order could not be closed yet."""

    order: Order
    attempt: Attempt
    warning: str = ""


class OrderRefusedError(Exception):
    """The page asked for an order that cannot be: the same `order_key` with another amount or title.

    A new price is a new order under a new key.
    """

    def __init__(self, order_key: str, detail: str) -> None:
        super().__init__(detail)
        self.order_key = order_key


class ClosedError(Exception):
    """No new money is moved at the moment, for a reason that an operator knows; it will be again. Nothing was stored."""


class RefundRefusedError(Exception):
    """The page asked to give back what is not its own to give: no order of this program and person has that key.

    Or its `refund_key` named another refund before. What a sound program can meet is no error: `on_refund` tells it.
    """

    def __init__(self, order_key: str, detail: str) -> None:
        super().__init__(detail)
        self.order_key = order_key


class PayoutRefusedError(Exception):
    """The page offered what cannot be offered: another's order, an unpaid one, or more than is left of it."""
