"""Playing one event on a loaded session: author's code under a deadline, undone as a whole when it fails.

This is the update edge: the one place that catches everything a mini program can raise. Redis and the order book
failing is not the author's fault and goes through.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.orders.answers import ClosedError, OrderRefusedError, PayoutRefusedError, RefundRefusedError
from bot.orders.book import BookAwayError
from bot.orders.order import Order, PayoutDraft
from bot.runtime import house
from bot.runtime.acts import Acts
from bot.runtime.claims import Claims
from bot.runtime.events import Event, Origin, Settled
from bot.runtime.identity import Identity
from bot.runtime.links import Links
from bot.runtime.pocket import PlacedCharge, Pocket
from bot.runtime.ports import Counter
from bot.runtime.screen import Screen
from bot.runtime.session import Session, decode
from bot.runtime.store import MARK_LIVES_S, SessionStore, Taken, Write
from bot.runtime.turn import Turn
from bot.texts import translator
from miniprograms.sdk.app import App
from miniprograms.sdk.errors import AuthorError
from providers.sdk.clock import Clock, Random

_TRACE_CHARS_MAX: Final = 8000
ERROR_HOOK_WITHIN_S: Final = 2.0  # on_error writes down what happened; the person is waiting
log = structlog.get_logger(__name__)

Work = Coroutine[Any, Any, Screen | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a played event leaves to save and to show. `body` is None when there is nothing to save."""

    body: bytes | None
    screen: Screen | None
    toast: str = ""
    alert: bool = False
    shows: Order | None = None
    writes: list[Write] = field(default_factory=list)
    charges: tuple[PlacedCharge, ...] = ()
    unheard: bool = False  # the hook of a payment or refund raised: it is to be told again
    raced_at: int | None = (
        None  # the session's number, when another process saved the one before a moment ago
    )


class _Failure(Exception):  # noqa: N818  # a parcel, not an error: the author's error is its cause
    """An author's error on its way from the turn it broke to the turn that reports it."""

    def __init__(self, app_id: str, message: str) -> None:
        super().__init__(app_id)
        self.app_id = app_id
        self.message = message


@dataclass(frozen=True, slots=True)
class Player:
    """Plays events of all seats; holds no state of any."""

    programs: Mapping[str, App]
    store: SessionStore
    checkout: Counter
    acts: Acts
    links: Links
    identity: Identity
    claims: Claims
    random: Random
    pocket: Pocket
    clock: Clock
    standing_url: Callable[[str], str]
    deadline_s: float

    async def play(self, event: Event, taken: Taken) -> Outcome:
        """Place the orders the event asks for, and say what to save and to show. An author's fault does not raise."""
        session = decode(taken.body)
        if taken.marked or (session is not None and event.origin.key in session.seen):
            return await self._redraw(event, taken)
        turn = self._turn(session, event.origin)
        try:
            return await self._outcome(turn, event, taken, self.acts.act(turn, event))
        except ClosedError as closed:
            log.warning("till_closed", cause=str(closed))
            return await self._undone(event, taken, None)
        except _Failure as failure:
            log.exception("turn_undone", app_id=failure.app_id, exc_info=failure.__cause__)
            return await self._undone(event, taken, failure)

    async def _undone(self, event: Event, taken: Taken, failure: _Failure | None) -> Outcome:
        """The session as it was before, with what `on_error` makes of it; the person is told.

        But what became of money comes again until its hook has heard it: then there is nothing to tell anybody yet.
        """
        _ = translator(event.origin.language)
        again = isinstance(event, Settled)
        notice = _("Something went wrong here. Nothing was changed.")
        if failure is None:
            notice = _(
                "No payments at the moment: the books are being checked. Please try again in a few minutes."
            )
        notice = "" if again else notice
        turn = self._turn(decode(taken.body), event.origin)
        try:
            report = (
                self.acts.finish(turn, drawn=not again)
                if failure is None
                else self.acts.report(turn, failure.app_id, failure.message, drawn=not again)
            )
            return await self._outcome(
                turn, event, taken, report, notice=notice, within_s=ERROR_HOOK_WITHIN_S, heard=not again
            )
        except _Failure as worse:
            log.exception("on_error_failed", app_id=worse.app_id, exc_info=worse.__cause__)
        if again:
            return Outcome(None, None, unheard=True)
        turn = self._turn(decode(taken.body), event.origin)
        broken = house.broken_screen(failure.app_id if failure else turn.active, event.origin.language)
        return await self._outcome(turn, event, taken, _ready(broken), notice=notice)

    async def _redraw(self, event: Event, taken: Taken) -> Outcome:
        """An event that had its effect before: the screen as it stands."""
        turn = self._turn(decode(taken.body), event.origin)
        try:
            return Outcome(None, await self._guarded(turn, self.acts.finish(turn)))
        except _Failure as failure:
            log.exception("redraw_failed", app_id=failure.app_id, exc_info=failure.__cause__)
            return Outcome(None, house.broken_screen(failure.app_id, event.origin.language))

    def _turn(self, session: Session | None, origin: Origin) -> Turn:
        return Turn(
            programs=self.programs,
            session=session or Session(epoch=self.random.text(6)),
            origin=origin,
            store=self.store,
            links=self.links,
            identity=self.identity,
            checkout=self.checkout,
            pocket=self.pocket,
            claims=self.claims,
            clock=self.clock,
            standing_url=self.standing_url,
        )

    async def _outcome(
        self,
        turn: Turn,
        event: Event,
        taken: Taken,
        work: Work,
        *,
        notice: str = "",
        within_s: float | None = None,
        heard: bool = True,
    ) -> Outcome:
        """Run the work, place its orders, and decide what is saved: nothing, when it only redrew."""
        screen = await self._guarded(turn, work, within_s)
        effective = heard and not turn.mute and not turn.stale
        if effective:
            turn.session.note_seen(event.origin.key)
        if heard and isinstance(event, Settled):
            turn.writes.append(Write("mark", event.origin.key, value=str(MARK_LIVES_S).encode()))
        body = self._encoded(turn)
        charges = await self._place(turn)
        return Outcome(
            body=None if body == taken.body and not turn.writes else body,
            screen=None if turn.mute else screen,
            toast=notice or turn.toast,
            alert=bool(notice),
            shows=turn.shows,
            writes=turn.writes,
            charges=charges,
            unheard=not heard,
        )

    def _encoded(self, turn: Turn) -> bytes:
        try:
            return turn.session.encode()
        except AuthorError as error:
            raise _failure(turn, error) from error

    async def _place(self, turn: Turn) -> tuple[PlacedCharge, ...]:
        """Orders, refunds and offers before the session: the same key counts once, so a turn that runs again does no harm.

        Charges wait until the session is saved: a code is sent once, and a turn may run again.
        """
        orders: tuple[Order, ...] = ()
        offers = [asked for asked in turn.payouts if isinstance(asked, PayoutDraft)]
        try:
            if turn.drafts or turn.refunds:
                orders = await self.checkout.place(turn.drafts, turn.refunds)
            if offers:
                await self.checkout.offer_payouts(offers)
            for asked in turn.payouts:
                if not isinstance(asked, PayoutDraft):
                    await self.checkout.withdraw_payout(asked)
        except (OrderRefusedError, RefundRefusedError, PayoutRefusedError) as error:
            raise _failure(turn, error) from error
        ids = {(order.app_id, order.order_key): order.id for order in orders}
        return tuple(
            PlacedCharge(ids[charge.app_id, charge.order_key], charge.slip, charge.wallet)
            for charge in turn.charges
        )

    async def _guarded(self, turn: Turn, work: Work, within_s: float | None = None) -> Screen | None:
        try:
            return await self._bounded(turn, work, min(within_s or self.deadline_s, self.deadline_s))
        except (RedisError, SQLAlchemyError, BookAwayError):
            raise
        except Exception as error:  # the update edge: a mini program can raise anything
            raise _failure(turn, error) from error

    async def _bounded(self, turn: Turn, work: Work, within_s: float) -> Screen | None:
        """Run author's code until the deadline. What ignores its cancellation is left behind, with a closed turn."""
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=within_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
        turn.close()
        task.add_done_callback(_forget)
        task.cancel()
        raise AuthorError(
            f"{turn.active}: a method did not return within {within_s:g} s; move slow work out of the turn."
        )


def _failure(turn: Turn, error: Exception) -> _Failure:
    return _Failure(turn.active, "".join(traceback.format_exception(error))[-_TRACE_CHARS_MAX:])


def _forget(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()


async def _ready(screen: Screen) -> Screen:
    return screen
