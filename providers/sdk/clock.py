"""Time and randomness, passed in: nothing in this house reads them from the machine on its own."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

BEIJING = timezone(
    timedelta(hours=8), "Asia/Shanghai"
)  # China has one zone and no daylight saving since 1991


class Clock(Protocol):
    """The clock of the host; the sandbox and the tests can advance theirs."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when that much time of *this* clock has passed."""
        ...


class Random(Protocol):
    """Random text for nonces and numbers."""

    def text(self, length: int) -> str:
        """`length` characters of `[0-9A-Za-z]`, unguessable outside tests."""
        ...


def beijing(moment: datetime, form: str) -> str:
    """`beijing(now, "%Y%m%d%H%M%S")`: the wall clock the institutions write."""
    return moment.astimezone(BEIJING).strftime(form)


def from_beijing(text: str, form: str) -> datetime:
    """Read the institutions' wall clock into UTC. Raises `ValueError` when the text is not of that form."""
    return datetime.strptime(text, form).replace(tzinfo=BEIJING).astimezone(UTC)
