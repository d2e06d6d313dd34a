"""A small double entry: every movement of money is a transaction whose lines add up to nothing.

We hold nobody's balance, so this is a control and no product: it makes "where is that money" a sum. Accounts:

| account | holds |
|---|---|
| `receivable:<provider>:<account>` | what an institution owes us (debits positive) |
| `orders` | what we owe to orders that were paid (credits negative) |
| `suspense` | money that came without an order to go to: second payments, until they are back; lines of a statement that nothing of ours explains |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.orders.order import Attempt, AttemptState, Payout, Refund

ORDERS: Final = "orders"
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
    return _pair(f"payment:{attempt.number}", _receivable(attempt), ORDERS, attempt.amount.minor, attempt)


def extra_lines(attempt: Attempt) -> tuple[Line, Line]:
    """Money arrived for an order that is already paid."""
    return _pair(f"extra:{attempt.number}", _receivable(attempt), SUSPENSE, attempt.amount.minor, attempt)


def refund_lines(refund: Refund, attempt: Attempt) -> tuple[Line, Line]:
    """Money went back."""
    from_account = SUSPENSE if attempt.state is AttemptState.OVERPAID else ORDERS
    return _pair(f"refund:{refund.number}", from_account, _receivable(attempt), refund.amount.minor, attempt)


def payout_lines(payout: Payout) -> tuple[Line, Line]:
    """Money went out to a payee, from an account that need not be the one that took it in. Raises `ValueError`."""
    payee = payout.payee
    if payee is None:
        raise ValueError(f"Payout {payout.number} has no payee, so nothing can have been paid out.")
    from_there = f"receivable:{payee.provider}:{payee.account}"
    return _lines(f"payout:{payout.number}", ORDERS, from_there, payout.amount.minor, payout.amount.currency)


def statement_lines(
    line_id: int, provider: str, account: str, minor: int, currency: str
) -> tuple[Line, Line]:
    """A line of a statement that nothing explains: `minor` is positive for money that came, negative for money that left."""
    return _lines(f"statement:{line_id}", f"receivable:{provider}:{account}", SUSPENSE, minor, currency)


def check_balanced(lines: Sequence[Line]) -> None:
    """Raise `UnbalancedError` unless every transaction adds up to nothing in each currency."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        sums[line.txn, line.currency] = sums.get((line.txn, line.currency), 0) + line.minor
    for (txn, currency), left in sums.items():
        if left:
            raise UnbalancedError(f"{txn} is off by {left} minor units of {currency}; nothing was booked.")


def _pair(txn: str, debit: str, credit: str, minor: int, attempt: Attempt) -> tuple[Line, Line]:
    return _lines(txn, debit, credit, minor, attempt.amount.currency)


def _lines(txn: str, debit: str, credit: str, minor: int, currency: str) -> tuple[Line, Line]:
    return Line(txn, debit, minor, currency), Line(txn, credit, -minor, currency)


def _receivable(attempt: Attempt) -> str:
    return f"receivable:{attempt.provider}:{attempt.account}"
