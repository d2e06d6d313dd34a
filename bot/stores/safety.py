"""Is this Redis fit to hold what people are in the middle of? Asked at start; live payments wait for the answer."""

from typing import Final

from redis import asyncio as aioredis

from bot.stores.errors import StoreError

VERSION_MIN: Final = (6, 2)
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


async def redis_findings(client: aioredis.Redis) -> tuple[str, ...]:
    """What must be mended before live payments, each with the cure; empty when all is well.

    Read from INFO, which hosted servers answer where they refuse CONFIG.
    """
    if _in_memory(client):
        return (
            "No Redis server runs here, sessions are lost at every restart: install redis-server or set REDIS_URL.",
        )
    persistence = await client.info("persistence")
    memory = await client.info("memory")
    findings = []
    if not persistence.get("aof_enabled"):
        findings.append("Redis keeps no append-only file: set `appendonly yes` in redis.conf.")
    if persistence.get("aof_last_write_status", "ok") != "ok":
        findings.append("Redis cannot write its append-only file: free space on its disk.")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy not in _KEEPS:
        findings.append(
            f"Redis may throw sessions away (maxmemory-policy {policy}): set `maxmemory-policy noeviction`."
        )
    return tuple(findings)


def _in_memory(client: aioredis.Redis) -> bool:
    return type(client).__module__.startswith("fakeredis")
