"""What lies outside a host, slow and unreliable by the seed: the line to an institution, its post, the messenger."""

import asyncio
import copy
import functools
from collections.abc import Callable
from random import Random
from typing import Protocol

from bot.orders.order import Order
from bot.orders.word import Word
from miniprograms.sdk.payment import PaymentResult
from providers.sdk.clock import Clock
from providers.sdk.contract import ProviderPlugin
from providers.sdk.errors import NoReplyError, NotSentError
from providers.sdk.gateway import FaultBox, Notification
from providers.sdk.testing import FixedRandom, ListCourier, OpenPurses, Stall
from providers.sdk.testing.fakes import GatewayTransport, JsonDrawer
from providers.sdk.transport import HttpReply, HttpRequest
from tests.proof.world import Shown

_DEADLINE_S = 5
_TO_INSTITUTION_S = 0.4
_TO_MESSENGER_S = 0.2


class Owner(Protocol):
    """The host that calls."""

    random: Random
    stormy: bool

    async def pause(self, what: str, at_most_s: float = ...) -> None: ...


class Line:
    """One host's line to one institution: slow both ways; in a storm some calls do not leave, or hear nothing back."""

    def __init__(self, owner: Owner, name: str, stall: Stall) -> None:
        self._owner, self._name, self._stall = owner, name, stall

    async def send(self, request: HttpRequest) -> HttpReply:
        call = f"{self._name} {request.path}"
        await self._owner.pause(f"calls {call}", _TO_INSTITUTION_S)
        fate = self._owner.random.random() if self._owner.stormy else 1.0
        if fate < 0.04:
            raise NotSentError("The line is cut.")
        if fate < 0.08:
            await asyncio.sleep(_DEADLINE_S)
            raise NoReplyError("The call was lost.")
        reply = await self._stall.transport.send(request)
        if fate < 0.14:
            await asyncio.sleep(_DEADLINE_S)
            raise NoReplyError("The answer was lost.")
        await self._owner.pause(f"hears {call}", _TO_INSTITUTION_S)
        return reply


class Postbox(ListCourier):
    """Hands every notification to a postman as soon as it is written."""

    def __init__(self, faults: FaultBox, send: Callable[[Notification, bool], None]) -> None:
        super().__init__(faults)
        self._hand_over = send

    def post(self, notification: Notification, *, forged: Notification | None = None) -> None:
        super().post(notification, forged=forged)
        for one in self.take():
            self._hand_over(one, False)
        while self.late:
            self._hand_over(self.late.pop(0), True)


@functools.cache
def _merchant(plugin: ProviderPlugin) -> Stall:
    """Its settings, its keys and our side of it, for all worlds: making and reading keys is slow."""
    return Stall(plugin)


def stall_in_a_new_world(
    plugin: ProviderPlugin, clock: Clock, hand_over: Callable[[Notification, bool], None]
) -> Stall:
    """The institution has heard of nothing yet."""
    merchant = _merchant(plugin)
    stall = copy.copy(merchant)
    stall.clock, stall.random, stall.purses = clock, FixedRandom(), OpenPurses()
    stall.drawer, stall.faults = JsonDrawer(merchant.drawer.texts), FaultBox()
    stall.courier = Postbox(stall.faults, hand_over)
    stall.gateway = stall._gateway()
    stall.transport = GatewayTransport(stall.gateway, stall.faults)
    return stall


class Messenger:
    """The chat, in one place for all hosts: what was shown, and what pages were told, once per key."""

    def __init__(self, see: Callable[[Order], None]) -> None:
        self._see = see
        self.away = False
        self.shown: list[Shown] = []
        self.told: dict[str, PaymentResult] = {}
        self.refunds: dict[str, Word] = {}

    def show(self, order: Order) -> None:
        """The cashier message stands so from now on."""
        self._see(order)
        self.shown.append(Shown(order.id, order.version, order.state))

    def tell(self, key: str, order: Order, result: PaymentResult) -> None:
        """A second telling with the same key has no effect."""
        self._see(order)
        self.told.setdefault(key, result)

    def tell_refund(self, key: str, order: Order, word: Word) -> None:
        """Likewise."""
        self._see(order)
        self.refunds.setdefault(key, word)


class SlowTeller:
    """One host's way to the messenger."""

    def __init__(self, owner: Owner, messenger: Messenger) -> None:
        self._owner, self._messenger = owner, messenger

    async def show(self, order: Order) -> int | None:
        await self._bring(f"shows {order.state} v{order.version}", lambda: self._messenger.show(order))
        return order.message_id or 100

    async def tell(self, key: str, order: Order, result: PaymentResult) -> None:
        await self._bring(f"tells {result.status}", lambda: self._messenger.tell(key, order, result))

    async def tell_refund(self, key: str, order: Order, word: Word) -> None:
        told = f"tells refund {word.result.status}"
        await self._bring(told, lambda: self._messenger.tell_refund(key, order, word))

    async def _bring(self, what: str, arrive: Callable[[], None]) -> None:
        await self._owner.pause(what, _TO_MESSENGER_S)
        fate = self._owner.random.random() if self._owner.stormy else 1.0
        if fate < 0.08 or self._messenger.away:
            raise ConnectionError("The messenger is away.")
        arrive()
        if fate < 0.12:
            raise ConnectionError("The messenger did not answer.")
        await self._owner.pause(f"{what}: done", _TO_MESSENGER_S)
