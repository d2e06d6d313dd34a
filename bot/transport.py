"""The real network: what carries a provider's request to its institution.

Only to the hosts an account names, without redirects, proxies or cookies, under a deadline and a size cap.
The split that matters is made here: no connection is `NotSentError`, everything after it `NoReplyError`.
"""

import asyncio
import ssl
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from providers.sdk.errors import NoReplyError, NotSentError
from providers.sdk.transport import REPLY_BYTES_MAX, Headers, HttpReply, HttpRequest

_CONNECT_WITHIN_S: Final = 5.0


class PinnedTransport:
    """`providers.sdk.transport.Transport` over aiohttp, for one provider account."""

    def __init__(self, client: aiohttp.ClientSession, hosts: frozenset[str], *, deadline_s: float) -> None:
        self._client = client
        self._hosts = hosts
        self._timeout = aiohttp.ClientTimeout(total=deadline_s, sock_connect=_CONNECT_WITHIN_S)

    async def send(self, request: HttpRequest) -> HttpReply:
        host = urlsplit(request.url).hostname or ""
        if host not in self._hosts:
            raise NotSentError(f"{host or 'an address without host'} is not one of this account's hosts.")
        try:
            return await self._exchange(request)
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(f"No connection to {host} ({type(error.os_error).__name__}).") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise NotSentError(f"No connection to {host} within {_CONNECT_WITHIN_S:g} s.") from error
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ConnectionError) as error:
            raise NoReplyError(f"{host} gave no whole answer ({type(error).__name__}).") from error

    async def _exchange(self, request: HttpRequest) -> HttpReply:
        async with self._client.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=list(request.headers.lines),
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            body = await response.content.read(REPLY_BYTES_MAX + 1)
            while len(body) <= REPLY_BYTES_MAX and not response.content.at_eof():
                body += await response.content.read(REPLY_BYTES_MAX + 1 - len(body))
            if len(body) > REPLY_BYTES_MAX:
                raise NoReplyError(f"The answer is longer than {REPLY_BYTES_MAX} bytes.")
            lines = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
            )
            return HttpReply(response.status, Headers(lines), body)


def open_client() -> aiohttp.ClientSession:
    """One client for all institutions: no cookies, no environment proxies, no reuse of a stale connection."""
    connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=15)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        skip_auto_headers=("User-Agent",),
    )


async def close_client(client: aiohttp.ClientSession) -> None:
    """Close, and let the sockets go."""
    await client.close()
    await asyncio.sleep(0)
