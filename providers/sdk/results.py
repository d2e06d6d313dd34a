"""Answers of a provider. Definite, `NotSent` (safe to repeat) or `Unknown` (must be queried): never a guess.

| verb         | answers                                                      |
|--------------|--------------------------------------------------------------|
| create       | Created · Snapshot · Declined · NotSent · Unknown            |
| query        | Snapshot · NotFound · NotSent · Unknown                      |
| close        | Closed · AlreadyPaid · NotSent · Unknown                     |
| refund       | RefundSnapshot · Declined · NotSent · Unknown                |
| query_refund | RefundSnapshot · NotFound · NotSent · Unknown                |
| payout, query_payout | PayoutSnapshot · Declined/NotFound · NotSent · Unknown |
| identify     | Identified · Declined · NotSent · Unknown                    |
| read_notification    | Verified · Rejected                                  |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class Paid(StrEnum):
    """Where one attempt stands at the institution."""

    UNPAID = "unpaid"  # open, nobody has paid
    PAYING = "paying"  # the payer is entering a password
    PAID = "paid"
    CLOSED = "closed"  # can no longer be paid, and was not
    FAILED = "failed"  # definitely refused by the institution
    REFUNDED = "refunded"  # was paid; some or all of it has gone back


class Returned(StrEnum):
    """Where a refund or a payout stands at the institution."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    AWAITS_PAYEE = "awaits_payee"  # a payout the recipient must confirm (WeChat transfer)


class DeclineReason(StrEnum):
    """Why a call was definitely refused."""

    PAYER = "payer"  # no money, wrong code, wallet limit: offer another wallet
    LIMIT = "limit"  # amount or frequency outside the institution's limits
    WINDOW = "window"  # too late: refund window, expired order
    BALANCE = "balance"  # the merchant's own balance is too low; repeat later with the same number
    CONFLICT = "conflict"  # this number is known with other parameters: our bug
    ALREADY_PAID = "already_paid"
    MISCONFIGURED = "misconfigured"  # key, permission, contract: the account is down until someone acts
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached the institution; the same number may be sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. Only a query by our own number may settle it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Declined:
    """Definitely not done. `code` is the institution's own."""

    reason: DeclineReason
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The institution answers that it has no such number. It may still appear: not a failure."""

    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The institution holds the order open.

    `code` is QR text; `link` opens in the payer's browser or app; `in_app` are the parameters for the wallet's own
    bridge (`wx.requestPayment` …); `invoice` is for a messenger's native invoice. At least one is given.
    `memo` is kept with the attempt and handed back on every later call. `usable_until` is when the code dies.
    """

    code: str | None = None
    link: str | None = None
    in_app: Mapping[str, str] | None = None
    invoice: Mapping[str, str] | None = None
    provider_ref: str = ""
    memo: Mapping[str, str] = field(default_factory=dict)
    usable_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the institution holds about one attempt, verified. The host compares every field with its own order."""

    number: str
    merchant: str
    amount: Money
    state: Paid
    provider_ref: str = ""
    paid_at: datetime | None = None
    wallet: Wallet | None = None
    payer: str = field(default="", repr=False)  # the institution's payer id, masked wherever it is shown
    code: str = ""  # the institution's own state word
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Can no longer be paid."""

    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyPaid:
    """Could not be closed: the payer was faster. The host queries next."""

    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """What the institution holds about one refund. `amount` is of this refund, not the running total."""

    number: str
    attempt_number: str
    amount: Money
    state: Returned
    provider_ref: str = ""
    done_at: datetime | None = None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSnapshot:
    """What the institution holds about one payout. `confirm` is what the payee's app needs to accept it."""

    number: str
    amount: Money
    state: Returned
    provider_ref: str = ""
    confirm: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """What the institution calls the person behind the wallet: openid, user id. It goes into `PayoutRequest.payee`."""

    payee: str = field(repr=False)


Fact = Snapshot | RefundSnapshot | PayoutSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A notification whose signature, freshness and form hold.

    `event_key` is the same for every repeat of one event. `fact` is None for an event this house does not use
    (acknowledged, kept, ignored).
    """

    event_key: str
    fact: Fact | None
    event: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not believable. `probe` marks the institution's own deliberate test (no alarm). Nothing changes state."""

    reason: str
    probe: bool = False


class StatementKind(StrEnum):
    """What a line of a statement records."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line of the institution's daily statement. `line_key` is unique within the provider account."""

    line_key: str
    kind: StatementKind
    number: str  # ours: attempt for a payment, refund number for a refund
    attempt_number: str
    amount: Money
    fee: Money | None
    provider_ref: str
    at: datetime | None
