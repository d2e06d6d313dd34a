"""What the claim page shows of an offer. Pure: payout and visitor in, page out. Nobody's name is on it."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.orders.answers import Why
from bot.orders.order import Payout, PayoutState
from bot.runtime.picture import qr_png
from bot.texts import Translate
from providers.sdk.wallets import Wallet, wallet_name


class ClaimState(StrEnum):
    """Where the offer stands, as far as a visitor must know."""

    OPEN = "open"
    CHECKING = "checking"  # claimed, on its way
    CONFIRM = "confirm"  # claimed; the payee's wallet must accept it
    RECEIVED = "received"
    OVER = "over"


_STATES: Final = {
    PayoutState.OFFERED: ClaimState.OPEN,
    PayoutState.AWAITS_PAYEE: ClaimState.CONFIRM,
    PayoutState.DONE: ClaimState.RECEIVED,
    PayoutState.FAILED: ClaimState.OVER,
    PayoutState.WITHDRAWN: ClaimState.OVER,
}
MOVING: Final = frozenset({ClaimState.OPEN, ClaimState.CHECKING, ClaimState.CONFIRM})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPage:
    """Everything the template prints. `confirm` is JSON for the wallet's own bridge; `picture` a data: address."""

    language: str
    title: str
    amount: str
    minor: str  # for a wallet: minor units and currency
    state: ClaimState
    headline: str
    notice: str
    receive: str  # the label of the one button; empty where this visitor cannot receive
    accept: str
    wallets: str  # which wallets can, in words
    picture: str
    confirm: str = field(repr=False)

    @property
    def moving(self) -> bool:
        """It may change while someone looks at it."""
        return self.state in MOVING


def claim_state(payout: Payout, now: datetime) -> ClaimState:
    """An offer past its time is over, although its end is not written down yet."""
    if payout.state is PayoutState.OFFERED and not payout.claimable(now):
        return ClaimState.OVER
    return _STATES.get(payout.state, ClaimState.CHECKING)


def claim_page(
    payout: Payout,
    wallets: tuple[Wallet, ...],
    visiting: Wallet | None,
    *,
    now: datetime,
    language: str,
    address: str,
    why: str,
    _: Translate,
) -> ClaimPage:
    """The page for a visitor in that wallet, or in none."""
    state = claim_state(payout, now)
    here = visiting in wallets if visiting else False
    name = wallet_name(visiting, language) if visiting else ""
    theirs = state is ClaimState.CONFIRM and payout.payee is not None and payout.payee.wallet is visiting
    return ClaimPage(
        language=language,
        title=payout.title,
        amount=str(payout.amount),
        minor=f"{payout.amount.minor} {payout.amount.currency}",
        state=state,
        headline=_headline(state, _),
        notice=_notice(why, _) if state is ClaimState.OPEN else "",
        receive=_("Receive with {wallet}").format(wallet=name) if here and state is ClaimState.OPEN else "",
        accept=_("Accept the money") if theirs else "",
        wallets=" · ".join(wallet_name(wallet, language) for wallet in wallets),
        picture="" if here or state is not ClaimState.OPEN else _picture(address),
        confirm=json.dumps(dict(payout.confirm or {})) if theirs else "",
    )


def gone_text(_: Translate) -> str:
    """For a link that leads nowhere; the same for every reason."""
    return _("This link leads to no money.")


def scan_text(_: Translate) -> str:
    """How the page is opened in a wallet that can receive."""
    return _("Scan this code with the wallet that shall receive the money:")


def again_text(_: Translate) -> str:
    """The link that looks again."""
    return _("Look again")


def _headline(state: ClaimState, _: Translate) -> str:
    return {
        ClaimState.OPEN: _("Somebody sends you money"),
        ClaimState.CHECKING: _("On its way to the wallet that claimed it"),
        ClaimState.CONFIRM: _("Waiting for the recipient to accept it in the wallet"),
        ClaimState.RECEIVED: _("Received"),
        ClaimState.OVER: _("This money can no longer be claimed; it went back to the sender."),
    }[state]


def _notice(why: str, _: Translate) -> str:
    if why == Why.LIMIT:
        return _("This wallet has received as much as it may in one day. Try tomorrow, or another wallet.")
    return _("That did not work. Please try again, or take another wallet.") if why else ""


def _picture(address: str) -> str:
    return f"data:image/png;base64,{b64encode(qr_png(address)).decode()}"
