"""One visit of the one-code page: who came, and what they asked to see. Read from the request, believed in nothing."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from aiohttp import web

from bot.texts import LANGUAGES
from bot.web.visitors import wallet_of
from bot.web.words import language_of
from providers.sdk.wallets import Wallet


class Sight(StrEnum):
    """What a visitor may ask for beside the ways to pay: the order's one code, for another phone."""

    LINK = "link"
    EMVCO = "emvco"


@dataclass(frozen=True, slots=True)
class Visit:
    """`inside` is the wallet whose web view this is; `wallet` the one whose code is to be shown, if it is open."""

    accepted: str
    inside: Wallet | None = None
    wallet: Wallet | None = None
    sight: Sight | None = None
    chosen_language: str = ""
    by_code: bool = False  # inside a wallet, but by its camera

    @classmethod
    def of(cls, request: web.Request) -> "Visit":
        """Read the headers and the query; what is not known there is left out."""
        purposes = (request.headers.get("Sec-Purpose", ""), request.headers.get("Purpose", ""))
        prefetch = request.method == "HEAD" or any("prefetch" in purpose for purpose in purposes)
        language, sight = request.query.get("lang", ""), request.query.get("show", "")
        return cls(
            accepted=request.headers.get("Accept-Language", ""),
            inside=wallet_of(request.headers.get("User-Agent", ""), prefetch=prefetch),
            wallet=cls.wallet_named(request.query.get("wallet", "")),
            sight=Sight(sight) if sight in list(Sight) else None,
            chosen_language=language if language in LANGUAGES else "",
            by_code=request.query.get("way") == "code",
        )

    @staticmethod
    def wallet_named(name: str) -> Wallet | None:
        """The wallet of that name; None for any other text."""
        return Wallet(name) if name in list(Wallet) else None

    def language(self, otherwise: str) -> str:
        """What the visitor chose, else what the browser asks for, else `otherwise`; Chinese inside a wallet."""
        return self.chosen_language or language_of(self.accepted, "zh" if self.inside else otherwise)

    def address(self, **query: str) -> str:
        """This page with that query, relative, in the language that was chosen."""
        language = {"lang": self.chosen_language} if self.chosen_language else {}
        language |= {"way": "code"} if self.by_code else {}
        return "?" + urlencode({**language, **query})
