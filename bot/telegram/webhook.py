"""The webhook door: who knows the secret may bring an update, and gets 200 only when its effects are durable."""

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiogram.methods import SetWebhook
from aiohttp import web
from pydantic import SecretStr

from bot.telegram.courier import Courier
from bot.telegram.errors import WebhookUnsafeError
from bot.telegram.intake import RawUpdate
from bot.telegram.updates import ALLOWED

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name
BODY_BYTES_MAX: Final = 1024 * 1024
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost"})  # where an emulator may stand
_SECRET = re.compile(
    r"[A-Za-z0-9_-]{16,256}", re.ASCII
)  # Bot API, setWebhook: 1-256; short ones can be guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAddress:
    """Where Telegram brings updates. Raises `WebhookUnsafeError` when anybody could."""

    url: str
    secret: SecretStr

    def __post_init__(self) -> None:
        if not _SECRET.fullmatch(self.secret.get_secret_value()):
            raise WebhookUnsafeError(
                "Without a secret anybody could send updates. Set TELEGRAM_WEBHOOK_SECRET to 16 to 256 of A-Z a-z 0-9 _ -."
            )
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
            raise WebhookUnsafeError(
                "Telegram delivers to https:// addresses only. Set PUBLIC_URL to one, or use UPDATES=polling."
            )

    async def announce(self, courier: Courier) -> None:
        """Tell Telegram; what waits there is kept."""
        await courier.carry(
            SetWebhook(
                url=self.url,
                secret_token=self.secret.get_secret_value(),
                allowed_updates=list(ALLOWED),
                drop_pending_updates=False,
            )
        )


class WebhookDoor:
    """`take` returns True when the update may be acknowledged."""

    def __init__(self, secret: SecretStr, take: Callable[[RawUpdate], Awaitable[bool]]) -> None:
        self._secret = secret.get_secret_value().encode()
        self._take = take

    async def receive(self, request: web.Request) -> web.Response:
        """An aiohttp handler: 401 for strangers, 413 and 400 for junk, 503 when Telegram shall bring it again."""
        # aiohttp decodes header bytes as UTF-8 with surrogate escapes; comparing bytes never trips over them.
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=401)
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        update = _update(body)
        if update is None:
            return web.Response(status=400)
        return web.Response(status=200 if await self._take(update) else 503)


async def _body(request: web.Request) -> bytes | None:
    """None when it is too large, whatever its headers say."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


def _update(body: bytes) -> dict[str, Any] | None:
    try:
        update = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(update, dict) and type(update.get("update_id")) is int:
        return update
    return None
