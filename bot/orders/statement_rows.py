"""Statements in the store: their lines, what our book has under the same numbers, what hangs in suspense."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import insert_once
from bot.orders.ledger import SUSPENSE, check_balanced, fee_lines
from bot.orders.ledger import Line as LedgerLine
from bot.orders.ledger import statement_lines as suspense_lines
from bot.orders.order import ATTEMPT_HAS_MONEY, FOREIGN, PayoutState, RefundState
from bot.orders.schema import (
    attempts,
    ledger_entries,
    payouts,
    refunds,
    statement_lines,
    statements,
    suspense_entries,
)
from bot.orders.statement import IN_SUSPENSE, Line, Ours, Verdict
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine

Account = tuple[str, str]
_T: Final = statement_lines.c


async def keep(
    connection: AsyncConnection, account: Account, day: date, lines: Sequence[StatementLine]
) -> list[str]:
    """Store lines that are not here yet. The keys of those that are here with another content."""
    changed = []
    for line in lines:
        values = _values(line)
        here = {"provider": account[0], "account": account[1], "day": day.isoformat(), "verdict": Verdict.NEW}
        if await insert_once(connection, statement_lines, **values, **here):
            continue
        query = _of(account).where(_T.line_key == line.line_key)
        stored = (await connection.execute(query)).one()
        if _read(stored) != line:
            changed.append(line.line_key)
    return changed


async def mark_compared(connection: AsyncConnection, account: Account, day: date, now: datetime) -> None:
    """That day's statement is in the store, whole."""
    names = {"provider": account[0], "account": account[1], "day": day.isoformat()}
    await insert_once(connection, statements, **names, imported_at=now)


async def compared_days(connection: AsyncConnection, account: Account) -> frozenset[date]:
    """The days whose statements are in the store."""
    query = select(statements.c.day).where(
        statements.c.provider == account[0], statements.c.account == account[1]
    )
    return frozenset(date.fromisoformat(day) for day in await connection.scalars(query))


async def lines_of(
    connection: AsyncConnection, account: Account, day: date, after: int, limit: int
) -> list[Line]:
    """Lines of that day's statement with an id above `after`, in order."""
    earlier = statement_lines.alias("earlier")
    repeated = exists().where(
        earlier.c.provider == _T.provider,
        earlier.c.account == _T.account,
        earlier.c.number == _T.number,
        earlier.c.kind == _T.kind,
        earlier.c.id < _T.id,
    )
    query = (
        _of(account)
        .add_columns(repeated.label("repeated"))
        .where(_T.day == day.isoformat(), _T.id > after)
        .order_by(_T.id)
        .limit(limit)
    )
    return [
        Line(row.id, day, _read(row), Verdict(row.verdict), first=not row.repeated)
        for row in await connection.execute(query)
    ]


async def ours_of(
    connection: AsyncConnection, account: Account, lines: Sequence[Line]
) -> dict[tuple[StatementKind, str], Ours]:
    """What our book has under the numbers of these lines, and under those of the payments they return."""
    numbers = {one.line.number for one in lines} | {one.line.attempt_number for one in lines}
    found = {}
    for row in await connection.execute(_attempts(account).where(attempts.c.number.in_(numbers))):
        found[StatementKind.PAYMENT, row.number] = _attempt(row)
    keys = {f"{FOREIGN}{number}" for number in numbers}
    theirs = or_(refunds.c.number.in_(numbers), refunds.c.refund_key.in_(keys))
    for row in await connection.execute(_refunds(account).where(theirs)):
        there = (row.refund_key or "").startswith(FOREIGN)
        number = row.refund_key.removeprefix(FOREIGN) if there else row.number
        found[StatementKind.REFUND, number] = _refund(row)
    for row in await connection.execute(_payouts(account).where(payouts.c.number.in_(numbers))):
        found[StatementKind.PAYOUT, row.number] = _payout(row)
    return found


async def without_line(
    connection: AsyncConnection, account: Account, since: datetime, until: datetime
) -> list[tuple[StatementKind, Ours]]:
    """What our book settled with that account in that time, and no statement has a line for."""
    settled = attempts.c.state.in_(ATTEMPT_HAS_MONEY)
    paid = _attempts(account).where(
        settled,
        attempts.c.paid_at >= since,
        attempts.c.paid_at < until,
        ~_has_line(account, attempts.c.number),
    )
    there = FOREIGN + _T.number == refunds.c.refund_key
    back = _refunds(account).where(
        refunds.c.state == RefundState.DONE,
        refunds.c.done_at >= since,
        refunds.c.done_at < until,
        ~_has_line(account, refunds.c.number, there),
    )
    out = _payouts(account).where(
        payouts.c.state == PayoutState.DONE,
        payouts.c.done_at >= since,
        payouts.c.done_at < until,
        ~_has_line(account, payouts.c.number),
    )
    return [
        *((StatementKind.PAYMENT, _attempt(row)) for row in await connection.execute(paid)),
        *((StatementKind.PAYOUT, _payout(row)) for row in await connection.execute(out)),
        *((StatementKind.REFUND, _refund(row)) for row in await connection.execute(back)),
    ]


async def settle(
    connection: AsyncConnection, account: Account, line: Line, verdict: Verdict, now: datetime
) -> None:
    """Store the verdict; put what nothing explains into suspense, and take out what is explained by now."""
    if verdict == line.verdict:
        return
    await connection.execute(update(statement_lines).where(_T.id == line.id).values(verdict=verdict))
    if verdict is Verdict.MATCHED and line.line.fee:
        returned = line.line.kind is StatementKind.REFUND
        await _enter(connection, line, fee_lines(line.id, *account, line.line.fee, returned=returned), now)
    if (verdict in IN_SUSPENSE) == (line.verdict in IN_SUSPENSE) or not line.minor:
        return
    entries = suspense_lines(line.id, *account, line.minor, line.line.amount.currency)
    await _enter(connection, line, entries if verdict in IN_SUSPENSE else _reversed(entries), now, again=True)


async def _enter(
    connection: AsyncConnection,
    line: Line,
    entries: Sequence[LedgerLine],
    now: datetime,
    *,
    again: bool = False,
) -> None:
    """Book it: once, or, in and out of suspense, as often as the verdict changes."""
    check_balanced(entries)
    query = select(func.count()).select_from(suspense_entries).where(suspense_entries.c.line_id == line.id)
    same = suspense_entries.c.txn.like(f"{entries[0].txn}%")
    times = await connection.scalar(query.where(same))
    if times and not again:
        return
    rows = [
        {
            "txn": f"{one.txn}:{times}",
            "account": one.account,
            "minor": one.minor,
            "currency": one.currency,
            "line_id": line.id,
            "at": now,
        }
        for one in entries
    ]
    await connection.execute(insert(suspense_entries), rows)


async def suspense(connection: AsyncConnection) -> Mapping[str, int]:
    """What hangs in suspense, by currency: positive is money we hold for nobody, negative is missing."""
    held: dict[str, int] = {}
    for table in (ledger_entries, suspense_entries):
        query = (
            select(table.c.currency, func.sum(table.c.minor))
            .where(table.c.account == SUSPENSE)
            .group_by(table.c.currency)
        )
        for currency, minor in await connection.execute(query):
            held[currency] = held.get(currency, 0) - int(minor)
    return {currency: minor for currency, minor in sorted(held.items()) if minor}


def _of(account: Account) -> Select[Any]:
    return select(statement_lines).where(_T.provider == account[0], _T.account == account[1])


def _attempts(account: Account) -> Select[Any]:
    return select(attempts).where(attempts.c.provider == account[0], attempts.c.account == account[1])


def _refunds(account: Account) -> Select[Any]:
    joined = refunds.join(attempts, attempts.c.number == refunds.c.attempt_number)
    mine = (attempts.c.provider == account[0], attempts.c.account == account[1])
    return select(refunds).select_from(joined).where(*mine)


def _payouts(account: Account) -> Select[Any]:
    return select(payouts).where(payouts.c.provider == account[0], payouts.c.account == account[1])


def _has_line(account: Account, number: Any, *more: Any) -> Any:  # noqa: ANN401  # SQLAlchemy's expressions
    mine = exists().where(_T.provider == account[0], _T.account == account[1])
    return mine.where(or_(_T.number == number, *more))


def _attempt(row: Row[Any]) -> Ours:
    return Ours(
        order_id=row.order_id,
        number=row.number,
        amount=Money(row.amount_minor, row.currency),
        state=row.state,
        settled=row.state in ATTEMPT_HAS_MONEY,
        moments=() if row.paid_at is None else (row.paid_at,),
    )


def _refund(row: Row[Any]) -> Ours:
    return Ours(
        order_id=row.order_id,
        number=row.number,
        amount=Money(row.amount_minor, row.currency),
        state=row.state,
        settled=row.state == RefundState.DONE,
        moments=tuple(moment for moment in (row.called_at, row.done_at) if moment is not None),
    )


def _payout(row: Row[Any]) -> Ours:
    return Ours(
        order_id=row.order_id,
        number=row.number,
        amount=Money(row.amount_minor, row.currency),
        state=row.state,
        settled=row.state == PayoutState.DONE,
        moments=tuple(moment for moment in (row.called_at, row.done_at) if moment is not None),
    )


def _values(line: StatementLine) -> dict[str, Any]:
    return {
        "line_key": line.line_key,
        "kind": line.kind,
        "number": line.number,
        "attempt_number": line.attempt_number,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency,
        "fee_minor": None if line.fee is None else line.fee.minor,
        "fee_currency": None if line.fee is None else line.fee.currency,
        "provider_ref": line.provider_ref,
        "at": line.at,
    }


def _read(row: Row[Any]) -> StatementLine:
    return StatementLine(
        line_key=row.line_key,
        kind=StatementKind(row.kind),
        number=row.number,
        attempt_number=row.attempt_number,
        amount=Money(row.amount_minor, row.currency),
        fee=None if row.fee_minor is None else Money(row.fee_minor, row.fee_currency),
        provider_ref=row.provider_ref,
        at=row.at,
    )


def _reversed(entries: tuple[LedgerLine, LedgerLine]) -> tuple[LedgerLine, LedgerLine]:
    first, second = (replace(one, minor=-one.minor) for one in entries)
    return first, second
