"""When to ask the institution again. Pure. A schedule only asks; what is answered decides.

The ladders follow the spacing WeChat Pay recommends to merchants (5 s, 30 s, 1, 3, 5, 10 and 30 minutes) and go on
slowly for ever: an attempt that is not final is never forgotten.
"""

from datetime import datetime, timedelta
from typing import Final

from bot.orders.order import Attempt, AttemptState, Order

_OPEN_S: Final = (5, 30, 60, 180, 300, 600, 1800, 3600, 21600)
_UNKNOWN_S: Final = (2, 5, 10, 30, 60, 180, 300, 600, 1800, 3600)
# A payer who enters a password is asked about every five seconds (WeChat Pay, payment code: 5 to 10 s).
_AT_TILL_S: Final = (5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 10, 10, 30, 60, 180, 300, 600, 1800, 3600)
_REVERSED_S: Final = (60, 60, 3600, 86400)  # a password that was entered while the reversal was on its way
_CLOSED_S: Final = (3600, 86400)  # money that arrives after all; then the daily statement takes over
_REFUND_S: Final = (5, 30, 60, 300, 600, 1800, 3600, 21600)
_PAYOUT_S: Final = (2, 5, 15, 60, 300, 600, 1800, 3600, 21600)
_ENDING_S: Final = (2, 5, 15, 60, 300, 900, 1800)

# A call may be on its way for this long; before that, "no such number" says nothing about it.
IN_FLIGHT_S: Final = 30
# A customer stands at the till: a call that nobody answered for is asked about sooner.
AT_TILL_S: Final = 10
LOW_BALANCE_S: Final = 3600


def after(now: datetime, seconds: int) -> datetime:
    """That much later."""
    return now + timedelta(seconds=seconds)


def next_attempt_check(
    state: AttemptState, checks: int, order: Order, now: datetime, *, at_till: bool = False
) -> datetime | None:
    """When to ask about an attempt that was checked `checks` times in this state; None: no more."""
    match state:
        case AttemptState.INTENT:  # nothing to ask; it goes with its order
            return max(after(order.expires_at, IN_FLIGHT_S), after(now, IN_FLIGHT_S))
        case AttemptState.UNKNOWN:
            return after(now, _rung(_AT_TILL_S if at_till else _UNKNOWN_S, checks))
        case AttemptState.OPENED:
            return after(now, _rung(_OPEN_S, checks))
        case AttemptState.CLOSED | AttemptState.DECLINED:
            ladder = _REVERSED_S if at_till else _CLOSED_S
            return after(now, ladder[checks]) if checks < len(ladder) else None
        case AttemptState.PAID | AttemptState.OVERPAID:
            return None


def next_refund_check(checks: int, now: datetime) -> datetime:
    """When to ask about a refund again."""
    return after(now, _rung(_REFUND_S, checks))


def next_payout_check(checks: int, now: datetime) -> datetime:
    """When to ask about a payout again."""
    return after(now, _rung(_PAYOUT_S, checks))


def next_ending(tries: int, now: datetime) -> datetime:
    """When to try again to close what an ending order has open."""
    return after(now, _rung(_ENDING_S, tries))


def recent(called_at: datetime | None, now: datetime) -> bool:
    """The call may still have its effect at the institution, answered or not."""
    return called_at is not None and now < after(called_at, IN_FLIGHT_S)


def in_flight(attempt: Attempt, now: datetime) -> bool:
    """Somebody is calling about this attempt, or died over it a moment ago."""
    return attempt.heard_at is None and recent(attempt.called_at, now)


def overdue(attempt: Attempt, within_s: int, now: datetime) -> bool:
    """A charge by payer code that should have had its end by now: it is asked about once more, and reversed."""
    return (
        attempt.by_payer_code
        and attempt.open
        and attempt.called_at is not None
        and now >= after(attempt.called_at, within_s)
    )


def _rung(ladder: tuple[int, ...], n: int) -> int:
    return ladder[min(n, len(ladder) - 1)]
