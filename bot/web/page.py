"""What the one-code page shows of an order. Pure: order and moment in, page out.

Nothing personal is on it: whoever holds the link sees what is for sale, how much it costs and how it stands.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.orders.order import Attempt, Order, OrderState
from bot.orders.routing import Offer, best_per_wallet
from bot.runtime.picture import qr_png
from bot.texts import Translate
from bot.web.visitors import opens_directly
from providers.sdk.contract import Way
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
MOVING: Final = frozenset({PageState.OPEN, PageState.CHECKING})  # worth asking again
_WAYS_ON_A_PAGE: Final = frozenset({Way.MERCHANT_CODE, Way.LINK})
# What a phone opens by itself. WeChat's codes are not among them: they work when they are scanned.
_LINKS: Final = ("https://", "alipays://", "upwallet://", "uppay")


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: a wallet this order can be paid with."""

    wallet: Wallet
    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One code or link to pay with now."""

    wallet: Wallet
    name: str
    code: str
    picture: str  # a data: address
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything the template prints."""

    language: str
    title: str
    amount: str
    state: PageState
    headline: str
    left_s: int
    choices: tuple[Choice, ...]
    shown: Shown | None
    notice: str = ""
    in_wallet: bool = False

    @property
    def moving(self) -> bool:
        """It may change while someone looks at it."""
        return self.state in MOVING


def page_state(order: Order, now: datetime) -> PageState:
    """An order past its time, or being led to its end, is `checking` until its end is certain."""
    state = _STATES.get(order.state)
    if state is not None:
        return state
    return PageState.CHECKING if order.ending is not None or now >= order.expires_at else PageState.OPEN


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
    return tuple(Choice(offer.wallet, wallet_name(offer.wallet, language)) for offer in best_per_wallet(here))


def shown(attempt: Attempt, language: str) -> Shown:
    """The picture of the attempt's code, and an address to tap where the code or the institution has one."""
    code = attempt.code or ""
    picture = f"data:image/png;base64,{b64encode(qr_png(code)).decode()}" if code else ""
    links = (attempt.link or "", code)
    link = next((link for link in links if link.startswith(_LINKS)), "")
    return Shown(attempt.wallet, wallet_name(attempt.wallet, language), code, picture, link)


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
