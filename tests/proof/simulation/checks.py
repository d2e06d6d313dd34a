"""Whoever watches a world: a look at the book after every commit, and at everything when all is over."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.orders.order import ATTEMPT_HAS_MONEY, MONEY_IS_HERE, AttemptState, Order, OrderState, RefundState
from bot.orders.proof import prove

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
_FINAL_REFUNDS = {RefundState.DONE, RefundState.FAILED}


class Witness:
    """Collects what must not be."""

    def __init__(self) -> None:
        self.faults = list[str]()
        self.acknowledged = list[bytes]()
        self._paid, self._versions = set[str](), dict[str, int]()
        self._db: sqlite3.Connection | None = None

    def fault(self, text: str) -> None:
        """The first ones are enough."""
        if len(self.faults) < 5 and text not in self.faults:
            self.faults.append(text)

    def look(self, db: sqlite3.Connection) -> None:
        """After a commit."""
        self._db = db
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
        assert self._db is not None
        [at] = self._db.execute(_DUE).fetchone()
        return None if at is None else _EPOCH + timedelta(microseconds=at)

    def kept(self) -> None:
        """What was acknowledged is in the inbox."""
        assert self._db is not None
        bodies = {body for (body,) in self._db.execute("SELECT body FROM inbox")}
        if not bodies.issuperset(self.acknowledged):
            self.fault("A notification was acknowledged and is not in the inbox.")
        left = self._db.execute("SELECT kind, state FROM outbox WHERE state <> 'sent'").fetchall()
        if left:
            self.fault(f"Messages are left: {left}.")

    def _stays_paid(self, name: str, state: str, paid: Any) -> None:
        if state in paid:
            self._paid.add(name)
        elif name in self._paid:
            self.fault(f"{name} was paid and is {state}.")


async def judge(world: Any) -> None:
    """When all is over: every fen is somewhere, everything is final, everybody was told once."""
    witness = world.witness
    host = world.host
    witness.kept()
    for fault in (await prove(host.checkout.till.book)).faults:
        witness.fault(fault)
    orders = await host.checkout.orders_of(None, 100)
    for order in orders:
        _judge_order(witness, order)
        told = [one for one in world.messenger.told.values() if one.order_id == order.id and one.paid]
        if len(told) != int(order.paid):
            witness.fault(f"Order {order.id} is {order.state} and its page was told paid {len(told)} times.")
    for name, stall in world.stalls.items():
        _judge_purses(witness, orders, name, stall)


def _judge_order(witness: Witness, order: Order) -> None:
    if order.state in {OrderState.CREATED, OrderState.PENDING, OrderState.NEEDS_REVIEW}:
        witness.fault(f"Order {order.id} is {order.state} for ever.")
    for attempt in order.attempts:
        if attempt.open:
            witness.fault(f"Attempt {attempt.number} is {attempt.state} for ever.")
        back = [one for one in order.refunds if one.attempt_number == attempt.number]
        whole = sum(one.amount.minor for one in back if one.state is RefundState.DONE)
        if attempt.state is AttemptState.OVERPAID and whole != attempt.amount.minor:
            witness.fault(f"The second payment {attempt.number} did not go back.")
    if not {refund.state for refund in order.refunds} <= _FINAL_REFUNDS:
        witness.fault(f"A refund of {order.id} is open for ever.")


def _judge_purses(witness: Witness, orders: tuple[Order, ...], name: str, stall: Any) -> None:
    charged = -sum(minor for _, minor, _ in stall.purses.moves if minor < 0)
    returned = sum(minor for _, minor, _ in stall.purses.moves if minor > 0)
    mine = [one for order in orders for one in order.attempts if one.provider == name]
    booked = sum(one.amount.minor for one in mine if one.state in ATTEMPT_HAS_MONEY)
    numbers = {one.number for one in mine}
    back = sum(
        refund.amount.minor
        for order in orders
        for refund in order.refunds
        if refund.attempt_number in numbers and refund.state is RefundState.DONE
    )
    if (charged, returned) != (booked, back):
        witness.fault(f"{name} took {charged} and gave {returned}; the book has {booked} and {back}.")
