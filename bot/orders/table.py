"""THE TABLE: how an order, an attempt, a refund and a payout change, and what must be written with each change.

Rule 1: everything that affects the state of money lives in this file. It reads no clock, no store and no network, so
that anyone can hold the whole law in their head and a test can walk every cell of it.

Rule 2: a change is a cell of a table, `(state, event) -> (state, effects)`. A pair that is not listed changes nothing
and leaves a note in the audit. Duplicates, stragglers and contradictions are normal in this trade; none of them is an
exception.

Rule 3: paid beats everything. Whatever the order has become meanwhile (expired, cancelled, failed, under review), a
verified payment of the right amount makes it paid, and nothing makes it unpaid again. A later word that sounds like
the opposite raises an alarm for a person and changes no state.

Rule 4: no timer ends anything. There is no event here that a clock could raise: `EXPIRED` is raised only after the
institution has been asked, has closed, and has been asked again; the cause is written beside it.

Rule 5: unknown is a state, not a failure. An attempt is `unknown` from the moment before the call leaves until an
answer is stored, so a process that dies in between has already written down the truth. Only a first call that provably
never left returns it to `intent`.

    order     created ─► pending ─► paid ─► partly_refunded ─► refunded
                            ├─► expired ────► paid_late ─► partly_refunded ─► refunded
                            ├─► cancelled ──► paid_late
                            ├─► failed ─────► paid_late
                            └─► needs_review ► paid
    attempt   intent ⇄ unknown ─► opened ─► paid | overpaid | closed | declined      (closed, declined ─► paid, overpaid)
    refund    reserved ⇄ unknown ─► sent ─► done | failed
    payout    offered ─► reserved ⇄ unknown ─► sent ⇄ awaits_payee ─► done | failed      (offered, reserved ─► withdrawn)

What is offered ends by the house's own word: nobody outside has heard of it, so there is nobody to ask. From the first
call on, only the institution's word ends a payout, and nothing but a definite failure frees its part of the budget.

`needs_review` is reached from every state in which no money is booked. An order that is paid and then contradicted
stays paid: the alarm, not the state, calls the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from bot.orders.order import (
    MONEY_IS_HERE,
    PAYOUT_IS_CLAIMED,
    AttemptState,
    OrderState,
    PayoutState,
    RefundState,
)


class OrderEvent(StrEnum):
    """What can happen to an order."""

    PLACED = "placed"
    ASKED_AGAIN = "asked_again"  # the page asked for the same order once more
    UNPAYABLE = "unpayable"  # no account can take this amount in this currency
    CHANGED = "changed"  # an attempt has news for the payer
    UNSURE = "unsure"  # we do not know whether an attempt was opened
    PAID = "paid"
    PAID_AGAIN = "paid_again"  # a second attempt of the same order was paid
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DOUBTED = "doubted"  # a verified word that does not match: number, merchant, amount or currency
    REFUNDED_PART = "refunded_part"
    REFUNDED_ALL = "refunded_all"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    REPOINTED = "repointed"  # not yet sent, so it may go to another institution
    CALLED = "called"  # the call is about to leave
    NOT_SENT = "not_sent"  # it provably did not, and none before it did
    UNSURE = "unsure"
    OPENED = "opened"
    PAID = "paid"
    OVERPAID = "overpaid"
    CLOSED = "closed"
    DECLINED = "declined"
    DOUBTED = "doubted"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    CALLED = "called"
    NOT_SENT = "not_sent"
    BALANCE_LOW = "balance_low"  # the merchant's own balance; the same number goes again later
    UNSURE = "unsure"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    DOUBTED = "doubted"


class PayoutEvent(StrEnum):
    """What can happen to a payout."""

    CLAIMED = "claimed"  # a payee is known
    WITHDRAWN = "withdrawn"
    CALLED = "called"
    NOT_SENT = "not_sent"
    BALANCE_LOW = "balance_low"  # the merchant's own balance; the same number goes again later
    ACCEPTED = "accepted"
    AWAITS_PAYEE = "awaits_payee"
    DONE = "done"
    FAILED = "failed"
    DOUBTED = "doubted"


class Effect(StrEnum):
    """What must be written in the same transaction as the change itself."""

    SHOW = "show"  # draw the cashier message again
    TELL_PAID = "tell_paid"
    TELL_PAID_LATE = "tell_paid_late"  # or give it back: as the order says
    TELL_PENDING = "tell_pending"
    TELL_CANCELLED = "tell_cancelled"
    TELL_EXPIRED = "tell_expired"
    TELL_FAILED = "tell_failed"
    TELL_REFUND_DONE = "tell_refund_done"
    TELL_REFUND_PENDING = "tell_refund_pending"
    TELL_REFUND_FAILED = "tell_refund_failed"
    BOOK_PAYMENT = "book_payment"
    BOOK_EXTRA = "book_extra"
    BOOK_REFUND = "book_refund"
    BOOK_PAYOUT = "book_payout"
    RELEASE = "release"  # the refund or payout no longer holds its part of the budget
    OFFER_AGAIN = (
        "offer_again"  # the claim goes on under a new number, or the money goes back when its time is over
    )
    GIVE_BACK = "give_back"  # reserve the return to the payer
    TELL_CLAIMED = "tell_claimed"
    TELL_PAID_OUT = "tell_paid_out"
    TELL_RETURNED = "tell_returned"
    LEAVE_OTHERS = "leave_others"  # the other open attempts are to be closed
    REFUND_EXTRA = "refund_extra"  # reserve the return of a second payment
    WATCH = "watch"  # ask the institution soon: something may be open that must not be
    ALERT = "alert"  # a person must look
    ORDER_CHANGED = "order_changed"
    ORDER_UNSURE = "order_unsure"
    ORDER_PAID = "order_paid"
    ORDER_PAID_AGAIN = "order_paid_again"
    ORDER_DOUBTED = "order_doubted"
    ORDER_REFUNDED = "order_refunded"


# An effect of an attempt that is an event of its order. ORDER_REFUNDED is not here: whether a part or all has gone
# back is a sum, and sums are not made in a table.
RAISES: Final[Mapping[Effect, OrderEvent]] = {
    Effect.ORDER_CHANGED: OrderEvent.CHANGED,
    Effect.ORDER_UNSURE: OrderEvent.UNSURE,
    Effect.ORDER_PAID: OrderEvent.PAID,
    Effect.ORDER_PAID_AGAIN: OrderEvent.PAID_AGAIN,
    Effect.ORDER_DOUBTED: OrderEvent.DOUBTED,
}

S = TypeVar("S", OrderState, AttemptState, RefundState, PayoutState)
Effects = tuple[Effect, ...]

_O, _OE, _A, _AE, _R, _RE, _P, _PE, _F = (
    OrderState, OrderEvent, AttemptState, AttemptEvent, RefundState, RefundEvent, PayoutState, PayoutEvent, Effect,
)  # fmt: skip

_ARRIVED: Final[Effects] = (_F.TELL_PAID, _F.LEAVE_OTHERS, _F.SHOW)
_ARRIVED_LATE: Final[Effects] = (_F.TELL_PAID_LATE, _F.LEAVE_OTHERS, _F.SHOW)
_IN_DOUBT: Final[Effects] = (_F.ALERT, _F.TELL_PENDING, _F.SHOW)

ORDER: Final[Mapping[tuple[OrderState, OrderEvent], tuple[OrderState, Effects]]] = {
    (_O.CREATED, _OE.PLACED): (_O.PENDING, (_F.SHOW,)),
    (_O.CREATED, _OE.UNPAYABLE): (_O.FAILED, (_F.TELL_FAILED, _F.SHOW)),
    (_O.CREATED, _OE.PAID): (_O.PAID, _ARRIVED),
    (_O.CREATED, _OE.DOUBTED): (_O.NEEDS_REVIEW, _IN_DOUBT),
    (_O.PENDING, _OE.CHANGED): (_O.PENDING, (_F.SHOW,)),
    (_O.PENDING, _OE.UNSURE): (_O.PENDING, (_F.TELL_PENDING, _F.SHOW)),
    (_O.PENDING, _OE.PAID): (_O.PAID, _ARRIVED),
    (_O.PENDING, _OE.EXPIRED): (_O.EXPIRED, (_F.TELL_EXPIRED, _F.SHOW)),
    (_O.PENDING, _OE.CANCELLED): (_O.CANCELLED, (_F.TELL_CANCELLED, _F.SHOW)),
    (_O.PENDING, _OE.FAILED): (_O.FAILED, (_F.TELL_FAILED, _F.SHOW)),
    (_O.PENDING, _OE.DOUBTED): (_O.NEEDS_REVIEW, _IN_DOUBT),
    (_O.EXPIRED, _OE.PAID): (_O.PAID_LATE, _ARRIVED_LATE),
    (_O.EXPIRED, _OE.DOUBTED): (_O.NEEDS_REVIEW, _IN_DOUBT),
    (_O.CANCELLED, _OE.PAID): (_O.PAID_LATE, _ARRIVED_LATE),
    (_O.CANCELLED, _OE.DOUBTED): (_O.NEEDS_REVIEW, _IN_DOUBT),
    (_O.FAILED, _OE.PAID): (_O.PAID_LATE, _ARRIVED_LATE),
    (_O.FAILED, _OE.DOUBTED): (_O.NEEDS_REVIEW, _IN_DOUBT),
    (_O.NEEDS_REVIEW, _OE.PAID): (_O.PAID, _ARRIVED),
    (_O.NEEDS_REVIEW, _OE.DOUBTED): (_O.NEEDS_REVIEW, (_F.ALERT,)),
    (_O.NEEDS_REVIEW, _OE.FAILED): (_O.FAILED, (_F.TELL_FAILED, _F.SHOW)),
    # An attempt that ends after its order has is no news for the payer.
    **{(state, _OE.CHANGED): (state, ()) for state in _O if state is not _O.PENDING},
    **{(state, _OE.UNSURE): (state, ()) for state in _O if state is not _O.PENDING},
    **{(state, _OE.ASKED_AGAIN): (state, (_F.SHOW,)) for state in _O if state is not _O.CREATED},
    **{(state, _OE.PAID_AGAIN): (state, (_F.ALERT, _F.SHOW)) for state in MONEY_IS_HERE},
    **{(state, _OE.DOUBTED): (state, (_F.ALERT,)) for state in MONEY_IS_HERE},
    **{
        (state, _OE.REFUNDED_PART): (_O.PARTLY_REFUNDED, (_F.SHOW,))
        for state in (_O.PAID, _O.PAID_LATE, _O.PARTLY_REFUNDED)
    },
    **{
        (state, _OE.REFUNDED_ALL): (_O.REFUNDED, (_F.SHOW,))
        for state in (_O.PAID, _O.PAID_LATE, _O.PARTLY_REFUNDED)
    },
}

_UNPAID: Final = (_A.INTENT, _A.UNKNOWN, _A.OPENED, _A.CLOSED, _A.DECLINED)

ATTEMPT: Final[Mapping[tuple[AttemptState, AttemptEvent], tuple[AttemptState, Effects]]] = {
    (_A.INTENT, _AE.REPOINTED): (_A.INTENT, ()),
    (_A.INTENT, _AE.CALLED): (_A.UNKNOWN, ()),
    (_A.INTENT, _AE.CLOSED): (_A.CLOSED, ()),
    (_A.UNKNOWN, _AE.CALLED): (_A.UNKNOWN, ()),
    (_A.UNKNOWN, _AE.NOT_SENT): (_A.INTENT, ()),
    (_A.UNKNOWN, _AE.UNSURE): (_A.UNKNOWN, (_F.ORDER_UNSURE,)),
    (_A.UNKNOWN, _AE.OPENED): (_A.OPENED, (_F.ORDER_CHANGED,)),
    (_A.UNKNOWN, _AE.CLOSED): (_A.CLOSED, (_F.ORDER_CHANGED,)),
    (_A.UNKNOWN, _AE.DECLINED): (_A.DECLINED, (_F.ORDER_CHANGED,)),
    (_A.OPENED, _AE.OPENED): (_A.OPENED, (_F.ORDER_CHANGED,)),
    (_A.OPENED, _AE.CLOSED): (_A.CLOSED, (_F.ORDER_CHANGED,)),
    (_A.OPENED, _AE.DECLINED): (_A.DECLINED, (_F.ORDER_CHANGED,)),
    # The create and the close crossed on their way: what we thought closed is open over there.
    (_A.CLOSED, _AE.OPENED): (_A.CLOSED, (_F.WATCH,)),
    **{(state, _AE.PAID): (_A.PAID, (_F.BOOK_PAYMENT, _F.ORDER_PAID)) for state in _UNPAID},
    **{
        (state, _AE.OVERPAID): (_A.OVERPAID, (_F.BOOK_EXTRA, _F.REFUND_EXTRA, _F.ORDER_PAID_AGAIN))
        for state in _UNPAID
    },
    **{(state, _AE.DOUBTED): (state, (_F.ORDER_DOUBTED,)) for state in _A},
    # Never downgraded; but an institution that takes its word back is news for a person.
    **{(state, _AE.CLOSED): (state, (_F.ALERT,)) for state in (_A.PAID, _A.OVERPAID)},
    **{(state, _AE.DECLINED): (state, (_F.ALERT,)) for state in (_A.PAID, _A.OVERPAID)},
}

REFUND: Final[Mapping[tuple[RefundState, RefundEvent], tuple[RefundState, Effects]]] = {
    (_R.RESERVED, _RE.CALLED): (_R.UNKNOWN, ()),
    (_R.UNKNOWN, _RE.CALLED): (_R.UNKNOWN, ()),
    (_R.UNKNOWN, _RE.NOT_SENT): (_R.RESERVED, (_F.TELL_REFUND_PENDING,)),
    (_R.UNKNOWN, _RE.BALANCE_LOW): (_R.RESERVED, (_F.ALERT, _F.TELL_REFUND_PENDING)),
    (_R.UNKNOWN, _RE.UNSURE): (_R.UNKNOWN, (_F.TELL_REFUND_PENDING,)),
    (_R.UNKNOWN, _RE.ACCEPTED): (_R.SENT, (_F.TELL_REFUND_PENDING,)),
    (_R.RESERVED, _RE.ACCEPTED): (_R.SENT, (_F.TELL_REFUND_PENDING,)),
    **{
        (state, _RE.DONE): (_R.DONE, (_F.BOOK_REFUND, _F.ORDER_REFUNDED, _F.TELL_REFUND_DONE))
        for state in (_R.RESERVED, _R.UNKNOWN, _R.SENT)
    },
    **{
        (state, _RE.FAILED): (_R.FAILED, (_F.RELEASE, _F.ALERT, _F.SHOW, _F.TELL_REFUND_FAILED))
        for state in (_R.RESERVED, _R.UNKNOWN, _R.SENT)
    },
    (_R.DONE, _RE.FAILED): (_R.DONE, (_F.ALERT,)),  # bounced days later: the books wait for a person
    (_R.FAILED, _RE.DONE): (_R.FAILED, (_F.ALERT,)),
    **{(state, _RE.DOUBTED): (state, (_F.ALERT,)) for state in _R},
}

_BACK: Final[Effects] = (_F.RELEASE, _F.GIVE_BACK, _F.TELL_RETURNED, _F.SHOW)

PAYOUT: Final[Mapping[tuple[PayoutState, PayoutEvent], tuple[PayoutState, Effects]]] = {
    (_P.OFFERED, _PE.CLAIMED): (_P.RESERVED, (_F.TELL_CLAIMED, _F.SHOW)),
    (_P.OFFERED, _PE.WITHDRAWN): (_P.WITHDRAWN, _BACK),
    (_P.RESERVED, _PE.WITHDRAWN): (_P.WITHDRAWN, _BACK),  # claimed, but every call was provably in vain
    (_P.RESERVED, _PE.CALLED): (_P.UNKNOWN, ()),
    (_P.UNKNOWN, _PE.CALLED): (_P.UNKNOWN, ()),
    (_P.AWAITS_PAYEE, _PE.CALLED): (
        _P.AWAITS_PAYEE,
        (),
    ),  # to be told once more what the payee's wallet needs
    (_P.UNKNOWN, _PE.NOT_SENT): (_P.RESERVED, ()),
    (_P.UNKNOWN, _PE.BALANCE_LOW): (_P.RESERVED, (_F.ALERT,)),
    **{(state, _PE.ACCEPTED): (_P.SENT, ()) for state in (_P.RESERVED, _P.UNKNOWN, _P.AWAITS_PAYEE)},
    **{
        (state, _PE.AWAITS_PAYEE): (_P.AWAITS_PAYEE, (_F.SHOW,))
        for state in (_P.RESERVED, _P.UNKNOWN, _P.SENT)
    },
    **{
        (state, _PE.DONE): (_P.DONE, (_F.BOOK_PAYOUT, _F.TELL_PAID_OUT, _F.SHOW))
        for state in PAYOUT_IS_CLAIMED
    },
    **{
        (state, _PE.FAILED): (_P.FAILED, (_F.RELEASE, _F.OFFER_AGAIN, _F.SHOW)) for state in PAYOUT_IS_CLAIMED
    },
    # Paid out after all, or taken back after all: the books wait for a person.
    **{(state, _PE.DONE): (state, (_F.ALERT,)) for state in (_P.OFFERED, _P.FAILED, _P.WITHDRAWN)},
    **{(state, _PE.FAILED): (state, (_F.ALERT,)) for state in (_P.OFFERED, _P.DONE)},
    **{(state, _PE.DOUBTED): (state, (_F.ALERT,)) for state in _P},
}


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """A looked-up cell. `listed` is False when the table has none: nothing changes, a note stays."""

    state: S
    effects: Effects
    listed: bool


def order_step(state: OrderState, event: OrderEvent) -> Step[OrderState]:
    """The cell for an order."""
    cell = ORDER.get((state, event))
    return Step(cell[0], cell[1], listed=True) if cell else Step(state, (), listed=False)


def attempt_step(state: AttemptState, event: AttemptEvent) -> Step[AttemptState]:
    """The cell for an attempt."""
    cell = ATTEMPT.get((state, event))
    return Step(cell[0], cell[1], listed=True) if cell else Step(state, (), listed=False)


def refund_step(state: RefundState, event: RefundEvent) -> Step[RefundState]:
    """The cell for a refund."""
    cell = REFUND.get((state, event))
    return Step(cell[0], cell[1], listed=True) if cell else Step(state, (), listed=False)


def payout_step(state: PayoutState, event: PayoutEvent) -> Step[PayoutState]:
    """The cell for a payout."""
    cell = PAYOUT.get((state, event))
    return Step(cell[0], cell[1], listed=True) if cell else Step(state, (), listed=False)
