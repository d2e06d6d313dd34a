"""One change to one order, worked out in memory: the order before, the order after, and all that is written with it.

Pure. A shell locks the order, makes a `Posting`, calls it, and stores what it has collected in the same transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.orders import offering, schedule
from bot.orders.audit import Cause, Entry, sealed
from bot.orders.ledger import (
    Line,
    earning_lines,
    extra_lines,
    payment_lines,
    refund_lines,
    released_lines,
    reserved_lines,
)
from bot.orders.order import (
    LATE,
    PAYOUT_IS_OPEN,
    Attempt,
    AttemptState,
    Order,
    OrderState,
    Payout,
    Refund,
    RefundState,
    RefundWish,
)
from bot.orders.table import (
    RAISES,
    AttemptEvent,
    Effect,
    Effects,
    OrderEvent,
    PayoutEvent,
    RefundEvent,
    attempt_step,
    order_step,
    payout_step,
    refund_step,
)
from bot.orders.word import Word, of_refund, written
from miniprograms.sdk.payment import IfLate, PaymentStatus
from miniprograms.sdk.payout import PayoutStatus
from miniprograms.sdk.refund import RefundStatus
from providers.sdk.money import Money


class Kind(StrEnum):
    """What an outbox message is for."""

    SHOW = "show"
    TELL = "tell"
    ALERT = "alert"
    PAYOUT = "payout"  # tell the page; `text` is the payout's number and, behind a blank, the detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row for the outbox. A second one with the same key is not stored. `answer` is a `word.Word`, written out."""

    key: str
    kind: Kind
    order_id: str
    version: int
    status: str = ""
    text: str = ""
    answer: str = ""


_LATE: Final = "late"
_TELLS: Final[Mapping[Effect, tuple[PaymentStatus, str]]] = {
    Effect.TELL_PAID: (PaymentStatus.PAID, ""),
    Effect.TELL_PAID_LATE: (PaymentStatus.PAID, _LATE),
    Effect.TELL_PENDING: (PaymentStatus.PENDING, ""),
    Effect.TELL_CANCELLED: (PaymentStatus.CANCELLED, ""),
    Effect.TELL_EXPIRED: (PaymentStatus.FAILED, "expired"),
    Effect.TELL_FAILED: (PaymentStatus.FAILED, ""),
}
_REFUND_TELLS: Final[Mapping[Effect, RefundStatus]] = {
    Effect.TELL_REFUND_DONE: RefundStatus.DONE,
    Effect.TELL_REFUND_PENDING: RefundStatus.PENDING,
    Effect.TELL_REFUND_FAILED: RefundStatus.FAILED,
}


class Posting:
    """Events go in, a changed order and its paperwork come out."""

    def __init__(self, order: Order, cause: Cause, now: datetime, draw_number: Callable[[], str]) -> None:
        self.before = order
        self.order = order
        self.cause = cause
        self.now = now
        self.draw_number = draw_number
        self.entries: list[Entry] = []
        self.messages: list[Message] = []
        self.lines: list[Line] = []

    def move_order(self, event: OrderEvent, note: str = "") -> None:
        """Look the event up in the table and carry out its effects."""
        step = order_step(self.order.state, event)
        self._write("order", event, self.order.state, step.state, note, listed=step.listed)
        if not step.listed:
            return
        paid_at = self.order.paid_at or (self.now if event is OrderEvent.PAID else None)
        done = step.state is not OrderState.PENDING
        self.order = replace(
            self.order,
            state=step.state,
            paid_at=paid_at,
            next_check_at=None if done else self.order.next_check_at,
            ending=None if done else self.order.ending,
        )
        self._carry_out(step.effects, note)

    def move_attempt(self, attempt: Attempt, event: AttemptEvent, note: str = "") -> None:
        """`attempt` carries the fields that change with the event; they are dropped when the table says no change."""
        known = self.order.attempt(attempt.number)
        step = attempt_step(known.state, event)
        self._write(attempt.number, event, known.state, step.state, note, listed=step.listed)
        if not step.listed:
            return
        self.set_attempt(self._scheduled(replace(attempt, state=step.state), known))
        self._carry_out(step.effects, note, attempt=self.order.attempt(attempt.number))

    def move_refund(self, refund: Refund, event: RefundEvent, note: str = "") -> None:
        """As `move_attempt`, for a refund."""
        known = self.order.refund(refund.number)
        step = refund_step(known.state, event)
        self._write(refund.number, event, known.state, step.state, note, listed=step.listed)
        if not step.listed:
            return
        if step.state in {RefundState.DONE, RefundState.FAILED}:
            refund = replace(refund, next_check_at=None)
        self.set_refund(replace(refund, state=step.state, note=note or refund.note))
        self._carry_out(step.effects, note, refund=self.order.refund(refund.number))

    def move_payout(self, payout: Payout, event: PayoutEvent, note: str = "") -> None:
        """As `move_attempt`, for a payout."""
        known = self.order.payout(payout.number)
        step = payout_step(known.state, event)
        self._write(payout.number, event, known.state, step.state, note, listed=step.listed)
        if not step.listed:
            return
        if step.state not in PAYOUT_IS_OPEN:
            payout = replace(payout, next_check_at=None)
        self.set_payout(replace(payout, state=step.state, note=note or payout.note))
        self._carry_out(step.effects, note, payout=self.order.payout(payout.number))

    def note(self, subject: str, event: str, text: str) -> None:
        """A word that changed nothing, kept all the same."""
        self._write(subject, event, "", "", text, listed=True)

    def alert(self, text: str) -> None:
        """Call a person, once per order and text."""
        key = f"alert:{self.order.id}:{text}"[:400]
        self._send(key, Kind.ALERT, text=text)

    def answer_refusal(self, event_key: str, word: Word) -> None:
        """Tell a page that what it wants given back is not; once per turn that asked."""
        result = word.result
        key = f"refused:{self.order.id}:{result.refund_key}:{event_key}"
        self._send(key, Kind.TELL, status=result.status, answer=written(word))

    def lead_to(self, ending: OrderState) -> None:
        """From now on nothing is opened; attempts are closed until the order can end."""
        self.order = replace(self.order, ending=self.order.ending or ending)

    def add_attempt(self, attempt: Attempt) -> None:
        """A new number, stored before anybody is called."""
        self.order = replace(self.order, attempts=(*self.order.attempts, attempt))
        self._write(
            attempt.number, "added", "", attempt.state, f"{attempt.provider} {attempt.way}", listed=True
        )

    def add_refund(self, refund: Refund, *, event: str = "reserved") -> None:
        """A new refund, its amount reserved of the attempt's budget. The store checks the budget once more."""
        attempt = self.order.attempt(refund.attempt_number)
        self.set_attempt(replace(attempt, refunding_minor=attempt.refunding_minor + refund.amount.minor))
        self.order = replace(self.order, refunds=(*self.order.refunds, refund))
        self.lines.extend(reserved_lines(self.order, refund))
        self._write(refund.number, event, "", refund.state, f"{refund.amount} {refund.reason}", listed=True)

    def earn(self) -> None:
        """Its page was told that it is paid: what is not on its way back or out by now is revenue."""
        paid = next((one for one in self.order.attempts if one.state is AttemptState.PAID), None)
        if paid is None or self.order.earned_at is not None:
            return
        rest = Money(paid.amount.minor - paid.refunding_minor, paid.amount.currency)
        if rest:
            self.lines.extend(earning_lines(self.order, rest))
        self._write("order", "earned", "", "", f"{rest} is revenue", listed=True)
        self.order = replace(self.order, earned_at=self.now)

    def note_offer(self, payout: Payout, text: str) -> None:
        """It is in the book, and the payer is shown that it is."""
        self._write(payout.number, "offered", "", payout.state, text, listed=True)
        self._send(f"show:{self.order.id}:{self.order.version}", Kind.SHOW)

    def tell_payout(
        self, payout: Payout, status: PayoutStatus, detail: str = "", *, again: bool = False
    ) -> None:
        """Tell the page once how it stands; `again`: although it may have been told."""
        key = f"payout:{payout.number}:{status}" + (f":{self.order.version}" if again else "")
        self._send(key, Kind.PAYOUT, status=status, text=f"{payout.number} {detail}".strip())

    def set_attempt(self, attempt: Attempt) -> None:
        """Put back an attempt whose schedule or sums changed, but whose state did not."""
        self.order = replace(
            self.order,
            attempts=tuple(attempt if one.number == attempt.number else one for one in self.order.attempts),
        )

    def set_refund(self, refund: Refund) -> None:
        """Put back a refund."""
        self.order = replace(
            self.order,
            refunds=tuple(refund if one.number == refund.number else one for one in self.order.refunds),
        )

    def set_payout(self, payout: Payout) -> None:
        """Put back a payout."""
        self.order = replace(
            self.order,
            payouts=tuple(payout if one.number == payout.number else one for one in self.order.payouts),
        )

    def reserve(self, attempt: Attempt, amount: Money, wish: RefundWish) -> Refund:
        """Reserve the return of part of an attempt; the sweeper, or the asker, sends it."""
        refund = Refund(
            number=self.draw_number(),
            order_id=self.order.id,
            attempt_number=attempt.number,
            amount=amount,
            reason=wish.reason,
            actor=wish.actor,
            refund_key=wish.refund_key,
            page=wish.page,
            chat_id=wish.chat_id,
            state=RefundState.RESERVED,
            created_at=self.now,
            next_check_at=self.now,
        )
        self.add_refund(refund)
        return refund

    def _scheduled(self, attempt: Attempt, known: Attempt) -> Attempt:
        """A new state starts its own ladder of checks."""
        if attempt.state is known.state and attempt.next_check_at is not None:
            return attempt
        if attempt.called_at is None and attempt.state is AttemptState.CLOSED:
            return replace(attempt, next_check_at=None)  # nobody outside ever heard of it
        at = schedule.next_attempt_check(
            attempt.state, 0, self.order, self.now, at_till=attempt.by_payer_code
        )
        return replace(attempt, checks=0, next_check_at=at)

    def _carry_out(
        self,
        effects: Effects,
        note: str,
        *,
        attempt: Attempt | None = None,
        refund: Refund | None = None,
        payout: Payout | None = None,
    ) -> None:
        for effect in effects:
            if effect in RAISES:
                self.move_order(RAISES[effect], note)
            elif effect in _TELLS:
                self._tell(*_TELLS[effect], note)
            elif effect is Effect.SHOW:
                self._send(f"show:{self.order.id}:{self.order.version}", Kind.SHOW)
            elif effect is Effect.ALERT:
                self.alert(note or f"Order {self.order.id} needs a look: {self.entries[-1].event}.")
            elif effect is Effect.LEAVE_OTHERS:
                self._leave_others()
            elif attempt is not None:
                self._attempt_effect(effect, attempt)
            elif refund is not None:
                self._refund_effect(effect, refund)
            elif payout is not None:
                offering.carry_out(self, effect, payout, note)

    def _attempt_effect(self, effect: Effect, attempt: Attempt) -> None:
        match effect:
            case Effect.BOOK_PAYMENT:
                self.lines.extend(payment_lines(attempt))
            case Effect.BOOK_EXTRA:
                self.lines.extend(extra_lines(attempt))
            case Effect.REFUND_EXTRA:
                wish = RefundWish(
                    amount=None, reason="Paid twice", actor="house", refund_key=f"extra:{attempt.number}"
                )
                self.reserve(attempt, attempt.amount, wish)
            case Effect.WATCH:
                self.set_attempt(replace(attempt, leaving=True, checks=0, next_check_at=self.now))

    def _refund_effect(self, effect: Effect, refund: Refund) -> None:
        attempt = self.order.attempt(refund.attempt_number)
        match effect:
            case Effect.BOOK_REFUND:
                self.lines.extend(refund_lines(refund, attempt))
            case Effect.RELEASE:
                left = attempt.refunding_minor - refund.amount.minor
                self.set_attempt(replace(attempt, refunding_minor=left))
                self.lines.extend(released_lines(self.order, refund))
            case Effect.ORDER_REFUNDED:
                self._count_refunds(attempt)
            case _ if effect in _REFUND_TELLS and attempt.state is AttemptState.PAID:
                self._tell_refund(refund, _REFUND_TELLS[effect])

    def _count_refunds(self, attempt: Attempt) -> None:
        """Part or all: a sum, so it is not in the table. A second payment that goes back leaves the order paid."""
        if attempt.state is AttemptState.OVERPAID:
            self._send(f"show:{self.order.id}:{self.order.version}", Kind.SHOW)
            return
        back = sum(
            refund.amount.minor
            for refund in self.order.refunds
            if refund.attempt_number == attempt.number and refund.state is RefundState.DONE
        )
        whole = back >= attempt.amount.minor
        self.move_order(OrderEvent.REFUNDED_ALL if whole else OrderEvent.REFUNDED_PART)

    def _return_late(self) -> None:
        """The page has heard that the order ended, and goes on hearing so: what came after the end goes back."""
        for attempt in self.order.attempts:
            if attempt.state is AttemptState.PAID:
                wish = RefundWish(
                    amount=None, reason="Paid late", actor="house", refund_key=f"{LATE}{attempt.number}"
                )
                self.reserve(attempt, attempt.amount, wish)

    def _leave_others(self) -> None:
        for attempt in self.order.attempts:
            if attempt.state is AttemptState.INTENT:
                self.move_attempt(attempt, AttemptEvent.CLOSED, "never sent")
            elif attempt.open:
                self.set_attempt(replace(attempt, leaving=True, checks=0, next_check_at=self.now))

    def _tell(self, status: PaymentStatus, detail: str, note: str) -> None:
        if detail == _LATE and self.order.if_late is IfLate.REFUND:
            self._return_late()
            return
        key = f"tell:{self.order.id}:{status}:{detail}"
        self._send(key, Kind.TELL, status=status, text=detail or (note if status == "failed" else ""))

    def _tell_refund(self, refund: Refund, status: RefundStatus) -> None:
        """The end of every refund of the order, whoever made it; that it takes its time, only to a page that waits."""
        if status is RefundStatus.PENDING and not refund.asked:
            return
        detail = refund.note if status is RefundStatus.FAILED else ""
        answer = written(of_refund(self.order, refund, status, detail))
        self._send(f"refund:{refund.number}:{status}", Kind.TELL, status=status, answer=answer)

    def _send(self, key: str, kind: Kind, *, status: str = "", text: str = "", answer: str = "") -> None:
        self.messages.append(
            Message(
                key=key,
                kind=kind,
                order_id=self.order.id,
                version=self.order.version,
                status=status,
                text=text,
                answer=answer,
            )
        )

    def _write(self, subject: str, event: str, before: str, after: str, note: str, *, listed: bool) -> None:
        entry = sealed(
            Entry(
                order_id=self.order.id,
                n=self.order.version + 1,
                subject=subject,
                event=str(event),
                before=str(before),
                after=str(after),
                cause_kind=self.cause.kind,
                cause_id=self.cause.id,
                note=note if listed else f"No change: the table has no {before} + {event}. {note}".strip(),
                at=self.now,
                prev_hash=self.order.audit_hash,
            )
        )
        self.entries.append(entry)
        self.order = replace(self.order, version=entry.n, audit_hash=entry.hash)
