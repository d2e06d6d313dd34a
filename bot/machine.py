"""The machine's own clock and randomness: the one place outside the sandbox that asks for them."""

import asyncio
import secrets
import string
from datetime import UTC, datetime
from typing import Final

_ALPHABET: Final = string.digits + string.ascii_letters


class MachineClock:
    """`providers.sdk.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class MachineRandom:
    """`providers.sdk.clock.Random`, fit for keys."""

    def text(self, length: int) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))
