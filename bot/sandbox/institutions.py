"""Every installed institution, each on a port of its own, as its own host would be.

An institution signs the path it is asked under. On a port of its own the path is the merchant's path, so the
provider needs nothing but another base URL, and so does any published SDK.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from bot.sandbox.courier import Desk, PostOffice
from bot.sandbox.records import JsonRoom, SandboxRecords
from providers.sdk.clock import Clock, Random
from providers.sdk.contract import ProviderInfo, ProviderPlugin
from providers.sdk.gateway import (
    FaultBox,
    Gateway,
    GatewayContext,
    GatewaySilence,
    Purses,
    handle_with_faults,
)
from providers.sdk.transport import Headers, HttpRequest

HERE: Final = "127.0.0.1"
SILENT_S_MAX: Final = 60.0
_LOOK_S: Final = 0.05  # how often a silent institution looks whether the client has given up
_BODY_BYTES_MAX: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class Institution:
    """One gateway behind its address. `merchant` are the settings of its test merchant."""

    info: ProviderInfo
    faults: FaultBox
    gateway: Gateway
    base_url: str = ""
    merchant: Mapping[str, str] = field(default_factory=dict, repr=False)


class Institutions:
    """All of them, by provider id."""

    def __init__(
        self,
        plugins: Iterable[ProviderPlugin],
        records: SandboxRecords,
        office: PostOffice,
        *,
        purses: Purses,
        clock: Clock,
        random: Random,
    ) -> None:
        self._records, self._office = records, office
        self._purses, self._clock, self._random = purses, clock, random
        self._ports = records.drawer("ports")
        self._closing = asyncio.Event()
        self._runners: list[web.AppRunner] = []
        self._all = {plugin.info.id: self._found(plugin) for plugin in plugins}

    def __iter__(self) -> Iterator[Institution]:
        return iter(self._all.values())

    def get(self, provider: str) -> Institution | None:
        """The one of that provider."""
        return self._all.get(provider)

    async def open(self) -> None:
        """Listen, and cut the merchants' keys where there are none yet."""
        for institution in self:
            institution.base_url = await self._listen(institution)
            institution.merchant = institution.gateway.merchant(institution.base_url)
            self._remember_opening(institution.info.id)

    async def close(self) -> None:
        """Let go of whoever waits for a silent institution, and stop listening."""
        self._closing.set()
        for runner in self._runners:
            await runner.cleanup()

    def reset(self) -> None:
        """As on the first day. The merchants keep their keys, so a running host keeps its settings."""
        for institution in self:
            institution.faults.clear()
            drawer = self._drawer(institution.info.id)
            with self._records.together():
                drawer.clear()
                for key, record in self._opening(institution.info.id).scan(""):
                    drawer.put(key, record)

    def _found(self, plugin: ProviderPlugin) -> Institution:
        faults = FaultBox()
        context = GatewayContext(
            clock=self._clock,
            random=self._random,
            drawer=self._drawer(plugin.info.id),
            purses=self._purses,
            courier=Desk(self._office, plugin.info.id, faults),
            faults=faults,
        )
        gateway = plugin.gateway(context)
        self._office.serve(plugin.info.id, gateway)
        return Institution(plugin.info, faults, gateway)

    def _drawer(self, provider: str) -> JsonRoom:
        return self._records.drawer(f"gateway/{provider}")

    def _opening(self, provider: str) -> JsonRoom:
        return self._records.drawer(f"opening/{provider}")

    def _remember_opening(self, provider: str) -> None:
        """What a reset goes back to: the drawer as the first day found it."""
        opening = self._opening(provider)
        if next(opening.scan(""), None) is None:
            with self._records.together():
                for key, record in self._drawer(provider).scan(""):
                    opening.put(key, record)

    async def _listen(self, institution: Institution) -> str:
        app = web.Application(client_max_size=_BODY_BYTES_MAX)
        app.router.add_route("*", "/{any:.*}", _Counter(institution, self._closing).serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        port = await self._bind(runner, institution.info.id)
        return f"http://{HERE}:{port}"

    async def _bind(self, runner: web.AppRunner, provider: str) -> int:
        """The port of the last run if it is free: links that an institution has given out go on working."""
        record = self._ports.get(provider) or {"port": 0}
        try:
            await web.TCPSite(runner, HERE, int(str(record["port"]))).start()
        except OSError:
            await web.TCPSite(runner, HERE, 0).start()
        port = int(runner.addresses[0][1])
        self._ports.put(provider, {"port": port})
        return port


class _Counter:
    """Where one institution's API is served over HTTP."""

    def __init__(self, institution: Institution, closing: asyncio.Event) -> None:
        self._institution, self._closing = institution, closing

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Path, query, headers and body reach the gateway as they were sent: they may be signed."""
        lines = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers
        )
        asked = HttpRequest(request.method, request.raw_path, Headers(lines), await request.read())
        try:
            reply = await handle_with_faults(self._institution.gateway, self._institution.faults, asked)
        except GatewaySilence:
            return await self._say_nothing(request)
        answer = web.Response(status=reply.status, body=reply.body)
        for name, value in reply.headers.lines:
            answer.headers[name] = value
        return answer

    async def _say_nothing(self, request: web.Request) -> web.StreamResponse:
        """Keep the line open until the client hangs up, then close it without a byte."""
        for _ in range(int(SILENT_S_MAX / _LOOK_S)):
            if self._closing.is_set() or request.transport is None or request.transport.is_closing():
                break
            await asyncio.sleep(_LOOK_S)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=504)
