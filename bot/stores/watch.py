"""Looks after Redis while the host is open: what is refused at the start is refused when it first answers later."""

from collections.abc import Callable
from typing import Final

import structlog
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from bot.stores.errors import StoreError
from bot.stores.safety import check_version, is_cluster, redis_findings, redis_pressure
from providers.sdk.clock import Clock

_LOOK_EVERY_S: Final = (1.0, 15.0)  # while it is away, while all is well
Findings = tuple[str, ...]
log = structlog.get_logger(__name__)


async def keep_watch(
    client: aioredis.Redis,
    clock: Clock,
    *,
    judge: Callable[[Findings], None],
    alert: Callable[[str], None],
) -> None:
    """Until cancelled. `judge` hears the findings at the first answer and raises when they forbid to go on.

    Whatever changes afterwards is told once: Redis gone and back, a setting made unsafe, memory running out.
    Raises `StoreError` for a server that only a new start can use.
    """
    said: Findings = ()
    greeted = False
    while True:
        found = await _look(client, first=not greeted)
        if found is not None and not greeted:
            judge(found)
            greeted = True
        now = (_AWAY,) if found is None else (*found, *await _pressure(client))
        for finding in now:
            if finding not in said:
                alert(finding)
        if said and not now:
            log.info("redis_is_well_again")
        said = now
        await clock.sleep(_LOOK_EVERY_S[0 if found is None else 1])


_AWAY: Final = (
    "Redis does not answer: payments go on, mini programs wait. Start it, or look at the network in between."
)


async def _look(client: aioredis.Redis, *, first: bool) -> Findings | None:
    """The findings; None while there is no answer."""
    try:
        if first:
            await check_version(client)
            if type(client) is aioredis.Redis and await is_cluster(client):
                raise StoreError("Redis has turned out to be a cluster: start Moongate again.")
        return await redis_findings(client)
    except (RedisError, OSError):
        return None


async def _pressure(client: aioredis.Redis) -> Findings:
    try:
        return await redis_pressure(client)
    except (RedisError, OSError):
        return ()
