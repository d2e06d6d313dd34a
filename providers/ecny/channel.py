"""The seam between e-CNY and the institution that a merchant reached it through.

There is no central merchant API of the digital yuan: a merchant signs with one operating institution, or with an
acquirer, and speaks that one's wire. `provider.py` knows what an e-CNY payment is; a `Channel` knows one wire and its
signatures. A second institution is a second class with these methods, one line in `settings.CHANNELS`, and its own
simulated side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from providers.sdk.contract import AttemptRef, Call, Intent, RefundRef, RefundRequest, Way
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason
from providers.sdk.transport import HttpReply, HttpRequest


class Verdict(Enum):
    """What an institution made of one request."""

    ACCEPTED = auto()  # it was taken; where the money is, `Stand` tells
    UNDECIDED = auto()  # it may have had its effect
    REFUSED = auto()  # it had none, and never will
    REPEATED = auto()  # this number is known already
    ABSENT = auto()  # this number is not known


class Stand(Enum):
    """Where a payment, a refund or a closing stands."""

    OPEN = auto()  # not final: nobody has paid, or somebody is about to
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One signed request, whose number it is about, and the fields that its answer must repeat."""

    request: HttpRequest
    number: str
    echo: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An institution's verified answer in nobody's dialect. `number` is the attempt's, or the refund's."""

    verdict: Verdict
    code: str  # what became of the request
    number: str
    merchant: str
    message: str = ""
    reason: DeclineReason = DeclineReason.OTHER
    stand: Stand | None = None
    word: str = ""  # the institution's own for `stand`
    amount: Money | None = None
    reference: str = ""
    finished_at: datetime | None = None
    qr_code: str = ""
    payer_types: bool = False  # the wallet is waiting for its password


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A verified notification. `answer` is None for an event that moves no money of ours.

    `way` is set for a payment; a refund names the `attempt_number` it returns money of.
    """

    event: str
    event_key: str
    answer: Answer | None = None
    way: Way | None = None
    attempt_number: str = ""


class Channel(Protocol):
    """One institution's wire. Building is pure; reading raises `ReplyError` for anything that cannot be believed."""

    def open_code(self, intent: Intent, now: datetime) -> Ask | Declined:
        """Ask for a code that the payer scans. `Declined` when the institution would refuse it: nothing is sent."""
        ...

    def take_code(self, intent: Intent, digits: str, now: datetime) -> Ask | Declined:
        """Take the digits that the payer shows."""
        ...

    def look_up(self, ref: AttemptRef) -> Ask:
        """Ask how an attempt stands."""
        ...

    def shut(self, ref: AttemptRef, call: Call) -> Ask:
        """Ask that nobody can pay an attempt any more; `Stand.DONE` is the institution's yes."""
        ...

    def give_back(self, request: RefundRequest) -> Ask:
        """Return part or all."""
        ...

    def look_up_refund(self, ref: RefundRef) -> Ask:
        """Ask how a refund stands."""
        ...

    def read(self, ask: Ask, reply: HttpReply) -> Answer:
        """Verify the reply to one of the requests above, and that it speaks of the same number."""
        ...

    def read_notice(self, request: HttpRequest) -> Notice:
        """Verify a notification."""
        ...

    def acknowledge(self, request: HttpRequest | None) -> HttpReply:
        """The words that stop the institution from sending this notification again."""
        ...

    def scrub(self, transcript: bytes) -> bytes:
        """Mask what may not be kept."""
        ...
