"""A small double entry: every movement of money is a transaction whose lines add up to nothing.

We hold nobody's balance, so this is a control and no product: it makes "where is that money" a sum. Accounts:

| account | holds |
|---|---|
| `receivable:<provider>:<account>` | what an institution owes us (debits positive) |
| `orders` | what we owe to orders that were paid, until their page has been told (credits negative) |
| `revenue` | what the pages were told of: earned, less what is given back of it |
| `refunds_payable` | what is reserved to go back, until the institution says that it has |
| `payouts_payable` | what is offered to payees, likewise |
| `fees` | what the institutions kept, by their statements, to the fen as they round it |
| `suspense` | money that came without an order to go to: second payments, until they are back; lines of a statement that nothing of ours explains |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.orders.order import Attempt, AttemptState, Order, Payout, Refund
from providers.sdk.money import Money

ORDERS: Final = "orders"
REVENUE: Final = "revenue"
REFUNDS_PAYABLE: Final = "refunds_payable"
PAYOUTS_PAYABLE: Final = "payouts_payable"
FEES: Final = "fees"
SUSPENSE: Final = "suspense"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of one transaction. `txn` is unique per event, so a repeat cannot be booked twice."""

    txn: str
    account: str
    minor: int
    currency: str


class UnbalancedError(Exception):
    """The lines of a transaction do not add up to nothing; the whole transaction is rolled back."""


def payment_lines(attempt: Attempt) -> tuple[Line, Line]:
    """Money arrived for the order."""
    return _lines(f"payment:{attempt.number}", _receivable(attempt), ORDERS, attempt.amount)


def extra_lines(attempt: Attempt) -> tuple[Line, Line]:
    """Money arrived for an order that is already paid."""
    return _lines(f"extra:{attempt.number}", _receivable(attempt), SUSPENSE, attempt.amount)


def earning_lines(order: Order, rest: Money) -> tuple[Line, Line]:
    """The page of a paid order was told; `rest` is what is not on its way back or out by then."""
    return _lines(f"earned:{order.id}", ORDERS, REVENUE, rest)


def reserved_lines(order: Order, part: Refund | Payout) -> tuple[Line, Line]:
    """Part of a payment is set aside, to go back or out."""
    return _lines(f"reserved:{part.number}", _held(order, part), _payable(part), part.amount)


def released_lines(order: Order, part: Refund | Payout) -> tuple[Line, Line]:
    """It does not go."""
    return _lines(f"released:{part.number}", _payable(part), _held(order, part), part.amount)


def refund_lines(refund: Refund, attempt: Attempt) -> tuple[Line, Line]:
    """Money went back."""
    return _lines(f"refund:{refund.number}", REFUNDS_PAYABLE, _receivable(attempt), refund.amount)


def payout_lines(payout: Payout) -> tuple[Line, Line]:
    """Money went out to a payee, from an account that need not be the one that took it in. Raises `ValueError`."""
    payee = payout.payee
    if payee is None:
        raise ValueError(f"Payout {payout.number} has no payee, so nothing can have been paid out.")
    from_there = f"receivable:{payee.provider}:{payee.account}"
    return _lines(f"payout:{payout.number}", PAYOUTS_PAYABLE, from_there, payout.amount)


def fee_lines(line_id: int, provider: str, account: str, fee: Money, *, returned: bool) -> tuple[Line, Line]:
    """An institution kept its fee of a payment, or gave it back with a refund."""
    kept, owed = FEES, f"receivable:{provider}:{account}"
    debit, credit = (owed, kept) if returned else (kept, owed)
    return _lines(f"fee:{line_id}", debit, credit, fee)


def statement_lines(
    line_id: int, provider: str, account: str, minor: int, currency: str
) -> tuple[Line, Line]:
    """A line of a statement that nothing explains: `minor` is positive for money that came, negative for money that left."""
    receivable = f"receivable:{provider}:{account}"
    return _pair(f"statement:{line_id}", receivable, SUSPENSE, minor, currency)


def check_balanced(lines: Sequence[Line]) -> None:
    """Raise `UnbalancedError` unless every transaction adds up to nothing in each currency."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        sums[line.txn, line.currency] = sums.get((line.txn, line.currency), 0) + line.minor
    for (txn, currency), left in sums.items():
        if left:
            raise UnbalancedError(f"{txn} is off by {left} minor units of {currency}; nothing was booked.")


def _lines(txn: str, debit: str, credit: str, amount: Money) -> tuple[Line, Line]:
    return _pair(txn, debit, credit, amount.minor, amount.currency)


def _pair(txn: str, debit: str, credit: str, minor: int, currency: str) -> tuple[Line, Line]:
    return Line(txn, debit, minor, currency), Line(txn, credit, -minor, currency)


def _held(order: Order, part: Refund | Payout) -> str:
    """Where the money of that payment stands."""
    if order.attempt(part.attempt_number).state is AttemptState.OVERPAID:
        return SUSPENSE
    return REVENUE if order.earned_at else ORDERS


def _payable(part: Refund | Payout) -> str:
    return REFUNDS_PAYABLE if isinstance(part, Refund) else PAYOUTS_PAYABLE


def _receivable(attempt: Attempt) -> str:
    return f"receivable:{attempt.provider}:{attempt.account}"
