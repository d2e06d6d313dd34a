"""One Redis for the room's tests: a real server on a socket of its own, emptied by prefixes, never by FLUSHALL."""

import itertools
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.runtime import Runtime, SessionStore
from bot.stores.embedded import redis_binary
from miniprograms.sdk import App
from tests.fakes.counter import FakeCounter
from tests.fakes.machine import FakeClock, FakeRandom
from tests.fakes.person import Person
from tests.fakes.surface import FakeSurface

_prefixes = itertools.count(1)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; kept from the console, where a traceback takes its time."""
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("r")
    path = folder / "r.sock"
    server = subprocess.Popen(
        [str(redis_binary()), "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(path)
        yield path
    finally:
        server.terminate()
        server.wait(10)


def wait_until_ready(path: Path) -> None:
    with PlainRedis(unix_socket_path=str(path)) as client:
        for _ in range(500):
            try:
                client.ping()
            except RedisConnectionError:
                time.sleep(0.01)
            else:
                return
    raise AssertionError("redis-server did not start")


@pytest.fixture
def prefix(worker_id) -> str:
    return f"t{worker_id}-{next(_prefixes)}"


@pytest.fixture
async def redis(redis_socket) -> AsyncIterator[Redis]:
    async with Redis(unix_socket_path=str(redis_socket)) as client:
        yield client


@pytest.fixture
def store(redis, prefix) -> SessionStore:
    return SessionStore(redis, FakeRandom(), prefix=prefix)


@pytest.fixture
def surface() -> FakeSurface:
    return FakeSurface()


@pytest.fixture
def counter() -> FakeCounter:
    return FakeCounter()


@pytest.fixture
def host(redis, prefix, counter, surface) -> Callable[..., Runtime]:
    """A host process, as far as one can tell: call it twice and there are two on one Redis."""
    numbers = itertools.count(1)

    def start(*programs: App, **more: object) -> Runtime:
        random = FakeRandom(f"process{next(numbers)}")
        more.setdefault("home", "com.example.shop")
        return Runtime(
            programs,
            SessionStore(redis, random, prefix=prefix),
            counter,
            surface,
            clock=FakeClock(),
            random=random,
            secret=SecretStr("a secret of the host, thirty-two characters"),
            web_url="https://pay.example.com",
            username=lambda: "moongate_bot",
            **more,
        )

    return start


@pytest.fixture
def person(surface) -> Callable[[Runtime], Person]:
    return lambda runtime, **more: Person(runtime, surface, **more)
