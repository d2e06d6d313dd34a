"""A line of an institution's statement against our own book. Pure.

Lines are matched by number, never by day: UnionPay's clearing day runs from 23:00 to 23:00, and a refund may stand in
the statement of the day it was asked for or of the day it was done. The day only says when a line must be there at last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from providers.sdk.clock import BEIJING
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine

_CUT_OFF_HOUR: Final = 23  # the earliest end of any institution's day
_ONE_DAY: Final = timedelta(days=1)


class Verdict(StrEnum):
    """What a comparison found for one line."""

    NEW = "new"  # imported, not compared yet
    MATCHED = "matched"
    BEHIND = "behind"  # the institution has booked it, we have not, although we asked
    AMOUNT = "amount"  # the same number with another amount
    TWICE = "twice"  # a second line of the same number
    UNKNOWN = "unknown"  # no number of ours


IN_SUSPENSE: Final = frozenset({Verdict.UNKNOWN, Verdict.TWICE})


@dataclass(frozen=True, slots=True)
class Line:
    """A stored line. `id` is ours; of lines with the same number the lowest is the first."""

    id: int
    day: date
    line: StatementLine
    verdict: Verdict
    first: bool

    @property
    def minor(self) -> int:
        """Positive for money that came, negative for money that left."""
        return self.line.amount.minor if self.line.kind is StatementKind.PAYMENT else -self.line.amount.minor


@dataclass(frozen=True, slots=True)
class Ours:
    """What our book has under a line's number: an attempt, a refund or a payout of the same account."""

    order_id: str
    number: str
    amount: Money
    state: str
    settled: bool  # booked as paid, as returned, or as paid out
    moments: tuple[datetime, ...] = ()


def judge(line: Line, ours: Ours | None, *, payment_is_ours: bool) -> Verdict:
    """The verdict. `payment_is_ours`: the payment that this refund returns is in our book."""
    if ours is None:
        made_there = line.line.kind is StatementKind.REFUND and payment_is_ours
        return Verdict.BEHIND if made_there else Verdict.UNKNOWN
    if not line.first:
        return Verdict.TWICE
    if ours.amount != line.line.amount:
        return Verdict.AMOUNT
    return Verdict.MATCHED if ours.settled else Verdict.BEHIND


def days_of(moments: Iterable[datetime]) -> frozenset[date]:
    """The statements in which something of those moments may stand."""
    days = set()
    for moment in moments:
        there = moment.astimezone(BEIJING)
        days.add(there.date())
        if there.hour >= _CUT_OFF_HOUR:
            days.add(there.date() + _ONE_DAY)
    return frozenset(days)


def is_missing(ours: Ours, day: date, compared: frozenset[date]) -> bool:
    """It has no line, and `day` was the last statement that could have had one. `compared`: those we have."""
    days = days_of(ours.moments)
    return bool(days) and max(days) == day and days <= compared


def window(day: date) -> tuple[datetime, datetime]:
    """From when to when something happened whose last possible statement is that day's."""
    start = datetime(day.year, day.month, day.day, tzinfo=BEIJING)
    return start - timedelta(hours=24 - _CUT_OFF_HOUR), start + _ONE_DAY
