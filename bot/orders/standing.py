"""Standing codes: a code on the counter, for ever the same, whose every scan is a new order of the till it belongs to.

With an amount, or without one: then the payer enters it. The code names nobody; its token is as unguessable as that
of an order. What a scan orders is placed like any page's order and told to the page that made the code.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.answers import OrderRefusedError, Refused, Why
from bot.orders.book import insert_once
from bot.orders.numbers import new_token
from bot.orders.order import SCANNED, Draft, Order, OrderState
from bot.orders.placing import Placing
from bot.orders.schema import orders, standing_codes
from bot.orders.till import Till
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.money import Money

# Open orders of one code: a queue in a shop, not somebody who reloads the page all day.
OPEN_MAX: Final = 30
_ORDER_LIVES_S: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingDraft:
    """What a page asked for, before it is a code."""

    app_id: str
    page: str
    chat_id: int
    user_id: int
    language: str
    code_key: str
    title: str
    amount: Money | None
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCode:
    """A code as stored. `amount` None: the payer enters it."""

    token: str = field(repr=False)
    app_id: str
    page: str
    chat_id: int
    user_id: int
    language: str
    code_key: str
    title: str
    amount: Money | None
    currency: str
    created_at: datetime
    closed_at: datetime | None = None


class Standing:
    """Keeps standing codes and orders what is scanned."""

    def __init__(self, till: Till, placing: Placing) -> None:
        self._till = till
        self._placing = placing

    async def put(self, draft: StandingDraft) -> StandingCode:
        """The code of that key, made when there is none; a closed one is open again.

        Raises `OrderRefusedError` when the key has another title or amount: what is printed does not change.
        """

        async def transaction(connection: AsyncConnection) -> StandingCode:
            values = _values(draft) | {
                "token": new_token(self._till.random), "created_at": self._till.clock.now(), "closed_at": None,
            }  # fmt: skip
            await insert_once(connection, standing_codes, **values)
            await connection.execute(update(standing_codes).where(*_same(draft)).values(closed_at=None))
            found = _code((await connection.execute(select(standing_codes).where(*_same(draft)))).one())
            if (found.title, found.amount) != (draft.title, draft.amount):
                raise OrderRefusedError(
                    draft.code_key, f"The standing code {draft.code_key!r} has another title or amount."
                )
            return found

        return await self._till.book.write(transaction)

    async def close(self, app_id: str, user_id: int, code_key: str) -> None:
        """From now on nothing is ordered by it; orders that are open go on."""
        mine = (
            standing_codes.c.app_id == app_id,
            standing_codes.c.user_id == user_id,
            standing_codes.c.code_key == code_key,
        )
        closed = update(standing_codes).where(*mine).values(closed_at=self._till.clock.now())

        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(closed)

        await self._till.book.write(transaction)

    async def find(self, token: str) -> StandingCode | None:
        """The open code of that token."""
        query = select(standing_codes).where(
            standing_codes.c.token == token, standing_codes.c.closed_at.is_(None)
        )

        async def look(connection: AsyncConnection) -> StandingCode | None:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else _code(row)

        return await self._till.book.read(look)

    def draw_nonce(self) -> str:
        """For one form: the order that it asks for."""
        return new_token(self._till.random)

    async def order(self, token: str, amount: Money | None, nonce: str) -> Order | Refused:
        """One scan: a new order of the till. The same `nonce` is the same order, so a form sent twice orders once."""
        code = await self.find(token)
        if code is None:
            return Refused(Why.UNKNOWN_ORDER)
        wanted = code.amount or amount
        if wanted is None or not wanted or wanted.currency != code.currency:
            return Refused(Why.WRONG_AMOUNT)
        key = f"{SCANNED}{token}:{nonce}"
        if await self._open(code, key) >= OPEN_MAX:
            return Refused(Why.CHECKING, f"{OPEN_MAX} orders of this code are open.")
        draft = Draft(
            app_id=code.app_id,
            page=code.page,
            chat_id=code.chat_id,
            user_id=code.user_id,
            language=code.language,
            request=PaymentRequest(amount=wanted, title=code.title, order_key=key),
            expires_after_s=_ORDER_LIVES_S,
        )
        try:
            [order] = await self._placing.place([draft], [])
        except OrderRefusedError as error:
            return Refused(Why.WRONG_AMOUNT, str(error))
        return order

    async def _open(self, code: StandingCode, key: str) -> int:
        """How many orders of this code wait for their money, that of this very key not counted."""
        query = select(func.count()).where(
            orders.c.app_id == code.app_id,
            orders.c.user_id == code.user_id,
            orders.c.order_key.startswith(f"{SCANNED}{code.token}:", autoescape=True),
            orders.c.order_key != key,
            orders.c.state == OrderState.PENDING,
        )

        async def look(connection: AsyncConnection) -> int:
            return int(await connection.scalar(query) or 0)

        return await self._till.book.read(look)


def _same(draft: StandingDraft) -> tuple[Any, ...]:
    return (
        standing_codes.c.app_id == draft.app_id,
        standing_codes.c.user_id == draft.user_id,
        standing_codes.c.code_key == draft.code_key,
    )


def _values(draft: StandingDraft) -> dict[str, Any]:
    return {
        "app_id": draft.app_id,
        "page": draft.page,
        "chat_id": draft.chat_id,
        "user_id": draft.user_id,
        "language": draft.language,
        "code_key": draft.code_key,
        "title": draft.title,
        "amount_minor": draft.amount.minor if draft.amount else None,
        "currency": draft.currency,
    }


def _code(row: Row[Any]) -> StandingCode:
    values = dict(row._mapping)  # noqa: SLF001  # Row's documented mapping
    minor = values.pop("amount_minor")
    return StandingCode(**values, amount=None if minor is None else Money(minor, values["currency"]))
