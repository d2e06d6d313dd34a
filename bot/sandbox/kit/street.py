"""The institutions of a world, in process: each with our merchant account, its post, and its faults."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from bot.orders.ports import Account
from bot.sandbox.kit.keys import first_day
from providers.sdk.clock import Clock, Random
from providers.sdk.contract import Call, Provider, ProviderPlugin
from providers.sdk.gateway import (
    FaultBox,
    Gateway,
    GatewayContext,
    Notification,
    Purses,
    SignsAgain,
)
from providers.sdk.testing import GatewayTransport, JsonDrawer, ListCourier, MemoryKeys
from providers.sdk.transport import HttpReply, HttpRequest

ACCOUNT: Final = "main"
WEB_URL: Final = "https://moongate.test"


class Branch:
    """One institution. Its gateway is set up when somebody needs it, and lives until the world ends."""

    def __init__(
        self,
        plugin: ProviderPlugin,
        *,
        clock: Clock,
        random: Random,
        purses: Purses,
        keys_folder: Path | None,
    ) -> None:
        self.plugin = plugin
        self.id = plugin.info.id
        self.base_url = f"https://{self.id}.test"
        self.faults = FaultBox()
        self.courier = ListCourier(self.faults)
        self._clock, self._random, self._purses = clock, random, purses
        day = first_day(plugin, self.base_url, keys_folder)
        self.drawer = JsonDrawer(day.drawer)
        self._settings = day.settings
        self._keys = MemoryKeys()

    @cached_property
    def gateway(self) -> Gateway:
        """The institution's own side."""
        return self.plugin.gateway(
            GatewayContext(
                clock=self._clock,
                random=self._random,
                drawer=self.drawer,
                purses=self._purses,
                courier=self.courier,
                faults=self.faults,
            )
        )

    def account(self) -> Account:
        """Our side, as a host builds it at its start."""
        provider = _OnDemand(lambda: self.plugin.build(self._settings, self._keys))
        return Account(
            provider_id=self.id,
            name=ACCOUNT,
            merchant=self._settings.merchant,
            info=self.plugin.info,
            provider=cast("Provider", provider),
            call=partial(self._call),
            notify_url=f"{WEB_URL}/notify/{self.id}/{ACCOUNT}",
        )

    @property
    def name(self) -> str:
        """For errors."""
        return self.plugin.info.name_en

    def stand_as(self, texts: dict[str, str], number: str) -> None:
        """Take back what happened since then to everything that names this number."""
        for key, text in texts.items():
            if number in key or number in text:
                self.drawer.texts[key] = text

    @cached_property
    def _transport(self) -> GatewayTransport:
        return GatewayTransport(self.gateway, self.faults, self.base_url)

    def _call(self) -> Call:
        return Call(self._transport, self._clock, self._random)


class _OnDemand:
    """A provider that is built at the first verb: reading keys and chains takes time that most tests need not spend."""

    def __init__(self, build: Callable[[], Provider]) -> None:
        self._build = build

    @cached_property
    def _provider(self) -> Provider:
        return self._build()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any verb of the contract
        return getattr(self._provider, name)


@dataclass(slots=True)
class Parcel:
    """A notification on its way; `waits_s` are the pauses before the tries that are left.

    `again`: it sets out later than it was made, so the institution signs it anew, if that is its way.
    """

    branch: Branch
    request: HttpRequest
    waits_s: tuple[int, ...]
    due_at: datetime
    again: bool = False

    @property
    def signed(self) -> HttpRequest:
        """As it arrives now."""
        gateway = self.branch.gateway
        return (
            gateway.signed_again(self.request)
            if self.again and isinstance(gateway, SignsAgain)
            else self.request
        )


@dataclass(slots=True)
class Street:
    """All institutions, and the post between them and the host."""

    branches: dict[str, Branch]
    clock: Clock
    parcels: list[Parcel] = field(default_factory=list)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches.values())

    def collect(self) -> None:
        """Empty the bags of all institutions: what is in them sets out now."""
        for branch in self:
            for notification in branch.courier.take():
                self.send(branch, notification)

    def send(self, branch: Branch, notification: Notification, *, again: bool = False) -> None:
        """Set out with one notification."""
        now = self.clock.now()
        self.parcels.append(
            Parcel(branch, notification.request, notification.retry_after_s, now, again=again)
        )

    def due(self) -> list[Parcel]:
        """What arrives now, in the order in which it set out; it is no longer on its way."""
        now = self.clock.now()
        arrived = [parcel for parcel in self.parcels if parcel.due_at <= now]
        self.parcels = [parcel for parcel in self.parcels if parcel.due_at > now]
        return arrived

    def next_at(self) -> Iterable[datetime]:
        """When the post comes next."""
        return (parcel.due_at for parcel in self.parcels)

    def judge(self, parcel: Parcel, reply: HttpReply) -> None:
        """An answer that is no acknowledgement: again after a while, as that institution does."""
        if not parcel.branch.gateway.acknowledged(reply) and parcel.waits_s:
            wait_s, *left = parcel.waits_s
            parcel.due_at = self.clock.now() + timedelta(seconds=wait_s)
            parcel.waits_s, parcel.again = tuple(left), True
            self.parcels.append(parcel)


def as_received(request: HttpRequest) -> tuple[str, str, HttpRequest]:
    """Provider, account and the request as a web server hands it on: with a path, not an address."""
    _, _, provider, account = urlsplit(request.url).path.split("/")
    return provider, account, HttpRequest(request.method, request.target, request.headers, request.body)
