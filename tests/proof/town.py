"""A town around a house that dies: the messenger, the institutions, the wallets and one stubborn person outlive it.

The person wants a coffee, pays it, and wants the money back. They know nothing of the house's troubles: they look at
the chat and try again, as people do.
"""

import asyncio
import multiprocessing
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from bot.catalogue import Catalogue
from bot.orders.order import OrderState
from bot.orders.schema import InboxState, OutboxState
from bot.sandbox.sandbox import RECORDS, Sandbox
from bot.sandbox.shapes import MessageSeen, Send, TapAsked
from tests.proof.doomed import Plan, set_out
from tests.proof.servers import free_port
from tests.proof.street import charges_on_file, post_on_file, purse_on_file
from tests.proof.world import Acknowledged, Shown, World, read_book

USER = 7001
PROVIDERS = ("alipay", "wechatpay")
PROGRAMS = ("coffee",)
_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
_LOOK_S = 0.05
_CALMS_MAX = 120


async def found_town(folder: Path, catalogue: Catalogue) -> None:
    """Cut the institutions' keys, which is slow, for every case to copy."""
    sandbox = Sandbox([catalogue.plugins[name] for name in PROVIDERS], folder, port=0)
    await sandbox.start()
    await sandbox.close()


class Town:
    """One case. `url` is the store of its order book."""

    def __init__(self, folder: Path, catalogue: Catalogue, url: str) -> None:
        self.folder, self.url, self._catalogue = folder, url, catalogue
        self.web_port = free_port()
        self.sandbox = Sandbox(
            [catalogue.plugins[name] for name in PROVIDERS],
            folder,
            port=0,
            host_url=f"http://127.0.0.1:{self.web_port}",
        )
        self.ahead = multiprocessing.get_context("forkserver").Value("d", 0.0)
        self.log = folder / "house.log"
        self.shown: tuple[Shown, ...] = ()
        self.house: ForkServerProcess | None = None

    async def set_out(self, crash_at: str = "") -> bool:
        """Start the house; True when it is ready, False when it died on the way."""
        self.house = await asyncio.to_thread(set_out, self.plan(crash_at), self.ahead)
        deadline = time.monotonic() + _START_WITHIN_S
        async with aiohttp.ClientSession() as web:
            while time.monotonic() < deadline:
                if not self.house.is_alive():
                    return False
                with suppress(aiohttp.ClientError):
                    async with web.get(f"http://127.0.0.1:{self.web_port}/readyz") as answer:
                        if answer.status == 200:
                            return True
                await asyncio.sleep(_LOOK_S)
        raise AssertionError(f"The house was not ready in {_START_WITHIN_S:g} s: {self.words()}")

    async def stop(self) -> int | None:
        """As an operator does. The exit status."""
        self.house.terminate()
        await asyncio.to_thread(self.house.join, _STOP_WITHIN_S)
        return self.house.exitcode

    async def close(self) -> None:
        if self.house is not None and self.house.is_alive():
            self.house.kill()
            self.house.join()
        await self.sandbox.close()

    def pass_time(self, seconds: float) -> None:
        """For the institutions and the house alike."""
        self.sandbox.clock.advance(seconds)
        self.ahead.value = self.sandbox.clock.offset_s

    # What the person does.

    async def say(self, text: str) -> None:
        await self.sandbox.chat.send(USER, Send(text=text))

    async def tap(self, label: str) -> None:
        """A finger does not wait longer than this; the update stays with the messenger."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self.sandbox.chat.tap(USER, TapAsked(label=label))

    def messages(self, user_id: int = USER) -> list[MessageSeen]:
        """Newest first."""
        return self.sandbox.chat.read(user_id, user_id, 0).messages[::-1]

    def text(self, user_id: int = USER) -> str:
        """All that the house has said and not taken back."""
        return "\n".join(message.text for message in self.messages(user_id) if message.from_bot)

    def labels(self) -> list[str]:
        return [button.label for message in self.messages() for row in message.buttons for button in row]

    def code(self) -> str:
        """The one code on the newest picture, or nothing."""
        pictures = (message.photo for message in self.messages())
        return next((photo.qr_text for photo in pictures if photo and photo.qr_text), "")

    # What is true.

    async def look(self) -> World:
        """Book, institutions, chat and log as they are now."""
        charges = charges_on_file(self.folder / RECORDS)
        return replace(
            await read_book(self.url),
            charges=charges,
            purse=purse_on_file(self.folder / RECORDS),
            acknowledged=tuple(Acknowledged(one.provider, number=one.number) for one in charges),
            shown=self.shown,
            outputs=(self.text(), self.words()),
            canaries=tuple(self._secrets()),
        )

    async def note_claim(self) -> None:
        """The chat says that it is paid: at this moment the book must say so too."""
        for order in (await read_book(self.url)).orders:
            state = order.state if order.paid else OrderState.PAID
            self.shown = (*self.shown, Shown(order.id, order.version, state))

    async def calm_down(self) -> World | None:
        """Let time pass until nothing is left to be done, and stop the house; None when it died over that."""
        for institution in self.sandbox.institutions:
            institution.faults.clear()
        for _ in range(_CALMS_MAX):
            self.pass_time(20)
            await asyncio.sleep(0.3)
            if self.house is not None and not self.house.is_alive():
                return None
            world = await self.look()
            if not post_on_file(self.folder / RECORDS) and _nothing_to_do(world):
                break
        status = await self.stop()
        assert status == 0, f"Told to stop, it ended with {status}: {self.words()}"
        return replace(await self.look(), quiet=True)

    def words(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def _secrets(self) -> list[str]:
        fields = {
            name: [key for key, one in plugin.settings.model_fields.items() if one.annotation is SecretStr]
            for name, plugin in self._catalogue.plugins.items()
        }
        return [
            values[field]
            for name, values in self.sandbox.merchants.items()
            for field in fields[name]
            if values.get(field)
        ]

    def plan(self, crash_at: str = "") -> Plan:
        settings = {
            "telegram_bot_token": self.sandbox.bot_token,
            "telegram_api_base": self.sandbox.url,
            "web_port": self.web_port,
            "data_dir": str(self.folder / "data"),
            "database_url": self.url,
            "handler_deadline_s": 1,
        }
        merchants = {name: dict(values) for name, values in self.sandbox.merchants.items()}
        return Plan(settings, merchants, PROGRAMS, self.log, crash_at)


@asynccontextmanager
async def open_town(folder: Path, founded: Path, catalogue: Catalogue, url: str) -> AsyncIterator[Town]:
    shutil.copy(founded / RECORDS, folder / RECORDS)
    town = Town(folder, catalogue, url)
    try:
        await town.sandbox.start()
        yield town
    finally:
        await town.close()


def _nothing_to_do(world: World) -> bool:
    return not (
        any(letter.state == OutboxState.NEW for letter in world.outbox)
        or any(row.state is InboxState.NEW for row in world.inbox)
        or any(attempt.open for order in world.orders for attempt in order.attempts)
        or any(refund.next_check_at for order in world.orders for refund in order.refunds)
    )
