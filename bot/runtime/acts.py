"""What each event does to a turn. The turn runs the pages; a screen of the house, if one is called for, comes back."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.runtime import house
from bot.runtime.cashier import ORDERS_SHOWN, orders_screen
from bot.runtime.code_card import looks_like_code
from bot.runtime.drawing import read_token
from bot.runtime.events import Command, Event, Photo, Settled, Tap, Words
from bot.runtime.house import Door
from bot.runtime.inquiry import Inquiry
from bot.runtime.links import Links
from bot.runtime.ports import Counter
from bot.runtime.screen import Screen, Surface
from bot.runtime.turn import Turn
from bot.texts import translator
from miniprograms.sdk.actions import Options
from miniprograms.sdk.app import App
from miniprograms.sdk.scenes import Scene

# Telegram expects /paysupport of a bot that is paid: there, too, it is the orders that a person needs first.
ORDERS_COMMANDS: Final = frozenset({"orders", "paysupport"})
_FROM_LIST: Final = Options(scene=Scene.LIST)


@dataclass(frozen=True, slots=True)
class Acts:
    """`home` is the program that /start opens; without it, /start shows the list. `read_code` may take its time."""

    programs: Mapping[str, App]
    checkout: Counter
    surface: Surface
    links: Links
    inquiry: Inquiry
    read_code: Callable[[bytes], str | None]
    home: str = ""

    async def act(self, turn: Turn, event: Event) -> Screen | None:
        """Run the event, then whatever it queued, then render."""
        own: Screen | None = None
        drawn = True
        match event:
            case Tap():
                await self._tap(turn, event)
            case Command():
                own = await self._command(turn, event)
            case Words():
                own = await self._words(turn, event)
            case Photo():
                own = await self._photo(turn, event)
            case Settled():
                await turn.settled(event)
                drawn = turn.session.front == event.app_id
        return await self.finish(turn, own, drawn=drawn)

    async def finish(self, turn: Turn, own: Screen | None = None, *, drawn: bool = True) -> Screen | None:
        """The page in front, else the house's own screen."""
        await turn.finish(drawn=drawn)
        if turn.screen is not None or not drawn:
            return turn.screen
        return own or house.apps_screen(self.programs.values(), turn.origin.language)

    async def report(self, turn: Turn, app_id: str, message: str, *, drawn: bool = True) -> Screen | None:
        """Give the app its `on_error`, then show what there is."""
        if app_id in self.programs:
            await turn.report(app_id, message)
        return await self.finish(turn, drawn=drawn)

    async def _tap(self, turn: Turn, event: Tap) -> None:
        _ = translator(event.origin.language)
        key = house.read_key(event.data)
        token = read_token(event.data)
        if key is not None:
            await self._door(turn, key)
        elif token is None:
            turn.stale = True
        elif token.owner != event.origin.seat.user_id:
            turn.toast = _("This screen is somebody else's. /apps opens your own.")
            turn.mute = True
            return
        else:
            await turn.tap(token)
        if turn.stale:
            turn.toast = _("That button is out of date. This is the page as it is now.")

    async def _door(self, turn: Turn, key: house.HouseKey) -> None:
        if key.door is Door.APPS or key.app_id not in self.programs:
            await turn.leave()
        elif key.door is Door.RESTART:
            await turn.restart_program(key.app_id, _FROM_LIST)
        else:
            await turn.show_program(key.app_id, _FROM_LIST)

    async def _command(self, turn: Turn, event: Command) -> Screen | None:
        language = event.origin.language
        if event.name == "start":
            await self._start(turn, event.argument, Scene.LINK)
            return None
        await turn.leave()
        if event.name == "apps":
            return None
        if event.name in ORDERS_COMMANDS:
            orders = await self.checkout.orders_of(event.origin.seat.user_id, ORDERS_SHOWN)
            return orders_screen(orders, language)
        return house.help_screen(language)

    async def _start(self, turn: Turn, argument: str, scene: Scene) -> None:
        target = await self.links.find(argument) if argument else None
        if target is not None and target.app_id in self.programs:
            options = Options(path=target.path, query=target.query, scene=scene)
            await turn.show_program(target.app_id, options)
            return
        if argument:
            _ = translator(turn.origin.language)
            turn.toast = _("This link is out of date.")
        if self.home in self.programs:
            await turn.show_program(self.home, _FROM_LIST)
        else:
            await turn.leave()

    async def _words(self, turn: Turn, event: Words) -> Screen | None:
        if await turn.words(event.text):
            return None
        if not event.origin.seat.private:
            turn.mute = True  # in a group, people talk to each other
            return None
        if looks_like_code(event.text):
            return await self._unasked(turn, event.text.strip(), Scene.LINK)
        _ = translator(event.origin.language)
        turn.toast = _("Please use the buttons.")
        return None

    async def _photo(self, turn: Turn, event: Photo) -> Screen | None:
        if not event.origin.seat.private and not turn.waits_for_photo:
            turn.mute = True
            return None
        _ = translator(event.origin.language)
        try:
            content = await self.surface.fetch(event.file_id)
        except (LookupError, ConnectionError):
            turn.toast = _("This picture could not be fetched. Please send it again.")
            return None
        text = await asyncio.to_thread(self.read_code, content)
        if text is None:
            turn.toast = _("No code was found in this picture.")
            return None
        return None if await turn.scanned(text) else await self._unasked(turn, text, Scene.CODE)

    async def _unasked(self, turn: Turn, text: str, scene: Scene) -> Screen | None:
        """A code that no page waits for: a deep link of ours is followed, any other code is looked at."""
        start = self.links.start_of(text)
        if start is None:
            return await self.inquiry.answer(turn, text)
        await self._start(turn, start, scene)
        return None
