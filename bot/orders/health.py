"""How an account fares: a circuit breaker. Pure but for `Pulse`, which keeps the present health of one account.

Failures within a minute send an account to rest; after the rest one call may try (half-open), and its success, or its
failure, decides. Only routing reads this: an account at rest is offered to nobody new, while what is already open
there is asked about as ever. It lives in one process: each finds out for itself, and a restart forgets.

| sign | what it does |
|---|---|
| nothing arrived, or nobody knows | the third within a minute: rest, twice as long each time |
| the institution asks for patience (429, or 503 with Retry-After) | rest, as long as it asks |
| our key or contract is refused when opening | rest for five minutes |
| an answer, whatever it says | forgets failures; when opening, the account is well again |

Asking forgets only failures of asking: an institution may answer questions and open nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from providers.sdk.results import Declined, DeclineReason, NotSent, Unknown

FAILURES_MAX: Final = 3
_WITHIN: Final = timedelta(seconds=60)
_REST_S: Final = 30
_REST_MAX_S: Final = 600
_PATIENCE_MAX_S: Final = 3600  # no institution takes itself out of business for longer by one header
_MISCONFIGURED_S: Final = 300
_PROBE_S: Final = 30  # a call that tries has an answer, or a deadline, by then


class Sign(StrEnum):
    """What one call said about its account."""

    WELL = "well"
    FAILED = "failed"
    BUSY = "busy"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reading:
    """One call, read: `opening` for a call that makes a payment possible, `rest_s` where the institution asked for one."""

    sign: Sign
    why: str = ""
    opening: bool = False
    rest_s: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How routing takes an account now: `down` says why nothing is offered; `ailing`, it is tried after the well ones."""

    down: str = ""
    ailing: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """What is remembered. `failures` are moments and whether the call was opening; `rest_s` is the last rest's length."""

    failures: tuple[tuple[datetime, bool], ...] = ()
    down_until: datetime | None = None
    rest_s: int = 0
    why: str = ""
    probe_until: datetime | None = None

    def standing(self, now: datetime) -> Standing:
        """Well, down, or half-open: down for all but one call."""
        if self.down_until is None:
            return Standing()
        if now < self.down_until:
            return Standing(down=self.why, ailing=True)
        if self.probe_until is not None and now < self.probe_until:
            return Standing(down=f"{self.why}; it is being tried again", ailing=True)
        return Standing(ailing=True)


def read(answer: object, *, opening: bool, patience_s: int | None = None) -> Reading:
    """What an answer of the contract says of the account. `patience_s`: the institution has asked for a pause."""
    match answer:
        case _ if patience_s is not None:
            rest_s = min(patience_s or _REST_S, _PATIENCE_MAX_S)
            return Reading(Sign.BUSY, f"it asks for {rest_s} s of patience", opening, rest_s)
        case NotSent():
            return Reading(Sign.FAILED, "nothing reaches it", opening)
        case Unknown():
            return Reading(Sign.FAILED, "it does not answer", opening)
        case Declined(reason=DeclineReason.MISCONFIGURED) if opening:
            return Reading(Sign.REFUSED, f"it refuses our account ({answer.code})", opening)
        case _:
            return Reading(Sign.WELL, opening=opening)


def begun(health: Health, now: datetime) -> Health:
    """An opening call leaves: when the account is half-open, this is the one that tries."""
    if health.down_until is None or now < health.down_until:
        return health
    return replace(health, probe_until=now + timedelta(seconds=_PROBE_S))


def heard(health: Health, reading: Reading, now: datetime) -> Health:
    """The health after a call."""
    match reading.sign:
        case Sign.BUSY:
            return _rest(health, now, reading.rest_s, reading.why)
        case Sign.REFUSED:
            return _rest(health, now, _MISCONFIGURED_S, reading.why)
        case Sign.FAILED:
            return _failed(health, reading, now)
        case Sign.WELL:
            return _well(health, reading, now)


def _failed(health: Health, reading: Reading, now: datetime) -> Health:
    fresh = tuple(one for one in health.failures if now - one[0] < _WITHIN)
    failures = (*fresh, (now, reading.opening))
    resting = health.down_until is not None and now < health.down_until
    tried = health.down_until is not None and reading.opening
    if resting or not (tried or len(failures) >= FAILURES_MAX):
        return replace(health, failures=failures[-FAILURES_MAX:])
    rest_s = min(2 * health.rest_s if health.down_until else _REST_S, _REST_MAX_S) or _REST_S
    return replace(_rest(health, now, rest_s, reading.why), rest_s=rest_s)


def _well(health: Health, reading: Reading, now: datetime) -> Health:
    if health.down_until is not None and now < health.down_until:
        return health  # an answer to a call from before; a rest is kept to its end
    if reading.opening:
        return Health()
    return replace(health, failures=tuple(one for one in health.failures if one[1]))


def _rest(health: Health, now: datetime, rest_s: int, why: str) -> Health:
    until = max(now + timedelta(seconds=rest_s), health.down_until or now)
    return replace(health, failures=(), down_until=until, why=why, probe_until=None)


class Pulse:
    """The health of one account in one process."""

    def __init__(self) -> None:
        self._health = Health()
        self._told: Callable[[], None] = _nobody

    def tell(self, told: Callable[[], None]) -> None:
        """Whom to call each time the account goes to rest."""
        self._told = told

    def begin(self, now: datetime) -> None:
        """An opening call is about to leave."""
        self._health = begun(self._health, now)

    def hear(self, reading: Reading, now: datetime) -> None:
        """A call has ended."""
        before, self._health = self._health, heard(self._health, reading, now)
        if self._health.down_until != before.down_until and self._health.down_until is not None:
            self._told()

    def standing(self, now: datetime) -> Standing:
        """How the account stands."""
        return self._health.standing(now)


def _nobody() -> None:
    pass
