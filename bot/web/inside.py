"""Paying inside a wallet's own web view: the institution says who the visitor is, and the wallet's bridge asks to pay.

    GET /p/{token}                             off to the institution, when the wallet's account can do this
    GET /p/{token}/back/{provider}/{account}   back from there: an attempt for this person is opened
    GET /p/{token}                             the page with what the bridge needs, for the web view with the cookie

A code in a web view is of no use to WeChat, which reads its payment codes through the camera alone. Whoever comes back
without a clear word sees the code all the same (`?way=code`): nobody is turned away.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.orders import institution
from bot.orders.answers import Opened, Refused
from bot.orders.checkout import Checkout
from bot.orders.order import Attempt, Order
from bot.orders.ports import Account
from bot.runtime.signboard import Signboard
from bot.web.passes import LIVES_S, Passes
from providers.sdk.codes import LINK_PATH
from providers.sdk.contract import Way
from providers.sdk.results import Identified
from providers.sdk.wallets import Wallet

BACK_PATH: Final = "/back/{provider:[a-z][a-z0-9]{1,31}}/{account:[a-z][a-z0-9]{0,31}}"
BY_CODE: Final = "?way=code"
_VISIT, _ATTEMPT = "visit", "attempt"  # cookies of one order's page


@dataclass(frozen=True, slots=True)
class Inside:
    """What the one-code page needs for it."""

    checkout: Checkout
    passes: Passes
    signboard: Signboard

    def ready(self, request: web.Request, order: Order, wallet: Wallet) -> Attempt | None:
        """The attempt that was opened for this very web view, if it can still be paid."""
        number = request.cookies.get(_ATTEMPT, "")
        now = self.passes.clock.now()
        mine = (one for one in order.attempts if one.number == number and one.wallet is wallet)
        return next((one for one in mine if one.in_app and one.usable(now)), None)

    def way_out(self, order: Order, wallet: Wallet) -> web.Response | None:
        """Off to the institution of this wallet; None when no account of it can say who somebody is."""
        account = self._account(order, wallet)
        if account is None:
            return None
        place = f"{account.provider_id}/{account.name}"
        state, nonce = self.passes.begin(order.link_token, place)
        back = f"{self.signboard.link(order)}/back/{place}"
        response = self._go(institution.authorize_url(account, state, back))
        self._keep(response, order, _VISIT, nonce)
        return response

    async def come_back(self, request: web.Request, order: Order, wallet: Wallet) -> web.Response | Refused:
        """Open an attempt for whoever the institution has sent back, and show the page again."""
        provider, name = request.match_info["provider"], request.match_info["account"]
        nonce, state = request.cookies.get(_VISIT, ""), request.query.get("state", "")
        account = self._account(order, wallet)
        known = account is not None and (account.provider_id, account.name) == (provider, name)
        if (
            account is None
            or not known
            or not self.passes.holds(state, nonce, order.link_token, f"{provider}/{name}")
        ):
            return self._go(self.signboard.link(order) + BY_CODE)
        visitor = await institution.identify(account, request.query)
        if not isinstance(visitor, Identified):
            return self._go(self.signboard.link(order) + BY_CODE)
        answer = await self.checkout.open(order.id, wallet, way=Way.IN_APP, payer_id=visitor.payee)
        if not isinstance(answer, Opened):
            return answer
        response = self._go(self.signboard.link(order))
        self._keep(response, order, _ATTEMPT, answer.attempt.number)
        return response

    def _account(self, order: Order, wallet: Wallet) -> Account | None:
        """The best account that this wallet can pay through from inside, and that is set up to ask who is there."""
        till = self.checkout.till
        for offer in self.checkout.offers(order, (Way.IN_APP,)):
            account = till.accounts[offer.provider, offer.account]
            if offer.wallet is wallet and account.info.identifies:
                return account if institution.authorize_url(account, "state", account.notify_url) else None
        return None

    def _keep(self, response: web.Response, order: Order, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=LIVES_S,
            path=LINK_PATH + order.link_token,
            httponly=True,
            samesite="Lax",
            secure=self.signboard.base_url.startswith("https://"),
        )

    def _go(self, where: str) -> web.Response:
        headers = {"Cache-Control": "no-store", "Vary": "User-Agent, Accept-Language", "Location": where}
        return web.Response(status=303, headers=headers)
