"""What the runtime asks of the order book. `bot.orders.checkout.Checkout` is it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from bot.orders.answers import Opened, Refused
from bot.orders.order import Draft, Order, Payout, PayoutDraft, RefundDraft, Withdrawal
from bot.orders.routing import Offer
from bot.orders.standing import StandingCode, StandingDraft
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class Counter(Protocol):
    """The till as a chat needs it. The same `order_key` places once, however often it is asked."""

    async def place(self, drafts: Sequence[Draft], refunds: Sequence[RefundDraft] = ()) -> tuple[Order, ...]:
        """Raise `OrderRefusedError` when an `order_key` comes back with another amount or title.

        Raise `RefundRefusedError` when a refund is asked for of an order that is not that program's and person's.
        """
        ...

    async def find(self, order_id: str) -> Order | None: ...

    async def stand(self, draft: StandingDraft) -> StandingCode: ...

    async def unstand(self, app_id: str, user_id: int, code_key: str) -> None: ...

    async def find_by_key(self, app_id: str, user_id: int, order_key: str) -> Order | None: ...

    async def orders_on(
        self, app_id: str, user_id: int, since: datetime, until: datetime, limit: int
    ) -> tuple[Order, ...]: ...

    async def find_by_link(self, token: str) -> Order | None: ...

    async def orders_of(self, user_id: int, limit: int = 10) -> tuple[Order, ...]: ...

    def offers(self, order: Order) -> tuple[Offer, ...]: ...

    async def open(
        self, order_id: str, wallet: Wallet, *, user_id: int | None = None
    ) -> Opened | Refused: ...

    async def charge(
        self, order_id: str, payer_code: SecretStr, wallet: Wallet, *, user_id: int
    ) -> Order | Refused: ...

    def wallet_at_till(self, amount: Money, candidates: Sequence[Wallet]) -> Wallet | None: ...

    async def offer_payouts(self, drafts: Sequence[PayoutDraft]) -> None:
        """Raise `PayoutRefusedError` for what cannot be offered; the same `payout_key` is the same offer."""
        ...

    async def withdraw_payout(self, asked: Withdrawal) -> None:
        """Raise `PayoutRefusedError` for a claim that is not this person's."""
        ...

    async def find_claim(self, *, claim_id: str = "", token: str = "") -> Order | None: ...

    async def payout_room(self, user_id: int, currency: str) -> Money: ...

    def payout_wallets(self, payout: Payout) -> tuple[Wallet, ...]: ...

    async def cancel(self, order_id: str, user_id: int) -> Order | Refused: ...
