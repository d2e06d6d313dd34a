"""A real host in this process on a world of its own: the sandbox's Telegram and institutions, over real HTTP.

Between the host and everything it talks to stands a `Line`, so that each can be made bad while it is in use.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from bot.app import Host, Outside, open_host
from bot.catalogue import Catalogue, read_catalogue
from bot.orders.order import Draft, Order
from bot.sandbox.sandbox import RECORDS, Sandbox
from bot.settings import AccountName, Settings
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.contract import ProviderSettings
from providers.sdk.money import Money
from tests.proof.guest import Guest, until
from tests.proof.proxy import Line
from tests.proof.servers import free_port

PRICE = Money.cny("18.00")
INSTITUTIONS = ("wechatpay", "alipay")


def small_catalogue() -> Catalogue:
    """The coffee shop and two institutions: enough to pay in two ways, and quick to open."""
    whole = read_catalogue()
    providers = tuple(found for found in whole.providers if found.name in INSTITUTIONS)
    return Catalogue(programs=whole.programs, providers=providers, refusals=())


async def make_world(folder: Path) -> None:
    """Keys and certificates, which are slow to make, for every world to copy."""
    sandbox = Sandbox(list(small_catalogue().plugins.values()), folder, port=0)
    await sandbox.start()
    await sandbox.close()


@dataclass
class World:
    """Telegram, the institutions and the wallets, each behind a line; and what a host on it needs."""

    sandbox: Sandbox
    folder: Path
    catalogue: Catalogue
    client: aiohttp.ClientSession
    web_port: int
    telegram: Line
    institutions: dict[str, Line] = field(default_factory=dict)

    def guest(self, user_id: int = 7001) -> Guest:
        return Guest(self.client, user_id)

    def settings(self, **more: object) -> Settings:
        fields: dict[str, object] = {
            "telegram_bot_token": SecretStr(self.sandbox.bot_token),
            "telegram_api_base": f"http://127.0.0.1:{self.telegram.port}",
            "data_dir": self.folder / "host",
            "web_port": self.web_port,
            "provider_deadline_s": 2,
        }
        return Settings(_env_file=None, **{**fields, **more})  # type: ignore[arg-type]  # fields by name

    @property
    def merchant_fields(self) -> Mapping[str, Mapping[str, str]]:
        """The settings of each account by provider, with its institution behind its line."""
        return {
            provider: {**merchant, "base_url": self._behind(provider, merchant["base_url"])}
            for provider, merchant in self.sandbox.merchants.items()
        }

    @property
    def merchants(self) -> Mapping[AccountName, ProviderSettings]:
        """The same, read."""
        return {
            AccountName(provider): self.catalogue.plugins[provider].settings.model_validate(fields)
            for provider, fields in self.merchant_fields.items()
        }

    def _behind(self, provider: str, base_url: str) -> str:
        line = self.institutions[provider]
        return base_url.replace(f":{line.far_end[1]}", f":{line.port}")  # type: ignore[index]  # host and port

    @asynccontextmanager
    async def host(self, *, play_money: bool = True, **settings: object) -> AsyncIterator[Host]:
        """The host at work."""
        outside = Outside(
            clock=self.sandbox.clock,
            random=self.sandbox.random,
            merchants=self.merchants,
            play_money=play_money,
        )
        async with open_host(self.settings(**settings), self.catalogue, outside) as host:
            running = asyncio.create_task(host.run())
            try:
                yield host
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running


@asynccontextmanager
async def open_world(folder: Path, template: Path) -> AsyncIterator[World]:
    """A world on a copy of the template."""
    (folder / "world").mkdir(parents=True)
    shutil.copy(template / RECORDS, folder / "world" / RECORDS)
    catalogue, web_port = small_catalogue(), free_port()
    sandbox = Sandbox(
        list(catalogue.plugins.values()),
        folder / "world",
        port=free_port(),
        host_url=f"http://127.0.0.1:{web_port}",
    )
    await sandbox.start()
    try:
        async with (
            aiohttp.ClientSession(sandbox.url) as client,
            Line(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as telegram,
        ):
            world = World(sandbox, folder, catalogue, client, web_port, telegram)
            for institution in sandbox.institutions:
                port = int(institution.base_url.rpartition(":")[2])
                world.institutions[institution.info.id] = line = Line(("127.0.0.1", port))
                await line.listen()
            yield world
            for line in world.institutions.values():
                await line.__aexit__()
    finally:
        await sandbox.close()


def draft(key: str, user_id: int = 7001) -> Draft:
    """What a page asks for, without a page."""
    request = PaymentRequest(amount=PRICE, title="拿铁 Latte", order_key=key)
    return Draft(
        app_id="com.example.coffee",
        page="pages/menu/menu",
        chat_id=user_id,
        user_id=user_id,
        language="en",
        request=request,
    )


async def becomes(host: Host, order_id: str, state: str, within_s: float = 30.0) -> Order:
    """Wait for the order to be in that state; the book may be away meanwhile."""

    async def look() -> Order | None:
        with suppress(Exception):
            order = await host.checkout.find(order_id)
            return order if order is not None and order.state == state else None
        return None

    return await until(f"order {order_id} to be {state}", look, within_s)
