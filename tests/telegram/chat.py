"""What the tests of this room share: people, a clock that hurries, and an eye on the calls."""

import asyncio
from datetime import UTC, datetime

from bot.runtime.screen import Key, Screen
from bot.sandbox.telegram import Person
from miniprograms.sdk.view import Text

TOKEN = "4242:test-token"
ANN = Person(7, "Ann", language="en")
BO = Person(8, "Bo", language="zh-hans")


class HastyClock:
    """The machine's clock, but nobody waits long: what was asked for is written down."""

    def __init__(self):
        self.slept = []

    def now(self):
        return datetime.now(UTC)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0.01)


class Calls:
    """Every Bot API call that a bot makes, in order, and gates to hold some back on their way."""

    def __init__(self):
        self.seen = []
        self.gates = {}

    def watch(self, bot):
        bot.session.middleware(self._pass)

    def names(self):
        return [name for name, _ in self.seen]

    async def _pass(self, make_request, bot, method):
        call = (method.__api_method__, getattr(method, "chat_id", None))
        self.seen.append(call)
        if call in self.gates:
            await self.gates[call].wait()
        return await make_request(bot, method)


async def hang_up(bot):
    """aiogram's own close() waits a quarter of a second for TLS, which is not there."""
    session = bot.session._session
    if session is not None:
        await session.close()


async def until(true, within_s=5.0):
    """Wait for a fact."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  # the server under test has no event to wait for
            await asyncio.sleep(0.005)


def screen(text, *labels, picture=None, hint=None):
    rows = tuple((Key(label, f"t:{label}"),) for label in labels)
    return Screen((Text(text),), rows, picture, hint)


def said(api, chat_id=ANN.id):
    """What the bot's messages say, oldest first."""
    return [message.text for message in api.chat(chat_id) if message.from_bot]
