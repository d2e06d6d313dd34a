import aiohttp
import pytest

from bot.sandbox.telegram import NO_ANSWER


async def test_too_many_requests_name_the_seconds_to_wait(bot, api, chat):
    api.fault("sendMessage", code=429, retry_after=3)
    answer = await bot("sendMessage", chat_id=chat, text="x")

    assert answer == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }
    assert (await bot("sendMessage", chat_id=chat, text="x"))["ok"]


async def test_a_fault_before_the_effect_leaves_none_and_one_after_it_leaves_it(bot, api, chat):
    api.fault("sendMessage", code=502)
    before = await bot.refusal("sendMessage", chat_id=chat, text="lost")
    api.fault("sendmessage", code=500, after=True)
    after = await bot.refusal("sendMessage", chat_id=chat, text="kept")

    assert (before, after) == ((502, "Bad Gateway"), (500, "Internal Server Error"))
    assert [seen.text for seen in api.chat(chat)] == ["/start", "kept"]


async def test_an_answer_can_be_lost(bot, api, chat):
    api.fault("*", code=NO_ANSWER, after=True)

    with pytest.raises(aiohttp.ClientError):
        await bot("sendMessage", chat_id=chat, text="kept")
    assert api.chat(chat)[-1].text == "kept"


async def test_a_fault_strikes_as_often_as_it_is_armed_and_only_its_method(bot, api, chat):
    api.fault("sendMessage", code=503, times=2)

    assert (await bot("getMe"))["ok"]
    oks = [(await bot("sendMessage", chat_id=chat, text="x"))["ok"] for _ in range(3)]
    assert oks == [False, False, True]
