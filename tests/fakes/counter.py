"""A till in memory: places orders by key, and lets a test say what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from bot.orders.answers import Opened, OrderRefusedError, RefundRefusedError, Refused, Why
from bot.orders.order import Draft, Order, OrderState, RefundDraft
from bot.orders.routing import Offer
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


@dataclass
class FakeCounter:
    orders: dict[str, Order] = field(default_factory=dict)
    placed: int = 0
    opened: list[tuple[str, Wallet]] = field(default_factory=list)
    refunds: list[RefundDraft] = field(default_factory=list)
    charged: list[tuple[str, Wallet]] = field(default_factory=list)

    async def place(self, drafts: Sequence[Draft], refunds: Sequence[RefundDraft] = ()) -> tuple[Order, ...]:
        for refund in refunds:
            if refund.request.order_key not in {order.order_key for order in self.orders.values()}:
                raise RefundRefusedError(refund.request.order_key, "Not yours.")
            self.refunds.append(refund)
        return tuple(map(self._place, drafts))

    async def find(self, order_id: str) -> Order | None:
        return self.orders.get(order_id)

    async def find_by_link(self, token: str) -> Order | None:
        return next((order for order in self.orders.values() if order.link_token == token), None)

    async def find_by_key(self, app_id: str, user_id: int, order_key: str) -> Order | None:
        mine = await self.orders_of(user_id)
        return next((one for one in mine if (one.app_id, one.order_key) == (app_id, order_key)), None)

    async def orders_on(
        self, app_id: str, user_id: int, since: datetime, until: datetime, limit: int
    ) -> tuple[Order, ...]:
        mine = await self.orders_of(user_id, limit)
        return tuple(one for one in mine if one.app_id == app_id and since <= one.created_at < until)

    async def orders_of(self, user_id: int, limit: int = 10) -> tuple[Order, ...]:
        return tuple(order for order in self.orders.values() if order.user_id == user_id)[:limit]

    def offers(self, order: Order) -> tuple[Offer, ...]:
        return ()

    async def open(self, order_id: str, wallet: Wallet, *, user_id: int | None = None) -> Opened | Refused:
        self.opened.append((order_id, wallet))
        return Refused(Why.NO_OFFER, order=self.orders[order_id])

    async def charge(
        self, order_id: str, payer_code: SecretStr, wallet: Wallet, *, user_id: int
    ) -> Order | Refused:
        self.charged.append((order_id, wallet))
        return self.orders[order_id]

    def wallet_at_till(self, amount: Money, candidates: Sequence[Wallet]) -> Wallet | None:
        return candidates[0] if candidates else None

    async def cancel(self, order_id: str, user_id: int) -> Order | Refused:
        order = self.orders[order_id]
        if order.user_id != user_id:
            return Refused(Why.NOT_YOURS)
        self.orders[order_id] = replace(order, state=OrderState.CANCELLED)
        return self.orders[order_id]

    def _place(self, draft: Draft) -> Order:
        for order in self.orders.values():
            if (order.app_id, order.user_id, order.order_key) == (
                draft.app_id,
                draft.user_id,
                draft.request.order_key,
            ):
                if order.amount != draft.request.amount:
                    raise OrderRefusedError(order.order_key, "Another amount.")
                return order
        self.placed += 1
        order = Order(
            id=f"order{self.placed}",
            app_id=draft.app_id,
            page=draft.page,
            chat_id=draft.chat_id,
            user_id=draft.user_id,
            language=draft.language,
            order_key=draft.request.order_key,
            amount=draft.request.amount,
            title=draft.request.title,
            state=OrderState.PENDING,
            version=1,
            created_at=NOW,
            expires_at=NOW + timedelta(seconds=draft.expires_after_s),
            link_token=f"tokenTOKENtoken{self.placed:07d}",
        )
        self.orders[order.id] = order
        return order
