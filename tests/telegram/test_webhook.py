"""The webhook door: strangers, junk, and updates that are not durable yet."""

import asyncio
import io

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.telegram.errors import WebhookUnsafeError
from bot.telegram.webhook import BODY_BYTES_MAX, SECRET_HEADER, WebhookAddress, WebhookDoor
from tests.telegram.chat import ANN, said, screen, until

SECRET = "a-long_secret-0123456789"


class Taker:
    def __init__(self):
        self.taken = []
        self.durable = True
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, update):
        self.taken.append(update)
        await self.gate.wait()
        return self.durable


@pytest.fixture(name="taker")
def _taker():
    return Taker()


@pytest.fixture(name="knock")
async def _knock(taker):
    app = web.Application()
    app.router.add_post("/telegram", WebhookDoor(SecretStr(SECRET), taker).receive)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    async with aiohttp.ClientSession() as http:

        async def knock(body=b'{"update_id": 1}', headers=None):
            given = {SECRET_HEADER: SECRET} if headers is None else headers
            async with http.post(server.make_url("/telegram"), data=body, headers=given) as reply:
                return reply.status

        knock.port = server.port
        yield knock
    await server.close()


async def test_who_knows_the_secret_brings_an_update(knock, taker):
    assert await knock(b'{"update_id": 7, "message": {}}') == 200
    assert taker.taken == [{"update_id": 7, "message": {}}]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1], SECRET.upper()])
async def test_who_does_not_know_it_brings_nothing(knock, taker, secret):
    assert await knock(headers={SECRET_HEADER: secret}) == 401
    assert await knock(headers={}) == 401
    assert taker.taken == []


@pytest.mark.fault("I11")
@pytest.mark.parametrize("secret", [b"\xe5\xaf\x86", b"\xff\xfe", b"s\xc3\xa9cret"])
async def test_a_secret_that_is_not_ascii_is_wrong_and_not_an_accident(knock, taker, secret):
    reader, writer = await asyncio.open_connection("127.0.0.1", knock.port)
    head = b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n"
    writer.write(head + SECRET_HEADER.encode() + b": " + secret + b'\r\n\r\n{"update_id":1}')

    status = await reader.readline()

    writer.close()
    await writer.wait_closed()
    assert b" 401 " in status
    assert taker.taken == []


@pytest.mark.fault("I11")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b'{"update_id": "7"}',
        b'{"update_id": true}',
        b'{"update_id": 7.5}',
        b'{"update_id": 7',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"update_id": 7, "a": ' + b'{"a":' * 5000,
    ],
)
async def test_junk_is_refused_and_not_an_accident(knock, taker, body):
    assert await knock(body) == 400
    assert taker.taken == []


async def test_a_body_that_is_too_large_is_refused_also_without_a_length(knock, taker):
    async def chunks():
        for _ in range(20):
            yield b"x" * (BODY_BYTES_MAX // 16)

    assert await knock(io.BytesIO(b"x" * (BODY_BYTES_MAX + 1))) == 413
    assert await knock(chunks()) == 413
    assert taker.taken == []


@pytest.mark.fault("I6")
async def test_the_answer_waits_until_the_effects_are_durable(knock, taker):
    taker.gate.clear()
    call = asyncio.create_task(knock())
    await until(lambda: taker.taken)
    await asyncio.sleep(0.02)

    assert not call.done()
    taker.gate.set()
    assert await call == 200


async def test_what_is_not_durable_shall_come_again(knock, taker):
    taker.durable = False

    assert await knock() == 503


@pytest.mark.fault("I12")
@pytest.mark.parametrize("secret", ["", "short", "x" * 257, "not allowed here!"])
def test_a_webhook_without_a_good_secret_is_not_opened(secret):
    with pytest.raises(WebhookUnsafeError, match="TELEGRAM_WEBHOOK_SECRET") as raised:
        WebhookAddress(url="https://pay.example/telegram", secret=SecretStr(secret))
    assert secret == "" or secret not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://pay.example/telegram", "", "pay.example", "http://localhost.evil.example/"]
)
def test_a_webhook_in_the_clear_is_not_opened(url):
    with pytest.raises(WebhookUnsafeError, match="PUBLIC_URL"):
        WebhookAddress(url=url, secret=SecretStr(SECRET))


@pytest.fixture(name="webhook_front")
async def _webhook_front(new_telegram):
    """A front whose door stands on a server of its own; what it handled is in `seen`."""
    app = web.Application()
    server = TestServer(app, host="127.0.0.1")
    front_of = {}

    async def receive(request):
        return await front_of["front"].receive(request)

    app.router.add_post("/telegram", receive)
    await server.start_server()
    address = WebhookAddress(url=str(server.make_url("/telegram")), secret=SecretStr(SECRET))
    seen = []

    async def handle(event):
        seen.append(event)
        await front_of["front"].surface.draw(
            event.origin.seat.chat_id, screen(f"echo {event.text}"), edit=None
        )

    async with new_telegram(handle, webhook=address) as front:
        front_of["front"] = front
        front.seen = seen
        yield front
    await server.close()


async def test_the_server_delivers_to_the_door_and_keeps_nothing(api, webhook_front):
    await api.write(ANN, ANN.id, "hello")

    await until(lambda: said(api) == ["echo hello"])
    await until(lambda: api._world.updates.pending() == ())
    assert api._world.webhook.settings.secret_token == SECRET
    assert api._world.updates.subscription.kinds == ("message", "callback_query", "pre_checkout_query")


async def test_while_stopping_an_update_shall_come_again(api, webhook_front):
    await webhook_front.stop()
    await api.write(ANN, ANN.id, "late")

    await until(lambda: api._world.webhook.settings.last_error_message is not None)
    assert webhook_front.seen == []
    assert len(api._world.updates.pending()) == 1
