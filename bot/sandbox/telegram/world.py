"""Everything the methods work on, in one hand."""

from dataclasses import dataclass

from bot.sandbox.telegram.chats import Chats
from bot.sandbox.telegram.checkouts import Checkouts
from bot.sandbox.telegram.files import Files
from bot.sandbox.telegram.invoices import Invoices
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.menu import Menu
from bot.sandbox.telegram.queries import Queries
from bot.sandbox.telegram.stars import Stars
from bot.sandbox.telegram.updates import UpdateQueue
from bot.sandbox.telegram.webhook import Webhook
from bot.sandbox.telegram.wire import User
from providers.sdk.clock import Clock


@dataclass(frozen=True, slots=True)
class World:
    """The bot, its people and what lies between them."""

    bot: User
    clock: Clock
    journal: Journal
    chats: Chats
    updates: UpdateQueue
    queries: Queries
    files: Files
    menu: Menu
    webhook: Webhook
    invoices: Invoices
    checkouts: Checkouts
    stars: Stars

    def now(self) -> int:
        """Unix time, as messages carry it."""
        return int(self.clock.now().timestamp())
