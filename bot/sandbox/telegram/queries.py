"""Callback queries that are not answered yet, and the people who watch the spinning button."""

import asyncio

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.people import Tap
from bot.sandbox.telegram.updates import QUERY_LIFETIME_S
from bot.sandbox.telegram.wire import Wire
from providers.sdk.clock import Clock


class OpenQuery(Wire):
    """A tap that the bot may still answer."""

    id: str
    user_id: int
    chat_id: int
    opened_at: int


class Queries:
    """Every query is answered once; Telegram calls a second answer «too old» too."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        stored = (OpenQuery.model_validate_json(value) for _, value in journal.scan("query/"))
        self._open = {query.id: query for query in stored}
        self._watchers: dict[str, asyncio.Future[Tap]] = {}

    def open(self, user_id: int, chat_id: int) -> OpenQuery:
        """A new query with a number of its own."""
        number = self._journal.count("query")
        now = int(self._clock.now().timestamp())
        query = OpenQuery(id=str((user_id << 32) + number), user_id=user_id, chat_id=chat_id, opened_at=now)
        self._open[query.id] = query
        self._journal.put(f"query/{query.id}", query.json_bytes())
        self._watchers[query.id] = asyncio.get_running_loop().create_future()
        return query

    async def watch(self, query: OpenQuery, timeout_s: float) -> Tap:
        """Wait for the bot's answer as long as a person would."""
        watcher = self._watchers[query.id]
        try:
            async with asyncio.timeout(timeout_s):
                return await watcher
        except TimeoutError:
            return Tap(answered=False)
        finally:
            self._watchers.pop(query.id, None)

    def answer(self, query_id: str, tap: Tap) -> None:
        """Raise «query is too old …» for one that is unknown, answered, or expired."""
        query = self._open.pop(query_id, None)
        if query is None:
            raise bad_request(errors.QUERY_INVALID)
        self._journal.drop(f"query/{query_id}")
        if self._clock.now().timestamp() > query.opened_at + QUERY_LIFETIME_S:
            raise bad_request(errors.QUERY_INVALID)
        watcher = self._watchers.get(query_id)
        if watcher is not None and not watcher.done():
            watcher.set_result(tap)

    def clear(self) -> None:
        """Forget them all; nobody will answer."""
        self._journal.drop_all("query/")
        self._open.clear()
        for watcher in self._watchers.values():
            if not watcher.done():
                watcher.set_result(Tap(answered=False))
