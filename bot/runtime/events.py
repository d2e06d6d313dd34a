"""What can happen to a chat, in the house's own words: no Telegram here."""

from dataclasses import dataclass, field

from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in one chat: what a session belongs to."""

    chat_id: int
    user_id: int

    @property
    def private(self) -> bool:
        """A chat of this person alone with us: it has the person's own number (Bot API, Chat, type `private`)."""
        return self.chat_id == self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an event comes from.

    `key` names the event for ever (`u<update_id>`, `o<outbox id>`): a second event of that key has no effect.
    `message_id` is the message the person touched or sent; `callback_id` is to be answered when there is one.
    """

    key: str
    seat: Seat
    language: str = "en"
    message_id: int | None = None
    callback_id: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """`/start <argument>`, `/apps`, `/orders`, `/help`, or one the house does not know."""

    origin: Origin
    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Tap:
    """A button was tapped; `data` is what we put on it."""

    origin: Origin
    data: str


@dataclass(frozen=True, slots=True)
class Words:
    """The person wrote a line of text."""

    origin: Origin
    text: str = field(repr=False)  # may be a payer's code, which is money


@dataclass(frozen=True, slots=True)
class Photo:
    """The person sent a picture; `file_id` fetches it through the surface."""

    origin: Origin
    file_id: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """An order of this person's, a refund or an offer of one, reached a state that a page must hear of."""

    origin: Origin
    app_id: str
    page: str
    result: PaymentResult | RefundResult | PayoutResult


Event = Command | Tap | Words | Photo | Settled
