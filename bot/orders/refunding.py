"""Money back: the amount is reserved of the payment's budget before anybody is called, under a number that stays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crashpoint import crashpoint
from bot.orders import facts, institution, rows, schedule, word
from bot.orders.answers import RefundRefusedError, Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.order import (
    ASKED,
    FOREIGN,
    Attempt,
    AttemptState,
    Order,
    Refund,
    RefundDraft,
    RefundState,
    RefundWish,
)
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.table import RefundEvent
from bot.orders.till import Till, UnknownOrderError, refund_of
from providers.sdk.contract import ProviderInfo
from providers.sdk.money import Money
from providers.sdk.results import NotFound, NotSent, RefundSnapshot, Unknown

# Keys that begin so are the house's own: of refunds made elsewhere, and of those a program asked for.
_OURS: Final = (FOREIGN, ASKED)


class Refunding:
    """Reserves, sends and asks about refunds."""

    def __init__(self, till: Till) -> None:
        self._till = till

    async def refund(
        self, order_id: str, amount: Money, reason: str, actor: str, refund_key: str
    ) -> Refund | Refused:
        """See `Checkout.refund`."""
        if refund_key.startswith(_OURS):
            return Refused(
                Why.NOT_REFUNDABLE, f"Keys that start with {' or '.join(_OURS)} are the house's own."
            )
        wish = RefundWish(amount=amount, reason=reason, actor=actor, refund_key=refund_key)
        cause = Cause(CauseKind.OPERATOR, actor)
        try:
            order, answer = await self._till.change(
                order_id, cause, lambda posting: self._reserve(posting, wish)
            )
        except UnknownOrderError:
            return Refused(Why.UNKNOWN_ORDER)
        if isinstance(answer, Refused):
            return replace(answer, order=order)
        async with self._till.hold(order_id):
            return await self._send(order_id, answer.number)

    async def take_in(self, connection: AsyncConnection, draft: RefundDraft) -> None:
        """Reserve what a page wants to give back, for the sweeper to send. What cannot be is the page's to hear.

        Raises `RefundRefusedError` when the order is not this program's and person's, or the key has another meaning.
        """
        request = draft.request
        order = await rows.find_by_key(connection, draft.app_id, draft.user_id, request.order_key)
        if order is None:
            raise RefundRefusedError(
                request.order_key,
                f"{draft.app_id} has no order {request.order_key!r} of this person; nothing goes back.",
            )
        cause = Cause(CauseKind.PAGE, f"{draft.app_id}:{request.refund_key}")
        posting = Posting(order, cause, self._till.clock.now(), self._till.draw_number)
        answer = self._reserve(posting, _wish(draft))
        if isinstance(answer, Refused):
            self._refuse(posting, draft, answer)
        await rows.save(connection, posting)

    async def note_strangers(self, drafts: Sequence[RefundDraft]) -> None:
        """Somebody else's order, named by its number: its audit keeps who reached for it."""
        for draft in drafts:
            order = await self._till.find(draft.request.order_key)
            if order is None or (order.app_id, order.user_id) == (draft.app_id, draft.user_id):
                continue
            words = f"{draft.app_id} asked for a refund of an order that is not its own."
            cause = Cause(CauseKind.PAGE, f"{draft.app_id}:{draft.request.refund_key}")
            await self._till.change(order.id, cause, partial(_note_stranger, words=words))

    async def check(self, number: str) -> None:
        """The sweeper's call: send what was reserved, ask about what was sent."""
        order = await self._till.find_by_number(number)
        async with self._till.hold(order.id):
            order = await self._till.find_by_number(number)
            refund, attempt = refund_of(order, number)
            if refund.next_check_at is None:
                return  # settled while it stood in the queue
            account = self._till.account_of(attempt)
            if refund.state is RefundState.RESERVED or account is None:
                await self._send(order.id, number)
                return
            answer = await self._ask(account, refund, attempt)
            if isinstance(answer, NotFound) and refund.state is RefundState.UNKNOWN:
                await self._send(order.id, number)

    async def ask(self, number: str) -> bool:
        """Ask the institution about a refund, in whatever state it is here, and apply the answer. Nothing is sent.

        False when nobody answered.
        """
        order = await self._till.find_by_number(number)
        async with self._till.hold(order.id):
            refund, attempt = refund_of(order, number)
            account = self._till.account_of(attempt)
            if account is None:
                return False
            return not isinstance(await self._ask(account, refund, attempt), NotSent | Unknown)

    async def _ask(
        self, account: Account, refund: Refund, attempt: Attempt
    ) -> RefundSnapshot | NotFound | NotSent | Unknown:
        answer = await institution.query_refund(account, refund, attempt)
        crashpoint("refund.asked")
        # That the question never left says nothing about the refund itself.
        heard = Unknown(answer.reason) if isinstance(answer, NotSent) else answer
        cause = Cause(CauseKind.QUERY, f"query:{refund.number}:{refund.checks + 1}")
        await self._till.change(
            refund.order_id,
            cause,
            lambda posting: facts.hear_refund_answer(posting, refund.number, heard),
        )
        return answer

    def _refuse(self, posting: Posting, draft: RefundDraft, refused: Refused) -> None:
        known = f"{ASKED}{draft.request.refund_key}"
        if any(refund.refund_key == known for refund in posting.order.refunds):
            raise RefundRefusedError(draft.request.order_key, f"{refused.detail} Draw a new refund_key.")
        posting.note("order", "refund_refused", f"{draft.app_id}: {refused.why} {refused.detail}".strip())
        posting.answer_refusal(draft.event_key, word.of_refusal(posting.order, draft, refused.why))
        self._till.watch.count("refund_refused")

    def _reserve(self, posting: Posting, wish: RefundWish) -> Refund | Refused:
        order = posting.order
        known = next(
            (one for one in order.refunds if wish.refund_key and one.refund_key == wish.refund_key), None
        )
        if known is not None:
            same = wish.amount in {known.amount, None}
            return (
                known if same else Refused(Why.WRONG_AMOUNT, f"{wish.refund_key} asked for {known.amount}.")
            )
        attempt = next((one for one in order.attempts if one.state is AttemptState.PAID), None)
        if attempt is None:
            return Refused(Why.NOT_REFUNDABLE, f"Order {order.id} is not paid.")
        account = self._till.account_of(attempt)
        if account is None:
            return Refused(Why.OUT_OF_ORDER, f"{attempt.provider}/{attempt.account} is not configured.")
        left = Money(attempt.amount.minor - attempt.refunding_minor, attempt.amount.currency)
        amount = left if wish.amount is None else wish.amount
        if wish.amount is None and not left:
            return Refused(Why.OVER_BUDGET, f"Nothing is left of {attempt.amount} to refund.")
        refused = _objection(order, attempt, amount, account.info, posting.now)
        return refused or posting.reserve(attempt, amount, wish)

    async def _send(self, order_id: str, number: str) -> Refund:
        """Mark it as called, call, store what was answered. A refund that is no longer waiting is left alone."""
        crashpoint("refund.reserved")
        cause = Cause(CauseKind.HOUSE, f"refund:{number}")
        order, account = await self._till.change(
            order_id, cause, lambda posting: self._mark_called(posting, number)
        )
        refund, attempt = refund_of(order, number)
        if account is None:
            return refund
        crashpoint("refund.called")
        answer = await institution.refund(account, refund, attempt)
        crashpoint("refund.answered")
        reply = Cause(CauseKind.REPLY, f"refund:{number}:{refund.sends}")
        order, _ = await self._till.change(
            order_id, reply, lambda posting: facts.hear_refund_answer(posting, number, answer)
        )
        crashpoint("refund.heard")
        return order.refund(number)

    def _mark_called(self, posting: Posting, number: str) -> Account | None:
        refund, attempt = refund_of(posting.order, number)
        account = self._till.account_of(attempt)
        if refund.state not in {RefundState.RESERVED, RefundState.UNKNOWN}:
            return None
        later = schedule.after(posting.now, schedule.IN_FLIGHT_S)
        if self._till.closed:
            posting.set_refund(replace(refund, next_check_at=later))
            return None
        if account is None:
            posting.alert(f"Refund {number} waits: {attempt.provider}/{attempt.account} is not configured.")
            posting.set_refund(replace(refund, next_check_at=later))
            return None
        called = replace(
            refund,
            called_at=refund.called_at or posting.now,
            sends=refund.sends + 1,
            next_check_at=later,
        )
        posting.move_refund(called, RefundEvent.CALLED, f"send {called.sends}")
        return account


def _wish(draft: RefundDraft) -> RefundWish:
    request = draft.request
    return RefundWish(
        amount=request.amount,
        reason=request.reason,
        actor=f"program:{draft.app_id}",
        refund_key=f"{ASKED}{request.refund_key}",
        page=draft.page,
        chat_id=draft.chat_id,
    )


def _note_stranger(posting: Posting, words: str) -> None:
    posting.note("order", "refund_refused", words)
    posting.alert(words)


def _objection(
    order: Order, attempt: Attempt, amount: Money, info: ProviderInfo, now: datetime
) -> Refused | None:
    """Everything that can be refused before a call is."""
    if amount.currency != attempt.amount.currency or not amount:
        return Refused(Why.WRONG_AMOUNT, f"A refund of {amount} of a payment of {attempt.amount}.")
    left = attempt.amount.minor - attempt.refunding_minor
    if amount.minor > left:
        return Refused(Why.OVER_BUDGET, f"{left} minor units of {attempt.amount} are left to refund.")
    if info.refund_window is None:
        return Refused(Why.NOT_REFUNDABLE, f"{info.name_en} cannot refund.")
    if attempt.paid_at is not None and now > attempt.paid_at + info.refund_window:
        return Refused(Why.TOO_LATE, f"{info.name_en} refunds within {info.refund_window.days} days.")
    if not info.partial_refunds and amount != attempt.amount:
        return Refused(Why.NOT_REFUNDABLE, f"{info.name_en} refunds the whole amount only.")
    made = sum(one.state is not RefundState.FAILED for one in order.refunds)
    if info.refunds_max is not None and made >= info.refunds_max:
        return Refused(Why.NOT_REFUNDABLE, f"{info.name_en} takes {info.refunds_max} refunds per payment.")
    return None
