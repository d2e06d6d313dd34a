"""Whoever watches a world: a look at the book after every commit, and at everything when all is over."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.orders.order import ATTEMPT_HAS_MONEY, MONEY_IS_HERE, REFUND_IS_OPEN, Order, OrderState
from tests.proof.invariants import violations
from tests.proof.street import charges_in, purse_of
from tests.proof.world import Told, World, look

if TYPE_CHECKING:
    from tests.proof.simulation.world import World as SimulatedWorld

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OVER_BUDGET = """
    SELECT a.number, a.amount_minor, SUM(r.amount_minor) FROM attempts a JOIN refunds r ON r.attempt_number = a.number
    WHERE r.state <> 'failed' GROUP BY a.number HAVING SUM(r.amount_minor) > a.amount_minor"""
_GAPS = """
    SELECT o.id, o.version, COUNT(a.n), MAX(a.n) FROM orders o LEFT JOIN audit a ON a.order_id = o.id
    GROUP BY o.id HAVING COUNT(a.n) <> o.version OR MAX(a.n) <> o.version"""
_UNBALANCED = "SELECT txn, SUM(minor) FROM ledger_entries GROUP BY txn, currency HAVING SUM(minor) <> 0"
_DUE = """
    SELECT MIN(at) FROM (
      SELECT MIN(next_check_at) AS at FROM attempts UNION ALL SELECT MIN(next_check_at) FROM refunds
      UNION ALL SELECT MIN(next_check_at) FROM orders
      UNION ALL SELECT MIN(next_try_at) FROM inbox WHERE state = 'new'
      UNION ALL SELECT MIN(next_try_at) FROM outbox WHERE state = 'new')"""


class Witness:
    """Collects what must not be."""

    def __init__(self) -> None:
        self.faults = list[str]()
        self.commits = 0
        self._paid, self._versions = set[str](), dict[str, int]()
        self._db: sqlite3.Connection | None = None

    def fault(self, text: str) -> None:
        """The first ones are enough."""
        if len(self.faults) < 5 and text not in self.faults:
            self.faults.append(text)

    def look(self, db: sqlite3.Connection) -> None:
        """After a commit."""
        self._db, self.commits = db, self.commits + 1
        for order_id, state, version in db.execute("SELECT id, state, version FROM orders"):
            if version < self._versions.get(order_id, 0):
                self.fault(f"Order {order_id} went back to version {version}.")
            self._versions[order_id] = version
            self._stays_paid(order_id, state, MONEY_IS_HERE)
        for number, state in db.execute("SELECT number, state FROM attempts"):
            self._stays_paid(number, state, ATTEMPT_HAS_MONEY)
        for number, paid, back in db.execute(_OVER_BUDGET):
            self.fault(f"{back} of the {paid} of attempt {number} go back.")
        for order_id, version, *entries in db.execute(_GAPS):
            self.fault(f"The audit of {order_id} v{version} has gaps: {entries}.")
        for txn, minor in db.execute(_UNBALANCED):
            self.fault(f"{txn} is off by {minor}.")

    def compare(self, order: Order) -> None:
        """A view never claims more than the store."""
        if order.version > self._versions.get(order.id, 0):
            self.fault(f"The chat saw version {order.version} of {order.id} before it was committed.")

    def next_due(self) -> datetime | None:
        """The next moment at which anything is to be done."""
        [at] = self._db.execute(_DUE).fetchone() if self._db else [None]
        return None if at is None else _EPOCH + timedelta(microseconds=at)

    def _stays_paid(self, name: str, state: str, paid: Any) -> None:
        if state in paid:
            self._paid.add(name)
        elif name in self._paid:
            self.fault(f"{name} was paid and is {state}.")


async def moment(world: "SimulatedWorld", *, quiet: bool = False) -> World:
    """Everything as it stands now, in the book and outside."""
    stalls, messenger = world.stalls, world.messenger
    refunds = [(key, word.result) for key, word in messenger.refunds.items()]
    return replace(
        await look(world.observer),
        charges=tuple(charge for name in stalls for charge in charges_in(name, stalls[name].drawer)),
        purse=purse_of(minor for stall in stalls.values() for _, minor, _ in stall.purses.moves),
        acknowledged=tuple(world.acknowledged),
        told=tuple(Told(key, one.order_id, one.status) for key, one in [*messenger.told.items(), *refunds]),
        shown=tuple(messenger.shown),
        quiet=quiet,
    )


async def judge(world: "SimulatedWorld", *, reviews: bool = False) -> None:
    """When all is over: every fen is somewhere, everything is final, everybody was told once."""
    now = await moment(world, quiet=True)
    for fault in violations(now):
        world.witness.fault(fault)
    for order in now.orders:
        for fault in _unfinished(order, reviews=reviews):
            world.witness.fault(fault)


def _unfinished(order: Order, *, reviews: bool) -> Iterator[str]:
    if order.state in {OrderState.CREATED, OrderState.PENDING}:
        yield f"Order {order.id} is {order.state} for ever."
    if order.state is OrderState.NEEDS_REVIEW and not reviews:
        yield f"Order {order.id} is under review, and nobody had doubts."
    for attempt in order.attempts:
        if attempt.open:
            yield f"Attempt {attempt.number} is {attempt.state} for ever."
    for refund in order.refunds:
        if refund.state in REFUND_IS_OPEN:
            yield f"Refund {refund.number} is {refund.state} for ever."
