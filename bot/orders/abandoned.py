"""Accounts that the settings no longer have, while the book still has money under way with them.

Nobody could ask about that money any more, so a host that takes real money does not start without them.
"""

from collections.abc import Iterable

from sqlalchemy import Row, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import Book
from bot.orders.order import ATTEMPT_IS_OPEN, REFUND_IS_OPEN
from bot.orders.ports import Account
from bot.orders.schema import attempts, refunds


async def abandoned(book: Book, accounts: Iterable[Account]) -> tuple[str, ...]:
    """One line per account that is missing, such as `wechatpay/main: 3 open`."""
    known = {(account.provider_id, account.name) for account in accounts}
    return tuple(
        f"{row.provider}/{row.account}: {row.open} open"
        for row in await book.read(_under_way)
        if (row.provider, row.account) not in known
    )


async def _under_way(connection: AsyncConnection) -> list[Row[tuple[str, str, int]]]:
    """Open attempts that somebody outside may have heard of, and open refunds, counted by account."""
    open_attempts = select(attempts.c.provider, attempts.c.account).where(
        attempts.c.state.in_(ATTEMPT_IS_OPEN), attempts.c.called_at.is_not(None)
    )
    open_refunds = (
        select(attempts.c.provider, attempts.c.account)
        .join(refunds, refunds.c.attempt_number == attempts.c.number)
        .where(refunds.c.state.in_(REFUND_IS_OPEN))
    )
    both = union_all(open_attempts, open_refunds).subquery()
    count = (
        select(both.c.provider, both.c.account, func.count().label("open"))
        .group_by(both.c.provider, both.c.account)
        .order_by(both.c.provider, both.c.account)
    )
    return list(await connection.execute(count))
