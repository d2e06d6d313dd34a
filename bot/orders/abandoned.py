"""Accounts that the settings no longer have, while the book still has money under way with them.

Nobody could ask about that money any more, so a host that takes real money does not start without them.
"""

from collections.abc import Iterable

from sqlalchemy import Row, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import Book
from bot.orders.order import ATTEMPT_IS_OPEN, PAYOUT_IS_CLAIMED, PAYOUT_IS_OPEN, REFUND_IS_OPEN
from bot.orders.ports import Account
from bot.orders.schema import attempts, payouts, refunds


async def abandoned(book: Book, accounts: Iterable[Account]) -> tuple[str, ...]:
    """One line per account that is missing, such as `wechatpay/main: 3 open`."""
    known = {(account.provider_id, account.name) for account in accounts}
    return tuple(
        f"{row.provider}/{row.account}: {row.open} open"
        for row in await book.read(_under_way)
        if (row.provider, row.account) not in known
    )


async def _under_way(connection: AsyncConnection) -> list[Row[tuple[str, str, int]]]:
    """Open attempts that somebody outside may have heard of, open refunds and claimed payouts, counted by account."""
    open_attempts = select(attempts.c.provider, attempts.c.account).where(
        attempts.c.state.in_(ATTEMPT_IS_OPEN), attempts.c.called_at.is_not(None)
    )
    open_refunds = (
        select(attempts.c.provider, attempts.c.account)
        .join(refunds, refunds.c.attempt_number == attempts.c.number)
        .where(refunds.c.state.in_(REFUND_IS_OPEN))
    )
    # What is offered and unclaimed may have to go back where it came from.
    offered = (
        select(attempts.c.provider, attempts.c.account)
        .join(payouts, payouts.c.attempt_number == attempts.c.number)
        .where(payouts.c.state.in_(PAYOUT_IS_OPEN))
    )
    claimed = select(payouts.c.provider, payouts.c.account).where(payouts.c.state.in_(PAYOUT_IS_CLAIMED))
    all_of_it = union_all(open_attempts, open_refunds, offered, claimed).subquery()
    count = (
        select(all_of_it.c.provider, all_of_it.c.account, func.count().label("open"))
        .group_by(all_of_it.c.provider, all_of_it.c.account)
        .order_by(all_of_it.c.provider, all_of_it.c.account)
    )
    return list(await connection.execute(count))
