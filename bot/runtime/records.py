"""From an order of the book to what its mini program may read of it. Pure."""

from typing import Final

from bot.orders.order import AttemptState, Order, OrderState, RefundState
from miniprograms.sdk.payment import PaymentStatus
from miniprograms.sdk.records import OrderRecord
from providers.sdk.money import Money

_ENDS: Final = {
    OrderState.CANCELLED: PaymentStatus.CANCELLED,
    OrderState.EXPIRED: PaymentStatus.FAILED,
    OrderState.FAILED: PaymentStatus.FAILED,
}


def record_of(order: Order) -> OrderRecord:
    """Only what settled the order counts: a second payment, and its return, are the house's matter."""
    settled = next((attempt for attempt in order.attempts if attempt.state is AttemptState.PAID), None)
    backs = [refund for refund in order.refunds if settled and refund.attempt_number == settled.number]
    done = sum(refund.amount.minor for refund in backs if refund.state is RefundState.DONE)
    held = sum(refund.amount.minor for refund in backs if refund.state is not RefundState.FAILED)
    return OrderRecord(
        order_id=order.id,
        order_key=order.order_key,
        title=order.title,
        amount=order.amount,
        status=PaymentStatus.PAID if order.paid else _ENDS.get(order.state, PaymentStatus.PENDING),
        placed_at=order.created_at,
        paid_at=settled.paid_at if settled else None,
        wallet=(settled.paid_wallet or settled.wallet) if settled else None,
        refunded=Money(done, order.amount.currency),
        refunding=Money(held - done, order.amount.currency),
    )
