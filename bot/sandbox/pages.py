"""The sandbox page: three files, the pictures of the chat, and the news that keep it fresh without reloading."""

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.runtime.picture import qr_png
from bot.sandbox.bulletin import Bulletin
from bot.sandbox.chat_view import FILES_AT, ChatView, NoSuchPlace
from bot.sandbox.route import Route, describe, refuse

_FOLDER: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/sandbox.css": ("sandbox.css", "text/css"),
    "/sandbox.js": ("sandbox.js", "text/javascript"),
    "/sandbox.svg": ("sandbox.svg", "image/svg+xml"),
}
_SAFE: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HERE: Final = {"127.0.0.1", "localhost", "::1"}
_BREATH_S: Final = 15.0  # how often an idle stream shows that it lives


class Pages:
    """What the browser fetches that is not the JSON interface."""

    def __init__(self, chat: ChatView, bulletin: Bulletin, routes: tuple[Route, ...]) -> None:
        self._chat, self._bulletin = chat, bulletin
        self._description = describe(routes)
        self._closing = asyncio.Event()

    def mount(self, app: web.Application) -> None:
        """Add the routes; open streams end when the app shuts down."""
        for path in _FILES:
            app.router.add_get(path, self._file)
        app.router.add_get(FILES_AT + "/{file_id}", self._picture)
        app.router.add_get("/sandbox/qr", self._draw)
        app.router.add_get("/sandbox/events", self._events)
        app.router.add_get("/sandbox/openapi.json", self._describe)
        app.on_shutdown.append(self._let_go)

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        text = (_FOLDER / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, headers={**_SAFE, "Cache-Control": "no-cache"})

    async def _picture(self, request: web.Request) -> web.Response:
        try:
            picture = self._chat.picture(request.match_info["file_id"])
        except NoSuchPlace as missing:
            return refuse(404, str(missing))
        headers = {**_SAFE, "Cache-Control": "private, max-age=86400, immutable"}
        return web.Response(body=picture, content_type="image/jpeg", headers=headers)

    async def _draw(self, request: web.Request) -> web.Response:
        """A picture of a text as a QR code, for the payer code a wallet shows."""
        try:
            picture = qr_png(request.query.get("text", ""))
        except ValueError as error:
            return refuse(400, str(error))
        return web.Response(
            body=picture, content_type="image/png", headers={**_SAFE, "Cache-Control": "no-store"}
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events (HTML standard, 9.2): which part of the world has changed."""
        stream = web.StreamResponse(
            headers={"Cache-Control": "no-store", "Content-Type": "text/event-stream"}
        )
        await stream.prepare(request)
        await stream.write(b"retry: 500\n\n")
        with self._bulletin.reading() as reader:
            while not self._closing.is_set():
                news = await reader.next(_BREATH_S)
                text = "".join(f"event: {topic}\ndata: {{}}\n\n" for topic in news) or ": listening\n\n"
                try:
                    await stream.write(text.encode())
                except ConnectionError:
                    break
        return stream

    async def _describe(self, _: web.Request) -> web.Response:
        return web.json_response(self._description)

    async def _let_go(self, _: web.Application) -> None:
        self._closing.set()
        self._bulletin.wake()


@web.middleware
async def only_this_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep other web sites out of the person's side: neither another origin nor a name that points here may use it.

    Bot libraries, which send no such headers, are not concerned: the Bot API asks for a token.
    """
    if request.path.startswith(("/bot", "/file/")):
        return await handler(request)
    host = urlsplit(f"//{request.host}").hostname or ""
    origin = request.headers.get("Origin", "")
    if host not in _HERE:
        return refuse(403, f"The sandbox answers to 127.0.0.1 and localhost, not to {host}.")
    if origin and urlsplit(origin).netloc != request.host:
        return refuse(403, "Another web site may not use the sandbox.")
    return await handler(request)
