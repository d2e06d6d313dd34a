"""The command `moongate`. Each file holds a family of its commands; what is heavy is imported inside them.

The house itself (`sandbox`, `run`) is one process that serves; everything else is an operator's word, which may be said
while the house runs: both stand on the same store.
"""

from bot.cli import (
    audit,
    backup,
    doctor,
    gateway,
    house,
    inbox,
    interop,
    new,
    orders,
    outbox,
    reconcile,
    recover,
)
from bot.cli.front import main

__all__ = [
    "audit",
    "backup",
    "doctor",
    "gateway",
    "house",
    "inbox",
    "interop",
    "main",
    "new",
    "orders",
    "outbox",
    "reconcile",
    "recover",
]
