"""Bugs planted on purpose, to see that the worlds find them. Each takes away every guard that stands against it.

A refund too many has two guards: the budget is counted in the same transaction that reserves, and the store checks the
sum once more. A lost update has three: the row is locked as it is read, the update names the version it was read at,
and no audit number is given twice. While one of them stands, nothing is lost; that is tried as well.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from unittest.mock import patch

from sqlalchemy import update

from bot.orders import refunding, rows
from bot.orders.answers import Refused
from bot.orders.schema import orders
from tests.proof.simulation.scenarios import BY_NAME, Scenario
from tests.proof.simulation.world import StorePlan


@dataclass(frozen=True)
class Plant:
    """`bug` is in the code while its context lasts. `refusal` is how a guard that is left speaks up."""

    name: str
    scenario: Scenario
    bug: Callable[[], AbstractContextManager[None]] = nullcontext
    plan: StorePlan = field(default_factory=StorePlan)
    refusal: str = "nothing is refused"


@contextmanager
def _budget_counted_before_the_transaction() -> Iterator[None]:
    """The usual mistake: read, decide, write, in that order and in three steps."""
    careful_refund, careful_reserve = refunding.Refunding.refund, refunding.Refunding._reserve

    async def refund(self, order_id, amount, *more):
        order = await self._till.find(order_id)
        paid = next((attempt for attempt in order.attempts if attempt.state == "paid"), None)
        if paid is None or paid.refunding_minor + amount.minor > paid.amount.minor:
            return Refused(refunding.Why.OVER_BUDGET)
        return await careful_refund(self, order_id, amount, *more)

    def reserve(self, posting, ask):
        with patch.object(refunding, "_objection", lambda *_: None):
            return careful_reserve(self, posting, ask)

    with patch.multiple(refunding.Refunding, refund=refund, _reserve=reserve):
        yield


@contextmanager
def _saved_without_a_version() -> Iterator[None]:
    async def save(connection, posting):
        before, after = posting.before, posting.order
        if after == before and not posting.messages:
            return
        changed = update(orders).where(orders.c.id == before.id)
        await connection.execute(changed.values(**rows._order_values(after)))
        await rows._store_parts(connection, posting, known=frozenset(rows._parts(before)))

    with patch.object(rows, "save", save):
        yield


def _audit_without_keys(fresh: bytes) -> bytes:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(fresh)
    for step in (
        "CREATE TABLE plain AS SELECT * FROM audit",
        "DROP TABLE audit",
        "ALTER TABLE plain RENAME TO audit",
    ):
        connection.execute(step)
    octets = connection.serialize()
    connection.close()
    return octets


_REFUNDS, _TICK = BY_NAME["two_refunds"], BY_NAME["everything_in_the_same_tick"]
_NO_CHECKS, _NO_LOCKS = StorePlan(checks=False), StorePlan(row_locks=False)

FOUND = (
    Plant("a refund too many", _REFUNDS, _budget_counted_before_the_transaction, _NO_CHECKS),
    Plant(
        "a lost update",
        _TICK,
        _saved_without_a_version,
        StorePlan(row_locks=False, prepare=_audit_without_keys),
    ),
)
HARMLESS = (
    Plant(
        "the budget counted too early, the store checks",
        _REFUNDS,
        _budget_counted_before_the_transaction,
        refusal="ck_attempts_budget",
    ),
    Plant("no check in the store, the budget counted in time", _REFUNDS, plan=_NO_CHECKS),
    Plant("no row locks, versions compared", _TICK, plan=_NO_LOCKS),
    Plant("no versions, rows locked", _TICK, _saved_without_a_version),
)
