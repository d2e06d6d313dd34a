"""A till in a chat: whoever opens it is its operator. The pages: `till.py`, `codes.py`, `ledger.py`."""

from miniprograms.cashier import codes, ledger, till
from miniprograms.cashier.front import app

__all__ = ["app", "codes", "ledger", "till"]
