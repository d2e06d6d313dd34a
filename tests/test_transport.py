import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.transport import PinnedTransport, close_client, open_client
from providers.sdk.errors import NoReplyError, NotSentError
from providers.sdk.transport import REPLY_BYTES_MAX, Headers, HttpReply, HttpRequest


@pytest.fixture(name="server")
async def _server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes([
        web.post("/echo", _echo), web.get("/moved", _moved), web.get("/silent", _silent),
        web.get("/cut", _cut), web.get("/long", _long),
    ])  # fmt: skip
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield server
    await server.close()


async def _echo(request: web.Request) -> web.Response:
    body = await request.read()
    answer = web.Response(
        body=body, headers={"X-Seen": request.headers["X-Sent"], "X-Target": request.raw_path}
    )
    answer.headers.add("X-Two", "a")
    answer.headers.add("X-Two", "b")
    return answer


async def _moved(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/long"})


async def _silent(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def _cut(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return answer


async def _long(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * (REPLY_BYTES_MAX + 1))


async def _send(url: str, method: str = "GET", *, deadline_s: float = 5.0, **rest: object) -> HttpReply:
    client = open_client()
    transport = PinnedTransport(client, frozenset({"127.0.0.1"}), deadline_s=deadline_s)
    with contextlib.ExitStack():
        try:
            return await transport.send(HttpRequest(method, url, **rest))  # type: ignore[arg-type]  # test shorthand
        finally:
            await close_client(client)


async def test_bytes_headers_and_target_go_and_come_as_they_are(server: TestServer) -> None:
    url = f"http://127.0.0.1:{server.port}/echo?a=%20b&c"

    reply = await _send(url, "POST", headers=Headers.of({"X-Sent": "yes"}), body=b"\xff\x00 body")

    assert (reply.status, reply.body) == (200, b"\xff\x00 body")
    assert reply.headers.get("x-seen") == "yes"
    assert reply.headers.get("x-target") == "/echo?a=%20b&c"
    assert [value for name, value in reply.headers.lines if name == "X-Two"] == ["a", "b"]


async def test_a_redirect_is_an_answer_and_is_not_followed(server: TestServer) -> None:
    reply = await _send(f"http://127.0.0.1:{server.port}/moved")

    assert reply.status == 302


@pytest.mark.fault("B1")
async def test_a_refused_connection_was_not_sent() -> None:
    with pytest.raises(NotSentError, match="No connection"):
        await _send(f"http://127.0.0.1:{unused_port()}/")


async def test_a_host_that_is_not_pinned_is_never_called() -> None:
    with pytest.raises(NotSentError, match="not one of this account's hosts"):
        await _send("http://localhost:1/")


@pytest.mark.fault("B2", "B5")
@pytest.mark.parametrize("path", ["/silent", "/cut", "/long"])
async def test_everything_after_the_connection_is_no_reply(server: TestServer, path: str) -> None:
    with pytest.raises(NoReplyError):
        await _send(f"http://127.0.0.1:{server.port}{path}", deadline_s=0.5)
