"""Is it alive, is it ready, how is it doing: for supervisors and dashboards, never with a detail of anybody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import NotReadyError

Check = Callable[
    [], Awaitable[object]
]  # returns when all is well; raises `NotReadyError` with the reason, or what a store raises

_ANSWER_WITHIN_S: Final = 2.0


class Health:
    """`/healthz` answers while the process turns; `/readyz` asks every store, all at once."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def routes(self) -> list[web.RouteDef]:
        """Two addresses."""
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        """The event loop turns."""
        return web.Response(text="ok\n")

    async def ready(self, _request: web.Request) -> web.Response:
        """200 when every store answers, else 503; the body names each."""
        answers = await asyncio.gather(*map(_answer, self._checks.values()))
        status = 200 if not any(answers) else 503
        names = {name: words or "ok" for name, words in zip(self._checks, answers, strict=True)}
        return web.json_response(names, status=status)


def metrics_routes(registry: CollectorRegistry) -> list[web.RouteDef]:
    """`/metrics` in Prometheus' text form."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )

    return [web.get("/metrics", metrics)]


def build_metrics(registry: CollectorRegistry) -> web.Application:
    """An app of its own for `METRICS_PORT`, out of the internet's reach."""
    app = web.Application()
    app.add_routes(metrics_routes(registry))
    return app


async def _answer(check: Check) -> str:
    """What is wrong; empty when nothing is."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            await check()
    except NotReadyError as error:
        return str(error)
    except (RedisError, SQLAlchemyError, OSError):
        return "no answer"
    return ""
