"""The same counter page in bare aiogram and in aiogram-dialog, as their own documents write it."""

from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from aiogram_dialog import Dialog, DialogManager, StartMode, Window, setup_dialogs
from aiogram_dialog.widgets.kbd import Button
from aiogram_dialog.widgets.text import Const, Format
from redis.asyncio import Redis

KEYBOARD = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="+1", callback_data="add")]])


class Counter(StatesGroup):
    """The one state of the one page."""

    page = State()


def bare_aiogram(redis: Redis) -> Dispatcher:
    """Aiogram FSM over its RedisStorage; no isolation, no repeated updates dropped: its defaults."""
    router = Router()

    @router.message(CommandStart())
    async def start(message: Message, state: FSMContext) -> None:
        await state.set_state(Counter.page)
        await state.set_data({"count": 0})
        await message.answer("Count: 0", reply_markup=KEYBOARD)

    @router.callback_query(Counter.page, F.data == "add")
    async def add(query: CallbackQuery, state: FSMContext) -> None:
        count = (await state.get_data())["count"] + 1
        await state.update_data(count=count)
        await query.answer()
        if isinstance(query.message, Message):
            await query.message.edit_text(f"Count: {count}", reply_markup=KEYBOARD)

    dispatcher = Dispatcher(storage=RedisStorage(redis, DefaultKeyBuilder(prefix="bare")))
    dispatcher.include_router(router)
    return dispatcher


def aiogram_dialog(redis: Redis) -> Dispatcher:
    """One Dialog with one Window; its default isolation and its default answers."""

    async def count(dialog_manager: DialogManager, **_: object) -> dict[str, int]:
        return {"count": dialog_manager.dialog_data.get("count", 0)}

    async def add(_query: CallbackQuery, _button: Button, manager: DialogManager) -> None:
        manager.dialog_data["count"] = manager.dialog_data.get("count", 0) + 1

    dialog = Dialog(
        Window(
            Format("Count: {count}"),
            Button(Const("+1"), id="add", on_click=add),
            state=Counter.page,
            getter=count,
        )
    )
    router = Router()

    @router.message(CommandStart())
    async def start(_message: Message, dialog_manager: DialogManager) -> None:
        await dialog_manager.start(Counter.page, mode=StartMode.RESET_STACK)

    dispatcher = Dispatcher(
        storage=RedisStorage(redis, DefaultKeyBuilder(prefix="dialog", with_destiny=True))
    )
    dispatcher.include_routers(router, dialog)
    setup_dialogs(dispatcher)
    return dispatcher


async def feed(dispatcher: Dispatcher, bot: Bot, update: Update) -> None:
    """As aiogram's own polling and webhook do."""
    await dispatcher.feed_update(bot, update)
