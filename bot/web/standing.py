"""The page behind a standing code: what is for sale, the amount to enter or to confirm, and then the one-code page.

Reading it orders nothing, whoever reads. A person's tap (POST) does; so does the web view of a wallet that has scanned
a code with an amount, as its owner's wish to pay. No script runs here.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from aiohttp import web
from markupsafe import Markup

from bot.orders.answers import Refused, Why
from bot.orders.checkout import Checkout
from bot.orders.standing import StandingCode
from bot.texts import Translate
from bot.web.paper import NO_STORE, TEMPLATES, hash_source, open_templates
from bot.web.visit import Visit
from bot.web.words import gone, translate
from providers.sdk.codes import is_token
from providers.sdk.money import Money

_NONCE: Final = re.compile(r"[0-9A-Za-z]{22}", re.ASCII)
_AMOUNT: Final = re.compile(r"[¥￥]?([0-9]{1,6})(?:\.([0-9]{1,2}))?", re.ASCII)
_FORM_BYTES_MAX: Final = 1024
_FORM_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """Everything the template prints."""

    language: str
    title: str
    amount: str  # empty: the payer enters it
    currency: str
    nonce: str
    label: str
    button: str
    notice: str = ""


class StandingPage:
    """The handlers of `/s/{token}`."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        environment = open_templates()
        self._template = environment.get_template("standing.html")
        self._gone = environment.get_template("gone.html")
        self._style = (TEMPLATES / "code.css").read_text(encoding="utf-8")
        self._policy = (
            f"default-src 'none'; style-src {hash_source(self._style)}; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    def routes(self) -> list[web.RouteDef]:
        """Read, and order."""
        return [
            web.get("/s/{token}", self.read, allow_head=True),
            web.post("/s/{token}", self.order),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Show what is for sale."""
        code = await self._find(request)
        if code is None:
            return self._nothing(request)
        if code.amount is not None and Visit.of(request).inside is not None:
            return await self._order(request, code, None, self._checkout.standing.draw_nonce())
        return self._show(request, code)

    async def order(self, request: web.Request) -> web.StreamResponse:
        """A person has entered or confirmed the amount."""
        code = await self._find(request)
        if code is None:
            return self._nothing(request)
        if (request.content_length or 0) > _FORM_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(_FORM_BYTES_MAX, request.content_length or 0)
        async with asyncio.timeout(_FORM_WITHIN_S):
            form = await request.post()
        nonce = str(form.get("nonce", ""))
        if not _NONCE.fullmatch(nonce):
            return self._show(request, code)
        return await self._order(request, code, _amount(str(form.get("amount", "")), code.currency), nonce)

    async def _find(self, request: web.Request) -> StandingCode | None:
        token = request.match_info["token"]
        return await self._checkout.standing.find(token) if is_token(token) else None

    async def _order(
        self, request: web.Request, code: StandingCode, amount: Money | None, nonce: str
    ) -> web.StreamResponse:
        answer = await self._checkout.standing.order(code.token, amount, nonce)
        if isinstance(answer, Refused):
            return self._show(request, code, answer.why)
        # Relative: a proxy may have taken a prefix off.
        return web.Response(status=303, headers={**NO_STORE, "Location": f"../p/{answer.link_token}"})

    def _show(self, request: web.Request, code: StandingCode, why: Why | None = None) -> web.Response:
        language = Visit.of(request).language(code.language)
        _ = translate(language)
        sheet = _Sheet(
            language=language,
            title=code.title,
            amount=str(code.amount) if code.amount else "",
            currency=code.currency,
            nonce=self._checkout.standing.draw_nonce(),
            label=_("Amount to pay"),
            button=_("Go on to pay"),
            notice=_notice(why, _),
        )
        style = Markup(self._style)  # noqa: S704  # our own file
        return self._html(self._template.render(sheet=sheet, style=style), 200 if why is None else 422)

    def _nothing(self, request: web.Request) -> web.Response:
        language = Visit.of(request).language("en")
        style = Markup(self._style)  # noqa: S704  # our own file
        text = self._gone.render(language=language, text=gone(translate(language)), style=style)
        return self._html(text, 404)

    def _html(self, text: str, status: int) -> web.Response:
        headers = {**NO_STORE, "Content-Security-Policy": self._policy, "X-Robots-Tag": "noindex, nofollow"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _notice(why: Why | None, _: Translate) -> str:
    match why:
        case None:
            return ""
        case Why.WRONG_AMOUNT:
            return _("Please enter an amount such as 18.00.")
        case Why.CHECKING:
            return _("Many people are paying here at this moment. Please try again in a few minutes.")
        case _:
            return _("This code cannot be used at the moment. Please ask the shop.")


def _amount(text: str, currency: str) -> Money | None:
    match = _AMOUNT.fullmatch(normalize("NFKC", text).strip())
    if match is None:
        return None
    whole = match[1].lstrip("0") or "0"
    try:
        return Money.parse(f"{whole}.{match[2]}" if match[2] else whole, currency)
    except ValueError:
        return None
