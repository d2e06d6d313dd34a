"""What goes in and out of the person's side, field by field. `/sandbox/openapi.json` is written from these."""

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from bot.sandbox.clock import ADVANCE_S_MAX
from providers.sdk.gateway import Fault

TEXT_CHARS_MAX = 4096  # Bot API, message text
CODE_CHARS_MAX = 2048


class Asked(BaseModel):
    """A request's body. A field nobody knows is a typing error and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][0-9A-Za-z]{2,8}){0,3}$")]


class Send(Asked):
    """Exactly one of `text` and `qr`; `qr` is the text of a QR code, of which a photo is sent.

    `language` and `name` are remembered for this person.
    """

    text: str | None = Field(None, min_length=1, max_length=TEXT_CHARS_MAX)
    qr: str | None = Field(None, min_length=1, max_length=CODE_CHARS_MAX)
    chat_id: int | None = None
    reply_to: int | None = None
    language: Language | None = None
    name: str | None = Field(None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.text is None) == (self.qr is None):
            raise ValueError("give either text or qr")
        return self


class Sent(Told):
    """The number of the person's message."""

    message_id: int


class TapAsked(Asked):
    """A label, or the place of the button; rows and columns count from 0."""

    label: str | None = Field(None, min_length=1)
    message_id: int | None = None
    row: int = Field(0, ge=0)
    col: int = Field(0, ge=0)
    chat_id: int | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.label is None and self.message_id is None:
            raise ValueError("give a label, or message_id with row and col")
        return self


class Tapped(Told):
    """`answered` is false when the bot kept silent, and for a button that asks nobody (a link, a copy)."""

    answered: bool
    toast: str
    alert: bool
    url: str | None
    copied: str | None


class PhotoSeen(Told):
    """`qr_text` is what a reader finds on the picture."""

    url: str
    qr_text: str | None


class ButtonSeen(Told):
    """A button that does not ask the bot has `url` or `copies`; fields that do not apply are absent."""

    label: str
    url: str | None = None
    copies: str | None = None
    style: str | None = None

    @model_serializer(mode="wrap")
    def _present(self, write: SerializerFunctionWrapHandler) -> dict[str, str]:
        written: dict[str, str | None] = write(self)
        return {name: value for name, value in written.items() if value is not None}


class EntitySeen(Told):
    """Formatting of a piece of the text; offset and length count UTF-16 units, as in a browser."""

    type: str
    offset: int
    length: int
    url: str | None = None


class MessageSeen(Told):
    """A message as it is now."""

    message_id: int
    from_bot: bool
    text: str
    photo: PhotoSeen | None
    buttons: list[list[ButtonSeen]]
    edited: bool
    entities: list[EntitySeen]
    date: int
    sender: str
    document: str | None
    reply_to: int | None


class InputSeen(Told):
    """What stands at the bottom of the chat: the bot's own keys, or its wish for a reply."""

    keys: list[list[str]]
    placeholder: str
    reply_to: int | None


class CommandSeen(Told):
    """A line of the command menu."""

    command: str
    description: str


class ChatSeen(Told):
    """Messages numbered above `after`, oldest first. `action` is what the bot is seen doing."""

    messages: list[MessageSeen]
    action: str | None
    input: InputSeen
    commands: list[CommandSeen]


class ScanAsked(Asked):
    """Any code's text: a one-code link of ours, a raw code of an institution, or a claim link, which is claimed."""

    code: str = Field(min_length=1, max_length=CODE_CHARS_MAX)


class BillSeen(Told):
    """What the wallet shows before its owner confirms. `scheme` tells whose code it is.

    `clearing` tells through whom the money goes: `own` where the wallet and the code are of one network.
    `claim`: money for the wallet, not a bill. The scan has gone through page and consent; `state` is `received`, or
    `checking` while the institution has not answered. For a bill `state` is `unpaid`.
    """

    bill: str
    scheme: str
    provider: str
    clearing: str
    payee: str
    amount_minor: int
    currency: str
    title: str
    state: str


class PayAsked(Asked):
    """A bill from a scan, and the faults that this payment shall meet."""

    bill: str = Field(min_length=1, max_length=200)
    faults: list[Fault] = Field(default_factory=list, max_length=len(Fault))


class PasswordAsked(Asked):
    """`wanted`: the wallet's next charge by payer code waits for its owner's password; false: it is entered now.

    A password that nobody enters is a customer who has walked away: the merchant reverses the charge.
    """

    wanted: bool


class Paid(Told):
    """The institution has the money."""

    status: str


class ClockAsked(Asked):
    """Forward only."""

    advance_s: float = Field(ge=0, le=ADVANCE_S_MAX)


class ClockSeen(Told):
    """The clock that host and gateways share."""

    now: str
    ahead_s: float


class PayInvoice(Asked):
    """Exactly one of `link` (`https://t.me/$…`) and `message_id` of an invoice. It is paid from the person's Stars."""

    link: str | None = Field(None, min_length=1, max_length=CODE_CHARS_MAX)
    message_id: int | None = None
    chat_id: int | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.link is None) == (self.message_id is None):
            raise ValueError("give either link or message_id")
        return self


class InvoicePaid(Told):
    """The bot said yes, and has the Stars."""

    status: str
    charge_id: str
    amount_minor: int
    currency: str
    stars_left: int


class StarsSeen(Told):
    """What the person has left."""

    stars: int


class AttemptSeen(Told):
    """One try to collect."""

    number: str
    provider: str
    wallet: str
    way: str
    state: str
    amount_minor: int
    reason: str


class RefundSeen(Told):
    """One return of money."""

    number: str
    attempt: str
    state: str
    amount_minor: int
    reason: str


class PayoutSeen(Told):
    """Money offered to whoever claims it. `wallet` and `provider` are empty until somebody has."""

    number: str
    attempt: str
    state: str
    amount_minor: int
    wallet: str
    provider: str


class RefundAsked(Asked):
    """What the shop gives back, at most what is left of the payment."""

    amount_minor: int = Field(gt=0)
    reason: str = Field("", max_length=80)  # WeChat Pay, domestic refunds: the shortest of all


class OrderSeen(Told):
    """An order with its attempts, refunds and payouts."""

    id: str
    state: str
    amount_minor: int
    currency: str
    title: str
    app_id: str
    user_id: int
    created_at: str
    attempts: list[AttemptSeen]
    refunds: list[RefundSeen]
    payouts: list[PayoutSeen]


class OrdersSeen(Told):
    """Everybody's newest orders, the newest last."""

    orders: list[OrderSeen]


class FaultAsked(Asked):
    """Arm a fault of one institution (`provider`, `fault`), or of the Bot API (`method`, `code`).

    `spare` leaves the institution's next so many calls alone first. `code` 0 closes the connection without an answer; `after` lets the call have its effect first. `clear` disarms
    the institutions.
    """

    provider: str | None = None
    fault: Fault | None = None
    method: str | None = Field(None, pattern=r"^(\*|[A-Za-z]{1,64})$")
    code: int = Field(500, ge=0, le=599)
    retry_after: int | None = Field(None, ge=1, le=3600)
    after: bool = False
    times: int = Field(1, ge=1, le=1000)
    spare: int = Field(0, ge=0, le=1000)
    clear: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        at_institution = self.provider is not None and self.fault is not None
        if at_institution + (self.method is not None) + self.clear != 1:
            raise ValueError("give provider and fault, or method, or clear")
        return self


class InstitutionSeen(Told):
    """Where one institution's API is served on this machine, and whom it takes money from."""

    provider: str
    name: str
    name_zh: str
    base_url: str
    wallets: list[str]


class InstitutionsSeen(Told):
    """Every installed institution, and the faults that can be armed."""

    institutions: list[InstitutionSeen]
    faults: list[str]


class Done(Told):
    """It is done."""

    ok: bool = True


class Refusal(Told):
    """What went wrong and what to do."""

    error: str
