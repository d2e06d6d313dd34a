"""The money side of a chat: the cashier message and its buttons. It asks the till and draws the answer.

It goes on while Redis is away: what Redis knows of these messages is where they stand, and the book knows it nearly as well.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from bot.orders.answers import Opened, Refused, Why
from bot.orders.order import MONEY_IS_HERE, Order, OrderState
from bot.runtime.cashier import (
    ORDERS_SHOWN,
    PaymentKey,
    Verb,
    cashier_screen,
    order_screen,
    orders_screen,
    refusal_text,
)
from bot.runtime.events import Origin, Seat
from bot.runtime.ports import Counter
from bot.runtime.screen import Screen, Surface
from bot.runtime.signboard import Signboard
from bot.runtime.store import SessionStore
from bot.texts import translator
from miniprograms.sdk.limits import TOAST_UNITS_MAX
from providers.sdk.clock import Clock
from providers.sdk.wallets import Wallet

# Of orders by a standing code: its payer sees them, the till does not.
_UNHEARD: Final = frozenset(OrderState) - MONEY_IS_HERE - {OrderState.NEEDS_REVIEW}


@dataclass(frozen=True, slots=True)
class Desk:
    """What an order's one code holds, and where its page is, is on the signboard."""

    checkout: Counter
    store: SessionStore
    surface: Surface
    clock: Clock = field(repr=False)
    signboard: Signboard

    async def tap(self, origin: Origin, key: PaymentKey) -> None:
        """A button of a cashier message, a receipt or the list of orders. Only the payer's own taps count."""
        user_id = origin.seat.user_id
        match key.verb:
            case Wallet() as wallet:
                answer: Opened | Refused | Order = await self.checkout.open(
                    key.order_id, wallet, user_id=user_id
                )
            case Verb.CANCEL:
                answer = await self.checkout.cancel(key.order_id, user_id)
            case Verb.SHOW | Verb.CHOOSE:
                order = await self.checkout.find(key.order_id)
                answer = order or Refused(Why.UNKNOWN_ORDER)
        await self._reply(origin, key, answer)

    async def show(self, order: Order) -> int | None:
        """`Teller.show`: draw the cashier message, or bring it to the order's present state where it stands."""
        if order.scanned and order.message_id is None and order.state in _UNHEARD:
            return None
        edit = await self._place_of(order)
        drawn = await self.surface.draw(order.chat_id, self._screen(order, order.language), edit=edit)
        if drawn is None:
            return None
        if drawn.message_id != edit:
            with suppress(RedisError):  # then a screen above it is edited where it stands
                await self.store.note(Seat(order.chat_id, order.user_id), last=drawn.message_id)
        return drawn.message_id

    async def bring_down(self, order: Order, origin: Origin) -> None:
        """Show it as the newest message, and take the old one away."""
        old = await self._place_of(order)
        drawn = await self.surface.draw(order.chat_id, self._screen(order, origin.language), edit=None)
        if drawn is None:
            return
        try:
            await self.store.move_cashier(order.user_id, order.id, drawn.message_id)
            await self.store.note(origin.seat, last=drawn.message_id)
        except RedisError:
            return  # the receipt will be drawn where the book knows it: that message stays
        if old is not None:
            await self.surface.erase(order.chat_id, old)

    async def list_orders(self, origin: Origin) -> None:
        """The list of orders as a message of its own, without a session."""
        orders = await self.checkout.orders_of(origin.seat.user_id, ORDERS_SHOWN)
        await self.surface.draw(origin.seat.chat_id, orders_screen(orders, origin.language), edit=None)

    async def _reply(self, origin: Origin, key: PaymentKey, answer: Opened | Refused | Order) -> None:
        order = answer if isinstance(answer, Order) else answer.order
        if order is not None and order.user_id != origin.seat.user_id:
            answer, order = Refused(Why.NOT_YOURS), None
        await self._toast(origin, answer)
        if order is None or order.chat_id != origin.seat.chat_id:
            return
        if key.verb is Verb.SHOW:
            await self.bring_down(order, origin)
            return
        screen = self._screen(order, origin.language)
        if key.verb is Verb.CHOOSE and order.payable and not order.by_payer_code:
            offers = self.checkout.offers(order)
            screen = cashier_screen(
                order,
                offers,
                self.signboard.text(order),
                origin.language,
                page_url=self.signboard.link(order),
            )
        await self.surface.draw(order.chat_id, screen, edit=origin.message_id)

    async def _toast(self, origin: Origin, answer: Opened | Refused | Order) -> None:
        if origin.callback_id is None:
            return
        toast = ""
        if isinstance(answer, Refused):
            toast = refusal_text(answer.why, origin.language)
        elif isinstance(answer, Opened) and answer.warning:
            _ = translator(origin.language)
            toast = _("Please pay with one wallet only.")
        await self.surface.answer(origin.callback_id, toast[:TOAST_UNITS_MAX], alert=bool(toast))

    async def _place_of(self, order: Order) -> int | None:
        """The message the order's cashier lives in."""
        try:
            moved = await self.store.moved_cashier(order.user_id, order.id)
        except RedisError:
            moved = None
        return max(moved or 0, order.message_id or 0) or None

    def _screen(self, order: Order, language: str) -> Screen:
        return order_screen(
            order,
            self.checkout.offers(order),
            self.signboard.text(order),
            language,
            self.clock.now(),
            page_url=self.signboard.link(order),
        )
