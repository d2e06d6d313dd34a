"""Pre-checkout queries: the person has confirmed and waits, the bot has ten seconds to say yes or no.

They live in memory only. A payment that a restart interrupts has moved nothing.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from providers.sdk.clock import Clock

ANSWER_WITHIN_S: Final = 10  # Bot API, answerPreCheckoutQuery


@dataclass(frozen=True, slots=True)
class Verdict:
    """The bot's word; `message` is what the person reads when it is no."""

    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One that waits."""

    id: str
    opened_at: float  # time in seconds
    verdict: "asyncio.Future[Verdict]" = field(repr=False)


class Checkouts:
    """Every query is answered once and in time, or it is «too old»."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._open: dict[str, Checkout] = {}

    def open(self, user_id: int) -> Checkout:
        """A new query with a number of its own."""
        number = self._journal.count("checkout")
        opened_at = self._clock.now().timestamp()
        checkout = Checkout(
            str((user_id << 32) + number), opened_at, asyncio.get_running_loop().create_future()
        )
        self._open[checkout.id] = checkout
        return checkout

    async def watch(self, checkout: Checkout) -> Verdict | None:
        """The bot's answer; None when none came in time."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await checkout.verdict
        except TimeoutError:
            return None
        finally:
            self._open.pop(checkout.id, None)

    def answer(self, query_id: str, verdict: Verdict) -> None:
        """Raise «query is too old …» for one that is unknown, answered, or past its ten seconds."""
        checkout = self._open.pop(query_id, None)
        if checkout is None:
            raise bad_request(errors.QUERY_INVALID)
        if checkout.verdict.done() or self._clock.now().timestamp() > checkout.opened_at + ANSWER_WITHIN_S:
            raise bad_request(errors.QUERY_INVALID)
        checkout.verdict.set_result(verdict)

    def clear(self) -> None:
        """Nobody waits any more."""
        for checkout in self._open.values():
            if not checkout.verdict.done():
                checkout.verdict.set_result(Verdict(ok=False, message="The sandbox was reset."))
        self._open.clear()
