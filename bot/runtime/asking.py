"""What a page asks for about money, looked over before anything is written down: its size and its words."""

from bot.orders.order import SCANNED
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import (
    ORDER_KEY_CHARS_MAX,
    PAYMENT_EXPIRES_MAX_S,
    PAYMENT_EXPIRES_MIN_S,
    PAYMENT_TITLE_CHARS_MAX,
    PAYOUT_EXPIRES_MAX_S,
    PAYOUT_EXPIRES_MIN_S,
    PAYOUT_TITLE_CHARS_MAX,
    REFUND_REASON_CHARS_MAX,
)
from miniprograms.sdk.payment import PaymentRequest
from miniprograms.sdk.payout import PayoutOffer
from miniprograms.sdk.refund import RefundRequest
from providers.sdk.money import Money


def check_request(where: str, request: PaymentRequest, expires_after_s: int) -> None:
    """A payment. Raises `AuthorError`."""
    if not request.amount:
        raise AuthorError(f"{where}: a payment of nothing; what is free needs no order.")
    if not 0 < len(request.title.strip()) <= PAYMENT_TITLE_CHARS_MAX:
        raise AuthorError(f"{where}: a payment's title has 1 to {PAYMENT_TITLE_CHARS_MAX} characters.")
    check_order_key(where, request.order_key)
    if request.order_key.startswith(SCANNED):
        raise AuthorError(f"{where}: an order_key that begins {SCANNED!r} is the house's.")
    if not PAYMENT_EXPIRES_MIN_S <= expires_after_s <= PAYMENT_EXPIRES_MAX_S:
        raise AuthorError(
            f"{where}: expires_after_s is {PAYMENT_EXPIRES_MIN_S} to {PAYMENT_EXPIRES_MAX_S} seconds."
        )


def check_refund(where: str, request: RefundRequest) -> None:
    """A refund. Raises `AuthorError`."""
    if request.amount is not None and not request.amount:
        raise AuthorError(
            f"{where}: a refund of nothing; leave the amount out to give back all that is left."
        )
    if not 0 < len(request.reason.strip()) <= REFUND_REASON_CHARS_MAX:
        raise AuthorError(f"{where}: a refund's reason has 1 to {REFUND_REASON_CHARS_MAX} characters.")
    for name, key in (("order_key", request.order_key), ("refund_key", request.refund_key)):
        if not 0 < len(key) <= ORDER_KEY_CHARS_MAX:
            raise AuthorError(f"{where}: a {name} has 1 to {ORDER_KEY_CHARS_MAX} characters.")


def check_offer(where: str, offer: PayoutOffer) -> None:
    """A payout. Raises `AuthorError`."""
    if not offer.amount:
        raise AuthorError(f"{where}: a payout of nothing.")
    if not 0 < len(offer.title.strip()) <= PAYOUT_TITLE_CHARS_MAX:
        raise AuthorError(f"{where}: a payout's title has 1 to {PAYOUT_TITLE_CHARS_MAX} characters.")
    if not 0 < len(offer.payout_key) <= ORDER_KEY_CHARS_MAX:
        raise AuthorError(f"{where}: a payout_key has 1 to {ORDER_KEY_CHARS_MAX} characters.")
    if not PAYOUT_EXPIRES_MIN_S <= offer.expires_after_s <= PAYOUT_EXPIRES_MAX_S:
        raise AuthorError(
            f"{where}: expires_after_s is {PAYOUT_EXPIRES_MIN_S} to {PAYOUT_EXPIRES_MAX_S} seconds."
        )


def check_order_key(where: str, order_key: str) -> None:
    """The name of an order, or of a standing code. Raises `AuthorError`."""
    if not 0 < len(order_key) <= ORDER_KEY_CHARS_MAX:
        raise AuthorError(f"{where}: an order_key has 1 to {ORDER_KEY_CHARS_MAX} characters.")


def check_standing(where: str, title: str, code_key: str, amount: Money | None) -> None:
    """A standing code. Raises `AuthorError`."""
    if amount is not None and not amount:
        raise AuthorError(f"{where}: a code for nothing; leave the amount out to let the payer enter it.")
    if not 0 < len(title.strip()) <= PAYMENT_TITLE_CHARS_MAX:
        raise AuthorError(f"{where}: a code's title has 1 to {PAYMENT_TITLE_CHARS_MAX} characters.")
    check_order_key(where, code_key)
