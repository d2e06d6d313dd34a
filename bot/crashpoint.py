"""Named places on the way of money at which a proof may end the process, to show that nothing is lost there.

In production they do nothing and cannot be made to: no setting, no environment variable and no request reaches `arm`.
It takes a program that imports this module and calls it, and the only one is in the tests; a test holds that.
"""

from collections.abc import Callable, Mapping
from typing import Final

# What is true when the process dies there, in the order of a purchase and a refund.
POINTS: Final[Mapping[str, str]] = {
    "book.migrating": "the schema is brought up to date, not committed",
    "update.durable": "an update has had its effects, Telegram does not know",
    "update.acknowledged": "Telegram has forgotten the update",
    "order.placing": "order and intent are written, not committed",
    "order.placed": "order and intent are committed, the session is not saved",
    "session.saving": "a turn has been played, the session is not saved",
    "session.saved": "the session is saved, nothing is drawn",
    "attempt.called": "the call is committed as on its way, and has not left",
    "create.answered": "the institution has opened the order, the answer is not stored",
    "attempt.heard": "the code is committed, nobody has seen it",
    "attempt.leaving": "an earlier code is committed as unwanted, nobody has closed it",
    "close.answered": "the institution has closed the earlier code, the answer is not stored",
    "query.answered": "the institution has been asked, the answer is not stored",
    "notification.verified": "a notification is genuine, not stored and not acknowledged",
    "notification.stored": "a notification is stored, not acknowledged",
    "notice.taken": "a stored notification is acknowledged, not applied",
    "notice.applied": "payment, audit, ledger and messages are written, not committed",
    "notice.committed": "the payment is committed, nobody has been told",
    "outbox.shown": "the messenger has the receipt, the message is not marked",
    "outbox.told": "the page has heard, the message is not marked",
    "outbox.marked": "a message is marked as delivered",
    "refund.reserved": "a refund is reserved and committed, nobody has been called",
    "refund.called": "the refund is committed as on its way, and has not left",
    "refund.answered": "the institution has taken the refund, the answer is not stored",
    "refund.heard": "the answer to the refund is committed, nobody has been told",
    "refund.asked": "the institution has been asked about the refund, the answer is not stored",
}

_armed: Final[list[Callable[[str], None]]] = []


def crashpoint(name: str) -> None:
    """One look at an empty list, unless a proof has armed it."""
    if _armed:
        _armed[-1](name)


def arm(bomb: Callable[[str], None]) -> None:
    """For proofs alone: call `bomb` with the name of every point that is reached from now on."""
    _armed.append(bomb)


def disarm() -> None:
    """The points do nothing again."""
    _armed.clear()
