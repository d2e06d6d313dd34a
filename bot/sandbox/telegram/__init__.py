"""A Telegram Bot API server in its own right: any bot library can point at it.

It knows Telegram's wire, Telegram's rules and the people of the sandbox. It knows nothing of our host: aiogram and
`bot.telegram` are not imported here.

Known differences to api.telegram.org: webhooks may be `http://` on this machine; photos and documents are the only
media; no flood limits but those that `BotApi.fault` injects; a button with two actions is refused; payments are in
Stars, of which everybody begins with a thousand, and subscriptions do not renew themselves.
"""

from bot.sandbox.telegram.bot_api import ANSWER_WAITED_S, BotApi
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.faults import NO_ANSWER
from bot.sandbox.telegram.payer import PaymentRefused, Receipt
from bot.sandbox.telegram.people import Button, ChatMessage, InputBar, NoSuchButton, Person, Place, Tap
from bot.sandbox.telegram.records import MemoryRecords, Records
from bot.sandbox.telegram.wire import BotCommand, Chat, MessageEntity

__all__ = [
    "ANSWER_WAITED_S",
    "NO_ANSWER",
    "ApiError",
    "BotApi",
    "BotCommand",
    "Button",
    "Chat",
    "ChatMessage",
    "InputBar",
    "MemoryRecords",
    "MessageEntity",
    "NoSuchButton",
    "PaymentRefused",
    "Person",
    "Place",
    "Receipt",
    "Records",
    "Tap",
]
