"""A clock that stands still and text that is different every time, and the same in every run."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256


@dataclass
class FakeClock:
    moment: datetime = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class FakeRandom:
    seed: str = "seed"
    drawn: int = 0

    def text(self, length: int) -> str:
        self.drawn += 1
        return sha256(f"{self.seed}{self.drawn}".encode()).hexdigest()[:length]
