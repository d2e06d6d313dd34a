"""The claim page: whoever holds the link takes the money into the wallet that opened it, once.

    GET /c/{token}                             how it stands; in a wallet that can receive, one button
    POST /c/{token}                            off to the institution, which says who the visitor is
    GET /c/{token}/back/{provider}/{account}   back from there: claimed, or not
    GET /c/{token}/state                       what the page asks every few seconds

Reading moves nothing. The money is claimed by the return alone, whose state only the POST of the same web view gives.
"""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from markupsafe import Markup

from bot.orders import institution
from bot.orders.answers import Refused
from bot.orders.checkout import Checkout
from bot.orders.order import Payee, Payout
from bot.orders.ports import Account
from bot.web.claim_page import again_text, claim_page, claim_state, gone_text, scan_text
from bot.web.paper import NO_STORE, TEMPLATES, hash_source, open_templates
from bot.web.passes import LIVES_S, Passes
from bot.web.visit import Visit
from bot.web.words import translate
from providers.sdk.clock import Clock
from providers.sdk.results import Identified
from providers.sdk.wallets import Wallet

CLAIM_PATH: Final = "/c/"
_TOKEN: Final = re.compile(r"[0-9A-Za-z]{16,64}", re.ASCII)
_PLACE: Final = r"{provider:[a-z][a-z0-9]{1,31}}/{account:[a-z][a-z0-9]{0,31}}"
_COOKIE: Final = "visit"


class Claims:
    """The handlers. `web_url` is where the internet reaches them."""

    def __init__(self, checkout: Checkout, clock: Clock, passes: Passes, web_url: str) -> None:
        self._checkout, self._clock, self._passes = checkout, clock, passes
        self._web_url = web_url
        environment = open_templates()
        self._template = environment.get_template("claim.html")
        self._gone = environment.get_template("gone.html")
        self._style = (TEMPLATES / "code.css").read_text(encoding="utf-8")
        self._script = (TEMPLATES / "claim.js").read_text(encoding="utf-8")
        # As the one-code page's, but that a form may lead on to any institution.
        self._policy = (
            f"default-src 'none'; img-src data:; style-src {hash_source(self._style)}; script-src {hash_source(self._script)}; "
            "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

    def routes(self) -> list[web.RouteDef]:
        """The four addresses of one claim."""
        return [
            web.get(CLAIM_PATH + "{token}", self.read),
            web.post(CLAIM_PATH + "{token}", self.leave),
            web.get(CLAIM_PATH + "{token}/back/" + _PLACE, self.come_back),
            web.get(CLAIM_PATH + "{token}/state", self.state),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Show how it stands."""
        payout = await self._find(request)
        if payout is None:
            return self._nothing(request)
        visit, wallets = Visit.of(request), self._checkout.payout_wallets(payout)
        language = visit.language("en")
        _ = translate(language)
        page = claim_page(
            payout,
            wallets,
            visit.inside,
            now=self._clock.now(),
            language=language,
            address=self._address(payout),
            why=request.query.get("why", ""),
            _=_,
        )
        text = self._template.render(
            page=page,
            scan=scan_text(_),
            again=again_text(_),
            style=Markup(self._style),  # noqa: S704  # our own file
            script=Markup(self._script),  # noqa: S704  # our own file
        )
        return self._html(text)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Send the wallet to its institution, to learn who is there."""
        payout = await self._find(request)
        if payout is None:
            return self._nothing(request)
        visiting = Visit.of(request).inside
        account = self._account(payout, visiting)
        if account is None or not payout.claimable(self._clock.now()):
            return self._go(payout)
        place = f"{account.provider_id}/{account.name}"
        state, nonce = self._passes.begin(payout.claim_token, place)
        back = f"{self._address(payout)}/back/{place}"
        response = _see(institution.authorize_url(account, state, back))
        response.set_cookie(
            _COOKIE,
            nonce,
            max_age=LIVES_S,
            path=CLAIM_PATH + payout.claim_token,
            httponly=True,
            samesite="Lax",
            secure=self._web_url.startswith("https://"),
        )
        return response

    async def come_back(self, request: web.Request) -> web.StreamResponse:
        """The institution has sent the visitor back: learn the id, claim, and show how it stands."""
        payout = await self._find(request)
        if payout is None:
            return self._nothing(request)
        provider, name = request.match_info["provider"], request.match_info["account"]
        nonce = request.cookies.get(_COOKIE, "")
        state = request.query.get("state", "")
        if not self._passes.holds(state, nonce, payout.claim_token, f"{provider}/{name}"):
            return self._go(payout, "visit")
        wallet = Visit.of(request).inside
        account = self._account(payout, wallet)
        if account is None or wallet is None or (account.provider_id, account.name) != (provider, name):
            return self._go(payout, "wallet")
        return self._go(payout, await self._claim(payout, account, wallet, request.query))

    async def state(self, request: web.Request) -> web.StreamResponse:
        """A word."""
        payout = await self._find(request)
        if payout is None:
            return web.json_response({"state": "gone"}, status=404, headers=NO_STORE)
        return web.json_response({"state": claim_state(payout, self._clock.now()).value}, headers=NO_STORE)

    async def _claim(
        self, payout: Payout, account: Account, wallet: Wallet, answer: Mapping[str, str]
    ) -> str:
        """Why not; empty when it is claimed."""
        visitor = await institution.identify(account, answer)
        if not isinstance(visitor, Identified):
            return "visitor"
        payee = Payee(provider=account.provider_id, account=account.name, wallet=wallet, id=visitor.payee)
        claimed = await self._checkout.claim_payout(payout.claim_token, payee)
        return claimed.why.value if isinstance(claimed, Refused) else ""

    async def _find(self, request: web.Request) -> Payout | None:
        token = request.match_info["token"]
        order = await self._checkout.find_claim(token=token) if _TOKEN.fullmatch(token) else None
        return (
            None
            if order is None
            else next(one for one in reversed(order.payouts) if one.claim_token == token)
        )

    def _account(self, payout: Payout, wallet: Wallet | None) -> Account | None:
        return None if wallet is None else self._checkout.payouting.accounts_for(payout.amount).get(wallet)

    def _address(self, payout: Payout) -> str:
        return f"{self._web_url}{CLAIM_PATH}{payout.claim_token}"

    def _go(self, payout: Payout, why: str = "") -> web.Response:
        return _see(self._address(payout) + (f"?why={why}" if why else ""))

    def _nothing(self, request: web.Request) -> web.Response:
        language = Visit.of(request).language("en")
        style = Markup(self._style)  # noqa: S704  # our own file
        text = self._gone.render(language=language, text=gone_text(translate(language)), style=style)
        return self._html(text, status=404)

    def _html(self, text: str, status: int = 200) -> web.Response:
        headers = {**NO_STORE, "Content-Security-Policy": self._policy, "X-Robots-Tag": "noindex, nofollow"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _see(where: str) -> web.Response:
    return web.Response(status=303, headers={**NO_STORE, "Location": where})
