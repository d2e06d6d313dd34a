"""What the order book asks of the rest of the house."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.orders.health import Pulse
from bot.orders.order import Order
from bot.orders.word import Word
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from providers.sdk.contract import Call, Provider, ProviderInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the contract of an account says: the fee in hundredths of a percent, and limits in minor units; 0: nothing."""

    fee_bp: int = 0
    single_max_minor: int = 0
    daily_max_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One merchant account at one institution, ready to be used.

    `merchant` is what every verified answer must name (`Snapshot.merchant`). `call` lends the transport with its
    pinned hosts and its deadline; `call_within_s` is the last line behind that deadline. `pulse` hears of every call.
    """

    provider_id: str
    name: str = "main"
    merchant: str
    info: ProviderInfo
    provider: Provider = field(repr=False)
    call: Callable[[], Call] = field(repr=False)
    notify_url: str
    return_url: str = ""
    call_within_s: int = 20
    terms: Terms = field(default_factory=Terms)
    pulse: Pulse = field(default_factory=Pulse, repr=False)


class HookFailedError(Exception):
    """The program's own `on_payment` or `on_refund` raised. What it did is undone; it should be told again."""


class Teller(Protocol):
    """The runtime's side of the counter: shows and tells what the book says. Never the other way round.

    Raises `ConnectionError` when the messenger or the sessions cannot be reached at present.
    """

    async def show(self, order: Order) -> int | None:
        """Draw the cashier message, or edit `order.message_id` in place, to the order's present state.

        Returns the message it now lives in; None when the chat is gone. May be called twice for one state.
        """
        ...

    async def tell(self, key: str, order: Order, result: PaymentResult) -> None:
        """Deliver `on_payment` to the page that asked. Once that has returned, the same `key` has no effect again.

        Raises `HookFailedError` when the program does, and whatever the messenger or Redis raise.
        """
        ...

    async def tell_refund(self, key: str, order: Order, word: Word) -> None:
        """Deliver `on_refund` to the page that the word names, or to the app. As `tell` in all else."""
        ...

    async def tell_payout(self, key: str, order: Order, page: str, result: PayoutResult) -> None:
        """Deliver `on_payout` to that page. A second call with the same `key` has no effect."""
        ...


class Watch(Protocol):
    """Who is told what happens at the till. Must return at once and never raise."""

    def count(self, event: str, provider: str = "") -> None:
        """One more of these (`notification_rejected`, `attempt_unknown` …)."""
        ...

    def alert(self, text: str, order_id: str = "") -> None:
        """A person must look at this order. The text holds no secret."""
        ...
