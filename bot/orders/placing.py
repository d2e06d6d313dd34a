"""From what a page asked for to an order in the book."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crashpoint import crashpoint
from bot.orders import institution, rows, schedule
from bot.orders.answers import OrderRefusedError, RefundRefusedError
from bot.orders.audit import GENESIS, Cause, CauseKind
from bot.orders.book import StaleError
from bot.orders.numbers import new_token
from bot.orders.order import Attempt, AttemptState, Draft, Order, OrderState, RefundDraft
from bot.orders.posting import Posting
from bot.orders.refunding import Refunding
from bot.orders.routing import WAYS_AT_TILL, WAYS_IN_CHAT, Offer, offers
from bot.orders.table import OrderEvent
from bot.orders.till import Till
from miniprograms.sdk.payment import IfLate


class Placing:
    """Stores orders, each with the intent that nobody outside has heard of."""

    def __init__(self, till: Till, refunding: Refunding, if_late: IfLate) -> None:
        self._till = till
        self._refunding = refunding
        self._if_late = if_late

    async def place(self, drafts: Sequence[Draft], refunds: Sequence[RefundDraft]) -> tuple[Order, ...]:
        """See `Checkout.place`."""
        await self._till.takings.count()

        async def transaction(connection: AsyncConnection) -> tuple[Order, ...]:
            placed = [await self._place(connection, draft) for draft in drafts]
            for refund in refunds:
                await self._refunding.take_in(connection, refund)
            crashpoint("order.placing")
            return tuple(placed)

        try:
            placed = await self._till.book.write(transaction)
        except RefundRefusedError:
            await self._refunding.note_strangers(refunds)
            raise
        crashpoint("order.placed")
        self._till.bell.ring()
        return placed

    async def _place(self, connection: AsyncConnection, draft: Draft) -> Order:
        known = await rows.find_by_key(connection, draft.app_id, draft.user_id, draft.request.order_key)
        cause = Cause(CauseKind.PAGE, f"{draft.app_id}:{draft.request.order_key}")
        if known is not None:
            _compare(known, draft)
            posting = Posting(known, cause, self._till.clock.now(), self._till.draw_number)
            posting.move_order(OrderEvent.ASKED_AGAIN)
            await rows.save(connection, posting)
            return posting.order
        posting = self._new(draft, cause)
        if not await rows.add(connection, posting):
            raise StaleError(f"The order {draft.request.order_key} was placed by another process meanwhile.")
        return posting.order

    def _new(self, draft: Draft, cause: Cause) -> Posting:
        now, request = self._till.clock.now(), draft.request
        expires_at = now + timedelta(seconds=draft.expires_after_s)
        order = Order(
            id=self._till.draw_number(),
            app_id=draft.app_id,
            page=draft.page,
            chat_id=draft.chat_id,
            user_id=draft.user_id,
            language=draft.language,
            order_key=request.order_key,
            amount=request.amount,
            title=request.title,
            state=OrderState.CREATED,
            version=0,
            created_at=now,
            expires_at=expires_at,
            next_check_at=expires_at,
            link_token=new_token(self._till.random),
            if_late=request.if_late or self._if_late,
            audit_hash=GENESIS,
        )
        posting = Posting(order, cause, now, self._till.draw_number)
        ways = WAYS_AT_TILL if draft.by_payer_code else WAYS_IN_CHAT
        best = next(iter(offers(order.amount, self._till.routes(), ways=ways)), None)
        if best is None:
            posting.move_order(OrderEvent.UNPAYABLE, f"No configured account takes {order.amount}.")
        else:
            posting.add_attempt(new_intent(self._till, posting, best))
            posting.move_order(OrderEvent.PLACED)
        return posting


def new_intent(till: Till, posting: Posting, offer: Offer) -> Attempt:
    """An attempt that nobody outside has heard of."""
    order, now = posting.order, posting.now
    return Attempt(
        number=posting.draw_number(),
        order_id=order.id,
        provider=offer.provider,
        account=offer.account,
        wallet=offer.wallet,
        way=offer.way,
        amount=order.amount,
        state=AttemptState.INTENT,
        created_at=now,
        expires_at=institution.attempt_expiry(till.accounts[offer.provider, offer.account], order, now),
        next_check_at=schedule.next_attempt_check(AttemptState.INTENT, 0, order, now),
    )


def turned(till: Till, posting: Posting, intent: Attempt, offer: Offer) -> Attempt:
    """That attempt, turned to another offer. Its clock starts anew: what is sent is what is stored."""
    fresh = new_intent(till, posting, offer)
    return replace(fresh, number=intent.number)


def _compare(known: Order, draft: Draft) -> None:
    request = draft.request
    if (known.amount, known.title) != (request.amount, request.title):
        raise OrderRefusedError(
            request.order_key,
            f"order_key {request.order_key!r} already asks for {known.amount} for {known.title!r}; "
            f"{request.amount} for {request.title!r} needs a key of its own.",
        )
