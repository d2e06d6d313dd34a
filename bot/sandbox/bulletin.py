"""Tells the page that something has changed; what it is now, the page asks itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Topic(StrEnum):
    """What a person sees on the page."""

    CHAT = "chat"
    WALLETS = "wallets"
    CLOCK = "clock"
    RESET = "reset"


class Reader:
    """One open page. News it has not fetched yet is kept once per topic."""

    def __init__(self) -> None:
        self._news: dict[Topic, None] = {}
        self._come = asyncio.Event()

    def tell(self, topic: Topic) -> None:
        """Put it where `next` finds it."""
        self._news[topic] = None
        self._come.set()

    def wake(self) -> None:
        """Let `next` return with what there is."""
        self._come.set()

    async def next(self, timeout_s: float) -> tuple[Topic, ...]:
        """What has changed since the last call; empty when nothing did for that long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._come.wait()
        except TimeoutError:
            return ()
        news = tuple(self._news)
        self._news.clear()
        self._come.clear()
        return news


class Bulletin:
    """The board that all open pages read."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()

    def publish(self, topic: Topic) -> None:
        """Tell every open page."""
        for reader in self._readers:
            reader.tell(topic)

    def wake(self) -> None:
        """Let every open page look up, without news."""
        for reader in self._readers:
            reader.wake()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader for as long as the page is open."""
        reader = Reader()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
