"""Drawing, editing and erasing on a Bot API that misbehaves on demand."""

import asyncio
import io

import pytest
from aiogram.exceptions import TelegramMigrateToChat
from aiogram.methods import SendMessage
from PIL import Image

from bot.runtime.picture import qr_png
from bot.runtime.screen import Drawn, Key, Screen
from bot.sandbox.telegram import NO_ANSWER
from bot.telegram.errors import BadTokenError, PictureGoneError, ScreenRefusedError, SilentError
from bot.telegram.surface import TelegramSurface
from miniprograms.sdk.view import Bold, Text
from tests.telegram.chat import ANN, BO, said, screen, until

LATTE = qr_png("https://pay.example/p/latte")
MOCHA = qr_png("https://pay.example/p/mocha")


def newest(api, chat_id=ANN.id):
    return api.chat(chat_id)[-1]


def pixels(png):
    return Image.open(io.BytesIO(png)).convert("1").tobytes()


async def test_a_screen_becomes_a_message_with_its_styles_and_buttons(api, surface):
    keys = (
        (Key("Pay", "t:1", primary=True),),
        (Key("Site", url="https://x.example/"), Key("Number", copy="0Zk3")),
    )

    drawn = await surface.draw(ANN.id, Screen((Bold("Latte"), Text(" <b>¥18</b>")), keys), edit=None)

    message = newest(api)
    assert drawn == Drawn(message.message_id, fresh=True)
    assert message.text == "Latte <b>¥18</b>"
    bold = message.entities[0]
    assert (bold.type, bold.offset, bold.length) == ("bold", 0, 5)
    [[pay], [site, number]] = message.buttons
    assert (pay.data, pay.style, site.url, number.copy) == ("t:1", "primary", "https://x.example/", "0Zk3")


async def test_an_edit_changes_the_message_in_place(api, surface):
    first = await surface.draw(ANN.id, screen("one", "Next"), edit=None)

    second = await surface.draw(ANN.id, screen("two", "Back"), edit=first.message_id)

    assert second == Drawn(first.message_id, fresh=False)
    assert said(api) == ["two"]
    assert newest(api).buttons[0][0].label == "Back"


@pytest.mark.fault("I8")
async def test_drawing_what_is_there_is_no_error(api, surface):
    first = await surface.draw(ANN.id, screen("one", "Next"), edit=None)

    assert await surface.draw(ANN.id, screen("one", "Next"), edit=first.message_id) == Drawn(
        first.message_id, fresh=False
    )
    assert not newest(api).edited


@pytest.mark.fault("I8")
async def test_a_message_that_is_gone_is_drawn_anew_and_its_old_name_follows(api, surface):
    first = await surface.draw(ANN.id, screen("one"), edit=None)
    await surface.erase(ANN.id, first.message_id)

    second = await surface.draw(ANN.id, screen("two"), edit=first.message_id)
    third = await surface.draw(ANN.id, screen("three"), edit=first.message_id)

    assert second.fresh
    assert third == Drawn(second.message_id, fresh=False)
    assert said(api) == ["three"]


async def test_a_picture_is_uploaded_and_shown_with_its_caption(api, surface):
    await surface.draw(ANN.id, screen("Scan me", "Cancel", picture=LATTE), edit=None)

    message = newest(api)
    assert message.text == "Scan me"
    assert pixels(api.file(message.photo_file_id)) == pixels(LATTE)
    assert message.buttons[0][0].label == "Cancel"


async def test_a_picture_that_did_not_change_is_not_touched(api, surface, calls):
    first = await surface.draw(ANN.id, screen("Scan me", picture=LATTE), edit=None)

    await surface.draw(ANN.id, screen("Still waiting", picture=LATTE), edit=first.message_id)

    assert calls.names() == ["sendPhoto", "editMessageCaption"]
    assert newest(api).text == "Still waiting"


async def test_another_picture_replaces_the_old_one_in_place(api, surface):
    first = await surface.draw(ANN.id, screen("Scan me", picture=LATTE), edit=None)

    second = await surface.draw(ANN.id, screen("Scan me", picture=MOCHA), edit=first.message_id)

    assert second == Drawn(first.message_id, fresh=False)
    assert pixels(api.file(newest(api).photo_file_id)) == pixels(MOCHA)


async def test_a_picture_telegram_has_is_sent_by_its_name(api, surface):
    await surface.draw(ANN.id, screen("a", picture=LATTE), edit=None)
    first_file = newest(api).photo_file_id

    await surface.draw(ANN.id, screen("b", picture=LATTE), edit=None)

    assert newest(api).photo_file_id == first_file


async def test_a_picture_telegram_has_forgotten_is_uploaded_again(api, surface):
    surface._easel._files.put(_sha(LATTE), "AgACAgfar-from-real")

    drawn = await surface.draw(ANN.id, screen("a", picture=LATTE), edit=None)

    assert drawn.fresh
    assert pixels(api.file(newest(api).photo_file_id)) == pixels(LATTE)


async def test_a_text_becomes_a_picture_in_place(api, surface):
    first = await surface.draw(ANN.id, screen("menu", "Pay"), edit=None)

    second = await surface.draw(ANN.id, screen("Scan me", picture=LATTE), edit=first.message_id)

    assert second == Drawn(first.message_id, fresh=False)
    assert said(api) == ["Scan me"]
    assert newest(api).photo_file_id


async def test_a_picture_becomes_a_text_as_a_new_message_and_the_old_one_goes(api, surface):
    first = await surface.draw(ANN.id, screen("Scan me", picture=LATTE), edit=None)

    second = await surface.draw(ANN.id, screen("Paid"), edit=first.message_id)

    assert second.fresh
    assert said(api) == ["Paid"]


@pytest.mark.parametrize("before", [None, LATTE])
@pytest.mark.parametrize("after", [None, LATTE, MOCHA])
async def test_without_any_memory_every_screen_replaces_every_other(api, surface, before, after):
    first = await surface.draw(ANN.id, screen("before", "x", picture=before), edit=None)
    restarted = TelegramSurface(surface._bot, surface._courier._clock)

    drawn = await restarted.draw(ANN.id, screen("after", picture=after), edit=first.message_id)

    assert said(api) == ["after"]
    assert bool(newest(api).photo_file_id) == bool(after)
    assert drawn.message_id == newest(api).message_id


async def test_a_hint_opens_the_text_field_with_a_new_message(api, surface):
    first = await surface.draw(ANN.id, screen("Menu", "Name"), edit=None)

    second = await surface.draw(ANN.id, screen("Your name?", hint="Ann"), edit=first.message_id)

    assert second.fresh
    assert said(api) == ["Your name?"]
    assert api.input_bar(ANN.id).placeholder == "Ann"
    assert api.input_bar(ANN.id).reply_to == second.message_id


@pytest.mark.fault("I7")
async def test_a_chat_that_blocked_us_or_never_was_is_an_answer(api, surface):
    first = await surface.draw(ANN.id, screen("one"), edit=None)
    api.block(ANN)

    assert await surface.draw(ANN.id, screen("two"), edit=None) is None
    assert await surface.draw(999, screen("two"), edit=None) is None
    assert await surface.draw(999, screen("two"), edit=5) is None
    await surface.erase(ANN.id, first.message_id)
    await surface.erase(999, 5)


@pytest.mark.fault("I1")
async def test_too_many_requests_are_waited_for_and_the_order_of_the_chat_is_kept(api, surface, clock):
    api.fault("sendMessage", code=429, retry_after=30)

    await asyncio.gather(*(surface.draw(ANN.id, screen(str(number)), edit=None) for number in range(5)))

    assert clock.slept == [30]
    assert said(api) == ["0", "1", "2", "3", "4"]


async def test_a_wait_that_is_too_long_is_handed_back(api, surface, clock):
    api.fault("sendMessage", code=429, retry_after=3600)

    with pytest.raises(SilentError, match="3600 s"):
        await surface.draw(ANN.id, screen("one"), edit=None)

    assert clock.slept == []
    assert isinstance(SilentError(""), ConnectionError)


async def test_one_slow_chat_does_not_hold_up_another(api, surface, calls):
    await api.write(BO, BO.id, "hi")
    calls.gates["sendMessage", ANN.id] = gate = asyncio.Event()
    slow = asyncio.create_task(surface.draw(ANN.id, screen("to Ann"), edit=None))

    await surface.draw(BO.id, screen("to Bo"), edit=None)

    assert said(api, BO.id) == ["to Bo"]
    assert not slow.done()
    gate.set()
    await slow
    assert said(api) == ["to Ann"]


@pytest.mark.fault("I2")
@pytest.mark.parametrize("code", [500, 502, NO_ANSWER])
async def test_a_server_in_trouble_is_tried_again_with_growing_pauses(api, surface, clock, code):
    api.fault("sendMessage", code=code, times=3)

    assert (await surface.draw(ANN.id, screen("one"), edit=None)).fresh

    assert clock.slept == [0.5, 1.0, 2.0]
    assert said(api) == ["one"]


async def test_a_server_that_stays_away_is_given_up_in_bounded_time(api, surface, clock):
    api.fault("sendMessage", code=500, times=100)

    with pytest.raises(SilentError, match="sendMessage"):
        await surface.draw(ANN.id, screen("one"), edit=None)

    assert len(clock.slept) == 4


@pytest.mark.fault("I3")
async def test_an_edit_whose_answer_was_lost_is_not_done_twice(api, surface):
    first = await surface.draw(ANN.id, screen("one"), edit=None)
    api.fault("editMessageText", code=500, after=True)

    second = await surface.draw(ANN.id, screen("two"), edit=first.message_id)

    assert second == Drawn(first.message_id, fresh=False)
    assert said(api) == ["two"]


@pytest.mark.fault("I1")
async def test_draws_that_wait_for_the_same_message_melt_into_the_newest(api, surface, calls):
    first = await surface.draw(ANN.id, screen("0"), edit=None)
    calls.seen.clear()
    calls.gates["editMessageText", ANN.id] = gate = asyncio.Event()
    draws = [asyncio.create_task(surface.draw(ANN.id, screen("1"), edit=first.message_id))]
    await until(lambda: calls.seen)
    draws += [
        asyncio.create_task(surface.draw(ANN.id, screen(str(number)), edit=first.message_id))
        for number in range(2, 9)
    ]
    await asyncio.sleep(0.02)

    gate.set()
    drawn = await asyncio.gather(*draws)

    assert set(drawn) == {Drawn(first.message_id, fresh=False)}
    assert calls.names() == ["editMessageText", "editMessageText"]
    assert said(api) == ["8"]


async def test_a_draw_goes_on_when_its_caller_is_gone(api, surface, calls):
    calls.gates["sendMessage", ANN.id] = gate = asyncio.Event()
    caller = asyncio.create_task(surface.draw(ANN.id, screen("one"), edit=None))
    await until(lambda: calls.seen)

    caller.cancel()
    gate.set()

    await surface.close(within_s=1)
    assert said(api) == ["one"]


async def test_a_screen_telegram_refuses_is_the_screen_s_fault(api, surface):
    bad = Screen((Text("x"),), ((Key("Pay", url="ftp://nowhere"),),))

    with pytest.raises(ScreenRefusedError):
        await surface.draw(ANN.id, bad, edit=None)

    await surface.draw(ANN.id, screen("next"), edit=None)
    assert said(api) == ["next"]


async def test_a_revoked_token_says_what_to_do(api, surface):
    api.fault("sendMessage", code=401)

    with pytest.raises(BadTokenError, match="BotFather"):
        await surface.draw(ANN.id, screen("one"), edit=None)


@pytest.mark.fault("I9")
async def test_a_group_that_became_a_supergroup_is_followed(bot, clock):
    surface = TelegramSurface(bot, clock)
    asked = []

    async def carry(method, **_):
        asked.append(method.chat_id)
        if method.chat_id == -5:
            raise TelegramMigrateToChat(SendMessage(chat_id=-5, text="x"), "upgraded", -1005)
        return type("Sent", (), {"message_id": 9})

    surface._courier.carry = carry

    await surface.draw(-5, screen("one"), edit=None)
    await surface.draw(-5, screen("two"), edit=None)

    assert asked == [-5, -1005, -1005]


async def test_erasing_deletes_and_erasing_twice_is_no_error(api, surface):
    first = await surface.draw(ANN.id, screen("one"), edit=None)

    await surface.erase(ANN.id, first.message_id)
    await surface.erase(ANN.id, first.message_id)

    assert said(api) == []


async def test_a_message_that_may_not_be_deleted_loses_its_buttons(api, surface):
    first = await surface.draw(ANN.id, screen("one", "Pay"), edit=None)
    api.fault("deleteMessage", code=400)

    await surface.erase(ANN.id, first.message_id)

    assert said(api) == ["one"]
    assert newest(api).buttons == ()


async def test_erasing_never_fails_the_caller(api, surface):
    first = await surface.draw(ANN.id, screen("one", "Pay"), edit=None)
    api.fault("*", code=500, times=100)

    await surface.erase(ANN.id, first.message_id)


async def test_a_tap_is_answered_with_a_toast(api, surface):
    first = await surface.draw(ANN.id, screen("one", "Pay"), edit=None)
    tap = asyncio.create_task(api.tap(ANN, ANN.id, first.message_id, 0, 0))
    await until(lambda: api._world.queries._open)
    [query_id] = api._world.queries._open

    await surface.answer(query_id, "好" * 300, alert=True)

    outcome = await tap
    assert (outcome.answered, outcome.alert, outcome.toast) == (True, True, "好" * 200)


@pytest.mark.fault("I13")
async def test_a_tap_that_is_too_old_is_let_go(api, surface):
    await surface.answer("12345", "hello")

    api.fault("answerCallbackQuery", code=500, times=100)
    await surface.answer("12345", "hello")


async def test_a_picture_a_person_sent_is_fetched(api, surface):
    await api.photograph(ANN, ANN.id, LATTE)

    fetched = await surface.fetch(newest(api).photo_file_id)

    assert pixels(fetched) == pixels(LATTE)


async def test_a_picture_that_is_gone_or_too_large_is_not_fetched(api, surface, monkeypatch):
    with pytest.raises(PictureGoneError):
        await surface.fetch("AgACAgnonsense")

    await api.photograph(ANN, ANN.id, LATTE)
    monkeypatch.setattr("bot.telegram.surface.PICTURE_BYTES_MAX", 10)
    with pytest.raises(PictureGoneError, match="larger"):
        await surface.fetch(newest(api).photo_file_id)


def _sha(picture):
    from bot.telegram.easel import _digest

    return _digest(picture)
