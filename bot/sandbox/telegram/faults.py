"""Trouble on demand: refusals, server errors and lost answers, before or after a call had its effect."""

from dataclasses import dataclass, replace

from bot.sandbox.telegram.errors import ApiError, too_many_requests

NO_ANSWER = 0
"""As a code: the connection closes without an answer, as in a network failure."""

_TEXTS = {
    400: "Bad Request",
    403: "Forbidden: bot was blocked by the user",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class NoAnswer(Exception):  # noqa: N818  # raised only to say nothing
    """Whoever carries the call closes the connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One armed fault for one method. `after` lets the call have its effect and spoils only the answer."""

    method: str
    code: int
    retry_after: int | None
    times: int
    after: bool

    def raise_it(self) -> None:
        """Raise what the caller of the method gets."""
        if self.code == NO_ANSWER:
            raise NoAnswer
        if self.retry_after is not None:
            raise too_many_requests(self.retry_after)
        raise ApiError(self.code, _TEXTS.get(self.code, f"Error {self.code}"))


class Faults:
    """Armed faults, taken in the order they were armed. `*` stands for any method."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """The next `fault.times` calls of the method are hit."""
        self._armed.append(fault)

    def strike(self, method: str, *, after: bool) -> None:
        """Raise if a fault is armed for this moment of this method."""
        for place, fault in enumerate(self._armed):
            if fault.method.lower() in {"*", method.lower()} and fault.after == after:
                self._armed[place : place + 1] = (
                    [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                )
                fault.raise_it()

    def clear(self) -> None:
        """Back to good behaviour."""
        self._armed.clear()
