import asyncio

import pytest


async def ids(bot, **params):
    return [update["update_id"] for update in await bot.result("getUpdates", **params)]


async def test_updates_stay_until_a_higher_offset_confirms_them(bot, api, chat, ann):
    await api.write(ann, chat, "two")
    first, second = await ids(bot)

    assert second == first + 1
    assert await ids(bot, offset=first) == [first, second]
    assert await ids(bot, offset=second) == [second]
    assert await ids(bot) == [second]
    assert await ids(bot, offset=second + 1) == []
    assert await ids(bot) == []


async def test_a_negative_offset_keeps_the_last_and_forgets_the_rest(bot, api, chat, ann):
    for text in "abc":
        await api.write(ann, chat, text)
    everything = await ids(bot)

    assert await ids(bot, offset=-2) == everything[-2:]
    assert await ids(bot, offset=-9) == everything[-2:]


async def test_an_offset_far_in_the_future_is_ignored(bot, chat):
    waiting = await ids(bot)

    assert await ids(bot, offset=waiting[0] + 1000) == waiting


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (0, 1), (2, 2), (1000, 3)])
async def test_the_limit_is_1_to_100(*, bot, api, chat, ann, limit, count):
    await api.write(ann, chat, "two")
    await api.write(ann, chat, "three")

    assert len(await ids(bot, limit=limit)) == count


async def test_a_long_poll_returns_as_soon_as_something_happens(bot, api, ann):
    waiting = asyncio.create_task(bot.result("getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    await api.write(ann, ann.id, "hello")

    async with asyncio.timeout(2):
        assert (await waiting)[0]["message"]["text"] == "hello"


async def test_a_long_poll_ends_empty_when_nothing_happens(bot):
    async with asyncio.timeout(5):
        assert await bot.result("getUpdates", timeout=1) == []


async def test_a_second_poller_ends_the_first_with_409(bot, api, ann):
    first = asyncio.create_task(bot.refusal("getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(bot.result("getUpdates", timeout=30))

    assert await first == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    await api.write(ann, ann.id, "hello")
    assert len(await second) == 1


async def test_a_webhook_excludes_polling_and_ends_a_poll_that_waits(bot):
    polling = asyncio.create_task(bot.refusal("getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    await bot.result("setWebhook", url="http://127.0.0.1:9/hook")

    assert await polling == (409, "Conflict: terminated by setWebhook request")
    assert await bot.refusal("getUpdates") == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    await bot.result("deleteWebhook")
    assert await bot.result("getUpdates") == []


async def test_allowed_updates_hold_for_new_updates_until_they_are_changed(bot, api, chat, ann):
    await bot.result("getUpdates", allowed_updates=["callback_query"])
    await api.write(ann, chat, "unheard")
    await bot.result("getUpdates")
    await api.write(ann, chat, "still unheard")
    await bot.result("getUpdates", allowed_updates=[])
    await api.write(ann, chat, "heard")

    texts = [update["message"]["text"] for update in await bot.result("getUpdates")]
    assert texts == ["/start", "heard"]


async def test_a_message_waits_a_day_for_the_bot_and_no_longer(bot, chat, clock):
    clock.advance(86400 - 60)
    assert len(await ids(bot)) == 1

    clock.advance(120)
    assert await ids(bot) == []


async def test_an_emulator_that_closes_lets_go_of_a_waiting_poll(bot, api):
    waiting = asyncio.create_task(bot.result("getUpdates", timeout=50))
    await asyncio.sleep(0.05)
    await api.close()

    async with asyncio.timeout(2):
        assert await waiting == []
