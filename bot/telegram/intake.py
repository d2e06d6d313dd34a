"""The edge at which updates come in: one at a time per seat, and nothing that goes wrong inside comes out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from aiogram.types import Update
from pydantic import ValidationError

from bot.crashpoint import crashpoint
from bot.runtime.cashier import read_key
from bot.runtime.errors import RuntimeFault
from bot.runtime.events import Event, Seat, Tap
from bot.runtime.screen import Screen, Surface
from bot.telegram.invoices import InvoiceDoor, tells_of_money
from bot.telegram.turns import Recent, Turns
from bot.telegram.updates import read
from bot.texts import translator
from miniprograms.sdk.view import Text

RawUpdate = Mapping[str, Any]
Handle = Callable[[Event], Awaitable[None]]
COMES_AGAIN_MAX: Final = (
    50  # some twelve minutes of polling; an update that never works must not block the others
)
TRANSIENT: Final[tuple[type[Exception], ...]] = (RuntimeFault, ConnectionError, TimeoutError)
_HICCUPS: Final = 1  # failures of a written update that nobody is told of
_FAILURES: Final = 1024

_log = structlog.get_logger(__name__)


class Intake:
    """`handle` returns when the effects of an event are durable; until then Telegram keeps the update.

    Updates of one seat are handled in their order, except that one which must come again lets others pass.
    """

    def __init__(
        self,
        handle: Handle,
        surface: Surface,
        *,
        invoices: InvoiceDoor | None = None,
        transient: tuple[type[Exception], ...] = TRANSIENT,
    ) -> None:
        self._handle = handle
        self._invoices = invoices
        self._surface = surface
        self._transient = transient
        self._turns: Turns[Seat] = Turns()
        self._failures: Recent[str, int] = Recent(_FAILURES)
        self.username = ""

    async def take(self, raw: RawUpdate) -> bool:
        """True when the update may be acknowledged. False when it must come again: a store or Telegram is away."""
        try:
            update = Update.model_validate(raw)
        except ValidationError as error:
            _log.warning("update_not_understood", update_id=raw.get("update_id"), errors=error.error_count())
            return True
        if self._invoices is not None and update.pre_checkout_query is not None:
            await self._invoices.answer(update.pre_checkout_query)
            return True
        if self._invoices is not None and tells_of_money(update):
            return await self._handed_over(self._invoices, raw)
        event = read(update, self.username)
        if event is None:
            await self._let_go(update)
            return True
        async with self._turns.turn(event.origin.seat):
            return await self._handled(event)

    async def _handed_over(self, invoices: InvoiceDoor, raw: RawUpdate) -> bool:
        """Telegram keeps the word of a payment until the book has it, or it has been refused for a long time."""
        key = f"u{raw['update_id']}"
        try:
            taken = await invoices.hand_over(raw)
        except Exception as error:  # noqa: BLE001  # the update edge
            _log.exception("payment_not_stored", update_key=key, cause=type(error).__name__)
            taken = False
        if taken:
            self._failures.forget(key)
            return True
        failures = (self._failures.get(key) or 0) + 1
        self._failures.put(key, failures)
        if failures >= COMES_AGAIN_MAX:
            _log.error(
                "payment_given_up", update_key=key, advice="Telegram's ledger has it; the sweeper asks."
            )
        return failures >= COMES_AGAIN_MAX

    async def _handled(self, event: Event) -> bool:
        key = event.origin.key
        try:
            await self._handle(event)
        except self._transient as error:
            failures = (self._failures.get(key) or 0) + 1
            self._failures.put(key, failures)
            _log.warning("update_not_durable", update_key=key, failures=failures, cause=type(error).__name__)
            if failures < COMES_AGAIN_MAX:
                await self._ask_for_patience(event, failures)
                return False
            await self._apologise(event)
        except Exception as error:  # noqa: BLE001  # the update edge
            _log.exception(
                "update_failed", update_key=key, kind=type(event).__name__, cause=type(error).__name__
            )
            await self._apologise(event)
        self._failures.forget(key)
        crashpoint("update.durable")
        return True

    async def _ask_for_patience(self, event: Event, failures: int) -> None:
        """Once per update: at once for a tap, which spins; for what was written only when it is no mere hiccup."""
        if failures == (1 if event.origin.callback_id is not None else _HICCUPS + 1):
            _ = translator(event.origin.language)
            text = _(
                "We are out of order for a moment. What you have just done is kept and happens by itself soon, so please do not repeat it. Orders and payments are safe."
            )
            await self._say(event, text)

    async def _apologise(self, event: Event) -> None:
        await self._say(event, apology(event))

    async def _say(self, event: Event, text: str) -> None:
        try:
            if event.origin.callback_id is not None:
                await self._surface.answer(event.origin.callback_id, text, alert=True)
            else:
                await self._surface.draw(event.origin.seat.chat_id, Screen((Text(text),)), edit=None)
        except Exception:  # noqa: BLE001  # the update edge
            _log.exception("apology_failed", update_key=event.origin.key)

    async def _let_go(self, update: Update) -> None:
        """A tap that is nothing to us must not spin for ever."""
        if update.callback_query is not None:
            await self._surface.answer(update.callback_query.id)


def apology(event: Event) -> str:
    """Neutral words for what broke on our side, with the order number where money is concerned. Fits a toast."""
    _ = translator(event.origin.language)
    key = read_key(event.data) if isinstance(event, Tap) else None
    if key is None:
        return _("Something went wrong here. Please try again.")
    text = _(
        "Something went wrong here. Order {order_id} is safe, and so is what you have paid. Please try again."
    )
    return text.format(order_id=key.order_id)
