"""The real aiogram on an emulated Bot API, over real HTTP."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.sandbox.clock import MachineRandom
from bot.sandbox.telegram import BotApi, MemoryRecords
from bot.telegram.front import Telegram
from bot.telegram.surface import TelegramSurface
from tests.telegram.chat import ANN, TOKEN, Calls, HastyClock, hang_up


@pytest.fixture(name="clock")
def _clock():
    return HastyClock()


@pytest.fixture(name="calls")
def _calls():
    return Calls()


@pytest.fixture(name="api")
async def _api(clock):
    api = BotApi(token=TOKEN, clock=clock, random=MachineRandom(), record=MemoryRecords())
    app = web.Application()
    api.mount(app)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    await api.start()
    api.url = str(server.make_url("")).rstrip("/")
    yield api
    await api.close()
    await server.close()


@pytest.fixture(name="bot")
async def _bot(api, calls):
    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(api.url)))
    calls.watch(bot)
    yield bot
    await hang_up(bot)


@pytest.fixture(name="surface")
async def _surface(api, bot, clock):
    await api.write(ANN, ANN.id, "hi")
    surface = TelegramSurface(bot, clock)
    yield surface
    await surface.close(within_s=1)


@pytest.fixture(name="new_telegram")
def _new_telegram(api, clock, calls):
    """A whole front on the emulator, running; it is stopped in the end unless it was killed."""

    @asynccontextmanager
    async def start(handle, **options):
        front = Telegram(token=SecretStr(TOKEN), api_base=api.url, handle=handle, clock=clock, **options)
        calls.watch(front._bot)
        await front.start()
        front.task = asyncio.create_task(front.run())
        try:
            yield front
        finally:
            await front.stop()
            await asyncio.gather(front.task, return_exceptions=True)
            await front.surface.close(within_s=1)
            await hang_up(front._bot)

    return start
