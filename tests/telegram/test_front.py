"""Starting: who we are, the menu, the way updates arrive."""

import asyncio

import pytest
from pydantic import SecretStr

from bot.runtime.events import Command, Tap
from bot.telegram.errors import BadTokenError, SilentError
from bot.telegram.front import Telegram
from tests.telegram.chat import ANN, BO, TOKEN, HastyClock, hang_up, screen, until


async def nothing(_):
    pass


async def started(token, api_base):
    front = Telegram(token=SecretStr(token), api_base=api_base, handle=nothing, clock=HastyClock())
    try:
        await front.start()
    finally:
        await hang_up(front._bot)


async def test_the_menu_speaks_the_person_s_language(api, new_telegram):
    async with new_telegram(nothing) as front:
        assert front.username == "moongate_bot"

    assert [line.command for line in api.commands(ANN, ANN.id)] == ["apps", "orders", "help"]
    assert api.commands(ANN, ANN.id)[1].description == "Your orders and receipts"
    assert api.commands(BO, BO.id)[1].description == "我的订单和凭证"


async def test_a_menu_that_cannot_be_set_does_not_keep_the_bot_from_working(api, new_telegram):
    api.fault("setMyCommands", code=400)

    async with new_telegram(nothing) as front:
        assert front.username == "moongate_bot"


@pytest.mark.parametrize("token", ["", "nonsense", "12:with space", "4243:another-bot"])
async def test_a_bad_token_says_what_to_do_and_never_itself(api, token):
    with pytest.raises(BadTokenError) as raised:
        await started(token, api.url)

    assert "TELEGRAM_BOT_TOKEN" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert token == "" or token not in str(raised.value)


async def test_a_server_that_is_not_there_is_given_up_in_bounded_time():
    with pytest.raises(SilentError, match="getMe"):
        await started(TOKEN, "http://127.0.0.1:9")


async def test_a_webhook_left_by_somebody_is_removed_before_polling(api, new_telegram, bot):
    await bot.set_webhook("https://elsewhere.example/hook")
    seen = []

    async def handle(event):
        seen.append(event.text)

    async with new_telegram(handle):
        await api.write(ANN, ANN.id, "hello")
        await until(lambda: seen == ["hello"])


async def test_a_tap_travels_from_the_person_to_the_toast(api, new_telegram):
    async def handle(event):
        if isinstance(event, Command):
            await front.surface.draw(event.origin.seat.chat_id, screen("Menu", "Latte"), edit=None)
        elif isinstance(event, Tap):
            await front.surface.answer(event.origin.callback_id, event.data)
            await front.surface.draw(
                event.origin.seat.chat_id, screen("Thanks"), edit=event.origin.message_id
            )

    async with new_telegram(handle) as front:
        await api.write(ANN, ANN.id, "/start")
        await until(lambda: api.find_button(ANN.id, "Latte"))
        place = api.find_button(ANN.id, "Latte")

        outcome = await api.tap(ANN, ANN.id, place.message_id, place.row, place.col)

        assert (outcome.answered, outcome.toast) == (True, "t:Latte")
        await until(lambda: api.chat(ANN.id)[-1].text == "Thanks")
        assert api.chat(ANN.id)[-1].message_id == place.message_id


async def test_closing_hangs_up(api, clock):
    front = Telegram(token=SecretStr(TOKEN), api_base=api.url, handle=nothing, clock=clock)
    await front.start()
    running = asyncio.create_task(front.run())

    await front.stop()
    await running
    await front.close()

    assert front._bot.session._session.closed
