import asyncio
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.telegram import Person


@dataclass
class Hook:
    """A bot's webhook that can be told what to answer."""

    url: str = ""
    seen: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    open_now: int = 0
    open_most: int = 0
    wait_s: float = 0

    async def handle(self, request):
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        self.headers.append(dict(request.headers))
        update = await request.json()
        await asyncio.sleep(self.wait_s)
        self.seen.append(update)
        self.open_now -= 1
        return self.answers.pop(0) if self.answers else web.Response()

    async def has_seen(self, count):
        for _ in range(500):
            if len(self.seen) >= count:
                return self.seen
            await asyncio.sleep(0.01)
        raise AssertionError(f"only {self.seen} arrived")


@pytest.fixture(name="hook")
async def _hook():
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    hook.url = str(server.make_url("/hook"))
    yield hook
    await server.close()


async def info_when(bot, is_so):
    for _ in range(500):
        info = await bot.result("getWebhookInfo")
        if is_so(info):
            return info
        await asyncio.sleep(0.01)
    raise AssertionError(f"stuck at {info}")


async def until_drained(bot):
    return await info_when(bot, lambda info: not info["pending_update_count"])


async def test_updates_are_posted_with_the_secret_and_leave_the_queue(bot, api, ann, hook):
    await bot.result("setWebhook", url=hook.url, secret_token="s3cret-_", max_connections=3)
    await api.write(ann, ann.id, "hello")
    seen = await hook.has_seen(1)

    assert seen[0]["message"]["text"] == "hello"
    assert hook.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "s3cret-_"
    assert hook.headers[0]["Content-Type"] == "application/json"
    assert await until_drained(bot) == {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 3,
        "ip_address": "127.0.0.1",
    }


async def test_what_was_pending_is_delivered_unless_it_is_dropped(bot, api, ann, hook):
    await api.write(ann, ann.id, "before")
    await bot.result("setWebhook", url=hook.url, drop_pending_updates=True)
    await api.write(ann, ann.id, "after")
    await hook.has_seen(1)
    await bot.result("deleteWebhook")
    await api.write(ann, ann.id, "meanwhile")
    await bot.result("setWebhook", url=hook.url)

    assert [update["message"]["text"] for update in await hook.has_seen(2)] == ["after", "meanwhile"]


async def test_a_refused_update_comes_again_and_the_trouble_is_told(bot, api, ann, hook, clock):
    hook.answers = [web.Response(status=500), web.Response(status=302, headers={"Location": "/"})]
    await bot.result("setWebhook", url=hook.url)
    await api.write(ann, ann.id, "hello")
    info = await info_when(bot, lambda info: "last_error_message" in info)
    clock.advance(2)
    await hook.has_seen(2)
    await asyncio.sleep(0.05)
    clock.advance(3)
    seen = await hook.has_seen(3)

    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    assert info["last_error_date"] > 0
    assert info["pending_update_count"] == 1
    assert len({update["update_id"] for update in seen}) == 1
    assert (await until_drained(bot))["pending_update_count"] == 0


async def test_a_closed_port_is_told_as_connection_refused(bot, api, ann):
    await bot.result("setWebhook", url="http://127.0.0.1:9/hook")
    await api.write(ann, ann.id, "hello")

    info = await info_when(bot, lambda info: "last_error_message" in info)
    assert info["last_error_message"] == "Connection refused"


async def test_one_chat_is_served_in_order_and_chats_side_by_side(bot, api, ann, hook):
    hook.wait_s = 0.03
    people = [ann, *(Person(100 + number, f"P{number}") for number in range(4))]
    for text in "abc":
        for person in people:
            await api.write(person, person.id, text)
    await bot.result("setWebhook", url=hook.url, max_connections=3)
    seen = await hook.has_seen(15)

    for person in people:
        texts = [update["message"]["text"] for update in seen if update["message"]["from"]["id"] == person.id]
        assert texts == ["a", "b", "c"]
    assert hook.open_most == 3


async def test_a_photo_in_the_reply_is_sent(bot, api, ann, hook, png):
    with aiohttp.MultipartWriter("form-data") as parts:
        for name, text in (("method", "sendPhoto"), ("chat_id", "7"), ("photo", "attach://qr")):
            parts.append(text).set_content_disposition("form-data", name=name)
        parts.append(png).set_content_disposition("form-data", name="qr", filename="qr.png")
    hook.answers = [web.Response(body=parts), web.Response(body=b"x", content_type="multipart/form-data")]
    await bot.result("setWebhook", url=hook.url)
    await api.write(ann, ann.id, "a")
    await api.write(ann, ann.id, "b")
    await hook.has_seen(2)
    info = await until_drained(bot)

    assert "last_error_message" not in info
    assert [seen.photo_file_id is not None for seen in api.chat(ann.id)] == [False, False, True]


async def test_a_method_in_the_reply_is_executed(bot, api, ann, hook):
    hook.answers = [
        web.json_response({"method": "sendMessage", "chat_id": 7, "text": "from the reply"}),
        web.Response(
            text="method=sendMessage&chat_id=7&text=again", content_type="application/x-www-form-urlencoded"
        ),
        web.json_response({"method": "sendMessage", "chat_id": 7}),
    ]
    await bot.result("setWebhook", url=hook.url)
    for text in "abc":
        await api.write(ann, ann.id, text)
    await hook.has_seen(3)
    await until_drained(bot)

    assert [seen.text for seen in api.chat(ann.id) if seen.from_bot] == ["from the reply", "again"]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"url": "ftp://example.org/"}, "Bad Request: invalid webhook URL specified"),
        ({"url": "nonsense"}, "Bad Request: invalid webhook URL specified"),
        (
            {"url": "http://example.org/"},
            "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            {"url": "https://example.org:8081/"},
            "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ({"url": "https://example.org/", "secret_token": "x" * 257}, "Bad Request: secret token is too long"),
        (
            {"url": "https://example.org/", "secret_token": "a b"},
            "Bad Request: secret token contains unallowed characters",
        ),
    ],
)
async def test_a_webhook_that_telegram_refuses_is_refused(bot, params, description):
    assert await bot.refusal("setWebhook", **params) == (400, description)


async def test_allowed_updates_of_a_webhook_are_told_back(bot, hook):
    await bot.result("setWebhook", url=hook.url, allowed_updates=["message", "nonsense"])

    assert (await bot.result("getWebhookInfo"))["allowed_updates"] == ["message"]
