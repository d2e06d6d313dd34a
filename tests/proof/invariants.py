"""The thirteen invariants: what holds at every moment, whatever died, was lost, came twice or was forged.

One function each. It yields one sentence per violation, with the order and the values; nothing when all is well.
`check` raises them all. A `quiet` world must hold more: nothing may be left in between.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bot.orders.audit import CauseKind, Entry, first_break
from bot.orders.ledger import UnbalancedError, check_balanced
from bot.orders.order import (
    ATTEMPT_HAS_MONEY,
    ATTEMPT_IS_OPEN,
    LATE,
    MONEY_IS_HERE,
    REFUND_IS_OPEN,
    Attempt,
    AttemptState,
    Order,
    OrderState,
    PayoutState,
    RefundState,
)
from bot.orders.posting import Kind
from bot.orders.schema import OutboxState
from miniprograms.sdk.payment import PaymentStatus
from tests.proof.street import Charge
from tests.proof.world import World

Invariant = Callable[[World], Iterator[str]]

# Whose word may end something: a verified notification, an answer to a question or call of ours, an operator.
_WORD: Final = frozenset({CauseKind.NOTIFICATION, CauseKind.QUERY, CauseKind.REPLY, CauseKind.OPERATOR})
_ENDS: Final = {*AttemptState, *RefundState} - ATTEMPT_IS_OPEN - REFUND_IS_OPEN
_HOLDS_NOTHING = frozenset({RefundState.FAILED, PayoutState.FAILED, PayoutState.WITHDRAWN})


def i1_paid_never_becomes_unpaid(world: World) -> Iterator[str]:
    """Neither in the audit of an order nor between two looks at it."""
    for order in world.orders:
        if order.id in world.paid_before and not order.paid:
            yield f"order {order.id} was paid and stands as {order.state}"
        was = ""
        for entry in _of("order", world.trails.get(order.id, ())):
            if was in MONEY_IS_HERE and entry.after not in MONEY_IS_HERE:
                yield f"order {order.id} went from {was} to {entry.after} at entry {entry.n}"
            was = entry.after
    there = {order.id for order in world.orders}
    yield from (f"order {gone} was paid and is gone" for gone in sorted(world.paid_before - there))


def i2_no_more_goes_back_than_was_paid(world: World) -> Iterator[str]:
    """Per attempt: what is done and what is reserved, back and out, in the book and at the institution."""
    for order, attempt in _attempts(world):
        held = sum(
            part.amount.minor
            for part in (*order.refunds, *order.payouts)
            if part.attempt_number == attempt.number and part.state not in _HOLDS_NOTHING
        )
        paid = attempt.amount.minor if attempt.state in ATTEMPT_HAS_MONEY else 0
        if held > paid:
            yield f"{_name(order, attempt)}: {held} is refunded, paid out or reserved of {paid} paid"
        if held != attempt.refunding_minor:
            yield f"{_name(order, attempt)}: {held} is held by its refunds and payouts, but {attempt.refunding_minor} is noted"
    for charge in world.charges or ():
        if charge.returned_minor > charge.minor:
            yield f"{charge.provider} returned {charge.returned_minor} of {charge.minor} of {charge.number}"


def i3_paid_is_told_once(world: World) -> Iterator[str]:
    """One message that the order is paid, one paid attempt, one delivery under one key."""
    letters = Counter(
        letter.order_id
        for letter in world.outbox
        if letter.kind == Kind.TELL and letter.status == PaymentStatus.PAID
    )
    keys: dict[str, set[str]] = {}
    for told in world.told:
        if told.status == PaymentStatus.PAID:
            keys.setdefault(told.order_id, set()).add(told.key)
    for order in world.orders:
        paid = [attempt.number for attempt in order.attempts if attempt.state is AttemptState.PAID]
        if letters[order.id] > 1:
            yield f"order {order.id} has {letters[order.id]} messages that it is paid"
        if len(keys.get(order.id, ())) > 1:
            yield f"order {order.id} was told as paid under {sorted(keys[order.id])}"
        if len(paid) > 1:
            yield f"order {order.id} is paid by {paid}"
        returned = any(refund.refund_key.startswith(LATE) for refund in order.refunds)
        if order.paid and not letters[order.id] and not returned:
            yield f"order {order.id} is {order.state} and nobody will ever be told"
        if returned and letters[order.id]:
            yield f"order {order.id} gave its late money back, and its page was told that it is paid"


def i4_every_charge_is_somewhere(world: World) -> Iterator[str]:
    """The book claims no money that no institution took; in a quiet world no charge is outside the book."""
    if world.charges is None:
        return
    attempts = {attempt.number: (order, attempt) for order, attempt in _attempts(world)}
    charges = {charge.number: charge for charge in world.charges}
    for order, attempt in attempts.values():
        if attempt.state in ATTEMPT_HAS_MONEY:
            yield from _claims_too_much(order, attempt, charges.get(attempt.number))
    if not world.quiet:
        return
    for charge in world.charges:
        found = attempts.get(charge.number)
        yield from _is_nowhere(world, charge, found)
    if world.purse is not None:
        yield from _purse_differs(world)


def i5_the_ledger_adds_up(world: World) -> Iterator[str]:
    """Every transaction and every currency to nothing; every order to what its attempts, refunds and payouts say."""
    try:
        check_balanced(world.lines)
    except UnbalancedError as error:
        yield str(error)
    for order in world.orders:
        booked = sum(
            line.minor for line in world.lines_of.get(order.id, ()) if line.account.startswith("receivable:")
        )
        held = sum(one.amount.minor for one in order.attempts if one.state in ATTEMPT_HAS_MONEY)
        back = sum(one.amount.minor for one in order.refunds if one.state is RefundState.DONE)
        out = sum(one.amount.minor for one in order.payouts if one.state is PayoutState.DONE)
        if booked != held - back - out:
            yield f"order {order.id}: {booked} is booked, but {held} came, {back} went back and {out} out"


def i6_the_audit_is_whole(world: World) -> Iterator[str]:
    """Versions without a gap, chained, each with a cause; the rows stand as the last entries say."""
    for order in world.orders:
        trail = world.trails.get(order.id, ())
        broken = first_break(trail, version=order.version, head=order.audit_hash)
        if broken is not None:
            yield f"order {order.id} at version {order.version}: the audit does not hold at entry {broken}"
        yield from (
            f"order {order.id}: entry {entry.n} ({entry.event}) has no cause"
            for entry in trail
            if not entry.cause_id
        )
        written = {entry.subject: entry.after for entry in trail if entry.after}
        yield from (
            f"order {order.id}: {subject} stands as {state}, but the audit says {written.get(subject, 'nothing')}"
            for subject, state in _stands(order)
            if written.get(subject) != state
        )


def i7_only_a_word_ends(world: World) -> Iterator[str]:
    """Every final state rests on a verified notification, an answer or an operator; never on a clock."""
    kept = {f"inbox:{row.id}" for row in world.inbox}
    for order in world.orders:
        trail = world.trails.get(order.id, ())
        for place, entry in enumerate(trail):
            if entry.after and entry.after != entry.before and not _may_end(entry, trail[:place]):
                yield (
                    f"order {order.id}: {entry.subject} became {entry.after} at entry {entry.n} "
                    f"by {entry.cause_kind} {entry.cause_id}"
                )
            if entry.cause_kind is CauseKind.NOTIFICATION and entry.cause_id not in kept:
                yield f"order {order.id}: entry {entry.n} rests on {entry.cause_id}, which is not stored"


def i8_what_is_acknowledged_is_stored(world: World) -> Iterator[str]:
    """A notification that was answered as received is in the inbox."""
    keys = {(row.provider, row.event_key) for row in world.inbox}
    for one in world.acknowledged:
        if one.event_key and (one.provider, one.event_key) not in keys:
            yield f"{one.provider} was told that {one.event_key} is received, and it is not in the inbox"
        about = [row for row in world.inbox if row.provider == one.provider and f'"{one.number}"' in row.fact]
        if one.number and not about:
            yield f"{one.provider} has delivered word of {one.number}, and none is in the inbox"


def i9_nothing_open_is_forgotten(world: World) -> Iterator[str]:
    """Every attempt, refund and payout that is not final has a next check, and so has every order that waits."""
    for order, attempt in _attempts(world):
        if attempt.open and attempt.next_check_at is None:
            yield f"{_name(order, attempt)} is {attempt.state} and will never be checked"
    for order in world.orders:
        if order.state is OrderState.PENDING and order.next_check_at is None:
            yield f"order {order.id} is pending and will never be checked"
        for refund in order.refunds:
            if refund.state in REFUND_IS_OPEN and refund.next_check_at is None:
                yield f"order {order.id} refund {refund.number} is {refund.state} and will never be checked"
        for payout in order.payouts:
            if payout.open and payout.next_check_at is None:
                yield f"order {order.id} payout {payout.number} is {payout.state} and will never be checked"


def i10_one_open_attempt_per_institution(world: World) -> Iterator[str]:
    """An order has at most one attempt that can still be paid at one institution."""
    for order in world.orders:
        open_at = Counter(attempt.provider for attempt in order.attempts if attempt.open)
        for provider, count in open_at.items():
            if count > 1:
                yield f"order {order.id} has {count} open attempts at {provider}"


def i11_every_message_arrives(world: World) -> Iterator[str]:
    """Delivered or given up in a quiet world; known by one key for ever; what was told has its message."""
    repeated = Counter(letter.key for letter in world.outbox)
    yield from (f"the outbox has {key} {count} times" for key, count in repeated.items() if count > 1)
    letters = {f"o{letter.id}": letter for letter in world.outbox}
    for told in world.told:
        letter = letters.get(told.key)
        if letter is None or (letter.order_id, letter.status) != (told.order_id, told.status):
            yield f"order {told.order_id} was told {told.status} as {told.key}, which is {letter} in the outbox"
    for letter in world.outbox:
        if world.quiet and letter.state == OutboxState.NEW:
            yield f"order {letter.order_id}: message {letter.key} was neither delivered nor given up"


def i12_no_secret_gets_out(world: World) -> Iterator[str]:
    """No canary stands in anything that was printed, drawn, told or stored as words."""
    for place, text in enumerate(world.outputs):
        for which, canary in enumerate(world.canaries):
            if canary in text:
                yield f"secret {which} stands in output {place}"


def i13_no_view_is_ahead_of_the_book(world: World) -> Iterator[str]:
    """What a chat was shown was committed at that version, and no page heard of money that is not here."""
    paid = {order.id for order in world.orders if order.paid}
    for told in world.told:
        if told.status == PaymentStatus.PAID and told.order_id not in paid:
            yield f"order {told.order_id} was told as paid, and is not"
    for shown in world.shown:
        trail = world.trails.get(shown.order_id, ())
        if shown.version > len(trail):
            yield f"order {shown.order_id} was shown in version {shown.version}; the book ends at {len(trail)}"
            continue
        stood = [entry.after for entry in _of("order", trail[: shown.version])][-1:]
        if stood != [shown.state]:
            yield f"order {shown.order_id} was shown as {shown.state} in version {shown.version}; it was {stood}"


INVARIANTS: Final[Mapping[str, Invariant]] = {
    "I1": i1_paid_never_becomes_unpaid,
    "I2": i2_no_more_goes_back_than_was_paid,
    "I3": i3_paid_is_told_once,
    "I4": i4_every_charge_is_somewhere,
    "I5": i5_the_ledger_adds_up,
    "I6": i6_the_audit_is_whole,
    "I7": i7_only_a_word_ends,
    "I8": i8_what_is_acknowledged_is_stored,
    "I9": i9_nothing_open_is_forgotten,
    "I10": i10_one_open_attempt_per_institution,
    "I11": i11_every_message_arrives,
    "I12": i12_no_secret_gets_out,
    "I13": i13_no_view_is_ahead_of_the_book,
}


def violations(world: World) -> list[str]:
    """Every sentence, with the name of its invariant before it."""
    return [f"{name}: {words}" for name, holds in INVARIANTS.items() for words in holds(world)]


def check(world: World) -> None:
    """Raise `AssertionError` with all that does not hold."""
    found = violations(world)
    assert not found, "\n".join(found)


def _attempts(world: World) -> Iterator[tuple[Order, Attempt]]:
    return ((order, attempt) for order in world.orders for attempt in order.attempts)


def _name(order: Order, attempt: Attempt) -> str:
    return f"order {order.id} attempt {attempt.number}"


def _of(subject: str, trail: tuple[Entry, ...]) -> Iterator[Entry]:
    return (entry for entry in trail if entry.subject == subject and entry.after)


def _stands(order: Order) -> Iterator[tuple[str, str]]:
    yield "order", order.state
    yield from ((attempt.number, attempt.state) for attempt in order.attempts)
    yield from ((refund.number, refund.state) for refund in order.refunds)
    yield from ((payout.number, payout.state) for payout in order.payouts)


def _claims_too_much(order: Order, attempt: Attempt, charge: Charge | None) -> Iterator[str]:
    if charge is None or charge.minor != attempt.amount.minor:
        taken = charge.minor if charge else "nothing"
        yield f"{_name(order, attempt)} is {attempt.state} with {attempt.amount.minor}; {taken} was taken"
        return
    done = _returned(order, attempt)
    if done > charge.returned_minor:
        yield f"{_name(order, attempt)}: {done} is noted as returned, but {charge.returned_minor} was"


def _returned(order: Order, attempt: Attempt) -> int:
    return sum(
        refund.amount.minor
        for refund in order.refunds
        if refund.attempt_number == attempt.number and refund.state is RefundState.DONE
    )


def _is_nowhere(world: World, charge: Charge, found: tuple[Order, Attempt] | None) -> Iterator[str]:
    """In a paid order, or all the way back, or with a person: exactly one of these."""
    words = f"{charge.provider} took {charge.minor} for {charge.number}"
    if found is None:
        yield f"{words}, which is no attempt of ours"
        return
    order, attempt = found
    if order.state is OrderState.NEEDS_REVIEW:
        if not any(letter.order_id == order.id and letter.kind == Kind.ALERT for letter in world.outbox):
            yield f"{words}; order {order.id} is under review and nobody was called"
    elif attempt.state not in ATTEMPT_HAS_MONEY:
        yield f"{words}; {_name(order, attempt)} stands as {attempt.state}"
    elif attempt.state is AttemptState.OVERPAID and _returned(order, attempt) != charge.minor:
        yield f"{words} a second time; {_returned(order, attempt)} of it went back"
    elif charge.returned_minor != _returned(order, attempt):
        yield f"{words} and returned {charge.returned_minor}; the book says {_returned(order, attempt)}"


def _purse_differs(world: World) -> Iterator[str]:
    """The charges that were looked at are all there are."""
    assert world.purse is not None
    taken = sum(charge.minor for charge in world.charges or ())
    out = (one for order in world.orders for one in order.payouts if one.state is PayoutState.DONE)
    back = sum(charge.returned_minor for charge in world.charges or ()) + sum(one.amount.minor for one in out)
    if (taken, back) != (world.purse.taken_minor, world.purse.back_minor):
        purse = world.purse
        yield f"charges of {taken}, returns and payouts of {back}; purses say {purse.taken_minor} and {purse.back_minor}"


def _may_end(entry: Entry, before: tuple[Entry, ...]) -> bool:
    """A final state may be reached by this entry, after those."""
    if entry.cause_kind in _WORD:
        return True
    if entry.subject != "order":
        return entry.after not in _ENDS or _never_left(entry)
    ends = {one.subject: one for one in before if one.subject != "order" and one.after != one.before}
    match entry.after:
        case OrderState.CANCELLED if entry.cause_kind is CauseKind.PAYER:
            return not any(one.after in ATTEMPT_IS_OPEN for one in ends.values())
        case OrderState.EXPIRED | OrderState.CANCELLED:
            return all(_never_left(one) for one in ends.values())
        case OrderState.FAILED:
            return entry.before == OrderState.CREATED
        case _:
            return entry.after not in MONEY_IS_HERE


def _never_left(entry: Entry) -> bool:
    return (entry.before, entry.after) == (AttemptState.INTENT, AttemptState.CLOSED)
