"""Orders to rows and back. An order is loaded and stored whole, with its attempts, refunds and payouts."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.audit import CauseKind, Entry
from bot.orders.book import StaleError, insert_once
from bot.orders.ledger import Line, check_balanced
from bot.orders.order import (
    Attempt,
    AttemptState,
    Order,
    OrderState,
    Payee,
    Payout,
    PayoutState,
    Refund,
    RefundState,
)
from bot.orders.posting import Posting
from bot.orders.schema import OutboxState, attempts, audit, ledger_entries, orders, outbox, payouts, refunds
from miniprograms.sdk.payment import IfLate
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


async def load(connection: AsyncConnection, order_id: str, *, lock: bool = False) -> Order | None:
    """The order as committed; locked until the transaction ends when `lock` is set."""
    query = select(orders).where(orders.c.id == order_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else (await _complete(connection, [row]))[0]


async def find_by_number(connection: AsyncConnection, number: str) -> str | None:
    """The id of the order an attempt, refund or payout number belongs to."""
    for table in (attempts, refunds, payouts):
        order_id: str | None = await connection.scalar(
            select(table.c.order_id).where(table.c.number == number)
        )
        if order_id is not None:
            return order_id
    return None


async def find_by_link(connection: AsyncConnection, token: str) -> Order | None:
    """The order of that link."""
    order_id = await connection.scalar(select(orders.c.id).where(orders.c.link_token == token))
    return None if order_id is None else await load(connection, order_id)


async def find_by_claim(connection: AsyncConnection, *, claim_id: str = "", token: str = "") -> Order | None:
    """The order of that claim, named by its id or by the token of its page."""
    which = payouts.c.claim_id == claim_id if claim_id else payouts.c.claim_token == token
    order_id = await connection.scalar(select(payouts.c.order_id).where(which).limit(1))
    return None if order_id is None else await load(connection, order_id)


async def find_by_key(connection: AsyncConnection, app_id: str, user_id: int, order_key: str) -> Order | None:
    """The order that person's page asked for under that key, locked."""
    same = (orders.c.app_id == app_id, orders.c.user_id == user_id, orders.c.order_key == order_key)
    order_id = await connection.scalar(select(orders.c.id).where(*same))
    return None if order_id is None else await load(connection, order_id, lock=True)


async def newest_of(
    connection: AsyncConnection, user_id: int | None, limit: int, state: OrderState | None = None
) -> tuple[Order, ...]:
    """The newest orders of a person, or of everybody, in that state or in any, newest first."""
    query = select(orders).order_by(orders.c.created_at.desc(), orders.c.id.desc()).limit(limit)
    if user_id is not None:
        query = query.where(orders.c.user_id == user_id)
    if state is not None:
        query = query.where(orders.c.state == state)
    return tuple(await _complete(connection, (await connection.execute(query)).all()))


async def placed_between(
    connection: AsyncConnection, app_id: str, user_id: int, *, since: datetime, until: datetime, limit: int
) -> tuple[Order, ...]:
    """The orders that a program asked a person for in that time, newest first."""
    query = (
        select(orders)
        .where(orders.c.user_id == user_id, orders.c.created_at >= since, orders.c.created_at < until)
        .where(orders.c.app_id == app_id)
        .order_by(orders.c.created_at.desc(), orders.c.id.desc())
        .limit(limit)
    )
    return tuple(await _complete(connection, (await connection.execute(query)).all()))


async def page_after(connection: AsyncConnection, order_id: str, limit: int) -> tuple[Order, ...]:
    """All orders by id, a page at a time: those after that id."""
    query = select(orders).where(orders.c.id > order_id).order_by(orders.c.id).limit(limit)
    return tuple(await _complete(connection, (await connection.execute(query)).all()))


async def add(connection: AsyncConnection, posting: Posting) -> bool:
    """Store a new order with all its paperwork; False when its key is taken, and then nothing is stored."""
    if not await insert_once(connection, orders, **_order_values(posting.order)):
        return False
    await _store_parts(connection, posting, known=frozenset())
    return True


async def save(connection: AsyncConnection, posting: Posting) -> None:
    """Store a change with all its paperwork. Raises `StaleError` when the order is no longer what it was."""
    before, after = posting.before, posting.order
    if after == before and not posting.messages:
        return
    values = _order_values(after)
    result = await connection.execute(
        update(orders).where(orders.c.id == before.id, orders.c.version == before.version).values(**values)
    )
    if result.rowcount != 1:
        raise StaleError(f"Order {before.id} has moved on from version {before.version}.")
    known = frozenset(_parts(before))
    await _store_parts(connection, posting, known=known)


async def trail(connection: AsyncConnection, order_id: str) -> tuple[Entry, ...]:
    """The audit of an order, oldest first."""
    rows = await connection.execute(select(audit).where(audit.c.order_id == order_id).order_by(audit.c.n))
    return tuple(
        Entry(**{**row._mapping, "cause_kind": CauseKind(row.cause_kind)})  # noqa: SLF001  # Row's documented mapping
        for row in rows
    )


async def ledger_of(connection: AsyncConnection, order_id: str) -> tuple[Line, ...]:
    """The ledger lines of an order, oldest first."""
    query = select(ledger_entries).where(ledger_entries.c.order_id == order_id).order_by(ledger_entries.c.id)
    return tuple(
        Line(row.txn, row.account, row.minor, row.currency) for row in await connection.execute(query)
    )


async def _complete(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Order]:
    ids = [row.id for row in rows]
    tries = await connection.execute(
        select(attempts)
        .where(attempts.c.order_id.in_(ids))
        .order_by(attempts.c.created_at, attempts.c.number)
    )
    backs = await connection.execute(
        select(refunds).where(refunds.c.order_id.in_(ids)).order_by(refunds.c.created_at, refunds.c.number)
    )
    outs = await connection.execute(
        select(payouts).where(payouts.c.order_id.in_(ids)).order_by(payouts.c.created_at, payouts.c.number)
    )
    all_attempts, all_refunds = [_attempt(row) for row in tries], [_refund(row) for row in backs]
    all_payouts = [_payout(row) for row in outs]
    return [
        _order(
            row,
            tuple(attempt for attempt in all_attempts if attempt.order_id == row.id),
            tuple(refund for refund in all_refunds if refund.order_id == row.id),
            tuple(payout for payout in all_payouts if payout.order_id == row.id),
        )
        for row in rows
    ]


async def _store_parts(connection: AsyncConnection, posting: Posting, *, known: frozenset[str]) -> None:
    before = _parts(posting.before)
    # Attempts that end come before attempts that begin: an order has one open attempt per provider at any moment.
    for attempt in sorted(posting.order.attempts, key=lambda one: one.open):
        if before.get(attempt.number) != attempt:
            await _put(connection, attempts, _attempt_values(attempt), known)
    for refund in posting.order.refunds:
        if before.get(refund.number) != refund:
            await _put(connection, refunds, _refund_values(refund), known)
    # A payout that has failed comes before the one that takes its claim over.
    for payout in sorted(posting.order.payouts, key=lambda one: one.open):
        if before.get(payout.number) != payout:
            await _put(connection, payouts, _payout_values(payout), known)
    if posting.entries:
        await connection.execute(insert(audit), [_plain(entry) for entry in posting.entries])
    await _book(connection, posting)
    for message in posting.messages:
        await insert_once(
            connection,
            outbox,
            dedupe_key=message.key,
            **{name: value for name, value in _plain(message).items() if name != "key"},
            state=OutboxState.NEW,
            created_at=posting.now,
            next_try_at=posting.now,
            tries=0,
        )


def _parts(order: Order) -> dict[str, Attempt | Refund | Payout]:
    parts: dict[str, Attempt | Refund | Payout] = {attempt.number: attempt for attempt in order.attempts}
    parts |= {refund.number: refund for refund in order.refunds}
    return parts | {payout.number: payout for payout in order.payouts}


async def _put(
    connection: AsyncConnection, table: Table, values: dict[str, Any], known: frozenset[str]
) -> None:
    if values["number"] in known:
        await connection.execute(update(table).where(table.c.number == values["number"]).values(**values))
    else:
        await connection.execute(insert(table).values(**values))


async def _book(connection: AsyncConnection, posting: Posting) -> None:
    if not posting.lines:
        return
    check_balanced(posting.lines)
    more = {"order_id": posting.order.id, "at": posting.now}
    await connection.execute(insert(ledger_entries), [{**_plain(line), **more} for line in posting.lines])
    check_balanced(await ledger_of(connection, posting.order.id))


def _plain(value: Any) -> dict[str, Any]:  # noqa: ANN401  # any of our dataclasses
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _columns(value: Any) -> dict[str, Any]:  # noqa: ANN401  # any of our dataclasses
    """The fields under their own names, but an amount as its two columns."""
    plain = _plain(value)
    amount: Money = plain.pop("amount")
    return {**plain, "amount_minor": amount.minor, "currency": amount.currency}


def _order_values(order: Order) -> dict[str, Any]:
    values = _columns(order)
    # Where the cashier message lives is the outbox's to write, and no state.
    return {
        name: values[name] for name in values if name not in {"attempts", "refunds", "payouts", "message_id"}
    }


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    values = _columns(attempt)
    for name in ("memo", "in_app", "invoice"):
        values[name] = None if values[name] is None else dict(values[name])
    return values


def _refund_values(refund: Refund) -> dict[str, Any]:
    return {**_columns(refund), "refund_key": refund.refund_key or None}


def _payout_values(payout: Payout) -> dict[str, Any]:
    payee = payout.payee
    return {
        **_columns(payout),
        "provider": payee.provider if payee else "",
        "account": payee.account if payee else "",
        "wallet": payee.wallet if payee else None,
        "payee": payee.id if payee else "",
        "confirm": None if payout.confirm is None else dict(payout.confirm),
    }


def _fields(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001  # Row's documented mapping
    values["amount"] = Money(values.pop("amount_minor"), values.pop("currency"))
    return values


def _order(
    row: Row[Any], tries: tuple[Attempt, ...], backs: tuple[Refund, ...], outs: tuple[Payout, ...]
) -> Order:
    values = _fields(row)
    ending = values["ending"]
    values |= {
        "state": OrderState(values["state"]),
        "ending": OrderState(ending) if ending else None,
        "if_late": IfLate(values["if_late"]),
    }
    return Order(**values, attempts=tries, refunds=backs, payouts=outs)


def _attempt(row: Row[Any]) -> Attempt:
    values = _fields(row)
    used = values["paid_wallet"]
    values |= {
        "state": AttemptState(values["state"]),
        "wallet": Wallet(values["wallet"]),
        "way": Way(values["way"]),
        "paid_wallet": Wallet(used) if used else None,
    }
    return Attempt(**values)


def _refund(row: Row[Any]) -> Refund:
    values = _fields(row)
    values |= {"state": RefundState(values["state"]), "refund_key": values["refund_key"] or ""}
    return Refund(**values)


def _payout(row: Row[Any]) -> Payout:
    values = _fields(row)
    provider, account, wallet = (values.pop(name) for name in ("provider", "account", "wallet"))
    known = (
        Payee(provider=provider, account=account, wallet=Wallet(wallet), id=row.payee) if row.payee else None
    )
    return Payout(**{**values, "state": PayoutState(row.state), "payee": known})
