"""The whole sandbox around a host: Telegram, the institutions, the wallets, the clock and the page, in one process.

It knows the host by its address and by three questions only, so it can start before the host and outlive its restart.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.errors import PortTakenError
from bot.orders.order import Order, Refund
from bot.sandbox.bulletin import Bulletin, Topic
from bot.sandbox.chat_view import ChatView
from bot.sandbox.clock import MachineRandom, wind
from bot.sandbox.courier import PostOffice
from bot.sandbox.institutions import HERE, Institutions
from bot.sandbox.pages import Pages, only_this_page
from bot.sandbox.people import People
from bot.sandbox.person import AllOrders, GiveBack, PersonSide
from bot.sandbox.pictures import QrReader
from bot.sandbox.purses import SandboxPurses
from bot.sandbox.records import SandboxRecords
from bot.sandbox.telegram.bot_api import BotApi
from bot.sandbox.wallet_app import WalletApps
from providers.sdk.contract import ProviderPlugin, Way

BOT_TOKEN: Final = "8080:AAMoongateSandboxTokenOfNoValueAnywhere"  # noqa: S105  # opens the emulator only
RECORDS: Final = "sandbox.db"
_REQUEST_BYTES_MAX: Final = 60 * 1024 * 1024  # a document may have 50 MB (Bot API, "Sending files")
_WATCH_S: Final = 30.0


async def _no_orders(_: int) -> Sequence[Order]:
    return ()


async def _nothing() -> None:
    return


async def _no_host(*_: object) -> str:
    return "No host is joined to this sandbox, so there is nothing to refund."


class Sandbox:
    """Made, started, joined to a host, closed; once each.

    `port` is the page's and the Bot API's; 0 chooses a free one. `host_url` is where the host's own web app will be.
    """

    def __init__(
        self,
        plugins: Sequence[ProviderPlugin],
        data_dir: Path,
        *,
        port: int = 8080,
        host_url: str = "http://127.0.0.1:8081",
    ) -> None:
        self._records = SandboxRecords(data_dir / RECORDS)
        self._port = port
        self.host_url = host_url
        self._all_orders: AllOrders = _no_orders
        self._reset_host: Callable[[], Awaitable[None]] = _nothing
        self._give_back: GiveBack = _no_host
        self._bulletin = Bulletin()
        self.random = MachineRandom()
        self.clock = wind(self._records.drawer("clock"))
        self.purses = SandboxPurses(
            self._records.drawer("purses"), self.clock, self.random, self._money_moved
        )
        self.office = PostOffice(self._records.room("post"), self.clock)
        self._in_chat = [plugin for plugin in plugins if Way.INVOICE in plugin.info.ways]
        elsewhere = [plugin for plugin in plugins if plugin not in self._in_chat]
        self.institutions = Institutions(
            elsewhere, self._records, self.office, purses=self.purses, clock=self.clock, random=self.random
        )
        self.wallets = WalletApps(
            self.institutions, self._records, lambda: self.host_url, self._money_moved, self.clock
        )
        self.telegram = BotApi(
            token=BOT_TOKEN, clock=self.clock, random=self.random, record=self._records.room("telegram")
        )
        self.chat = ChatView(
            self.telegram, People(self._records.drawer("people")), QrReader(self.telegram.file)
        )
        self._watch: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page, and what a bot library calls the Bot API server."""
        return f"http://{HERE}:{self._port}"

    @property
    def bot_token(self) -> str:
        """The token of the sandbox's bot."""
        return BOT_TOKEN

    @property
    def merchants(self) -> Mapping[str, Mapping[str, str]]:
        """Settings of a merchant at every institution, by provider id; known once started.

        Where the messenger itself collects, the institution is the emulated Bot API and the merchant is the bot.
        """
        bot = {"base_url": self.url, "bot_token": self.bot_token}
        return {
            **{institution.info.id: institution.merchant for institution in self.institutions},
            **{plugin.info.id: bot for plugin in self._in_chat},
        }

    def join(
        self,
        all_orders: AllOrders,
        reset_host: Callable[[], Awaitable[None]],
        give_back: GiveBack | None = None,
    ) -> None:
        """Let the page see a host's orders and refund them, and a reset reach the host: it drops orders and sessions."""
        self._all_orders, self._reset_host = all_orders, reset_host
        self._give_back = give_back or self._give_back

    async def start(self) -> None:
        """Open everything. Raises `PortTakenError`; close it then too."""
        await self._listen()
        await self.institutions.open()
        await self.wallets.open()
        await self.telegram.start()
        await self.office.open()
        self._watch = asyncio.create_task(self._watch_chat())

    async def close(self) -> None:
        """Close everything; the world stays in the records."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await self.office.close()
        await self.telegram.close()
        await self.wallets.close()
        await self.institutions.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._records.close()

    async def reset(self) -> None:
        """A fresh world. Keys, addresses and the clock stay, so whatever is connected stays connected."""
        await self.office.reset()
        self.institutions.reset()
        for room in ("purses", "people"):
            self._records.clear(room)
        self.telegram.reset()
        await self._reset_host()

    async def _orders(self, limit: int) -> Sequence[Order]:
        return await self._all_orders(limit)

    async def _refund(self, order_id: str, amount_minor: int, reason: str) -> Refund | str:
        return await self._give_back(order_id, amount_minor, reason)

    def _money_moved(self) -> None:
        self._bulletin.publish(Topic.WALLETS)

    async def _watch_chat(self) -> None:
        seq = self.telegram.seq
        while True:
            now = await self.telegram.wait_change(seq, _WATCH_S)
            if now != seq:
                seq = now
                self._bulletin.publish(Topic.CHAT)

    async def _listen(self) -> None:
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HERE, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            self._runner = None
            raise PortTakenError(HERE, self._port, "SANDBOX_PORT", error) from error
        self._port = int(self._runner.addresses[0][1])

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_REQUEST_BYTES_MAX, middlewares=[only_this_page])
        side = PersonSide(
            chat=self.chat,
            wallets=self.wallets,
            purses=self.purses,
            clock=self.clock,
            institutions=self.institutions,
            bulletin=self._bulletin,
            all_orders=self._orders,
            give_back=self._refund,
            reset_world=self.reset,
        )
        routes = side.routes()
        for route in routes:
            app.router.add_route(route.method, route.path, route.serve)
        Pages(self.chat, self._bulletin, routes).mount(app)
        self.telegram.mount(app)
        return app
