"""Joins the handlers into one app; every response leaves with the same few headers."""

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from bot.orders.checkout import Checkout
from bot.runtime.signboard import Signboard
from bot.web.health import Check, Health, metrics_routes
from bot.web.inside import Inside
from bot.web.notify import BODY_BYTES_MAX, Notifications
from bot.web.onecode import OneCode
from bot.web.passes import Passes
from bot.web.standing import StandingPage
from providers.sdk.clock import Clock

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Server": "moongate",
}


def build_web(
    checkout: Checkout,
    clock: Clock,
    *,
    checks: Mapping[str, Check],
    signboard: Signboard | None = None,
    passes: Passes | None = None,
    metrics: CollectorRegistry | None = None,
    routes: Iterable[web.AbstractRouteDef] = (),
) -> web.Application:
    """The host's web app. `routes` are the messenger's own (its webhook); without `metrics` there is no `/metrics`.

    Without a `signboard`, the one-code page shows no code for another phone; without `passes`, no wallet pays by its
    own bridge.
    """
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.add_routes(Notifications(checkout).routes())
    inside = Inside(checkout, passes, signboard) if passes and signboard else None
    app.add_routes(OneCode(checkout, clock, signboard, inside).routes())
    app.add_routes(StandingPage(checkout).routes())
    app.add_routes(Health(checks).routes())
    if metrics is not None:
        app.add_routes(metrics_routes(metrics))
    app.add_routes(routes)
    app.on_response_prepare.append(_sign_off)
    return app


async def _sign_off(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
