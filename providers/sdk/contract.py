"""The contract between the host and a provider, readable in five minutes.

A provider is a plugin that collects money through one institution's real API. It knows wire and signatures; it knows
no chat, no store, no web server. The host owns the network, the clock, the numbers, the order of durable writes, and
the integrity check (number, merchant, amount, currency) after every verified answer.

Rules every provider keeps:
- our number goes out as we made it (6 to 32 characters of `[0-9A-Za-z]`) and identifies the attempt for ever;
- an answer that is odd in any way is `Unknown`; only the institution's own clear word is `Declined` or `NotFound`;
- nothing is believed before its signature is checked on the raw bytes;
- no state in the object except keys: every method may run fifty times at once.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Protocol, TypeVar, runtime_checkable

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from providers.sdk.clock import Clock, Random
from providers.sdk.codes.issuers import Issuer
from providers.sdk.errors import NotSentError, ProviderError
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    Identified,
    NotFound,
    NotSent,
    PayoutSnapshot,
    RefundSnapshot,
    Rejected,
    Snapshot,
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import HttpReply, HttpRequest, Transport
from providers.sdk.wallets import Wallet

if TYPE_CHECKING:
    from providers.sdk.doctor.findings import Doctor
    from providers.sdk.gateway import Gateway, GatewayContext


class Way(StrEnum):
    """How a payer gets to the money."""

    MERCHANT_CODE = "merchant_code"  # the payer scans our code
    PAYER_CODE = "payer_code"  # we scan the payer's code
    IN_APP = "in_app"  # the wallet's own bridge inside its web view
    LINK = "link"  # a page or app link the payer opens
    INVOICE = "invoice"  # the messenger's native invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInfo:
    """What a provider can do; must be true to its behaviour (the conformance kit compares).

    `wallets` are its own. Its merchant codes may be paid by others too: by those that the interconnection table connects
    to `issuer`. None: nobody else's.
    """

    id: str
    name_en: str
    name_zh: str
    wallets: frozenset[Wallet]
    ways: frozenset[Way]
    currencies: frozenset[str]
    min_minor: int
    max_minor: int
    expires_after_min_s: int
    expires_after_max_s: int
    refund_window: timedelta | None  # None: cannot refund
    refunds_max: int | None = None  # None: no published limit
    partial_refunds: bool = True
    can_close: bool = True
    can_payout: bool = False
    payout_min_minor: int = 1
    payout_max_minor: int = 10**10  # without the payee's name
    identifies: bool = False  # has the verbs of `Identifying`
    has_statement: bool = False
    statement_has_payouts: bool = False
    hosts: tuple[str, ...] = ()  # production and test hosts the transport may reach
    code_prefixes: tuple[str, ...] = ()  # a code that starts otherwise is not shown to anyone
    acknowledge_within_s: int = 5
    payer_code_within_s: int = 60  # a payer who has not entered the password by then is given up: reversed
    issuer: Issuer | None = None  # whose its merchant codes are


class ProviderSettings(BaseSettings):
    """One merchant account. The host reads it from the environment under `<PROVIDER>_` (or `<PROVIDER>_<ACCOUNT>_`).

    Every field has a `description`: `.env.example` is written from it. Secrets are `SecretStr`; keys and certificates
    are PEM text, or a path to a PEM file. `merchant_field` names the field that holds the merchant's number.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    merchant_field: ClassVar[str] = "merchant_id"

    fee_bp: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="What this account costs, in hundredths of a percent of a payment (38 is 0.38 %). Of two ways to pay "
        "that are equally near, the cheaper is offered first. 0: unknown, or all the same.",
    )
    single_max_minor: int = Field(
        default=0,
        ge=0,
        description="The most that the contract allows in one payment, in fen; more is led through another account. "
        "0: no more than the institution's own limit.",
    )
    daily_max_minor: int = Field(
        default=0,
        ge=0,
        description="The most that the contract allows in one Beijing day, in fen; what would exceed it is led through "
        "another account. 0: no limit.",
    )

    @property
    def merchant(self) -> str:
        """The merchant's number at the institution: what every verified `Snapshot.merchant` must be."""
        return str(getattr(self, self.merchant_field))


def pem(value: SecretStr | str) -> bytes:
    """The PEM bytes of a setting that holds either the text itself or the path of a file."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return text.encode() if "-----BEGIN" in text else Path(text).expanduser().read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One attempt to collect, stored before the provider hears of it."""

    number: str
    amount: Money
    title: str
    way: Way
    wallet: Wallet
    created_at: datetime
    expires_at: datetime
    notify_url: str
    return_url: str = ""
    payer_code: SecretStr | None = None  # the digits the payer shows: money for about a minute, never logged
    payer_id: str = ""  # the payer's id at the institution (openid, user_id) where the way needs it
    client_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRef:
    """An attempt that was (perhaps) sent."""

    number: str
    amount: Money
    created_at: datetime
    expires_at: datetime
    way: Way = Way.MERCHANT_CODE
    provider_ref: str = ""
    memo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund whose budget is already reserved. `number` never changes, however often it is sent."""

    number: str
    attempt: AttemptRef
    amount: Money
    reason: str
    created_at: datetime
    notify_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRef:
    """A refund that was (perhaps) sent."""

    number: str
    attempt: AttemptRef
    amount: Money
    created_at: datetime
    provider_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRequest:
    """Money to a payee's wallet. `payee` is the id the institution wants (openid, user id, login)."""

    number: str
    amount: Money
    payee: str = field(repr=False)
    title: str
    created_at: datetime
    notify_url: str
    payee_name: str = field(
        default="", repr=False
    )  # where the institution compares it (WeChat Pay from 2,000 yuan)


@dataclass(frozen=True, slots=True)
class Call:
    """What the host lends a provider for one call. The transport already carries deadline, caps and pinned hosts."""

    transport: Transport
    clock: Clock
    random: Random


class Provider(Protocol):
    """The verbs. All but `read_notification`, `reply` and `scrub` speak to the institution."""

    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Open the order at the institution. For `PAYER_CODE` the answer may already be a paid `Snapshot`."""
        ...

    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number. `NotFound` right after a create is normal."""
        ...

    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Make it unpayable; for a payer-code attempt this is the reversal."""
        ...

    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Send back part or all. Repeating the same number returns once."""
        ...

    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number."""
        ...

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Pay money out. Only called when `info.can_payout`."""
        ...

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Ask by our payout number. Only called when `info.can_payout`."""
        ...

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Pure: no I/O. Verify on the raw bytes, check freshness where the institution signs a time, then read."""
        ...

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """The acknowledgement in the institution's own words, or the answer that makes it try again.

        The host hands over the `request` it answers: some institutions (Huifu, BestPay's older gateway) want a field
        of the notification back in the acknowledgement. It is verified already when `accepted`; otherwise believe
        nothing in it. A provider that answers everything alike ignores it.
        """
        ...

    def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """The lines of one Beijing day. Only called when `info.has_statement`."""
        ...

    def scrub(self, transcript: bytes) -> bytes:
        """The transcript of a call or notification with every secret and personal field masked."""
        ...


@runtime_checkable
class Rotating(Protocol):
    """A provider whose institution changes its keys: the host calls `refresh` at start and every twelve hours."""

    async def refresh(self, call: Call) -> None:
        """Fetch the institution's present keys into the key store. Raises `ProviderError`; the old ones stay."""
        ...


class Identifying(Protocol):
    """A provider that can learn, inside the payee's own wallet, what the institution calls that person.

    The host sends the wallet's web view to `authorize_url`; the institution sends it back to `redirect_url` with
    something in the address that only `identify` can make an id of, once. Declared by `info.identifies`.
    """

    def authorize_url(self, state: str, redirect_url: str) -> str:
        """Where to send the web view; empty when this account is not set up for it. `state` comes back as it went."""
        ...

    async def identify(
        self, answer: Mapping[str, str], call: Call
    ) -> Identified | Declined | NotSent | Unknown:
        """The id behind the query of the address that the institution sent back to. `Declined`: begin anew."""
        ...


class KeyStore(Protocol):
    """Public keys a provider fetched from its institution, kept by the host across restarts."""

    def get(self, name: str) -> bytes | None:
        """The bytes stored under that name."""
        ...

    def put(self, name: str, value: bytes) -> None:
        """Store; the old value stays readable until the new one is durable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPlugin:
    """What the entry point `moongate.providers` names: `providers/<id>/__init__.py` holds it as `plugin`."""

    info: ProviderInfo
    settings: type[ProviderSettings]
    build: Callable[[Any, KeyStore], Provider]  # (an instance of `settings`, keys) -> provider
    gateway: "Callable[[GatewayContext], Gateway]"  # the institution's own side, simulated
    doctor: "Doctor | None" = (
        None  # for `moongate doctor`; without one, keys and certificates are looked over
    )


P = ParamSpec("P")
R = TypeVar("R")


def settled(
    verb: Callable[P, Awaitable[R]],
) -> Callable[P, Coroutine[Any, Any, R | NotSent | Unknown]]:
    """Wrap a provider verb: a connection that never opened is `NotSent`, every other mishap is `Unknown`.

    A verb may raise any `ProviderError`, and trip over a malformed answer as Python does (`KeyError`, `ValueError` …):
    after the request has left, neither may end as a failure.
    """

    @functools.wraps(verb)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R | NotSent | Unknown:
        try:
            return await verb(*args, **kwargs)
        except NotSentError as error:
            return NotSent(str(error))
        except ProviderError as error:
            return Unknown(str(error))
        except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
            return Unknown(f"The answer could not be read ({type(error).__name__}).")

    return call
