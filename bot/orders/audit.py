"""The audit: one entry per change, and per word that changed nothing, each with its cause and chained to the one before.

Entries of an order are numbered without gaps; the order's `version` is the number of its last entry and the order
keeps that entry's hash, so that an entry that is edited, dropped from the middle or cut off the end is found. The
chain is per order: two orders never wait for each other. The store refuses UPDATE and DELETE by trigger as well.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

GENESIS: Final = ""


class CauseKind(StrEnum):
    """Whose word a change rests on. There is no timer among them."""

    NOTIFICATION = "notification"  # verified, in the inbox
    QUERY = "query"  # we asked
    REPLY = "reply"  # the answer to a create, close or refund of ours
    PAYER = "payer"  # or whoever claims a payout
    PAGE = "page"
    OPERATOR = "operator"
    HOUSE = "house"  # bookkeeping that needs nobody's word: a reservation, an attempt that was never sent


@dataclass(frozen=True, slots=True)
class Cause:
    """`id` names the one notification, query, reply or person."""

    kind: CauseKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an order's audit. `subject` is `order`, or the number of the attempt or refund."""

    order_id: str
    n: int
    subject: str
    event: str
    before: str
    after: str
    cause_kind: CauseKind
    cause_id: str
    note: str
    at: datetime
    prev_hash: str
    hash: str = ""


def sealed(entry: Entry) -> Entry:
    """The entry with its own hash: SHA-256 over every other field as one JSON list."""
    fields = astuple(replace(entry, at=entry.at.astimezone(UTC), hash=""))
    text = json.dumps(fields, ensure_ascii=False, default=datetime.isoformat, separators=(",", ":"))
    return replace(entry, hash=hashlib.sha256(text.encode()).hexdigest())


def first_break(entries: Iterable[Entry], *, version: int, head: str) -> int | None:
    """The number of the first entry that does not hold, or None. `version` and `head` are what the order says."""
    n, link = 0, GENESIS
    for entry in entries:
        if entry.n != n + 1 or entry.prev_hash != link or sealed(entry).hash != entry.hash:
            return n + 1
        n, link = entry.n, entry.hash
    return None if (n, link) == (version, head) else n + 1
