import asyncio

import pytest

from bot.sandbox.records import SandboxRecords
from bot.sandbox.telegram import Tap

BUTTON = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}


@pytest.fixture(name="records", params=["memory", "file"])
def _records(request, records, tmp_path):
    if request.param == "memory":
        yield records
    else:
        with SandboxRecords(tmp_path / "sandbox.sqlite3") as file:
            yield file.room("telegram")


# A kill is the second emulator starting on the records while the first was never closed.


async def test_a_killed_sandbox_comes_back_with_chats_updates_files_and_menus(new_api, ann, png):
    async with new_api() as (api, bot):
        await api.write(ann, ann.id, "/start")
        await api.photograph(ann, ann.id, png, "mine")
        await bot.result("sendMessage", chat_id=ann.id, text="hi", reply_markup=BUTTON)
        await bot.result("sendMessage", chat_id=ann.id, text="?", reply_markup={"keyboard": [["Yes"]]})
        await bot.result("setMyCommands", commands=[{"command": "a", "description": "b"}])
        await bot.result("setChatMenuButton", menu_button={"type": "default"})
        before, updates, seq = api.chat(ann.id), await bot.result("getUpdates"), api.seq
        bytes_before = api.file(before[1].photo_file_id)

        async with new_api() as (revived, new_bot):
            assert revived.chat(ann.id) == before
            assert await new_bot.result("getUpdates") == updates
            assert revived.file(before[1].photo_file_id) == bytes_before
            assert revived.input_bar(ann.id).keys == (("Yes",),)
            assert len(revived.commands(ann, ann.id)) == 1
            assert revived.seq == seq
            assert await revived.write(ann, ann.id, "on we go") == before[-1].message_id + 1
            assert (await new_bot.result("getUpdates"))[-1]["update_id"] == updates[-1]["update_id"] + 1


async def test_what_was_confirmed_does_not_come_back(new_api, ann):
    async with new_api() as (api, bot):
        await api.write(ann, ann.id, "one")
        await api.write(ann, ann.id, "two")
        last = (await bot.result("getUpdates"))[-1]["update_id"]
        await bot.result("getUpdates", offset=last)

        async with new_api() as (_, new_bot):
            assert [update["update_id"] for update in await new_bot.result("getUpdates")] == [last]


async def test_a_tap_before_the_kill_can_be_answered_after_it(new_api, ann):
    async with new_api() as (api, bot):
        await api.write(ann, ann.id, "/start")
        sent = await bot.result("sendMessage", chat_id=ann.id, text="hi", reply_markup=BUTTON)
        assert await api.tap(ann, ann.id, sent["message_id"], 0, 0, timeout_s=0.01) == Tap(answered=False)

        async with new_api() as (_, new_bot):
            query = (await new_bot.result("getUpdates"))[-1]["callback_query"]
            assert await new_bot.result("answerCallbackQuery", callback_query_id=query["id"]) is True


async def test_a_webhook_and_what_it_asked_for_survive(new_api, ann):
    async with new_api() as (_, bot):
        await bot.result(
            "setWebhook", url="http://127.0.0.1:9/", secret_token="s", allowed_updates=["message"]
        )

        async with new_api() as (revived, new_bot):
            await revived.write(ann, ann.id, "hello")
            info = await new_bot.result("getWebhookInfo")
            assert (info["url"], info["allowed_updates"]) == ("http://127.0.0.1:9/", ["message"])
            assert info["pending_update_count"] == 1


async def test_a_fresh_world_keeps_the_bot_and_forgets_the_people(new_api, ann, png):
    async with new_api() as (api, bot):
        await bot.result("setMyCommands", commands=[{"command": "a", "description": "b"}])
        await api.write(ann, ann.id, "/start")
        await api.photograph(ann, ann.id, png)
        first = (await bot.result("getUpdates"))[0]["update_id"]
        seq = api.seq
        api.reset()

        assert (api.chat(ann.id), api.chats()) == ([], ())
        assert await bot.result("getUpdates") == []
        assert api.seq > seq
        assert len(await bot.result("getMyCommands")) == 1
        assert (await bot.refusal("sendMessage", chat_id=ann.id, text="x"))[
            1
        ] == "Bad Request: chat not found"
        await api.write(ann, ann.id, "/start")
        assert (await bot.result("getUpdates"))[0]["update_id"] > first

        async with new_api() as (revived, _):
            assert [seen.text for seen in revived.chat(ann.id)] == ["/start"]


async def test_the_page_is_woken_by_a_change_and_not_before(new_api, ann):
    async with new_api() as (api, bot):
        await api.write(ann, ann.id, "/start")
        seq = api.seq
        assert await api.wait_change(seq, 0.01) == seq
        waiting = asyncio.create_task(api.wait_change(seq, 5))
        await asyncio.sleep(0)
        await bot.result("sendMessage", chat_id=ann.id, text="x")

        assert await waiting > seq
