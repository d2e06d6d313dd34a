"""A person in a chat, writing and tapping through a runtime, with the update numbers a messenger would give."""

import itertools
from dataclasses import dataclass, field, replace

from bot.runtime import Runtime
from bot.runtime.events import Command, Origin, Photo, Seat, Tap, Words
from bot.runtime.screen import Screen
from miniprograms.sdk.payment import PaymentResult, PaymentStatus
from tests.fakes.counter import FakeCounter
from tests.fakes.surface import FakeSurface, text_of

_updates = itertools.count(1)


@dataclass
class Person:
    runtime: Runtime
    surface: FakeSurface
    user_id: int = 7
    chat_id: int = 7
    language: str = "en"
    last: Tap | None = field(default=None)

    def origin(self, *, message_id: int | None = None, callback: bool = False) -> Origin:
        update = next(_updates)
        return Origin(
            key=f"u{update}",
            seat=Seat(self.chat_id, self.user_id),
            language=self.language,
            message_id=message_id,
            callback_id=f"c{update}" if callback else None,
        )

    async def command(self, name: str, argument: str = "") -> None:
        await self.runtime.handle(
            Command(self.origin(message_id=self.surface.person_writes()), name, argument)
        )

    async def write(self, text: str) -> None:
        await self.runtime.handle(Words(self.origin(message_id=self.surface.person_writes()), text))

    async def photo(self, file_id: str) -> None:
        await self.runtime.handle(Photo(self.origin(message_id=self.surface.person_writes()), file_id))

    def finger(self, label: str) -> Tap:
        """A tap that is not sent yet."""
        message_id, key = self.surface.key(self.chat_id, label)
        return Tap(self.origin(message_id=message_id, callback=True), key.data)

    def again(self, tap: Tap) -> Tap:
        """The same button once more: another update."""
        return replace(tap, origin=self.origin(message_id=tap.origin.message_id, callback=True))

    async def tap(self, label: str) -> str:
        """Tap and return the toast."""
        self.last = self.finger(label)
        return await self.send(self.last)

    async def send(self, tap: Tap) -> str:
        await self.runtime.handle(tap)
        return self.toast(tap)

    def toast(self, tap: Tap) -> str:
        assert tap.origin.callback_id is not None
        answers = self.surface.answers.get(tap.origin.callback_id, [])
        return answers[-1][0] if answers else "(no answer)"

    def screen(self) -> Screen:
        return self.surface.newest(self.chat_id)[1]

    def sees(self) -> str:
        return text_of(self.screen())

    def labels(self) -> list[str]:
        return [key.label for row in self.screen().rows for key in row]

    async def settle(
        self, counter: FakeCounter, order_id: str, status: PaymentStatus, key: str | None = None
    ) -> None:
        order = counter.orders[order_id]
        result = PaymentResult(
            order_id=order.id, order_key=order.order_key, status=status, amount=order.amount
        )
        await self.runtime.tell(key or f"{next(_updates)}", order, result)
