"""Webhook settings, and the delivery of updates to it.

Updates of one lane (the messages of a chat; the taps of a person) go one after the other, lanes go side by side up
to `max_connections`. A refused update is tried again with growing pauses and holds its lane back, never the others.

One difference to Telegram, on purpose: `http://` is allowed when the host is this machine.
"""

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import aiohttp
from yarl import URL

from bot.sandbox.telegram.call import Call, read_answer
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.updates import Pending, UpdateQueue
from bot.sandbox.telegram.wire import Wire
from providers.sdk.clock import Clock

Execute = Callable[[Call], Awaitable[None]]

ANSWER_TIMEOUT_S = 60
RETRY_AFTER_S = (1, 2, 4, 8, 16, 32, 60)
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{0,256}")
_PORTS = (443, 80, 88, 8443)


class WebhookSettings(Wire):
    """What setWebhook asked for, and how it went; an empty URL means there is none."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


def check_url(url: str) -> None:
    """Raise what setWebhook answers to an address it cannot use."""
    try:
        parts = URL(url)
    except ValueError as error:
        raise bad_request("invalid webhook URL specified") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise bad_request("invalid webhook URL specified")
    if is_loopback(parts.host):
        return
    if parts.scheme == "http":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if parts.port not in _PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class Webhook:
    """Delivers what is in the queue while a webhook is set."""

    def __init__(self, journal: Journal, clock: Clock, updates: UpdateQueue) -> None:
        self._journal = journal
        self._clock = clock
        self._updates = updates
        self._execute: Execute | None = None
        stored = journal.get("webhook")
        self.settings = WebhookSettings() if stored is None else WebhookSettings.model_validate_json(stored)
        self._wake = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._runner: asyncio.Task[None] | None = None
        updates.on_added = self._wake.set

    def set(self, settings: WebhookSettings) -> None:
        """A new webhook, or none. Deliveries to the old one end now; their updates stay in the queue.

        The same webhook again changes nothing.
        """
        if settings == self.settings.model_copy(update={"last_error_date": None, "last_error_message": None}):
            return
        self._keep(settings)
        self._stop_lanes()
        self._wake.set()

    def start(self, execute: Execute) -> None:
        """Begin to deliver, with what was pending before a restart.

        `execute` runs a method that comes as the body of the webhook's reply.
        """
        self._execute = execute
        self._runner = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop delivering; what is not confirmed stays in the queue."""
        lanes = list(self._lanes.values())
        self._stop_lanes()
        tasks = lanes if self._runner is None else [*lanes, self._runner]
        if self._runner is not None:
            self._runner.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_lanes(self) -> None:
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.cancel()

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                self._wake.clear()
                if self.settings.url:
                    self._open_lanes(session)
                await self._wake.wait()

    def _open_lanes(self, session: aiohttp.ClientSession) -> None:
        for pending in self._updates.pending():
            if len(self._lanes) >= self.settings.max_connections:
                return
            if pending.lane not in self._lanes:
                task = asyncio.create_task(self._serve_lane(session, pending.lane))
                self._lanes[pending.lane] = task
                task.add_done_callback(partial(self._lane_done, pending.lane))

    def _lane_done(self, lane: str, task: asyncio.Task[None]) -> None:
        if self._lanes.get(lane) is task:
            del self._lanes[lane]
        self._wake.set()

    async def _serve_lane(self, session: aiohttp.ClientSession, lane: str) -> None:
        tries = 0
        while pending := self._next_of(lane):
            if await self._deliver(session, pending):
                tries = 0
                continue
            await self._clock.sleep(RETRY_AFTER_S[min(tries, len(RETRY_AFTER_S) - 1)])
            tries += 1

    def _next_of(self, lane: str) -> Pending | None:
        return next((pending for pending in self._updates.pending() if pending.lane == lane), None)

    async def _deliver(self, session: aiohttp.ClientSession, pending: Pending) -> bool:
        """Post one update; True when it was taken."""
        headers = {"Content-Type": "application/json"}
        if self.settings.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.settings.secret_token
        body = pending.update.json_bytes()
        try:
            async with session.post(
                self.settings.url, data=body, headers=headers, allow_redirects=False
            ) as reply:
                if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
                    self._failed(f"Wrong response from the webhook: {reply.status} {reply.reason}")
                    return False
                call = await read_answer(reply)
        except TimeoutError:
            self._failed("Read timeout expired")
            return False
        except aiohttp.ClientConnectorError:
            self._failed("Connection refused")
            return False
        except aiohttp.ClientError:
            self._failed("Webhook connection closed")
            return False
        self._updates.forget(pending.id)
        self._journal.commit()
        if call is not None and self._execute is not None:
            await self._execute(call)
        return True

    def _failed(self, message: str) -> None:
        now = int(self._clock.now().timestamp())
        self._keep(self.settings.model_copy(update={"last_error_date": now, "last_error_message": message}))
        self._journal.commit()

    def _keep(self, settings: WebhookSettings) -> None:
        self.settings = settings
        self._journal.put("webhook", settings.json_bytes())
