"""The messenger side in one piece: a surface to draw on, and updates that arrive by polling or by webhook."""

import asyncio
from typing import Final

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNotFound
from aiogram.methods import DeleteWebhook, GetMe
from aiogram.utils.token import TokenValidationError
from aiohttp import web
from pydantic import SecretStr

from bot.telegram.courier import Courier
from bot.telegram.errors import BadTokenError, SilentError
from bot.telegram.intake import TRANSIENT, Handle, Intake, RawUpdate
from bot.telegram.invoices import Collector, InvoiceDoor
from bot.telegram.menu import set_menu
from bot.telegram.polling import Polling, fetch_from
from bot.telegram.surface import TelegramSurface
from bot.telegram.webhook import WebhookAddress, WebhookDoor
from providers.sdk.clock import Clock

CLOSE_WITHIN_S: Final = 5.0

_log = structlog.get_logger(__name__)


class Telegram:
    """`start()`, then `run()` until `stop()`; with a webhook, mount `receive` at the path of its address before `start()`.

    `handle` is called once per event, one at a time per seat, and returns when the effects are durable. `collector` is
    whose invoices Telegram collects; without one, payments are refused before they are made.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        api_base: str,
        handle: Handle,
        clock: Clock,
        webhook: WebhookAddress | None = None,
        transient: tuple[type[Exception], ...] = TRANSIENT,
        collector: Collector | None = None,
    ) -> None:
        self._bot = _bot(token, api_base)
        self._courier = Courier(self._bot, clock)
        self._webhook = webhook
        self._stopped = asyncio.Event()
        self._greeted = False
        self._handling: set[asyncio.Future[bool]] = set()
        self.surface = TelegramSurface(self._bot, clock)
        invoices = InvoiceDoor(self._courier, token, collector)
        self._intake = Intake(handle, self.surface, transient=transient, invoices=invoices)
        self._polling = Polling(fetch_from(self._bot), self._intake.take, clock)
        self._door = WebhookDoor(webhook.secret, self._bring) if webhook else None

    @property
    def username(self) -> str:
        """The bot's name without `@`, for links to it; known after `start()`."""
        return self._intake.username

    async def start(self) -> None:
        """Ask who we are, set the menu, open or close the webhook.

        Raises `BadTokenError`, or `SilentError` when Telegram cannot be reached; then `run()` goes on asking.
        """
        try:
            me = await self._courier.carry(GetMe())
        except TelegramNotFound as error:
            raise BadTokenError from error
        self._intake.username = me.username or ""
        await set_menu(self._courier)
        if self._webhook is None:
            await self._courier.carry(DeleteWebhook(drop_pending_updates=False))
        else:
            await self._webhook.announce(self._courier)
        self._greeted = True
        _log.info("telegram_ready", bot=self.username, updates="webhook" if self._webhook else "polling")

    async def receive(self, request: web.Request) -> web.Response:
        """An aiohttp handler for the webhook; 404 where there is none."""
        return await self._door.receive(request) if self._door else web.Response(status=404)

    async def run(self) -> None:
        """Take updates until `stop()`, then finish what has begun. Raises `BadTokenError` when the token is revoked."""
        await self._greet()
        if self._webhook is None:
            await self._polling.run()
        else:
            await self._stopped.wait()
            if self._handling:
                await asyncio.wait(self._handling, timeout=CLOSE_WITHIN_S)

    async def _greet(self) -> None:
        """Money does not wait for the messenger: a house may open without it, and says so once."""
        while not self._greeted and not self._stopped.is_set():
            try:
                await self.start()
            except SilentError as error:
                _log.info("telegram_still_away", cause=str(error))

    async def stop(self) -> None:
        """Take no more. Await `run()` afterwards, then `close()`."""
        self._polling.stop()
        self._stopped.set()

    async def close(self) -> None:
        """Finish the drawings that have begun and hang up."""
        await self.surface.close(within_s=CLOSE_WITHIN_S)
        await self._bot.session.close()

    async def _bring(self, update: RawUpdate) -> bool:
        """Handled to its end even when Telegram hangs up meanwhile; while stopping, it shall come again."""
        if self._stopped.is_set():
            return False
        handling = asyncio.ensure_future(self._intake.take(update))
        self._handling.add(handling)
        handling.add_done_callback(self._handling.discard)
        return await asyncio.shield(handling)


def _bot(token: SecretStr, api_base: str) -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(api_base))
    try:
        return Bot(token.get_secret_value(), session=session)
    except TokenValidationError as error:
        raise BadTokenError from error
