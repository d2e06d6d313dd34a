"""Hears an institution ask for patience, whatever a provider makes of that answer.

429 says so by itself (RFC 6585, 4); 503 does with a `Retry-After` (RFC 9110, 10.2.3), in seconds or as a date.
"""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from providers.sdk.clock import Clock
from providers.sdk.errors import ReplyError
from providers.sdk.transport import HttpReply, HttpRequest, Transport

_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_SECOND: Final = timedelta(seconds=1)
_DIGITS_MAX: Final = 6


class Ear:
    """A transport that listens. `patience_s` is the pause asked for, 0 where none was named, None where nobody asked."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport, self._clock = transport, clock
        self.patience_s: int | None = None

    async def send(self, request: HttpRequest) -> HttpReply:
        """Carry it, and note the pause."""
        reply = await self._transport.send(request)
        pause_s = self._pause_s(reply)
        if reply.status == _TOO_MANY or (reply.status == _UNAVAILABLE and pause_s):
            self.patience_s = pause_s
        return reply

    def _pause_s(self, reply: HttpReply) -> int:
        try:
            said = (reply.headers.get("Retry-After") or "").strip()
            if said.isascii() and said.isdigit():
                return int(said[:_DIGITS_MAX])
            moment = parsedate_to_datetime(said)
            return max(0, (moment - self._clock.now()) // _SECOND)
        except (ReplyError, ValueError, TypeError):  # twice, or neither; TypeError: a date without a zone
            return 0
