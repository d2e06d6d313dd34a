"""Paying out what an order brought in, to somebody who claims it, and hearing what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class PayoutStatus(StrEnum):
    """Where the money is. It is in one place at any moment: with us, with the payee, or on its way back."""

    OPEN = "open"  # with us; waits to be claimed
    CLAIMED = "claimed"  # somebody has claimed it; on its way to the payee's wallet
    PAID = "paid"  # in the payee's wallet
    RETURNED = "returned"  # nobody has claimed it, or it was taken back: refunded to the payer


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutOffer:
    """What a page offers of a paid order. `payout_key` is the author's own: the same key is the same offer.

    `page` is told what becomes of it; empty: the app. `for_open_id`: only this person is given the way to claim it; empty: whoever holds the claim's link, the first wins.
    """

    order_id: str
    amount: Money
    title: str
    payout_key: str
    page: str = ""
    for_open_id: str = ""
    expires_after_s: int = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutResult:
    """What became of an offer. Delivered once per change, also after a restart or hours later.

    `claim_id` names it for `read_claim` and `withdraw_payout`. `detail` says why it is open again, or why it went back.
    """

    order_id: str
    payout_key: str
    claim_id: str
    status: PayoutStatus
    amount: Money
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An offer as the person who looks at it may see it.

    `link` opens the claim in any wallet of `wallets`; it is empty for people the offer is not for, and once it is over.
    `mine`: this person has offered it.
    """

    claim_id: str
    status: PayoutStatus
    amount: Money
    title: str
    until: datetime
    mine: bool
    for_somebody: bool
    wallets: tuple[Wallet, ...]
    link: str = field(default="", repr=False)
