"""A code that somebody sent while nobody had asked for one: what it is, or where it leads in this house."""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from bot.runtime.code_card import code_screen, house_link_screen, refused_screen, shared_order_screen
from bot.runtime.house import Door
from bot.runtime.ports import Counter
from bot.runtime.screen import Key, Screen
from bot.runtime.turn import Turn
from bot.texts import translator
from providers.sdk.clock import BEIJING, Clock
from providers.sdk.codes import LINK_PATH, CodeError, Flaw, OneCode, recognise

_PAGE: Final = re.compile(r"/[a-z]/[0-9A-Za-z_-]{16,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`base_url` is where our own links begin. The text is neither kept nor logged: it may be a payer code."""

    checkout: Counter
    base_url: str
    clock: Clock = field(repr=False)

    async def answer(self, turn: Turn, text: str) -> Screen | None:
        """A card about the code, with a way back; None for the person's own order, which the turn then shows."""
        language = turn.origin.language
        if self._is_house_link(text.strip()):
            return await self._aside(turn, house_link_screen(text.strip(), language))
        try:
            code = recognise(text.strip(), base_url=self.base_url)
        except CodeError as error:
            return await self._aside(turn, refused_screen(error, language))
        if isinstance(code, OneCode):
            return await self._our_own(turn, code)
        today = self.clock.now().astimezone(BEIJING).date()
        return await self._aside(turn, code_screen(code, language, today))

    def _is_house_link(self, text: str) -> bool:
        """A page of ours behind a token, but for an order's, which is looked up."""
        base = self.base_url.rstrip("/")
        path = text.removeprefix(base) if base else text
        return path != text and not path.startswith(LINK_PATH) and _PAGE.fullmatch(path) is not None

    async def _our_own(self, turn: Turn, code: OneCode) -> Screen | None:
        order = await self.checkout.find_by_link(code.token)
        if order is None:
            unknown = CodeError("No order has this link.", Flaw.UNKNOWN)
            return await self._aside(turn, refused_screen(unknown, turn.origin.language))
        seat = turn.origin.seat
        if (order.user_id, order.chat_id) == (seat.user_id, seat.chat_id):
            turn.shows, turn.mute = order, True
            return None
        link = code.link(self.base_url)
        return await self._aside(turn, shared_order_screen(order, link, turn.origin.language))

    async def _aside(self, turn: Turn, screen: Screen) -> Screen:
        """The card instead of the page in front, and a button that brings the page back."""
        _ = translator(turn.origin.language)
        front = turn.session.front
        await turn.leave()
        door = (
            Key("‹ " + _("Back"), f"h:{Door.OPEN}:{front}")
            if front
            else Key(_("Mini programs"), f"h:{Door.APPS}")
        )
        return replace(screen, rows=(*screen.rows, (door,)))
