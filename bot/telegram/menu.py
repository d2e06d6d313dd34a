"""The command menu beside the text field, in every language of the house."""

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.methods import SetChatMenuButton, SetMyCommands
from aiogram.types import BotCommand, MenuButtonCommands

from bot.telegram.courier import Courier
from bot.telegram.errors import SilentError
from bot.texts import LANGUAGES, translator

_log = structlog.get_logger(__name__)


def commands(language: str) -> list[BotCommand]:
    """The commands the runtime answers, as people read them."""
    _ = translator(language)
    return [
        BotCommand(command="apps", description=_("Mini programs")),
        BotCommand(command="orders", description=_("Your orders and receipts")),
        BotCommand(command="help", description=_("What this bot can do")),
    ]


async def set_menu(courier: Courier) -> None:
    """Set at every start. Without it the bot works all the same, so a failure is only logged."""
    try:
        for language in LANGUAGES:
            code = None if language == LANGUAGES[0] else language  # no code: everybody else
            await courier.carry(SetMyCommands(commands=commands(language), language_code=code))
        await courier.carry(SetChatMenuButton(menu_button=MenuButtonCommands()))
    except (TelegramAPIError, SilentError) as error:
        _log.warning("menu_not_set", cause=type(error).__name__)
