"""What the one-code page shows of an order. Pure: order and moment in, page out.

Nothing personal is on it: whoever holds the link sees what is for sale, how much it costs and how it stands.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.orders.answers import Refused
from bot.orders.order import Attempt, Order, OrderState
from bot.orders.routing import Offer, Refusal, best_per_wallet
from bot.runtime.picture import qr_png
from bot.runtime.signboard import Signboard
from bot.texts import LANGUAGES, Translate
from bot.web.visit import Sight, Visit
from bot.web.visitors import opens_directly
from bot.web.words import notice, translate
from providers.sdk.codes import CodeError, read_merchant_code
from providers.sdk.contract import Way
from providers.sdk.interconnection import Clearing, connection
from providers.sdk.wallets import Wallet, wallet_name


class PageState(StrEnum):
    """Where the order stands, as far as a payer must know."""

    OPEN = "open"
    CHECKING = "checking"
    PAID = "paid"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


_STATES: Final = {
    OrderState.PAID: PageState.PAID,
    OrderState.PAID_LATE: PageState.PAID,
    OrderState.PARTLY_REFUNDED: PageState.PAID,
    OrderState.REFUNDED: PageState.REFUNDED,
    OrderState.EXPIRED: PageState.EXPIRED,
    OrderState.CANCELLED: PageState.CANCELLED,
    OrderState.FAILED: PageState.FAILED,
    OrderState.NEEDS_REVIEW: PageState.CHECKING,
}
LINK_OUTLIVES: Final = timedelta(days=1)
MOVING: Final = frozenset({PageState.OPEN, PageState.CHECKING})  # worth asking again
_WAYS_ON_A_PAGE: Final = frozenset({Way.MERCHANT_CODE, Way.LINK})
# What a phone opens by itself. WeChat's codes are not among them: they work when they are scanned.
_LINKS: Final = ("https://", "alipays://", "upwallet://", "uppay")


@dataclass(frozen=True, slots=True)
class Choice:
    """One wallet, by its name in the page's language and in the other one."""

    wallet: Wallet
    name: str
    also: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One code or link to pay with now."""

    wallet: Wallet
    name: str
    code: str  # for a camera or, in a wallet, for its bridge
    picture: str  # a data: address
    link: str
    bridge: str = ""  # what the wallet's own bridge is given, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where else this page leads: relative addresses, empty where there is nothing to see."""

    here: str
    choose: str
    other_language: str
    by_code: str
    link: str = ""
    emvco: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything the template prints."""

    language: str
    title: str
    amount: str
    state: PageState
    headline: str
    left_s: int
    total_s: int
    choices: tuple[Choice, ...]
    lacking: tuple[Choice, ...]
    shown: Shown | None
    links: Links
    sign: str = ""  # the one code for another phone, a data: address
    sight: Sight | None = None
    notice: str = ""
    in_wallet: bool = False

    @property
    def moving(self) -> bool:
        """It may change while someone looks at it."""
        return self.state in MOVING

    @property
    def gone_percent(self) -> int:
        """How much of the time to pay is over."""
        return 100 - 100 * min(self.left_s, self.total_s) // max(1, self.total_s)


def compose(
    order: Order,
    visit: Visit,
    now: datetime,
    *,
    offers: Sequence[Offer],
    refusals: Sequence[Refusal],
    signboard: Signboard | None = None,
    wallet: Wallet | None = None,
    refused: Refused | None = None,
    in_app: Attempt | None = None,
) -> Page:
    """The page of an order as it stands, for this visit. `wallet` is shown when a payer can still use its attempt.

    `in_app` is an attempt that was opened for this very web view.
    """
    language = visit.language(order.language)
    _ = translate(language)
    state = page_state(order, now)
    payable = state is PageState.OPEN
    attempt = usable_attempt(order, wallet, now) if wallet and payable else None
    sight = visit.sight if payable and (attempt or in_app) is None else None
    sign = _sign(order, sight, signboard)
    return Page(
        language=language,
        title=order.title,
        amount=str(order.amount),
        state=state,
        headline=headline(state, _),
        left_s=left_s(order, now),
        total_s=int((order.expires_at - order.created_at).total_seconds()),
        choices=choices(offers, language, attempt or in_app) if payable else (),
        lacking=lacking(offers, refusals, language) if payable else (),
        shown=_shown(attempt or in_app, language) if payable else None,
        links=_links(order, visit, language, signboard if payable else None),
        sign=sign,
        sight=sight if sign else None,
        notice=notice(refused.why, _) if refused and payable else "",
        in_wallet=visit.inside is not None,
    )


def page_state(order: Order, now: datetime) -> PageState:
    """An order past its time, or being led to its end, is `checking` until its end is certain."""
    state = _STATES.get(order.state)
    if state is not None:
        return state
    return PageState.CHECKING if order.ending is not None or now >= order.expires_at else PageState.OPEN


def is_gone(order: Order, now: datetime) -> bool:
    """Whether the link has died: a day after its order's time, when nobody waits for an answer there any more."""
    return now >= order.expires_at + LINK_OUTLIVES and page_state(order, now) is not PageState.CHECKING


def left_s(order: Order, now: datetime) -> int:
    """Whole seconds until the order can no longer be paid."""
    return max(0, int((order.expires_at - now).total_seconds()))


def usable_attempt(order: Order, wallet: Wallet, now: datetime) -> Attempt | None:
    """The newest attempt of this wallet that a payer can still use on a web page."""
    usable = (
        attempt
        for attempt in order.attempts
        if attempt.wallet is wallet and attempt.way in _WAYS_ON_A_PAGE and attempt.usable(now)
    )
    return max(usable, key=lambda attempt: attempt.created_at, default=None)


def choices(offers: Iterable[Offer], language: str, chosen: Attempt | None = None) -> tuple[Choice, ...]:
    """The wallets that can pay here, each once; the chosen one and what only a messenger can show are left out."""
    taken = chosen.wallet if chosen else None
    here = (offer for offer in offers if offer.way in _WAYS_ON_A_PAGE and offer.wallet is not taken)
    return tuple(_choice(offer.wallet, language) for offer in best_per_wallet(here))


def lacking(offers: Iterable[Offer], refusals: Iterable[Refusal], language: str) -> tuple[Choice, ...]:
    """The wallets that cannot pay this order now, so that nobody searches for theirs. The messenger's own is not one."""
    served = {offer.wallet for offer in offers} | {Wallet.TELEGRAM}
    named = dict.fromkeys(refusal.wallet for refusal in refusals if refusal.wallet is not None)
    return tuple(_choice(wallet, language) for wallet in named if wallet not in served)


def shown(attempt: Attempt, language: str) -> Shown:
    """The picture of the attempt's code, and an address to tap where the code or the institution has one."""
    code = attempt.code or ""
    picture = _picture(code) if code else ""
    links = (attempt.link or "", "" if _is_foreign(attempt.wallet, code) else code)
    link = next((link for link in links if link.startswith(_LINKS)), "")
    bridge = json.dumps(dict(attempt.in_app), separators=(",", ":")) if attempt.in_app else ""
    return Shown(attempt.wallet, wallet_name(attempt.wallet, language), code or bridge, picture, link, bridge)


def _is_foreign(wallet: Wallet, code: str) -> bool:
    """The code is of another network than the wallet's: it is cleared when that wallet scans it, and opens another app."""
    try:
        issuer = read_merchant_code(code).issuer
    except CodeError:
        return False
    known = connection(wallet, issuer)
    return known is not None and known.clearing is not Clearing.OWN


def direct_address(wallet: Wallet, attempt: Attempt) -> str:
    """Where the wallet's own web view goes to pay; empty when it must look at the code's picture."""
    if attempt.code:
        return attempt.code if opens_directly(wallet, attempt.code) else ""
    link = attempt.link or ""
    return link if link.startswith("https://") else ""


def headline(state: PageState, _: Translate) -> str:
    """The sentence above everything else."""
    return {
        PageState.OPEN: _("Waiting for your payment"),
        PageState.CHECKING: _("Checking with the institution. Please do not pay again."),
        PageState.PAID: _("Paid. You can go back to the chat."),
        PageState.REFUNDED: _("This payment was refunded."),
        PageState.EXPIRED: _("This order has expired. If you have paid all the same, the payment counts."),
        PageState.CANCELLED: _(
            "This order was cancelled. If you have paid all the same, the payment counts."
        ),
        PageState.FAILED: _("This order could not be paid."),
    }[state]


def _shown(attempt: Attempt | None, language: str) -> Shown | None:
    return shown(attempt, language) if attempt else None


def _choice(wallet: Wallet, language: str) -> Choice:
    return Choice(wallet, wallet_name(wallet, language), wallet_name(wallet, _other(language)))


def _other(language: str) -> str:
    return next(other for other in LANGUAGES if other != language)


def _links(order: Order, visit: Visit, language: str, signboard: Signboard | None) -> Links:
    shown = {"wallet": visit.wallet.value} if visit.wallet else {}
    shown |= {"show": visit.sight.value} if visit.sight else {}
    return Links(
        here=visit.address(**shown),
        choose=visit.address(),
        by_code=visit.address(way="code"),
        other_language=visit.address(**shown, lang=_other(language)),
        link=visit.address(show=Sight.LINK) if signboard else "",
        emvco=visit.address(show=Sight.EMVCO) if signboard and signboard.emvco(order) else "",
    )


def _sign(order: Order, sight: Sight | None, signboard: Signboard | None) -> str:
    if sight is None or signboard is None:
        return ""
    text = signboard.link(order) if sight is Sight.LINK else signboard.emvco(order)
    return _picture(text) if text else ""


def _picture(text: str) -> str:
    return f"data:image/png;base64,{b64encode(qr_png(text)).decode()}"
