"""An order, its attempts, refunds and payouts, as they stand at one moment. How they change is `table.py`.

Frozen: a change makes a new value, and only `posting.py` makes one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from miniprograms.sdk.payment import IfLate, PaymentRequest
from miniprograms.sdk.payout import PayoutOffer
from miniprograms.sdk.refund import RefundRequest
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class OrderState(StrEnum):
    """Where an order stands."""

    CREATED = "created"
    PENDING = "pending"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    PAID_LATE = "paid_late"
    NEEDS_REVIEW = "needs_review"


class AttemptState(StrEnum):
    """Where one attempt stands. `intent`: nothing has left this house. `unknown`: it may have."""

    INTENT = "intent"
    OPENED = "opened"
    UNKNOWN = "unknown"
    PAID = "paid"
    CLOSED = "closed"
    DECLINED = "declined"
    OVERPAID = "overpaid"


class RefundState(StrEnum):
    """Where one refund stands. All but `failed` hold their amount of the attempt's budget."""

    RESERVED = "reserved"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"


class PayoutState(StrEnum):
    """Where one payout stands. All but `failed` and `withdrawn` hold their amount of the attempt's budget."""

    OFFERED = "offered"  # waits to be claimed; nobody outside has heard of it
    RESERVED = "reserved"  # claimed: the payee is known
    UNKNOWN = "unknown"
    SENT = "sent"
    AWAITS_PAYEE = "awaits_payee"  # the payee must confirm in the wallet
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"  # nobody claimed it, or the payer took it back


MONEY_IS_HERE: Final = frozenset(
    {OrderState.PAID, OrderState.PAID_LATE, OrderState.PARTLY_REFUNDED, OrderState.REFUNDED}
)
ATTEMPT_IS_OPEN: Final = frozenset({AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.OPENED})
ATTEMPT_HAS_MONEY: Final = frozenset({AttemptState.PAID, AttemptState.OVERPAID})
_EXPIRES_AFTER_MAX_S: Final = 7 * 86400
# The `reason` of an attempt whose payer was asked for a password.
PAYER_IS_AT_IT: Final = "The payer is entering the password."
# Begins the `refund_key` of a refund that the institution made, not we; the rest of the key is its number there.
FOREIGN: Final = "there:"
# Begins the `refund_key` of the return of a late payment; the rest of the key is the attempt's number.
LATE: Final = "late:"
# Begins the `order_key` of an order that came by a standing code; no page may begin one so.
SCANNED: Final = "scan:"
# Begins the `refund_key` of a refund that a mini program asked for; the rest of the key is the program's own.
ASKED: Final = "page:"
REFUND_IS_OPEN: Final = frozenset({RefundState.RESERVED, RefundState.UNKNOWN, RefundState.SENT})
PAYOUT_IS_CLAIMED: Final = frozenset(
    {PayoutState.RESERVED, PayoutState.UNKNOWN, PayoutState.SENT, PayoutState.AWAITS_PAYEE}
)
PAYOUT_IS_OPEN: Final = PAYOUT_IS_CLAIMED | {PayoutState.OFFERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a page asked for, before it is an order. The runtime hands these to `Checkout.place`."""

    app_id: str
    page: str
    chat_id: int
    user_id: int
    language: str
    request: PaymentRequest
    expires_after_s: int = 900
    by_payer_code: bool = False  # a till's: the customer shows the code, see `Checkout.charge`

    def __post_init__(self) -> None:
        if not self.request.amount:
            raise ValueError("An order needs an amount above zero; something free needs no payment.")
        if "\0" in self.request.title + self.request.order_key:
            raise ValueError("A title or order_key holds a NUL character, which no store keeps.")
        if not 1 <= self.expires_after_s <= _EXPIRES_AFTER_MAX_S:
            raise ValueError(
                f"expires_after_s is 1 to {_EXPIRES_AFTER_MAX_S} seconds, not {self.expires_after_s}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDraft:
    """What a page asked to give back, before the book has looked at it. `event_key` names the turn that asked."""

    app_id: str
    page: str
    chat_id: int
    user_id: int
    event_key: str
    request: RefundRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """What somebody wants to go back. `amount` None: all that is left. `chat_id` is given where a page asked."""

    amount: Money | None
    reason: str
    actor: str
    refund_key: str = ""
    page: str = ""
    chat_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutDraft:
    """What a page offers, before it is in the book. The runtime hands these to `Checkout.offer_payouts`."""

    app_id: str
    user_id: int
    offer: PayoutOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A person takes back what they have offered."""

    app_id: str
    user_id: int
    claim_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to pay an order through one account, under a number of our own that never changes."""

    number: str
    order_id: str
    provider: str
    account: str
    wallet: Wallet
    way: Way
    amount: Money
    state: AttemptState
    created_at: datetime
    expires_at: datetime
    called_at: datetime | None = None  # None: nothing has left this house under this number
    heard_at: datetime | None = (
        None  # when the answer to the last call was stored; None while it is on its way
    )
    sends: int = 0
    code: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)
    in_app: Mapping[str, str] | None = field(default=None, repr=False)
    invoice: Mapping[str, str] | None = field(default=None, repr=False)
    provider_ref: str = ""
    memo: Mapping[str, str] = field(default_factory=dict, repr=False)
    usable_until: datetime | None = None
    next_check_at: datetime | None = None
    checks: int = 0
    leaving: bool = False  # no longer wanted: to be closed as soon as the institution answers
    paid_at: datetime | None = None
    paid_wallet: Wallet | None = None  # what the payer really used
    payer: str = field(default="", repr=False)  # masked to its last four characters
    refunding_minor: int = (
        0  # back or out: reserved, on the way, or done; the store keeps it within the amount
    )
    reason: str = ""  # the last word that mattered, for people

    @property
    def open(self) -> bool:
        """It could still be paid, as far as we know."""
        return self.state in ATTEMPT_IS_OPEN

    @property
    def by_payer_code(self) -> bool:
        """We read the payer's code. It is money for a minute, so it is kept nowhere and can be sent once only."""
        return self.way is Way.PAYER_CODE

    @property
    def entering_password(self) -> bool:
        """The institution has said so, and nothing since."""
        return self.state is AttemptState.UNKNOWN and self.reason == PAYER_IS_AT_IT

    def usable(self, now: datetime) -> bool:
        """A payer who is shown this now can still pay it."""
        shown = self.code or self.link or self.in_app or self.invoice
        return (
            self.state is AttemptState.OPENED
            and shown is not None
            and not self.leaving
            and now < (self.usable_until or self.expires_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """The return of part of one attempt. The number stays the same however often it is sent."""

    number: str
    order_id: str
    attempt_number: str
    amount: Money
    reason: str
    actor: str
    state: RefundState
    created_at: datetime
    refund_key: str = ""  # the asker's own: the same key asks for the same refund again
    page: str = ""  # where it was asked for, and in which chat; that page is told
    chat_id: int | None = None
    called_at: datetime | None = None  # the first call that may have left
    sends: int = 0
    provider_ref: str = ""
    next_check_at: datetime | None = None
    checks: int = 0
    done_at: datetime | None = None
    note: str = ""

    @property
    def asked(self) -> bool:
        """A mini program asked for it, and waits for word."""
        return self.refund_key.startswith(ASKED)

    @property
    def number_there(self) -> str:
        """What the institution calls it: our number, or its own when it was made there."""
        return self.refund_key.removeprefix(FOREIGN) if self.refund_key.startswith(FOREIGN) else self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Whose wallet, as its institution names them, through which account of ours."""

    provider: str
    account: str
    wallet: Wallet
    id: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Part of one attempt, offered to a claimant and paid into their wallet.

    The number stays the same however often it is sent; when it fails, the claim goes on under another.
    """

    number: str
    order_id: str
    attempt_number: str
    amount: Money
    title: str
    page: str  # the one that is told
    actor: str
    payout_key: str  # the asker's own: the same key asks for the same offer again
    claim_id: str
    claim_token: str = field(repr=False)  # more than 128 bits; opens the claim page
    claim_until: datetime
    for_open_id: str = ""  # empty: whoever holds the link
    state: PayoutState
    created_at: datetime
    payee: Payee | None = None  # None: not claimed
    claimed_at: datetime | None = None
    confirm: Mapping[str, str] | None = field(default=None, repr=False)  # for the payee's wallet to accept it
    called_at: datetime | None = None  # the first call that may have left
    sends: int = 0
    provider_ref: str = ""
    next_check_at: datetime | None = None
    checks: int = 0
    done_at: datetime | None = None
    note: str = ""

    @property
    def open(self) -> bool:
        """It holds its part of the budget, and is not through."""
        return self.state in PAYOUT_IS_OPEN

    def claimable(self, now: datetime) -> bool:
        """Whoever may claim it can do so now."""
        return self.state is PayoutState.OFFERED and now < self.claim_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a mini program asks to be paid. The amount never changes; a new price is a new order."""

    id: str
    app_id: str
    page: str
    chat_id: int
    user_id: int
    language: str
    order_key: str
    amount: Money
    title: str
    state: OrderState
    version: int  # of the whole order, attempts and refunds included: the number of its last audit entry
    created_at: datetime
    expires_at: datetime
    link_token: str = field(repr=False)  # at least 128 bits; opens the one-code page
    if_late: IfLate = IfLate.KEEP  # settled when it was placed
    paid_at: datetime | None = None
    earned_at: datetime | None = None  # its page was told that it is paid
    message_id: int | None = None  # the cashier message, None until it is drawn
    ending: OrderState | None = None  # where it is being led while its attempts are closed
    next_check_at: datetime | None = None
    audit_hash: str = ""  # the last link of its audit chain
    attempts: tuple[Attempt, ...] = ()
    refunds: tuple[Refund, ...] = ()
    payouts: tuple[Payout, ...] = ()

    @property
    def paid(self) -> bool:
        """The money is, or was, here."""
        return self.state in MONEY_IS_HERE

    @property
    def payable(self) -> bool:
        """Attempts may be opened."""
        return self.state is OrderState.PENDING and self.ending is None

    @property
    def scanned(self) -> bool:
        """It came by a standing code: its payer is on the one-code page, and the chat hears of it when it is paid."""
        return self.order_key.startswith(SCANNED)

    @property
    def by_payer_code(self) -> bool:
        """A till's order: whoever asked for it takes the customer's code."""
        return bool(self.attempts) and self.attempts[-1].by_payer_code

    def attempt(self, number: str) -> Attempt:
        """The attempt of that number. Raises `LookupError`."""
        return {attempt.number: attempt for attempt in self.attempts}[number]

    def refund(self, number: str) -> Refund:
        """The refund of that number. Raises `LookupError`."""
        return {refund.number: refund for refund in self.refunds}[number]

    def payout(self, number: str) -> Payout:
        """The payout of that number. Raises `LookupError`."""
        return {payout.number: payout for payout in self.payouts}[number]

    def claim(self, claim_id: str) -> Payout:
        """The newest payout of that claim. Raises `LookupError`."""
        return {payout.claim_id: payout for payout in self.payouts}[claim_id]
