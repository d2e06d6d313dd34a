"""The one-code page: one link that every wallet can scan.

A wallet's own web view is led straight to its pay sheet, or shown its code. Everybody else chooses. Reading the page
moves no money and opens nothing: an attempt is opened for a wallet's web view, or by a person's tap (POST).
"""

import asyncio
from typing import Final

from aiohttp import web
from markupsafe import Markup

from bot.orders.answers import Opened, Refused
from bot.orders.checkout import Checkout
from bot.orders.order import Attempt, Order
from bot.runtime.signboard import Signboard
from bot.web.inside import BACK_PATH, Inside
from bot.web.page import PageState, compose, direct_address, is_gone, left_s, page_state
from bot.web.paper import NO_STORE, TEMPLATES, hash_source, open_templates
from bot.web.visit import Visit
from bot.web.words import gone, translate, words
from providers.sdk.clock import Clock
from providers.sdk.codes import is_token
from providers.sdk.wallets import Wallet

_FORM_BYTES_MAX: Final = 1024
_FORM_WITHIN_S: Final = 5.0


class OneCode:
    """The handlers of `/p/{token}`. Holds nothing but the till, the clock, the signboard and the templates."""

    def __init__(
        self,
        checkout: Checkout,
        clock: Clock,
        signboard: Signboard | None = None,
        inside: Inside | None = None,
    ) -> None:
        self._checkout = checkout
        self._inside = inside
        self._clock = clock
        self._signboard = signboard
        environment = open_templates()
        self._template = environment.get_template("code.html")
        self._gone = environment.get_template("gone.html")
        self._style = (TEMPLATES / "code.css").read_text(encoding="utf-8")
        self._script = (TEMPLATES / "code.js").read_text(encoding="utf-8")
        # No third party, no frame, no inline code but these two texts (CSP Level 3, "hash-source").
        self._policy = (
            f"default-src 'none'; img-src data:; style-src {hash_source(self._style)}; script-src {hash_source(self._script)}; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

    def routes(self) -> list[web.RouteDef]:
        """The addresses of one order."""
        return [
            web.get("/p/{token}", self.read, allow_head=True),
            web.post("/p/{token}", self.choose),
            web.get("/p/{token}/state", self.state),
            web.get("/p/{token}" + BACK_PATH, self.come_back),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Show the page; a wallet's web view is taken as the wish to pay with that wallet."""
        order, visit = await self._find(request), Visit.of(request)
        if order is None:
            return self._nothing(visit)
        if visit.inside is not None and page_state(order, self._clock.now()) is PageState.OPEN:
            return self._from_inside(request, visit, order) or await self._pay_with(
                visit, order, visit.inside
            )
        return self._show(visit, order, visit.wallet)

    async def come_back(self, request: web.Request) -> web.StreamResponse:
        """A wallet's institution has sent its visitor back."""
        order, visit = await self._find(request), Visit.of(request)
        if order is None or self._inside is None:
            return self._nothing(visit)
        if visit.inside is None or page_state(order, self._clock.now()) is not PageState.OPEN:
            return self._show(visit, order, None)
        answer = await self._inside.come_back(request, order, visit.inside)
        return (
            self._show(visit, answer.order or order, None, answer) if isinstance(answer, Refused) else answer
        )

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """A person chose a wallet: open it, then show it under an address that can be read again."""
        order, visit = await self._find(request), Visit.of(request)
        if order is None:
            return self._nothing(visit)
        if (request.content_length or 0) > _FORM_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(_FORM_BYTES_MAX, request.content_length or 0)
        async with asyncio.timeout(_FORM_WITHIN_S):
            wallet = Visit.wallet_named(str((await request.post()).get("wallet", "")))
        if wallet is None:
            return self._show(visit, order, None)
        answer = await self._checkout.open(order.id, wallet)
        if isinstance(answer, Refused):
            return self._show(visit, answer.order or order, None, answer)
        return _go(visit.address(wallet=wallet.value))  # relative: a proxy may have taken a prefix off

    async def state(self, request: web.Request) -> web.StreamResponse:
        """What the page asks every few seconds."""
        order = await self._find(request)
        if order is None:
            return web.json_response({"state": "gone"}, status=404, headers=NO_STORE)
        now = self._clock.now()
        return web.json_response(
            {"state": page_state(order, now).value, "left_s": left_s(order, now)}, headers=NO_STORE
        )

    async def _find(self, request: web.Request) -> Order | None:
        """The order of this link; None for one that never was, and for one whose time is over: they are answered alike."""
        token = request.match_info["token"]
        order = await self._checkout.find_by_link(token) if is_token(token) else None
        if order is None or order.by_payer_code or is_gone(order, self._clock.now()):
            return None  # of a till's order nobody was ever given a link
        return order

    def _from_inside(self, request: web.Request, visit: Visit, order: Order) -> web.Response | None:
        """For a wallet that pays by its own bridge: the page for it, or the way to it. None: it looks at a code."""
        if self._inside is None or visit.inside is None or visit.by_code:
            return None
        attempt = self._inside.ready(request, order, visit.inside)
        if attempt is not None:
            return self._show(visit, order, None, attempt=attempt)
        return self._inside.way_out(order, visit.inside)

    async def _pay_with(self, visit: Visit, order: Order, wallet: Wallet) -> web.StreamResponse:
        answer = await self._checkout.open(order.id, wallet)
        if isinstance(answer, Opened):
            address = direct_address(wallet, answer.attempt)
            if address:
                return _go(address)
            return self._show(visit, answer.order, wallet)
        return self._show(visit, answer.order or order, None, answer)

    def _show(
        self,
        visit: Visit,
        order: Order,
        wallet: Wallet | None,
        refused: Refused | None = None,
        attempt: Attempt | None = None,
    ) -> web.Response:
        page = compose(
            order,
            visit,
            self._clock.now(),
            offers=self._checkout.offers(order),
            refusals=self._checkout.refusals(order),
            signboard=self._signboard,
            wallet=wallet,
            refused=refused,
            in_app=attempt,
        )
        text = self._template.render(
            page=page,
            words=words(translate(page.language)),
            style=Markup(self._style),  # noqa: S704  # our own file
            script=Markup(self._script),  # noqa: S704  # our own file
        )
        return self._html(text)

    def _nothing(self, visit: Visit) -> web.Response:
        language = visit.language("en")
        text = self._gone.render(
            language=language,
            text=gone(translate(language)),
            style=Markup(self._style),  # noqa: S704  # our own file
        )
        return self._html(text, status=404)

    def _html(self, text: str, status: int = 200) -> web.Response:
        return web.Response(
            text=text,
            status=status,
            content_type="text/html",
            headers={
                **NO_STORE,
                "Content-Security-Policy": self._policy,
                "X-Robots-Tag": "noindex, nofollow",
            },
        )


def _go(where: str) -> web.Response:
    return web.Response(status=303, headers={**NO_STORE, "Location": where})
