"""The till: places orders, opens them at an institution, takes its notifications, cancels and refunds."""

from collections.abc import Sequence
from typing import Protocol

from bot.orders.answers import Opened, OrderRefusedError, Refused, Why
from bot.orders.order import Draft, Order, Refund
from bot.orders.routing import Offer, Refusal
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

__all__ = ["Checkout", "Opened", "OrderRefusedError", "Refused", "Why"]


class Checkout(Protocol):
    """One per process. All of it may run at once, also in several processes on one store."""

    async def place(self, drafts: Sequence[Draft]) -> tuple[Order, ...]: ...

    async def find(self, order_id: str) -> Order | None: ...

    async def find_by_link(self, token: str) -> Order | None: ...

    async def orders_of(self, user_id: int, limit: int = 10) -> tuple[Order, ...]: ...

    def offers(self, order: Order) -> tuple[Offer, ...]: ...

    def refusals(self, order: Order) -> tuple[Refusal, ...]: ...

    async def open(
        self, order_id: str, wallet: Wallet, *, user_id: int | None = None, way: Way | None = None
    ) -> Opened | Refused: ...

    async def cancel(self, order_id: str, user_id: int) -> Order | Refused: ...

    async def receive(self, provider_id: str, account: str, request: HttpRequest) -> HttpReply: ...

    async def refund(
        self, order_id: str, amount: Money, reason: str, actor: str, *, refund_key: str = ""
    ) -> Refund | Refused: ...
