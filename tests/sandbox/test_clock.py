import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.clock import MachineRandom, SandboxClock


def test_it_runs_with_the_machine_and_is_moved_ahead():
    clock = SandboxClock()

    clock.advance(960)

    assert clock.offset_s == 960
    assert abs(clock.now() - datetime.now(UTC) - timedelta(seconds=960)) < timedelta(seconds=1)


async def test_advancing_wakes_those_who_are_due_and_nobody_else():
    clock = SandboxClock()
    due = asyncio.create_task(clock.sleep(60))
    later = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)

    clock.advance(61)

    await asyncio.wait_for(due, 1)
    assert not later.done()
    later.cancel()


async def test_it_also_runs_by_itself():
    await asyncio.wait_for(SandboxClock().sleep(0.02), 1)


@pytest.mark.parametrize("seconds", [-1, 10**9, float("nan")])
def test_it_never_goes_back(seconds):
    clock = SandboxClock(5.0)

    with pytest.raises(ValueError, match="moves forward"):
        clock.advance(seconds)

    assert clock.offset_s == 5.0


def test_the_offset_is_kept_before_anybody_wakes():
    kept = []
    clock = SandboxClock(1.0, kept.append)

    clock.advance(2)

    assert kept == [3.0]


def test_random_text_is_of_the_alphabet_and_not_the_same_twice():
    first, second = (MachineRandom().text(32) for _ in range(2))

    assert len(first) == 32
    assert first.isalnum()
    assert first.isascii()
    assert first != second
