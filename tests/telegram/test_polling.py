"""The law of acknowledgement, on a real Bot API server: never before the effects are durable, never twice after."""

import asyncio

import pytest
from aiogram.exceptions import TelegramNetworkError
from structlog.testing import capture_logs

from bot.runtime.errors import BusyError
from bot.sandbox.telegram import NO_ANSWER
from bot.telegram.errors import BadTokenError
from bot.telegram.polling import GetUpdates, Polling
from tests.telegram.chat import ANN, BO, HastyClock, until


class House:
    """Handles events; waits where it is told to."""

    def __init__(self):
        self.begun = []
        self.done = []
        self.gates = {}
        self.troubles = {}

    async def handle(self, event):
        self.begun.append(event.text)
        if event.text in self.gates:
            await self.gates[event.text].wait()
        if self.troubles.get(event.text):
            raise self.troubles[event.text].pop()
        self.done.append(event.text)


@pytest.fixture(name="house")
def _house():
    return House()


def pending(api):
    """What the server still holds, in people's words."""
    return [each.update.message.text for each in api._world.updates.pending()]


async def test_what_people_write_is_handled_and_then_acknowledged(api, new_telegram, house):
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "one")
        await until(lambda: house.done == ["one"])
        await api.write(ANN, ANN.id, "two")

        await until(lambda: house.done == ["one", "two"])
        await until(lambda: pending(api) == [])


async def test_an_update_that_is_still_being_handled_is_not_acknowledged(api, new_telegram, house):
    house.gates["slow"] = gate = asyncio.Event()
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "slow")
        await api.write(BO, BO.id, "quick")
        await until(lambda: house.done == ["quick"])
        await asyncio.sleep(0.1)

        assert pending(api) == ["slow", "quick"]
        assert house.begun == ["slow", "quick"]

        gate.set()
        await until(lambda: pending(api) == [])
    assert house.done == ["quick", "slow"]


@pytest.mark.fault("I6")
async def test_killed_in_the_middle_the_unfinished_update_comes_again_and_the_finished_does_not(
    api, new_telegram, house
):
    house.gates["slow"] = asyncio.Event()
    async with new_telegram(house.handle) as front:
        await api.write(BO, BO.id, "first")
        await until(lambda: pending(api) == [])
        await api.write(ANN, ANN.id, "slow")
        await until(lambda: "slow" in house.begun)

        front.task.cancel()
        await asyncio.gather(front.task, return_exceptions=True)

    assert pending(api) == ["slow"]
    reborn = House()
    async with new_telegram(reborn.handle):
        await until(lambda: pending(api) == [])
    assert reborn.done == ["slow"]


async def test_a_graceful_stop_finishes_and_acknowledges_what_has_begun(api, new_telegram, house):
    house.gates["slow"] = gate = asyncio.Event()
    async with new_telegram(house.handle) as front:
        await api.write(ANN, ANN.id, "slow")
        await until(lambda: house.begun)

        await front.stop()
        await api.write(BO, BO.id, "too late")
        await asyncio.sleep(0.02)
        gate.set()
        await front.task

    assert house.done == ["slow"]
    assert pending(api) == ["too late"]


async def test_a_stop_does_not_wait_for_ever(api, new_telegram, house, monkeypatch):
    monkeypatch.setattr("bot.telegram.polling.DRAIN_S", 0.05)
    house.gates["stuck"] = asyncio.Event()
    async with new_telegram(house.handle) as front:
        await api.write(ANN, ANN.id, "stuck")
        await until(lambda: house.begun)

        await front.stop()
        await asyncio.wait_for(front.task, 2)

    assert pending(api) == ["stuck"]


@pytest.mark.fault("K15")
async def test_a_slow_chat_does_not_delay_the_others(api, new_telegram, house):
    house.gates["slow"] = gate = asyncio.Event()
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "slow")
        await until(lambda: house.begun)

        for number in range(20):
            await api.write(BO, BO.id, str(number))

        await until(lambda: len(house.done) == 20, within_s=2)
        assert house.done == [str(number) for number in range(20)]
        gate.set()


async def test_one_person_s_updates_keep_their_order(api, new_telegram, house):
    house.gates["0"] = gate = asyncio.Event()
    async with new_telegram(house.handle):
        for number in range(5):
            await api.write(ANN, ANN.id, str(number))
        await until(lambda: house.begun)
        await asyncio.sleep(0.05)

        assert house.begun == ["0"]
        gate.set()
        await until(lambda: house.done == ["0", "1", "2", "3", "4"])


async def test_while_a_handler_runs_telegram_is_asked_calmly(api, new_telegram, house, calls):
    house.gates["slow"] = gate = asyncio.Event()
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "slow")
        await until(lambda: house.begun)

        before = len(calls.seen)
        await asyncio.sleep(1)

        assert len(calls.seen) - before < 12
        assert house.begun == ["slow"]
        gate.set()


async def test_an_update_whose_effects_are_not_durable_comes_again_until_they_are(api, new_telegram, house):
    house.troubles["buy"] = [BusyError("locked"), ConnectionError("no store")]
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "buy")

        await until(lambda: pending(api) == [])
        assert house.begun == ["buy", "buy", "buy"]
        assert house.done == ["buy"]


async def test_an_update_that_breaks_the_house_is_told_and_does_not_come_again(api, new_telegram, house):
    house.troubles["bug"] = [KeyError("cart")]
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "bug")
        await api.write(ANN, ANN.id, "next")

        await until(lambda: pending(api) == [])

    assert house.done == ["next"]
    assert [message.text for message in api.chat(ANN.id) if message.from_bot] == [
        "Something went wrong here. Please try again."
    ]


async def test_a_server_in_trouble_is_asked_again_with_growing_pauses(api, new_telegram, house, clock):
    for code in (500, 502, NO_ANSWER):
        api.fault("getUpdates", code=code)
    api.fault("getUpdates", code=429, retry_after=7)
    async with new_telegram(house.handle):
        await api.write(ANN, ANN.id, "hello")

        await until(lambda: house.done == ["hello"])

    assert clock.slept == [0.5, 1.0, 2.0, 7]


async def test_another_poller_is_explained_once(api, new_telegram, house):
    api.fault("getUpdates", code=409, times=3)
    with capture_logs() as logs:
        async with new_telegram(house.handle):
            await api.write(ANN, ANN.id, "hello")
            await until(lambda: house.done == ["hello"])

    [line] = [line for line in logs if line["event"] == "another_poller"]
    assert "deleteWebhook" in line["advice"]


@pytest.mark.fault("I15")
async def test_a_token_revoked_while_running_ends_the_run_with_advice(api, new_telegram, house):
    api.fault("getUpdates", code=401)

    async with new_telegram(house.handle) as front:
        with pytest.raises(BadTokenError, match="BotFather"):
            await asyncio.wait_for(asyncio.shield(front.task), 2)


async def test_the_server_is_asked_for_what_we_use_as_plain_json(api, bot):
    await api.write(ANN, ANN.id, "hello")

    [update] = await bot(GetUpdates(offset=0, timeout=0, allowed_updates=["message"]))

    assert update["message"]["text"] == "hello"
    assert api._world.updates.subscription.kinds == ("message",)


class Line:
    """A server in memory that hands out what is not acknowledged, and notes the offsets it was asked for."""

    def __init__(self, *updates):
        self.updates = [{"update_id": update_id} for update_id in updates]
        self.offsets = []

    async def fetch(self, offset, wait_s):
        self.offsets.append(offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            await asyncio.sleep(0.01 if wait_s else 0)
        return self.updates[:100]


async def running(polling, fact):
    task = asyncio.create_task(polling.run())
    await until(fact)
    polling.stop()
    await task


@pytest.mark.fault("I14")
async def test_a_hundred_and_more_waiting_updates_are_all_handled_once():
    line = Line(*range(1000, 1450))
    taken = []

    async def take(update):
        taken.append(update["update_id"])
        await asyncio.sleep(0.001 * (update["update_id"] % 7))
        return True

    await running(Polling(line.fetch, take, HastyClock()), lambda: not line.updates)

    assert sorted(taken) == list(range(1000, 1450))


async def test_the_offset_never_passes_an_unfinished_update():
    line = Line(10, 11, 12)
    finished = set()
    gate = asyncio.Event()

    async def take(update):
        if update["update_id"] == 11:
            await gate.wait()
        finished.add(update["update_id"])
        return True

    polling = Polling(line.fetch, take, HastyClock())
    task = asyncio.create_task(polling.run())
    await until(lambda: finished == {10, 12} and line.offsets[-1] == 11)
    assert max(line.offsets) == 11
    gate.set()
    await until(lambda: not line.updates)
    polling.stop()
    await task

    assert line.offsets[-1] == 13


@pytest.mark.fault("I14")
async def test_an_update_that_expires_at_telegram_while_it_waits_does_not_hold_up_the_rest():
    line = Line(10)
    taken = []

    async def take(update):
        taken.append(update["update_id"])
        if update["update_id"] == 10:
            line.updates = [{"update_id": number} for number in range(20, 140)]
            return False
        return True

    await running(Polling(line.fetch, take, HastyClock()), lambda: not line.updates)

    assert taken[0] == 10
    assert sorted(taken[1:]) == list(range(20, 140))


async def test_numbers_that_start_anew_are_followed():
    line = Line(900)
    taken = []

    async def take(update):
        taken.append(update["update_id"])
        return True

    async def fetch(offset, wait_s):
        if taken == [900]:  # after a quiet week Telegram chooses the next number freely
            line.updates = [{"update_id": 5}]
            return line.updates
        return await line.fetch(offset, wait_s)

    await running(Polling(fetch, take, HastyClock()), lambda: taken == [900, 5])

    assert taken == [900, 5]


async def test_the_last_acknowledgement_may_fail():
    line = Line(10)
    taken = asyncio.Event()

    async def take(_):
        taken.set()
        return True

    async def fetch(offset, wait_s):
        if taken.is_set() and polling._stopping.is_set():
            raise TelegramNetworkError(GetUpdates(offset=0, timeout=0, allowed_updates=[]), "gone")
        return await line.fetch(offset, wait_s)

    polling = Polling(fetch, take, HastyClock())

    await running(polling, taken.is_set)
