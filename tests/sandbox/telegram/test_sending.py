import pytest


def keyboard(*buttons):
    return {"inline_keyboard": [list(buttons)]}


async def test_a_message_arrives_with_number_sender_chat_and_date(bot, api, chat):
    sent = await bot.result("sendMessage", chat_id=chat, text="hello")

    assert sent["message_id"] == 2
    assert sent["from"]["is_bot"] is True
    assert sent["chat"] == {"id": 7, "type": "private", "first_name": "Ann", "username": "ann_in_beijing"}
    assert [(seen.from_bot, seen.text) for seen in api.chat(chat)] == [(False, "/start"), (True, "hello")]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"chat_id": 7}, "Bad Request: message text is empty"),
        ({"chat_id": 7, "text": ""}, "Bad Request: message text is empty"),
        ({"chat_id": 7, "text": " \n"}, "Bad Request: text must be non-empty"),
        ({"chat_id": 7, "text": "x" * 4097}, "Bad Request: message is too long"),
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": 8, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": 7, "text": "x", "parse_mode": "BB"}, "Bad Request: unsupported parse_mode"),
        (
            {"chat_id": 7, "text": "x", "reply_markup": "{"},
            "Bad Request: can't parse reply keyboard markup JSON object",
        ),
        ({"chat_id": 7, "text": "x", "reply_markup": []}, "Bad Request: object expected as reply markup"),
        (
            {"chat_id": 7, "text": "x", "reply_parameters": {"message_id": 99}},
            "Bad Request: message to be replied not found",
        ),
    ],
)
async def test_telegram_says_why_it_does_not_send(bot, chat, params, description):
    assert await bot.refusal("sendMessage", **params) == (400, description)


async def test_the_longest_text_is_counted_after_the_tags_are_gone(bot, chat):
    sent = await bot.result("sendMessage", chat_id=chat, text=f"<b>{'x' * 4096}</b>", parse_mode="HTML")

    assert len(sent["text"]) == 4096


@pytest.mark.parametrize(
    ("button", "description"),
    [
        (
            {"text": "A"},
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"callback_data": "a"},
            "Bad Request: can't parse inline keyboard button: Can't find field \"text\"",
        ),
        ({"text": "", "callback_data": "a"}, "Bad Request: inline keyboard button text must be non-empty"),
        ({"text": "A", "callback_data": "x" * 65}, "Bad Request: BUTTON_DATA_INVALID"),
        ({"text": "A", "callback_data": "月" * 22}, "Bad Request: BUTTON_DATA_INVALID"),
        ({"text": "A", "copy_text": {"text": "x" * 257}}, "Bad Request: BUTTON_COPY_TEXT_INVALID"),
        (
            {"text": "A", "url": "http://localhost:8080/"},
            "Bad Request: inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL",
        ),
        (
            {"text": "A", "url": "weixin://wxpay/x"},
            "Bad Request: inline keyboard button URL 'weixin://wxpay/x' is invalid: Unsupported URL protocol",
        ),
        (
            {"text": "A", "callback_data": "a", "style": "loud"},
            "Bad Request: can't parse inline keyboard button: invalid button style specified",
        ),
    ],
)
async def test_a_button_that_telegram_refuses_is_refused(bot, chat, button, description):
    refusal = await bot.refusal("sendMessage", chat_id=chat, text="x", reply_markup=keyboard(button))

    assert refusal == (400, description)


@pytest.mark.parametrize(
    ("markup", "description"),
    [
        (
            {"inline_keyboard": ["A"]},
            'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
        ),
        ({"inline_keyboard": [["A"]]}, "InlineKeyboardButton must be an Object"),
        ({"inline_keyboard": [[{"text": "A", "callback_data": "a"}]] * 101}, "reply markup is too long"),
        ({"keyboard": [["A", 1]]}, "KeyboardButton must be a String or an Object"),
        ({"keyboard": [[" "]]}, "keyboard button text must be non-empty"),
        ({"keyboard": [[{"text": []}]]}, 'Field "text" must be of type String'),
        (keyboard({"text": "A", "web_app": {"url": "http://127.0.0.1/"}}), "Only HTTPS links are allowed"),
    ],
)
async def test_a_keyboard_that_telegram_refuses_is_refused(bot, chat, markup, description):
    code, said = await bot.refusal("sendMessage", chat_id=chat, text="x", reply_markup=markup)

    assert code == 400
    assert said.lower().endswith(description.lower())


async def test_a_button_has_exactly_one_action(bot, chat):
    code, description = await bot.refusal(
        "sendMessage",
        chat_id=chat,
        text="x",
        reply_markup=keyboard({"text": "A", "callback_data": "a", "url": "https://example.org"}),
    )

    assert code == 400
    assert "2 actions (url, callback_data)" in description


async def test_every_kind_of_button_is_seen_by_the_person(bot, api, chat):
    buttons = (
        {"text": "Ask", "callback_data": "x" * 64, "style": "primary"},
        {"text": "Go", "url": "http://127.0.0.1:8081/p/1"},
        {"text": "Copy", "copy_text": {"text": "4711"}},
        {"text": "App", "web_app": {"url": "https://example.org/app"}},
    )
    await bot.result("sendMessage", chat_id=chat, text="x", reply_markup=keyboard(*buttons))

    ask, go, copy, app = api.chat(chat)[-1].buttons[0]
    assert (ask.data, ask.style) == ("x" * 64, "primary")
    assert go.url == "http://127.0.0.1:8081/p/1"
    assert copy.copy == "4711"
    assert app.url == "https://example.org/app"


async def test_a_reply_keyboard_stands_until_it_is_removed_and_is_not_in_the_message(bot, api, chat):
    keys = {"keyboard": [["Yes", {"text": "No"}]], "input_field_placeholder": "Well?"}
    sent = await bot.result("sendMessage", chat_id=chat, text="?", reply_markup=keys)
    shown = api.input_bar(chat)
    await bot.result("sendMessage", chat_id=chat, text="!", reply_markup={"remove_keyboard": True})

    assert "reply_markup" not in sent
    assert (shown.keys, shown.placeholder) == ((("Yes", "No"),), "Well?")
    assert api.input_bar(chat).keys == ()


async def test_a_forced_reply_is_open_until_the_person_writes(bot, api, chat, ann):
    asked = await bot.result(
        "sendMessage",
        chat_id=chat,
        text="Name?",
        reply_markup={"force_reply": True, "input_field_placeholder": "Name"},
    )
    bar = api.input_bar(chat)
    await api.write(ann, chat, "Ann", reply_to=asked["message_id"])

    assert (bar.reply_to, bar.placeholder) == (asked["message_id"], "Name")
    assert api.input_bar(chat).reply_to is None
    updates = await bot.result("getUpdates")
    assert updates[-1]["message"]["reply_to_message"]["message_id"] == asked["message_id"]


async def test_arguments_come_alike_as_query_form_json_and_multipart(bot, chat, post_form):
    query = {"chat_id": "7", "text": "one & two"}
    async with bot.http.get(bot.url("SENDMESSAGE"), params=query) as reply:
        by_query = await reply.json()
    async with bot.http.post(bot.url("sendMessage"), data=query) as reply:
        by_form = await reply.json()
    by_json = await bot("sendMessage", chat_id=7, text="one & two")
    by_parts = await post_form("sendMessage", {}, **query)

    assert {answer["result"]["text"] for answer in (by_query, by_form, by_json, by_parts)} == {"one & two"}


async def test_a_body_that_is_no_json_is_refused(bot):
    async with bot.http.post(
        bot.url("sendMessage"), data=b"{", headers={"Content-Type": "application/json"}
    ) as reply:
        answer = await reply.json()

    assert answer == {"ok": False, "error_code": 400, "description": "Bad Request: can't parse JSON object"}


async def test_a_wrong_token_is_unauthorized(bot):
    async with bot.http.get(bot.url("getMe", token="4242:other")) as reply:
        answer = await reply.json()

    assert (reply.status, answer) == (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})


async def test_an_unknown_method_is_not_found(bot):
    assert await bot.refusal("sendHug", chat_id=7) == (404, "Not Found: method not found")


async def test_a_person_who_blocked_the_bot_is_not_reached_until_they_write_again(bot, api, chat, ann):
    api.block(ann)
    refusal = await bot.refusal("sendMessage", chat_id=chat, text="x")
    await api.write(ann, chat, "/start")

    assert refusal == (403, "Forbidden: bot was blocked by the user")
    assert (await bot("sendMessage", chat_id=chat, text="x"))["ok"]
    changes = [
        update["my_chat_member"] for update in await bot.result("getUpdates") if "my_chat_member" in update
    ]
    assert [change["new_chat_member"]["status"] for change in changes] == ["kicked", "member"]


async def test_typing_is_seen_for_five_seconds_or_until_a_message(bot, api, chat, clock):
    await bot.result("sendChatAction", chat_id=chat, action="typing")
    seen = api.action(chat)
    clock.advance(6)
    later = api.action(chat)
    await bot.result("sendChatAction", chat_id=chat, action="upload_photo")
    await bot.result("sendMessage", chat_id=chat, text="done")

    assert (seen, later, api.action(chat)) == ("typing", None, None)
    assert await bot.refusal("sendChatAction", chat_id=chat, action="sing") == (
        400,
        "Bad Request: wrong parameter action in request",
    )


async def test_a_group_has_its_own_numbers_and_names_who_wrote(bot, api, chat, ann):
    first = await api.write(ann, -1001234, "hello all")

    update = (await bot.result("getUpdates"))[-1]["message"]
    assert first == 1
    assert update["chat"]["type"] == "supergroup"
    assert update["from"]["id"] == ann.id
    with pytest.raises(ValueError, match="another person's private chat"):
        await api.write(ann, 99, "x")
