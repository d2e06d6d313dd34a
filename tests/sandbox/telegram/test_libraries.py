"""Bot libraries as their users write them, with nothing changed but the address of the server."""

import asyncio
import io

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LabeledPrice,
)
from PIL import Image
from telegram import InlineKeyboardButton as PtbButton
from telegram import InlineKeyboardMarkup as PtbMarkup
from telegram import LabeledPrice as PtbPrice
from telegram.ext import (
    ApplicationBuilder,
    CallbackQueryHandler,
    MessageHandler,
    PreCheckoutQueryHandler,
    filters,
)


async def echo(update, _):
    await update.message.reply_text(
        update.message.text, reply_markup=PtbMarkup([[PtbButton("Again", callback_data="x")]])
    )


async def again(update, _):
    await update.callback_query.answer("Once more")
    await update.callback_query.edit_message_text(f"{update.callback_query.message.text}!")


async def newest(api, chat_id, is_so):
    """The chat once its newest message is so."""
    for _ in range(100):
        messages = api.chat(chat_id)
        if messages and is_so(messages[-1]):
            return messages
        await api.wait_change(api.seq, 0.1)
    raise AssertionError(f"stuck at {api.chat(chat_id)}")


async def test_python_telegram_bot_echoes_with_a_button_by_long_polling(bot, api, ann):
    application = (
        ApplicationBuilder()
        .token(bot.token)
        .base_url(f"{bot.root}/bot")
        .base_file_url(f"{bot.root}/file/bot")
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.add_handler(CallbackQueryHandler(again))

    async with application:
        await application.start()
        await application.updater.start_polling(timeout=1)
        await api.write(ann, ann.id, "hello")
        echoed = (await newest(api, ann.id, lambda message: message.from_bot))[-1]
        tap = await api.tap(ann, ann.id, echoed.message_id, 0, 0)
        edited = (await newest(api, ann.id, lambda message: message.edited))[-1]
        await application.updater.stop()
        await application.stop()

    assert (echoed.text, echoed.buttons[0][0].label) == ("hello", "Again")
    assert (tap.answered, tap.toast) == (True, "Once more")
    assert (edited.text, edited.message_id) == ("hello!", echoed.message_id)


async def sell(update, _):
    price = [PtbPrice("Club", 5)]
    await update.message.reply_invoice("Club", "A month", "Order1", currency="XTR", prices=price)


async def agree(update, _):
    await update.pre_checkout_query.answer(ok=True)


async def give_back(update, _):
    paid = update.message.successful_payment
    await update.message.from_user.refund_star_payment(paid.telegram_payment_charge_id)


async def test_python_telegram_bot_sells_for_stars_and_gives_them_back(bot, api, ann):
    application = ApplicationBuilder().token(bot.token).base_url(f"{bot.root}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, sell))
    application.add_handler(PreCheckoutQueryHandler(agree))
    application.add_handler(MessageHandler(filters.SUCCESSFUL_PAYMENT, give_back))

    async with application:
        await application.start()
        await application.updater.start_polling(timeout=1)
        await api.write(ann, ann.id, "buy")
        invoice = (await newest(api, ann.id, lambda message: message.from_bot))[-1]
        tap = await api.tap(ann, ann.id, invoice.message_id, 0, 0)
        told = await newest(api, ann.id, lambda message: "came back" in message.text)
        await application.updater.stop()
        await application.stop()

    assert tap.toast == "You have paid ★5."
    assert [message.text for message in told][-2:] == ["You have paid ★5.", "★5 came back to you."]
    assert api.stars(ann) == 1000


async def test_aiogram_sells_for_stars_and_reads_the_ledger(aiogram_bot, api, chat, ann):
    link = await aiogram_bot.create_invoice_link(
        title="Club", description="A month", payload="Order1", currency="XTR", provider_token="",
        prices=[LabeledPrice(label="Club", amount=5)],
    )  # fmt: skip
    paying = asyncio.create_task(api.pay(ann, link))
    await asyncio.sleep(0)
    query = (await aiogram_bot.get_updates(timeout=1))[-1].pre_checkout_query
    await aiogram_bot.answer_pre_checkout_query(query.id, ok=True)
    receipt = await paying
    paid = (await aiogram_bot.get_updates())[-1].message.successful_payment
    await aiogram_bot.refund_star_payment(ann.id, receipt.charge_id)
    with pytest.raises(TelegramBadRequest, match="CHARGE_ALREADY_REFUNDED"):
        await aiogram_bot.refund_star_payment(ann.id, receipt.charge_id)
    came, went = (await aiogram_bot.get_star_transactions()).transactions
    refunded = (await aiogram_bot.get_updates())[-1].message.refunded_payment

    assert (query.total_amount, query.invoice_payload, query.from_user.id) == (5, "Order1", ann.id)
    assert paid.telegram_payment_charge_id == refunded.telegram_payment_charge_id == came.id == went.id
    assert came.source.user.id == went.receiver.user.id == ann.id
    assert (await aiogram_bot.get_my_star_balance()).amount == 0


@pytest.fixture(name="aiogram_bot")
async def _aiogram_bot(bot):
    session = AiohttpSession(api=TelegramAPIServer.from_base(bot.root))
    async with Bot(bot.token, session=session) as aiogram_bot:
        yield aiogram_bot


def picture(colour):
    written = io.BytesIO()
    Image.new("RGB", (400, 400), colour).save(written, "PNG")
    return BufferedInputFile(written.getvalue(), "qr.png")


async def test_aiogram_sends_edits_and_fetches_a_photo(aiogram_bot, api, chat):
    sent = await aiogram_bot.send_photo(
        chat, picture("red"), caption="<b>Scan</b>", parse_mode=ParseMode.HTML
    )
    edited = await aiogram_bot.edit_message_media(
        InputMediaPhoto(media=picture("blue"), caption="*Paid*", parse_mode=ParseMode.MARKDOWN_V2),
        chat_id=chat,
        message_id=sent.message_id,
    )
    file = await aiogram_bot.get_file(edited.photo[-1].file_id)
    data = await aiogram_bot.download_file(file.file_path)

    assert (edited.caption, edited.caption_entities[0].type) == ("Paid", "bold")
    red, green, blue = Image.open(data).getpixel((200, 200))
    assert blue > 200
    assert max(red, green) < 50
    assert api.chat(chat)[-1].photo_file_id == edited.photo[-1].file_id


async def test_aiogram_understands_every_object_it_gets(aiogram_bot, api, chat, ann):
    button = InlineKeyboardButton(text="A", callback_data="a", style="primary")
    sent = await aiogram_bot.send_message(
        chat, "x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]])
    )
    tapping = asyncio.create_task(api.tap(ann, chat, sent.message_id, 0, 0))
    await asyncio.sleep(0)
    updates = await aiogram_bot.get_updates(timeout=1)
    await aiogram_bot.answer_callback_query(updates[-1].callback_query.id, text="ok")
    api.block(ann)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await aiogram_bot.send_message(chat, "x")
    api.unblock(ann)

    assert (await tapping).toast == "ok"
    assert (await aiogram_bot.me()).username == "moongate_bot"
    assert (await aiogram_bot.get_chat(chat)).first_name == "Ann"
    assert (await aiogram_bot.get_updates())[-1].my_chat_member.new_chat_member.status == "member"
    assert await aiogram_bot.set_my_commands([BotCommand(command="a", description="b")]) is True
    assert (await aiogram_bot.get_my_commands())[0].command == "a"
    assert (await aiogram_bot.get_webhook_info()).pending_update_count > 0
    assert (await aiogram_bot.get_chat_menu_button(chat)).type == "commands"


async def test_aiogram_knows_the_refusals(aiogram_bot, bot, api, chat):
    api.fault("sendMessage", code=429, retry_after=7)
    with pytest.raises(TelegramRetryAfter) as slowed:
        await aiogram_bot.send_message(chat, "x")
    assert slowed.value.retry_after == 7
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await aiogram_bot.send_message(chat, "")
    session = AiohttpSession(api=TelegramAPIServer.from_base(bot.root))
    async with Bot("4242:wrong", session=session) as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()
