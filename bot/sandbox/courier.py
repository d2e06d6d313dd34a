"""The institutions' post: notifications are stored first, then posted, then repeated until they are acknowledged.

It posts to this machine only. What a killed sandbox had not delivered, it delivers after the restart.
"""

import asyncio
import ipaddress
import logging
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict

from bot.sandbox.records import Room
from providers.sdk.clock import Clock
from providers.sdk.gateway import Fault, FaultBox, Gateway, Notification, SignsAgain
from providers.sdk.transport import Headers, HttpReply, HttpRequest

log = logging.getLogger(__name__)

LATE_S: Final = 120
OVERTAKEN_S: Final = 1  # how long after the notification that overtook it a reordered one arrives
ANSWER_WITHIN_S: Final = 5.0  # what WeChat Pay grants a merchant; the others grant more


class Letter(BaseModel):
    """An `HttpRequest` as it is kept."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The same, to be kept."""
        return cls(method=request.method, url=request.url, headers=request.headers.lines, body=request.body)

    @property
    def request(self) -> HttpRequest:
        """As it was."""
        return HttpRequest(self.method, self.url, Headers(self.headers), self.body)


class Parcel(BaseModel):
    """One notification on its way.

    `held` until another of the same provider has overtaken it; `aged` when it is not posted as it was signed.

    `forged` goes ahead of the first try. `waits_s` are the pauses before the tries that are left after the next.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    provider: str
    letter: Letter
    waits_s: tuple[int, ...]
    due_at: datetime
    held: bool = False
    aged: bool = False
    forged: Letter | None = None


class PostOffice:
    """One queue for all institutions, on the sandbox clock."""

    def __init__(self, room: Room, clock: Clock) -> None:
        self.clock = clock
        self._room = room
        self._gateways: dict[str, Gateway] = {}
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._client: aiohttp.ClientSession | None = None
        self._last_number = max((int(parcel.id) for parcel in self._waiting()), default=0)

    def serve(self, provider: str, gateway: Gateway) -> None:
        """Whose post it is: it decides whether an answer counts as received, and signs repeats."""
        self._gateways[provider] = gateway

    async def open(self) -> None:
        """Start, with what an earlier run left undelivered."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        self._client = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        for parcel in self._waiting():
            self._set_out(parcel)

    async def close(self) -> None:
        """Stop; what is undelivered stays in the records."""
        await self._stop_rounds()
        if self._client is not None:
            await self._client.close()

    async def reset(self) -> None:
        """Throw all post away."""
        await self._stop_rounds()
        self._room.clear()

    def next_id(self) -> str:
        """A number for a parcel; numbers sort as they were given out."""
        self._last_number += 1
        return f"{self._last_number:08d}"

    def accept(self, parcel: Parcel) -> None:
        """Store it and set out with it."""
        if not _is_here(parcel.letter.url):
            log.warning(
                "A notification of %s to %s was dropped: the sandbox posts to this machine only.",
                parcel.provider,
                urlsplit(parcel.letter.url).hostname,
            )
            return
        self._keep(parcel)
        self._set_out(parcel)

    def release_held(self, provider: str) -> None:
        """Another notification has set out: those it overtakes follow it."""
        due_at = self.clock.now() + timedelta(seconds=OVERTAKEN_S)
        for parcel in self._waiting():
            if parcel.held and parcel.provider == provider:
                self._rounds.pop(parcel.id).cancel()
                self.accept(parcel.model_copy(update={"held": False, "due_at": due_at}))

    def _waiting(self) -> list[Parcel]:
        return [Parcel.model_validate_json(value) for _, value in self._room.scan("")]

    def _keep(self, parcel: Parcel) -> None:
        self._room.write({parcel.id: parcel.model_dump_json().encode()})

    def _set_out(self, parcel: Parcel) -> None:
        self._rounds[parcel.id] = asyncio.get_running_loop().create_task(self._carry(parcel))

    async def _carry(self, parcel: Parcel) -> None:
        """Go until it is acknowledged or the institution gives up."""
        await self.clock.sleep((parcel.due_at - self.clock.now()).total_seconds())
        if self._room.get(parcel.id) is None:  # the payment it tells of was rolled back
            return
        if parcel.forged is not None:
            await self._post(parcel.provider, parcel.forged)
        for tries, wait_s in enumerate((*parcel.waits_s, None), start=1):
            letter = parcel.letter if tries == 1 and not parcel.aged else self._again(parcel)
            if await self._post(parcel.provider, letter) or wait_s is None:
                break
            due_at = self.clock.now() + timedelta(seconds=wait_s)
            left = {"forged": None, "waits_s": parcel.waits_s[tries:], "due_at": due_at, "aged": True}
            self._keep(parcel.model_copy(update=left))
            await self.clock.sleep(wait_s)
        self._room.write({parcel.id: None})
        self._rounds.pop(parcel.id, None)

    def _again(self, parcel: Parcel) -> Letter:
        """A repeat as that institution sends it: signed anew, or the same bytes."""
        gateway = self._gateways[parcel.provider]
        if not isinstance(gateway, SignsAgain):
            return parcel.letter
        return Letter.of(gateway.signed_again(parcel.letter.request))

    async def _post(self, provider: str, letter: Letter) -> bool:
        """One try. No answer in time is no acknowledgement."""
        if self._client is None:
            return False
        try:
            async with self._client.request(
                letter.method, letter.url, data=letter.body, headers=letter.headers, allow_redirects=False
            ) as answer:
                reply = HttpReply(answer.status, Headers.of(answer.headers.items()), await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("A notification of %s was not taken (%s).", provider, type(error).__name__)
            return False
        return self._gateways[provider].acknowledged(reply)

    async def _stop_rounds(self) -> None:
        rounds, self._rounds = list(self._rounds.values()), {}
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)


class Desk:
    """`providers.sdk.gateway.Courier` for one institution: applies the `notify_…` faults."""

    def __init__(self, office: PostOffice, provider: str, faults: FaultBox) -> None:
        self._office, self._provider, self._faults = office, provider, faults

    def post(self, notification: Notification, *, forged: Notification | None = None) -> None:
        forge = self._faults.take(Fault.NOTIFY_FORGED)
        if self._faults.take(Fault.NOTIFY_LOST):
            return  # with all its repeats: only a query can find this payment
        held = self._faults.take(Fault.NOTIFY_REORDERED)
        delay_s = LATE_S if held or self._faults.take(Fault.NOTIFY_LATE) else 0
        if not held:
            self._office.release_held(self._provider)
        parcel = Parcel(
            id=self._office.next_id(),
            provider=self._provider,
            letter=Letter.of(notification.request),
            waits_s=notification.retry_after_s,
            due_at=self._office.clock.now() + timedelta(seconds=delay_s),
            held=held,
            aged=delay_s > 0,
            forged=Letter.of(forged.request) if forge and forged is not None else None,
        )
        self._office.accept(parcel)
        if self._faults.take(Fault.NOTIFY_TWICE):
            twin = {"id": self._office.next_id(), "forged": None}
            self._office.accept(parcel.model_copy(update=twin))


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
