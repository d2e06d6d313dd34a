import asyncio

import pytest

from bot.sandbox.telegram import NoSuchButton, Place, Tap

QUERY_GONE = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
BUTTONS = [
    [{"text": "Ask", "callback_data": "ask:1"}, {"text": "Go", "url": "https://example.org/pay"}],
    [{"text": "Copy", "copy_text": {"text": "4711"}}],
]


@pytest.fixture(name="menu_id")
async def _menu_id(bot, chat):
    sent = await bot.result("sendMessage", chat_id=chat, text="?", reply_markup={"inline_keyboard": BUTTONS})
    await bot.result("getUpdates", offset=-1)
    return sent["message_id"]


async def next_query(bot):
    updates = await bot.result("getUpdates", timeout=5, allowed_updates=["message", "callback_query"])
    return next(update["callback_query"] for update in updates if "callback_query" in update)


async def test_a_tap_asks_the_bot_and_shows_its_answer(bot, api, chat, ann, menu_id):
    tapping = asyncio.create_task(api.tap(ann, chat, menu_id, 0, 0))
    await asyncio.sleep(0)
    query = await next_query(bot)
    await bot.result("answerCallbackQuery", callback_query_id=query["id"], text="Paid", show_alert=True)

    assert await tapping == Tap(answered=True, toast="Paid", alert=True)
    assert (query["data"], query["from"]["id"]) == ("ask:1", ann.id)
    assert query["message"]["reply_markup"]["inline_keyboard"] == BUTTONS


async def test_a_query_is_answered_once(bot, api, chat, ann, menu_id):
    tapping = asyncio.create_task(api.tap(ann, chat, menu_id, 0, 0))
    await asyncio.sleep(0)
    query_id = (await next_query(bot))["id"]
    await bot.result("answerCallbackQuery", callback_query_id=query_id)
    await tapping

    assert await bot.refusal("answerCallbackQuery", callback_query_id=query_id) == QUERY_GONE
    assert await bot.refusal("answerCallbackQuery", callback_query_id="1") == QUERY_GONE
    assert await bot.refusal("answerCallbackQuery") == QUERY_GONE


async def test_a_person_stops_watching_but_the_bot_may_still_answer_for_a_while(
    *, bot, api, chat, ann, menu_id, clock
):
    assert await api.tap(ann, chat, menu_id, 0, 0, timeout_s=0.01) == Tap(answered=False)
    first = (await next_query(bot))["id"]
    assert await bot.result("answerCallbackQuery", callback_query_id=first) is True

    await api.tap(ann, chat, menu_id, 0, 0, timeout_s=0.01)
    second = next(
        update["callback_query"]["id"]
        for update in await bot.result("getUpdates")
        if update.get("callback_query", {}).get("id") not in (None, first)
    )
    clock.advance(200)
    assert await bot.refusal("answerCallbackQuery", callback_query_id=second) == QUERY_GONE


async def test_two_taps_at_once_are_two_queries(bot, api, chat, ann, menu_id):
    taps = [asyncio.create_task(api.tap(ann, chat, menu_id, 0, 0)) for _ in range(2)]
    await asyncio.sleep(0)
    queries = [
        update["callback_query"] for update in await bot.result("getUpdates") if "callback_query" in update
    ]
    for number, query in enumerate(queries):
        await bot.result("answerCallbackQuery", callback_query_id=query["id"], text=str(number))

    assert [tap.toast for tap in await asyncio.gather(*taps)] == ["0", "1"]


async def test_links_and_copies_ask_nobody(bot, api, chat, ann, menu_id):
    assert await api.tap(ann, chat, menu_id, 0, 1) == Tap(answered=False, url="https://example.org/pay")
    assert await api.tap(ann, chat, menu_id, 1, 0) == Tap(answered=False, copied="4711")
    assert all("callback_query" not in update for update in await bot.result("getUpdates"))


async def test_a_button_that_is_gone_cannot_be_tapped(bot, api, chat, ann, menu_id):
    await bot.result("editMessageText", chat_id=chat, message_id=menu_id, text="done")

    with pytest.raises(NoSuchButton, match="no button at row 0"):
        await api.tap(ann, chat, menu_id, 0, 0)
    with pytest.raises(NoSuchButton, match="no message 99"):
        await api.tap(ann, chat, 99, 0, 0)


async def test_the_newest_button_with_a_label_is_found(bot, api, chat, menu_id):
    newer = await bot.result("sendMessage", chat_id=chat, text="?", reply_markup={"inline_keyboard": BUTTONS})

    assert api.find_button(chat, "Copy") == Place(newer["message_id"], 1, 0)
    assert api.find_button(chat, "Nothing") is None


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": "x" * 201}, "Bad Request: MESSAGE_TOO_LONG"),
        ({"url": "https://example.org"}, "Bad Request: URL_INVALID"),
    ],
)
async def test_an_answer_that_telegram_refuses_leaves_the_query_open(
    *, bot, api, chat, ann, menu_id, params, description
):
    tapping = asyncio.create_task(api.tap(ann, chat, menu_id, 0, 0))
    await asyncio.sleep(0)
    query_id = (await next_query(bot))["id"]

    assert await bot.refusal("answerCallbackQuery", callback_query_id=query_id, **params) == (
        400,
        description,
    )
    assert (
        await bot.result("answerCallbackQuery", callback_query_id=query_id, url="t.me/moongate_bot?start=x")
        is True
    )
    assert (await tapping).url == "t.me/moongate_bot?start=x"
