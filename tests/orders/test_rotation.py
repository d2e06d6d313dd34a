"""Institutions change their keys; the house fetches the new ones in time."""

import asyncio
from types import SimpleNamespace

import pytest

from bot.orders.rotation import FETCH_EVERY_S, keep_keys_fresh
from providers.sdk.errors import NoReplyError


class Sleeper:
    """A clock whose sleepers never wake; it tells how long they meant to sleep."""

    def __init__(self, wakes):
        self.slept, self._wakes = [], wakes

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if len(self.slept) > self._wakes:
            await asyncio.Event().wait()


class Rotated:
    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    async def refresh(self, call):
        self.calls.append(call)
        if self.answers and (error := self.answers.pop(0)):
            raise error


class Counted(list):
    def count(self, event, provider=""):
        self.append((event, provider))


def _account(provider):
    return SimpleNamespace(
        provider=provider, provider_id="wechatpay", name="main", call=lambda: "call", call_within_s=5
    )


async def _run(accounts, clock, watch):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await keep_keys_fresh(accounts, clock, watch)


async def test_keys_are_fetched_at_start_and_twice_a_day():
    provider, clock, watch = Rotated(), Sleeper(wakes=2), Counted()

    await _run([_account(provider)], clock, watch)

    assert provider.calls == ["call"] * 3
    assert clock.slept == [FETCH_EVERY_S] * 3
    assert watch == []


async def test_a_failed_fetch_is_counted_and_tried_again_soon():
    provider, clock, watch = Rotated(NoReplyError("silent"), None), Sleeper(wakes=1), Counted()

    await _run([_account(provider)], clock, watch)

    assert clock.slept == [300, FETCH_EVERY_S]
    assert watch == [("keys_not_fetched", "wechatpay")]


async def test_a_provider_whose_keys_stand_still_is_left_alone():
    await keep_keys_fresh([_account(object())], Sleeper(wakes=0), Counted())
