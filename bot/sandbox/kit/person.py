"""One person's chat, as a test speaks of it (`miniprograms.sdk.testing.Chat`)."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self

from bot.orders.order import Order
from bot.runtime.events import Command, Event, Origin, Photo, Seat, Tap, Words
from bot.runtime.links import Links
from bot.runtime.picture import qr_png
from bot.runtime.scanner import read_code
from bot.runtime.screen import Key, Screen
from bot.sandbox.kit.surface import keys_of, text_of
from bot.sandbox.kit.wallet import PersonWallet, PersonWallets
from bot.sandbox.kit.words import described, find_key
from miniprograms.sdk.app import App
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult
from miniprograms.sdk.route import QueryValue, read_url
from miniprograms.sdk.testing.vocabulary import PlayError

if TYPE_CHECKING:
    from bot.sandbox.world import World

ADDRESS: Final = "https://t.me/moongate_bot?start="
_MESSAGES_IN_SIGHT: Final = 2
_ORDERS_MAX: Final = 100


class PersonChat:
    """What the person does becomes events of the real runtime, with the numbers a messenger would give."""

    def __init__(self, world: "World", name: str, user_id: int, language: str) -> None:
        self.name, self.user_id, self.language = name, user_id, language
        self.world = world
        self.wallets = PersonWallets(self)
        self.wallet = PersonWallet(self)
        self._program = ""
        self._taps: list[tuple[str, str]] = []  # callback id, label
        self._tapped = False  # the last thing that was done was a tap

    # --- doing

    def open(self, program: str | App, path: str = "", **query: QueryValue) -> Self:
        """A link is made as the runtime makes it, and followed as a messenger would."""
        if isinstance(program, App):
            self.world.install(program)
            program = program.manifest.app_id
        if program not in self.world.programs:
            raise PlayError(
                f"No mini program {program!r} is installed. Installed: {', '.join(self.world.programs) or 'none'}."
                " Install its package, or open the App itself: chat.open(app)."
            )
        self._program = program
        links = Links(self.world.sessions, lambda start: ADDRESS + start)
        route, whole = read_url(path, query)
        if whole and not route:  # a link with a query leads to a page, which is home unless it says another
            route = self.world.programs[program].manifest.home
        return self._follow(self.world.act(links.make(program, route, whole)))

    def launch(self, path: str = "", **query: QueryValue) -> Self:
        if not self._program:
            raise PlayError("Nothing was opened yet: chat.open(app_id) first.")
        return self.open(self._program, path, **query)

    def send(self, text: str) -> Self:
        if not text.startswith("/"):
            return self._do(Words(self._origin(), text))
        name, _, argument = text[1:].partition(" ")
        return self._do(Command(self._origin(), name, argument))

    def send_code(self, text: str) -> Self:
        file_id = f"picture{self.world.next_update()}"
        self.world.surface.pictures[file_id] = qr_png(text)
        return self._do(Photo(self._origin(), file_id))

    def tap(self, label: str, *, twice: bool = False) -> Self:
        message_id, key = self._key(label)
        if key.url.startswith(ADDRESS):
            return self._follow(key.url)
        if not key.data:
            what = f"opens {key.url}" if key.url else f"copies {key.copy!r}"
            raise PlayError(f"The button {key.label!r} {what}: the bot does not hear of it.")
        return self.press(message_id, key, times=2 if twice else 1)

    def press(self, message_id: int, key: Key, *, times: int = 1) -> Self:
        """Tap that button of that message, all taps at once."""
        return self._do(*(self._tap(message_id, key) for _ in range(times)))

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> Self:
        self.world.advance(seconds + 60 * minutes + 3600 * hours + 86400 * days)
        return self

    def restart_host(self, *, on_post: bool = False) -> Self:
        self.world.restart_host(on_post=on_post)
        return self

    def follow(self, address: str) -> Self:
        if not address.startswith(ADDRESS):
            raise PlayError(f"{address!r} does not lead to this bot.")
        return self._follow(address)

    # --- looking

    def see(self, text: str) -> Self:
        if text not in self.screen and text not in self.toast:
            raise PlayError(f"The screen does not show {text!r}.\n{self.described()}")
        return self

    def not_see(self, text: str) -> Self:
        if text in self.screen or text in self.toast:
            raise PlayError(f"The screen should not show {text!r}.\n{self.described()}")
        return self

    def link(self, label: str) -> str:
        _, key = self._key(label)
        if not key.url:
            raise PlayError(f"The button {key.label!r} opens no address.\n{self.described()}")
        return key.url

    @property
    def screen(self) -> str:
        return "\n\n".join(map(text_of, self.in_sight()))

    @property
    def history(self) -> str:
        standing = [screen for _, screen in self.world.surface.from_newest(self.user_id)]
        return "\n\n".join(map(text_of, reversed(standing)))

    @property
    def buttons(self) -> tuple[str, ...]:
        return tuple(key.label for screen in self.in_sight() for key in keys_of(screen))

    @property
    def ways_on(self) -> tuple[str, ...]:
        screens = self.in_sight()
        taps = [key.label for screen in screens for key in keys_of(screen) if key.data]
        return (*taps, *("(write)" for screen in screens if screen.input_hint is not None))

    @property
    def toast(self) -> str:
        answers = self.world.surface.answers.get(self._taps[-1][0], []) if self._tapped else []
        return answers[-1][0] if answers else ""

    @property
    def unanswered(self) -> tuple[str, ...]:
        return tuple(label for callback, label in self._taps if callback not in self.world.surface.answers)

    @property
    def results(self) -> tuple[PaymentResult, ...]:
        mine = {order.id for order in self.orders}
        heard = (one for one in self.world.results if isinstance(one, PaymentResult))
        return tuple(result for result in heard if result.order_id in mine)

    @property
    def refunds(self) -> tuple[RefundResult, ...]:
        mine = {order.id for order in self.orders}
        heard = (one for one in self.world.results if isinstance(one, RefundResult))
        return tuple(result for result in heard if result.order_id in mine)

    @property
    def payouts(self) -> tuple[PayoutResult, ...]:
        mine = {order.id for order in self.orders}
        heard = (one for one in self.world.results if isinstance(one, PayoutResult))
        return tuple(result for result in heard if result.order_id in mine)

    @property
    def shown_code(self) -> str:
        pictures = [screen.picture for screen in self.in_sight() if screen.picture]
        code = read_code(pictures[-1]) if pictures else None
        if code is None:
            raise PlayError(f"No code is shown here.\n{self.described()}")
        return code

    @property
    def orders(self) -> Sequence[Order]:
        return self.world.act(self.world.checkout.orders_of(self.user_id, _ORDERS_MAX))

    def in_sight(self) -> list[Screen]:
        """The messages that stand in front of the person, top to bottom."""
        standing = [screen for _, screen in self.world.surface.from_newest(self.user_id)]
        return standing[:_MESSAGES_IN_SIGHT][::-1]

    def described(self) -> str:
        """The screen, for the text of an error."""
        return described(self.in_sight(), self.toast)

    # --- events

    def _key(self, label: str) -> tuple[int, Key]:
        found = find_key(self.world.surface.from_newest(self.user_id), label)
        if found is None:
            raise PlayError(f"There is no button {label!r}.\n{self.described()}")
        return found

    def _tap(self, message_id: int, key: Key) -> Tap:
        origin = self._origin(message_id=message_id, label=key.label)
        return Tap(origin, key.data)

    def _follow(self, address: str) -> Self:
        return self._do(Command(self._origin(), "start", address.removeprefix(ADDRESS)))

    def _origin(self, *, message_id: int | None = None, label: str = "") -> Origin:
        number = self.world.next_update()
        self._tapped = bool(label)
        if label:
            self._taps.append((f"c{number}", label))
        return Origin(
            key=f"u{number}",
            seat=Seat(self.user_id, self.user_id),
            language=self.language,
            message_id=message_id or self.world.surface.person_writes(),
            callback_id=f"c{number}" if label else None,
        )

    def _do(self, *events: Event) -> Self:
        async def all_at_once() -> None:
            await asyncio.gather(*map(self.world.runtime.handle, events))

        self.world.act(all_at_once())
        return self
