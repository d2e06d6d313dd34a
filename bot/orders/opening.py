"""Opening an order at an institution: the tap on a wallet.

Stored before the call, answered after it, and never two codes for one tap. An order has one code at a time that we
show: before another wallet's code is made, the earlier one is closed, or, when that cannot be known yet, left to the
sweeper with a warning to the payer.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from bot.crashpoint import crashpoint
from bot.orders import facts, institution, routing, schedule
from bot.orders.answers import Opened, Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.ending import Ending
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.placing import new_intent, turned
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.routing import Offer
from bot.orders.table import AttemptEvent
from bot.orders.till import Till
from providers.sdk.contract import Way
from providers.sdk.results import Created, Declined, DeclineReason, NotSent, Snapshot, Unknown
from providers.sdk.wallets import Wallet

# A code is not handed out in its last seconds.
_MARGIN: Final = timedelta(seconds=5)
_TURNS_MAX: Final = 8

_CLOSED_DOORS: Final = {
    OrderState.EXPIRED: Why.EXPIRED,
    OrderState.CANCELLED: Why.CANCELLED,
    OrderState.FAILED: Why.FAILED,
    OrderState.NEEDS_REVIEW: Why.IN_REVIEW,
}
_WARNING: Final = "An earlier code of this order could not be closed yet; please do not pay it as well."


@dataclass(frozen=True, slots=True)
class Leave:
    """Close that attempt first."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Send:
    """The intent is stored: call."""

    number: str


@dataclass(frozen=True, slots=True)
class _Tap:
    order_id: str
    wallet: Wallet
    user_id: int | None
    way: Way | None
    payer_id: str = field(default="", repr=False)
    tried: frozenset[tuple[str, str]] = frozenset()  # accounts that were out of order for this very tap

    @property
    def ways(self) -> Collection[Way]:
        return routing.WAYS_IN_CHAT if self.way is None else (self.way,)

    @property
    def cause(self) -> Cause:
        return Cause(CauseKind.PAYER, f"user:{self.user_id}" if self.user_id else "link")


_Move = Refused | Opened | Leave | Send
Answer = Created | Snapshot | Declined | NotSent | Unknown


class Opening:
    """Answers taps on wallets."""

    def __init__(self, till: Till, ending: Ending) -> None:
        self._till = till
        self._ending = ending

    async def open(
        self, order_id: str, wallet: Wallet, user_id: int | None, way: Way | None, payer_id: str = ""
    ) -> Opened | Refused:
        """See `Checkout.open`."""
        tap = _Tap(order_id, wallet, user_id, way, payer_id)
        await self._till.takings.count()
        instead: Refused | None = None
        async with self._till.hold(order_id):
            for _ in range(
                _TURNS_MAX
            ):  # every turn but the last takes an attempt or an account out of the way
                order, move = await self._turn(tap)
                match move:
                    case Refused(why=Why.NO_OFFER | Why.OUT_OF_ORDER) if instead is not None:
                        return instead
                    case Refused():
                        return replace(move, order=order)
                    case Opened():
                        return move
                    case Leave(attempt):
                        await self._ending.leave(order, attempt)
                    case Send(number):
                        answer = await self.call(order, number, payer_id)
                        if payer_id or not (isinstance(answer, Refused) and _elsewhere(answer)):
                            return answer
                        attempt, instead = order.attempt(number), answer
                        tap = replace(tap, tried=tap.tried | {(attempt.provider, attempt.account)})
        return instead or Refused(Why.CHECKING, "Earlier attempts are still being closed.", order)

    async def _turn(self, tap: _Tap) -> tuple[Order, _Move]:
        return await self._till.change(tap.order_id, tap.cause, lambda posting: self._move(posting, tap))

    async def call(self, order: Order, number: str, payer_id: str = "") -> Opened | Refused:
        """Call the institution about an attempt that is stored as called, and say what the payer can do."""
        attempt = order.attempt(number)
        account = self._till.account_of(attempt)
        if account is None:
            return Refused(
                Why.OUT_OF_ORDER, f"{attempt.provider}/{attempt.account} is not configured.", order
            )
        order, answer = await self.send(order, attempt, account, payer_id=payer_id)
        return self._outcome(order, order.attempt(number), answer)

    async def send(
        self,
        order: Order,
        attempt: Attempt,
        account: Account,
        payer_code: SecretStr | None = None,
        payer_id: str = "",
    ) -> tuple[Order, Answer]:
        """Call, and store what is answered."""
        number = attempt.number
        crashpoint("attempt.called")
        answer = await institution.create(account, order, attempt, payer_code, payer_id)
        crashpoint("create.answered")
        if isinstance(answer, Unknown):
            self._till.watch.count("attempt_unknown", account.provider_id)
        cause = Cause(CauseKind.REPLY, f"create:{number}:{attempt.sends}")
        order, _ = await self._till.change(
            order.id, cause, lambda posting: facts.hear_create(posting, number, answer, account)
        )
        crashpoint("attempt.heard")
        return order, answer

    def _move(self, posting: Posting, tap: _Tap) -> _Move:
        order, now = posting.order, posting.now
        closed = closed_door(posting, tap.user_id)
        if closed is not None:
            return closed
        for attempt in order.attempts:
            if not _answers(attempt, tap):
                continue
            if attempt.usable(now + _MARGIN):  # the same code, also where the account's rank has changed
                return Opened(order, attempt, _warning(order))
            if attempt.state is AttemptState.UNKNOWN and schedule.in_flight(attempt, now):
                return Refused(Why.CHECKING, "The first call has not been answered yet.")
        offer = self._offer(order, tap)
        if isinstance(offer, Refused):
            return offer
        same = [one for one in order.attempts if one.open and not one.leaving and _fits(one, offer)]
        if offer.way is Way.IN_APP:
            same = []  # what one person's wallet was given is of no use to another's
        again = next((one for one in same if one.state is not AttemptState.OPENED), None)
        for other in order.attempts:
            if other.open and other.called_at is not None and not other.leaving and other != again:
                # Stored before it is closed: from here on nobody is let pass with it.
                posting.set_attempt(replace(other, leaving=True, checks=0))
                return Leave(posting.order.attempt(other.number))
        return self._intend(posting, offer, again)

    def _intend(self, posting: Posting, offer: Offer, again: Attempt | None) -> _Move:
        order = posting.order
        in_the_way = [
            one
            for one in order.attempts
            if one.open and one.leaving and (one.provider == offer.provider or one.by_payer_code)
        ]
        if in_the_way:
            return Refused(Why.CHECKING, "The earlier code of the same institution is still being closed.")
        number = (again or aim(self._till, posting, offer)).number
        mark_called(posting, number)
        return Send(number)

    def _offer(self, order: Order, tap: _Tap) -> Offer | Refused:
        routes = tuple(
            route for route in self._till.routes() if (route.provider, route.account) not in tap.tried
        )
        found = routing.offers(order.amount, routes, wallet=tap.wallet, ways=tap.ways)
        if found:
            return found[0]
        whys = routing.refusals(order.amount, routes, wallet=tap.wallet, ways=tap.ways)
        passing = any(refusal.passing for refusal in whys if refusal.wallet is tap.wallet)
        said = " ".join(refusal.reason for refusal in whys if refusal.wallet is tap.wallet)
        return Refused(Why.OUT_OF_ORDER if passing else Why.NO_OFFER, said)

    def _outcome(
        self,
        order: Order,
        attempt: Attempt,
        answer: Answer,
    ) -> Opened | Refused:
        if order.paid:
            return Refused(Why.ALREADY_PAID, "", order)
        if attempt.usable(self._till.clock.now()) and order.payable:
            return Opened(order, attempt, _warning(order))
        if attempt.state is AttemptState.DECLINED:
            misconfigured = isinstance(answer, Declined) and answer.reason is DeclineReason.MISCONFIGURED
            return Refused(Why.OUT_OF_ORDER if misconfigured else Why.DECLINED, attempt.reason, order)
        if attempt.state is AttemptState.INTENT:
            return Refused(Why.OUT_OF_ORDER, attempt.reason, order)
        return Refused(_CLOSED_DOORS.get(order.state, Why.CHECKING), attempt.reason, order)


def aim(till: Till, posting: Posting, offer: Offer) -> Attempt:
    """The attempt that nobody outside has heard of is turned to this offer, or a new one is made."""
    waiting = next((one for one in posting.order.attempts if one.state is AttemptState.INTENT), None)
    if waiting is None:
        attempt = new_intent(till, posting, offer)
        posting.add_attempt(attempt)
        return attempt
    if not _fits(waiting, offer):
        aimed = turned(till, posting, waiting, offer)
        posting.move_attempt(aimed, AttemptEvent.REPOINTED, f"{offer.provider} {offer.way}")
    return posting.order.attempt(waiting.number)


def mark_called(posting: Posting, number: str) -> None:
    """Stored before the call leaves: from here on the attempt may exist at the institution."""
    attempt = posting.order.attempt(number)
    wait_s = schedule.AT_TILL_S if attempt.by_payer_code else schedule.IN_FLIGHT_S
    soon = schedule.after(posting.now, wait_s)
    called = replace(
        attempt, called_at=posting.now, heard_at=None, sends=attempt.sends + 1, checks=0, next_check_at=soon
    )
    posting.move_attempt(called, AttemptEvent.CALLED, f"send {called.sends}")
    kept = posting.order.attempt(number)
    posting.set_attempt(replace(kept, next_check_at=soon))


def closed_door(posting: Posting, user_id: int | None) -> Refused | None:
    """Why nothing is opened for this person, None where something may be."""
    order = posting.order
    if user_id is not None and user_id != order.user_id:
        return Refused(Why.NOT_YOURS)
    if order.paid:
        return Refused(Why.ALREADY_PAID)
    if order.state is not OrderState.PENDING:
        return Refused(_CLOSED_DOORS.get(order.state, Why.CHECKING))
    if order.ending is not None:
        return Refused(Why.CHECKING, f"The order is being led to {order.ending}.")
    if posting.now + _MARGIN >= order.expires_at:
        return Refused(Why.EXPIRED)
    return None


def _answers(attempt: Attempt, tap: _Tap) -> bool:
    """What is open answers the tap, but for what was opened for one payer's own web view."""
    fits = attempt.wallet is tap.wallet and attempt.way in tap.ways and attempt.way is not Way.IN_APP
    return fits and attempt.open and not attempt.leaving


def _elsewhere(answer: Refused) -> bool:
    """The account is out of order and nothing is open there: another one may take this tap."""
    return answer.why is Why.OUT_OF_ORDER and answer.order is not None and answer.order.payable


def _fits(attempt: Attempt, offer: Offer) -> bool:
    aimed = (attempt.provider, attempt.account, attempt.wallet, attempt.way)
    return aimed == (offer.provider, offer.account, offer.wallet, offer.way)


def _warning(order: Order) -> str:
    return _WARNING if any(attempt.open and attempt.leaving for attempt in order.attempts) else ""
