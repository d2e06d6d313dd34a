"""The host of the mini programs: an event comes in, and when `handle` returns its effects are durable and drawn.

    lock the seat and load the session (one round trip) → play the event → place orders (SQL) → save the session by
    compare-and-set and unlock (one round trip) → answer the tap → draw

Orders come before the session, and the session before anything a person sees. A process that dies in between leaves
an update that Telegram repeats: the order key places the order once, and an update that was saved only redraws.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import structlog
from pydantic import SecretStr
from redis.exceptions import RedisError

from bot.crashpoint import crashpoint
from bot.log import log_context
from bot.orders.answers import Refused
from bot.orders.order import Order
from bot.orders.ports import HookFailedError
from bot.orders.word import Word
from bot.runtime import cashier
from bot.runtime.acts import ORDERS_COMMANDS, Acts
from bot.runtime.claims import Claims
from bot.runtime.desk import Desk
from bot.runtime.easel import Easel, Studio
from bot.runtime.errors import ConflictError, StoreAwayError
from bot.runtime.events import Command, Event, Origin, Seat, Settled, Tap
from bot.runtime.house import with_notice
from bot.runtime.identity import Identity
from bot.runtime.inquiry import Inquiry
from bot.runtime.links import Links
from bot.runtime.pace import Pace
from bot.runtime.play import Outcome, Player
from bot.runtime.pocket import Pocket
from bot.runtime.ports import Counter
from bot.runtime.scanner import read_code
from bot.runtime.screen import Surface
from bot.runtime.signboard import Signboard
from bot.runtime.store import Saved, SessionStore
from bot.runtime.till import charge_refusal_text
from bot.texts import translator
from miniprograms.sdk.app import App
from miniprograms.sdk.limits import TOAST_UNITS_MAX
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from providers.sdk.clock import Clock, Random
from providers.sdk.codes import STANDING_PATH

_TRIES_MAX: Final = 3
_LOCK_MARGIN_S: Final = 5.0  # for on_error and the order book, after a handler has used up its time
log = structlog.get_logger(__name__)


class Runtime:
    """One per process; all of it may run at once, also in several processes on one Redis. It is the book's `Teller`."""

    def __init__(
        self,
        programs: Iterable[App],
        sessions: SessionStore,
        checkout: Counter,
        surface: Surface,
        *,
        clock: Clock,
        random: Random,
        secret: SecretStr,
        web_url: str,
        username: Callable[[], str] = str,
        home: str = "",
        signboard: Signboard | None = None,
        handler_within_s: float = 10.0,
        taps_per_minute: int = 120,
        read_code: Callable[[bytes], str | None] = read_code,
    ) -> None:
        """`username` is the bot's, for links to it; `home` is what /start opens, else the list.

        Without a `signboard`, one codes are links under `web_url`.

        Raises `AuthorError` for a program whose manifest names a page that is not there.
        """
        by_id = {app.manifest.app_id: app for app in programs}
        for app in by_id.values():
            app.check_complete()
        links = Links(sessions, lambda start: f"https://t.me/{username()}?start={start}")
        self._sessions = sessions
        self._surface = surface
        self._lock_lives_s = handler_within_s + _LOCK_MARGIN_S
        self._identity = Identity(secret)
        self._pace = Pace(taps_per_minute, clock)
        self._studio = Studio(sessions, surface)
        self._checkout = checkout
        self._pocket = Pocket(clock, random)
        self._desk = Desk(checkout, sessions, surface, clock, signboard or Signboard(base_url=web_url))
        self._player = Player(
            programs=by_id,
            store=sessions,
            checkout=checkout,
            acts=Acts(by_id, checkout, surface, links, Inquiry(checkout, web_url, clock), read_code, home),
            claims=Claims(checkout, lambda token: f"{web_url}/c/{token}"),
            links=links,
            identity=self._identity,
            random=random,
            pocket=self._pocket,
            clock=clock,
            standing_url=lambda token: f"{web_url}{STANDING_PATH}{token}",
            deadline_s=handler_within_s,
        )

    async def handle(self, event: Event) -> None:
        """Return when the event's effects are durable and drawn.

        Raises `RuntimeFault`, or what Redis or the order book raise, when they are not, and `HookFailedError` when the
        hook of a payment or refund raises: the event should come again.
        """
        origin = event.origin
        with log_context(update_key=origin.key, seat=self._identity.seat_mark(origin.seat)):
            if not isinstance(event, Settled) and not self._pace.lets(origin.seat):
                await self._slow_down(origin)
                return
            key = cashier.read_key(event.data) if isinstance(event, Tap) else None
            try:
                await (self._turn(event) if key is None else self._desk.tap(origin, key))
            except RedisError as error:
                if _asks_for_orders(event):
                    await self._desk.list_orders(origin)
                    return
                raise StoreAwayError(
                    f"Redis does not serve us ({type(error).__name__}); the update will come again."
                ) from error

    async def show(self, order: Order) -> int | None:
        """`Teller.show`."""
        return await self._desk.show(order)

    async def tell(self, key: str, order: Order, result: PaymentResult) -> None:
        """`Teller.tell`."""
        await self.handle(Settled(_origin(key, order, order.chat_id), order.app_id, order.page, result))

    async def tell_refund(self, key: str, order: Order, word: Word) -> None:
        """`Teller.tell_refund`."""
        await self.handle(Settled(_origin(key, order, word.chat_id), order.app_id, word.page, word.result))

    async def tell_payout(self, key: str, order: Order, page: str, result: PayoutResult) -> None:
        """`Teller.tell_payout`."""
        await self.handle(Settled(_origin(key, order, order.chat_id), order.app_id, page, result))

    async def close(self) -> None:
        """Nothing is lost by not calling it; call it when no more events come."""
        await self._studio.close()

    async def _slow_down(self, origin: Origin) -> None:
        """A tap is answered; words are not, or a flood would be answered by a flood."""
        log.warning("too_fast")
        _ = translator(origin.language)
        await self._answer(origin, _("That is too fast. Please wait a moment."))

    async def _turn(self, event: Event) -> None:
        easel = self._studio.enter(event.origin.seat)
        try:
            async with easel.door:
                outcome = await self._charged(event.origin, await self._saved(event, easel))
                number = self._hang(event, outcome, easel)
            await self._answer(event.origin, outcome.toast, alert=outcome.alert)
            if outcome.shows is not None:
                await self._desk.bring_down(outcome.shows, event.origin)
            if number:
                await easel.paint(number)
            if outcome.raced_at is not None:
                self._studio.look_again(easel.seat, outcome.raced_at)
            if outcome.unheard:
                raise HookFailedError("The program's hook raised; the turn is undone, and it is told again.")
        finally:
            self._studio.leave(easel)

    async def _saved(self, event: Event, easel: Easel) -> Outcome:
        """Play until a save holds. A lost save means that nothing of the turn happened, but for orders, which repeat."""
        mark = event.origin.key if isinstance(event, Settled) else ""
        for _ in range(_TRIES_MAX):
            taken = await self._sessions.take(event.origin.seat, mark, lock_lives_s=self._lock_lives_s)
            easel.learn(taken.live, max(taken.last, event.origin.message_id or 0))
            try:
                outcome = await self._player.play(event, taken)
            except BaseException:
                await self._sessions.release(taken)
                raise
            if outcome.body is None:
                await self._sessions.release(taken)
                return outcome
            crashpoint("session.saving")
            saved = await self._sessions.save(taken, outcome.body, last=easel.last, writes=outcome.writes)
            if saved is Saved.DONE:
                crashpoint("session.saved")
                return replace(outcome, raced_at=taken.seq + 1 if taken.raced else None)
            log.warning("turn_lost", why=saved.name)
        raise ConflictError(f"The session changed under this turn {_TRIES_MAX} times.")

    async def _charged(self, origin: Origin, outcome: Outcome) -> Outcome:
        """Send the payers' codes of a turn that is saved. A code that is gone meanwhile was never sent."""
        for charge in outcome.charges:
            code = self._pocket.take(charge.slip)
            if code is None:
                continue
            answer = await self._checkout.charge(
                charge.order_id, code, charge.wallet, user_id=origin.seat.user_id
            )
            if isinstance(answer, Refused):
                outcome = replace(outcome, toast=charge_refusal_text(answer.why, origin.language))
        return outcome

    def _hang(self, event: Event, outcome: Outcome, easel: Easel) -> int:
        if outcome.screen is None:
            return 0
        notice = outcome.toast if event.origin.callback_id is None else ""
        return easel.ask_for(with_notice(outcome.screen, notice))

    async def _answer(self, origin: Origin, toast: str, *, alert: bool = False) -> None:
        if origin.callback_id is not None:
            await self._surface.answer(origin.callback_id, toast[:TOAST_UNITS_MAX], alert=alert)


def _origin(key: str, order: Order, chat_id: int) -> Origin:
    return Origin(key=f"o{key}", seat=Seat(chat_id, order.user_id), language=order.language)


def _asks_for_orders(event: Event) -> bool:
    """They are in the book, which is there when Redis is not."""
    return isinstance(event, Command) and event.name in ORDERS_COMMANDS
