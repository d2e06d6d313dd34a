"""A program's own side of the order book: its orders of one person, and that person's standing codes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bot.orders.standing import StandingDraft
from bot.runtime.asking import check_order_key, check_standing
from bot.runtime.events import Seat
from bot.runtime.ports import Counter
from bot.runtime.records import record_of
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import ORDERS_LISTED_MAX
from miniprograms.sdk.records import OrderRecord
from providers.sdk.clock import BEIJING, Clock
from providers.sdk.money import Money


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """Nobody else's orders and codes can be reached through it. `address` makes a link of a code's token."""

    checkout: Counter
    clock: Clock = field(repr=False)
    address: Callable[[str], str] = field(repr=False)
    app_id: str
    seat: Seat

    def today(self) -> date:
        """In Beijing."""
        return self.clock.now().astimezone(BEIJING).date()

    async def on(self, day: date, limit: int) -> tuple[OrderRecord, ...]:
        """Placed on that day, newest first. Raises `AuthorError` for a limit beyond the house's."""
        if not 0 < limit <= ORDERS_LISTED_MAX:
            raise AuthorError(f"{self.app_id}: 1 to {ORDERS_LISTED_MAX} orders are listed at a time.")
        since = datetime.combine(day, time(), BEIJING)
        until = since + timedelta(days=1)
        found = await self.checkout.orders_on(self.app_id, self.seat.user_id, since, until, limit)
        return tuple(map(record_of, found))

    async def one(self, order_key: str) -> OrderRecord | None:
        """The order of that key."""
        check_order_key(self.app_id, order_key)
        found = await self.checkout.find_by_key(self.app_id, self.seat.user_id, order_key)
        return None if found is None else record_of(found)

    async def stand(self, page: str, language: str, title: str, code_key: str, amount: Money | None) -> str:
        """The address of the standing code of that key."""
        check_standing(page or self.app_id, title, code_key, amount)
        draft = StandingDraft(
            app_id=self.app_id,
            page=page,
            chat_id=self.seat.chat_id,
            user_id=self.seat.user_id,
            language=language,
            code_key=code_key,
            title=title,
            amount=amount,
        )
        return self.address((await self.checkout.stand(draft)).token)

    async def unstand(self, code_key: str) -> None:
        """Nothing more is ordered by it."""
        await self.checkout.unstand(self.app_id, self.seat.user_id, code_key)
