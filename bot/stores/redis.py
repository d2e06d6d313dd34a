"""Opening Redis: the server of `REDIS_URL`, else the embedded one, else (with a warning) memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import urlsplit

import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from bot.settings import Settings
from bot.stores.embedded import EmbeddedRedis, redis_binary
from bot.stores.errors import StoreError
from bot.stores.folder import prepare_data_dir
from bot.stores.safety import check_version, is_cluster

_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
_ANSWER_WITHIN_S: Final = 5.0
_CONNECTIONS_MAX: Final = 200
log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[aioredis.Redis]:
    """A client of bytes, and the server behind it when that is ours to run.

    A server that does not answer is no reason to stay shut: notifications need none, and `keep_watch` looks for it.
    A cluster is recognised by its own word; any of its nodes will do as the address.

    Raises `StoreError`, whose text is one sentence for the operator.
    """
    url = settings.redis_url.get_secret_value()
    if url:
        async with _remote(url) as client:
            yield client
        return
    binary = redis_binary()
    if binary is None:
        async with _in_memory() as client:
            yield client
        return
    server = EmbeddedRedis(binary, prepare_data_dir(settings) / "redis")
    await server.start()
    try:
        async with aioredis.Redis(unix_socket_path=server.socket, **_limits()) as client, _kept(server):
            yield client
    finally:
        await server.stop()


@asynccontextmanager
async def _kept(server: EmbeddedRedis) -> AsyncIterator[None]:
    keeping = asyncio.create_task(server.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def _remote(url: str) -> AsyncIterator[aioredis.Redis]:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise StoreError(
            "REDIS_URL starts with redis://, rediss:// or unix://; unset it to use the embedded Redis."
        )
    where = parts.path if parts.scheme == "unix" else (parts.hostname or "localhost")
    try:
        client = aioredis.Redis.from_url(url, **_limits())
    except ValueError:
        raise StoreError("REDIS_URL cannot be read: write redis://:password@host:6379/0.") from None
    async with client:
        if not await _greet(client, where):
            yield client
            return
    async with RedisCluster.from_url(url, **_limits()) as cluster:
        # The same commands; every script and transaction of the house keeps to keys of one hash tag.
        yield cast(aioredis.Redis, cluster)


async def _greet(client: aioredis.Redis, where: str) -> bool:
    """Whether it is a cluster, as far as it says. Raises `StoreError`."""
    try:
        await client.ping()
        await check_version(client)
        return await is_cluster(client)
    except redis_errors.AuthenticationError:
        raise StoreError(f"Redis at {where} refuses the password: correct it in REDIS_URL.") from None
    except (redis_errors.RedisError, OSError) as error:
        log.warning(
            "redis_away",
            where=where,
            cause=type(error).__name__,
            advice="Start it, or unset REDIS_URL to use the embedded one. Payments are taken meanwhile; people who "
            "use a mini program are asked for patience.",
        )
        return False


@asynccontextmanager
async def _in_memory() -> AsyncIterator[aioredis.Redis]:
    from fakeredis import FakeAsyncRedis  # noqa: PLC0415  # half a second of import that a real server never needs

    log.warning(
        "No redis-server starts on this machine: sessions live in memory and are LOST at every restart."
    )
    async with FakeAsyncRedis() as client:
        yield client


def _limits() -> dict[str, Any]:
    """A dead server is noticed in seconds; three quick retries outlive its restart.

    A server that has become a replica is left at once: its name may lead to another by now. Silence is not tried
    again, a person waits; what the house sends may have had its effect, and knows what to do then.
    """
    return {
        "socket_timeout": _ANSWER_WITHIN_S,
        "socket_connect_timeout": _ANSWER_WITHIN_S,
        "max_connections": _CONNECTIONS_MAX,
        "health_check_interval": 30,
        "retry": Retry(
            ExponentialBackoff(cap=1, base=0.05),
            3,
            supported_errors=(redis_errors.ConnectionError, redis_errors.ReadOnlyError),
        ),
    }
