import pytest

NOT_MODIFIED = (
    400,
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
)
BUTTON = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}


@pytest.fixture(name="text_id")
async def _text_id(bot, chat):
    return (await bot.result("sendMessage", chat_id=chat, text="one", reply_markup=BUTTON))["message_id"]


@pytest.fixture(name="photo_id")
async def _photo_id(chat, post_form, png):
    answer = await post_form("sendPhoto", {"photo": png}, chat_id=chat, caption="one")
    return answer["result"]["message_id"]


async def test_an_edit_changes_the_text_and_drops_a_keyboard_that_is_not_given_again(bot, api, chat, text_id):
    edited = await bot.result("editMessageText", chat_id=chat, message_id=text_id, text="two")

    assert edited["text"] == "two"
    assert edited["edit_date"] >= edited["date"]
    assert "reply_markup" not in edited
    seen = api.chat(chat)[-1]
    assert (seen.text, seen.buttons, seen.edited) == ("two", (), True)


async def test_an_edit_that_changes_nothing_is_refused(bot, chat, text_id, photo_id):
    same_text = {"message_id": text_id, "text": "<i></i>one", "parse_mode": "HTML", "reply_markup": BUTTON}

    assert await bot.refusal("editMessageText", chat_id=chat, **same_text) == NOT_MODIFIED
    assert (
        await bot.refusal("editMessageCaption", chat_id=chat, message_id=photo_id, caption="one")
        == NOT_MODIFIED
    )
    assert (
        await bot.refusal("editMessageReplyMarkup", chat_id=chat, message_id=text_id, reply_markup=BUTTON)
        == NOT_MODIFIED
    )


async def test_the_keyboard_alone_can_be_changed_without_the_message_counting_as_edited(
    bot, api, chat, text_id
):
    edited = await bot.result("editMessageReplyMarkup", chat_id=chat, message_id=text_id)

    assert edited["text"] == "one"
    assert "edit_date" not in edited
    assert api.chat(chat)[-1].buttons == ()


async def test_what_is_not_there_cannot_be_edited(bot, chat, text_id, photo_id):
    async def refused(method, **params):
        return (await bot.refusal(method, chat_id=chat, **params))[1]

    assert (
        await refused("editMessageText", message_id=999, text="x") == "Bad Request: message to edit not found"
    )
    assert await refused("editMessageText", text="x") == "Bad Request: message to edit not found"
    assert await refused("editMessageText", message_id=1, text="x") == "Bad Request: message can't be edited"
    assert (
        await refused("editMessageText", message_id=photo_id, text="x")
        == "Bad Request: there is no text in the message to edit"
    )
    assert (
        await refused("editMessageCaption", message_id=text_id, caption="x")
        == "Bad Request: there is no caption in the message to edit"
    )
    assert (
        await refused("editMessageText", message_id=text_id, text="x", reply_markup={"force_reply": True})
        == "Bad Request: inline keyboard expected"
    )


async def test_a_caption_has_at_most_1024_characters_and_may_vanish(bot, api, chat, photo_id):
    too_long = await bot.refusal("editMessageCaption", chat_id=chat, message_id=photo_id, caption="x" * 1025)
    await bot.result("editMessageCaption", chat_id=chat, message_id=photo_id)

    assert too_long == (400, "Bad Request: message caption is too long")
    assert api.chat(chat)[-1].text == ""


async def test_media_replaces_a_photo_or_a_text(*, bot, api, chat, text_id, photo_id, post_form, png):
    media = '{"type": "photo", "media": "attach://new", "caption": "two"}'
    answer = await post_form("editMessageMedia", {"new": png}, chat_id=chat, message_id=text_id, media=media)

    assert answer["result"]["caption"] == "two"
    assert "text" not in answer["result"]
    again = {"type": "photo", "media": answer["result"]["photo"][-1]["file_id"], "caption": "two"}
    assert (
        await bot.refusal("editMessageMedia", chat_id=chat, message_id=text_id, media=again) == NOT_MODIFIED
    )
    assert api.chat(chat)[1].photo_file_id == answer["result"]["photo"][-1]["file_id"]


async def test_deleted_messages_are_gone_and_cannot_be_deleted_again(bot, api, chat, text_id):
    assert await bot.result("deleteMessage", chat_id=chat, message_id=text_id) is True

    assert [seen.text for seen in api.chat(chat)] == ["/start"]
    assert await bot.refusal("deleteMessage", chat_id=chat, message_id=text_id) == (
        400,
        "Bad Request: message to delete not found",
    )
    assert await bot.result("deleteMessages", chat_id=chat, message_ids=[1, text_id, 99]) is True
    assert api.chat(chat) == []


async def test_after_48_hours_a_message_stays(bot, chat, text_id, clock):
    clock.advance(48 * 3600 + 60)

    assert await bot.refusal("deleteMessage", chat_id=chat, message_id=text_id) == (
        400,
        "Bad Request: message can't be deleted",
    )


@pytest.mark.parametrize(
    ("message_ids", "description"),
    [
        ("", "Bad Request: message identifiers are not specified"),
        ("{", "Bad Request: can't parse message_ids JSON object"),
        ({}, "Bad Request: expected an Array of message identifiers"),
        (["x"], "Bad Request: invalid message identifier specified"),
        (list(range(1, 102)), "Bad Request: too many message identifiers specified"),
    ],
)
async def test_delete_messages_wants_a_list_of_numbers(bot, chat, message_ids, description):
    assert await bot.refusal("deleteMessages", chat_id=chat, message_ids=message_ids) == (400, description)


async def test_numbers_are_never_given_twice(bot, api, chat, ann):
    first = (await bot.result("sendMessage", chat_id=chat, text="x"))["message_id"]
    await bot.result("deleteMessage", chat_id=chat, message_id=first)

    assert await api.write(ann, chat, "y") == first + 1
