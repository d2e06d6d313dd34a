"""An emulator on a free port, a person, and a bot that speaks raw HTTP."""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from bot.sandbox.clock import MachineRandom, SandboxClock
from bot.sandbox.telegram import BotApi, MemoryRecords, Person

TOKEN = "4242:test-token"


@dataclass
class RawBot:
    """Calls methods as JSON and returns the whole answer."""

    http: aiohttp.ClientSession
    root: str
    token: str = TOKEN

    def url(self, method, token=None):
        return f"{self.root}/bot{token or self.token}/{method}"

    async def __call__(self, method, **params):
        async with self.http.post(self.url(method), json=params) as reply:
            answer = await reply.json()
            assert reply.status == answer.get("error_code", 200)
            return answer

    async def result(self, method, **params):
        answer = await self(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    async def refusal(self, method, **params):
        answer = await self(method, **params)
        assert not answer["ok"]
        return answer["error_code"], answer["description"]


@pytest.fixture(name="clock")
def _clock():
    return SandboxClock()


@pytest.fixture(name="records")
def _records():
    return MemoryRecords()


@pytest.fixture(name="new_api")
def _new_api(clock, records):
    """Starts emulators on the same records: the second one is the sandbox after a restart."""

    @asynccontextmanager
    async def start():
        api = BotApi(token=TOKEN, clock=clock, random=MachineRandom(), record=records)
        app = web.Application()
        api.mount(app)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        await api.start()
        async with aiohttp.ClientSession() as http:
            yield api, RawBot(http, str(server.make_url("")).rstrip("/"))
        await api.close()
        await server.close()

    return start


@pytest.fixture(name="pair")
async def _pair(new_api) -> AsyncIterator[tuple[BotApi, RawBot]]:
    async with new_api() as pair:
        yield pair


@pytest.fixture(name="api")
def _api(pair) -> BotApi:
    return pair[0]


@pytest.fixture(name="bot")
def _bot(pair) -> RawBot:
    return pair[1]


@pytest.fixture(name="ann")
def _ann() -> Person:
    return Person(7, "Ann", username="ann_in_beijing", language="zh-hans")


@pytest.fixture(name="chat")
async def _chat(api, ann) -> int:
    """A private chat that Ann has started."""
    await api.write(ann, ann.id, "/start")
    return ann.id


@pytest.fixture(name="png")
def _png() -> Iterator[bytes]:
    written = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(written, "PNG")
    return written.getvalue()


@pytest.fixture(name="post_form")
def _post_form(bot):
    """Multipart, as bot libraries send files; the whole answer."""

    async def post(method, files, **fields):
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, str(value))
        for name, data in files.items():
            form.add_field(name, io.BytesIO(data), filename=f"{name}.png", content_type="image/png")
        async with bot.http.post(bot.url(method), data=form) as reply:
            return await reply.json()

    return post
