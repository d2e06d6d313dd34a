"""Is this Redis fit to hold what people are in the middle of? Asked at start; live payments wait for the answer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from redis import asyncio as aioredis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ResponseError

from bot.stores.errors import StoreError

VERSION_MIN: Final = (6, 2)
Info = Mapping[str, Any]
_TIGHT_TENTHS: Final = 7
_KEEPS: Final = frozenset({"noeviction"})


async def check_version(client: aioredis.Redis) -> None:
    """Raise `StoreError` when the server is older than we can use."""
    text = str((await client.info("server")).get("redis_version", "0"))
    version = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    if version < VERSION_MIN:
        wanted = ".".join(map(str, VERSION_MIN))
        raise StoreError(
            f"Redis {text} is too old: Moongate needs {wanted} or newer; unset REDIS_URL to use its own."
        )


async def is_cluster(client: aioredis.Redis) -> bool:
    """Whether the server is a node of a Redis Cluster."""
    return bool((await client.info("server")).get("redis_mode") == "cluster")


async def redis_findings(client: aioredis.Redis) -> tuple[str, ...]:
    """What must be mended before live payments, each with the cure; empty when all is well.

    Read from INFO, which hosted servers answer where they refuse CONFIG.
    """
    if _in_memory(client):
        return (
            "No Redis server runs here, sessions are lost at every restart: install redis-server or set REDIS_URL.",
        )
    findings: dict[str, None] = {}  # the same on several nodes is said once
    sections = [await _every(client, section) for section in ("persistence", "memory", "replication")]
    for persistence, memory, replication in zip(*sections, strict=True):
        findings |= dict.fromkeys(objections(persistence, memory, replication))
    findings |= dict.fromkeys(_slow_to_disk(await _appendfsync(client)))
    return tuple(findings)


async def redis_pressure(client: aioredis.Redis) -> tuple[str, ...]:
    """Memory that is about to run out: a full server takes no more forms, and says so to nobody."""
    if _in_memory(client):
        return ()
    words: dict[str, None] = {}
    for memory in await _every(client, "memory"):
        limit, used = int(memory.get("maxmemory", 0)), int(memory.get("used_memory", 0))
        if limit and used * 10 >= limit * _TIGHT_TENTHS:
            words["Redis is nearly full: raise `maxmemory`, or mini programs will have to wait."] = None
    return tuple(words)


def objections(persistence: Info, memory: Info, replication: Info) -> Iterator[str]:
    """What in a server's own words of itself loses sessions. Pure."""
    if replication.get("role", "master") != "master":
        yield "Redis is a replica, which takes no writes: name the primary in REDIS_URL."
    if not persistence.get("aof_enabled"):
        yield "Redis keeps no append-only file: set `appendonly yes` in redis.conf."
    if persistence.get("aof_last_write_status", "ok") != "ok":
        yield "Redis cannot write its append-only file: free space on its disk."
    if persistence.get("rdb_last_bgsave_status", "ok") != "ok":
        yield "Redis could not save its data and may refuse to write: free space on its disk, then BGSAVE."
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy not in _KEEPS:
        yield f"Redis may throw sessions away (maxmemory-policy {policy}): set `maxmemory-policy noeviction`."


def _slow_to_disk(appendfsync: str) -> Iterator[str]:
    if appendfsync == "no":
        yield "Redis leaves its append-only file to the kernel: set `appendfsync everysec` or `always`."


async def _appendfsync(client: aioredis.Redis | RedisCluster) -> str:
    """As CONFIG tells; empty where a hosted server refuses the question."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync", ""))
    except ResponseError:
        return ""


async def _every(client: aioredis.Redis | RedisCluster, section: str) -> list[Info]:
    """INFO of the server, or of every primary of a cluster."""
    if isinstance(client, RedisCluster):
        return [await client.info(section, target_nodes=node) for node in client.get_primaries()]
    return [await client.info(section)]


def _in_memory(client: aioredis.Redis) -> bool:
    return type(client).__module__.startswith("fakeredis")
