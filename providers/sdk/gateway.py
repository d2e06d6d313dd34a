"""What a simulated institution offers. Every provider folder has one in `gateway.py`.

A gateway speaks the institution's wire over `handle(request) -> reply`: no web server, no sleeping, no network of its
own. The sandbox serves it over HTTP, the tests call it in process; both deliver the notifications it posts. It keeps
everything in its `Drawer`, so that a killed sandbox goes on where it was. It refuses what the institution refuses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from providers.sdk.clock import Clock, Random
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet


class Fault(StrEnum):
    """The one table of faults, the same words in every gateway.

    | where it bites | faults |
    |---|---|
    | around any API call; `before` leaves no effect, `after` leaves the effect and spoils the reply | the first six |
    | in the next signed reply or notification | bad_signature … wrong_amount |
    | on the way of the next notification | notify_… |
    """

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    HTTP_500_BEFORE = "http_500_before"
    HTTP_500_AFTER = "http_500_after"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    BAD_SIGNATURE = "bad_signature"
    NO_SIGNATURE = "no_signature"
    UNKNOWN_KEY = "unknown_key"
    STALE_CLOCK = "stale_clock"
    WRONG_AMOUNT = "wrong_amount"
    PROBE = "probe"  # the institution's own deliberate bad signature (WECHATPAY/SIGNTEST/)
    USER_PAYING = "user_paying"  # payer code: "entering the password" first, paid on a later query
    PAYER_LINGERS = "payer_lingers"  # payer code: at this query, too, the password is not entered yet
    DECLINED = "declined"  # payer code: refused by the wallet
    NOTIFY_LOST = "notify_lost"
    NOTIFY_LATE = "notify_late"
    NOTIFY_TWICE = "notify_twice"
    NOTIFY_REORDERED = "notify_reordered"
    NOTIFY_FORGED = "notify_forged"


CALL_FAULTS = (
    Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.HTTP_500_BEFORE, Fault.HTTP_500_AFTER,
    Fault.TRUNCATED, Fault.GARBAGE,
)  # fmt: skip


class FaultBox:
    """Armed faults, each taken once. Gateways ask it where a fault would bite."""

    def __init__(self) -> None:
        self._armed: dict[Fault, int] = {}
        self._spared: dict[Fault, int] = {}

    def arm(self, fault: Fault, times: int = 1, *, spare: int = 0) -> None:
        """The next `times` chances are taken, after the first `spare`."""
        self._armed[fault] = self._armed.get(fault, 0) + times
        self._spared[fault] = spare

    def take(self, fault: Fault) -> bool:
        """True if that fault was armed; spends it."""
        left = self._armed.get(fault, 0)
        if left and self._spared.get(fault):
            self._spared[fault] -= 1
            return False
        if left:
            self._armed[fault] = left - 1
        return left > 0

    def disarm(self, fault: Fault) -> None:
        """That one is over."""
        self._armed.pop(fault, None)

    def clear(self) -> None:
        """Back to good behaviour."""
        self._armed.clear()
        self._spared.clear()


class Drawer(Protocol):
    """A gateway's records: JSON values by key, durable in the sandbox, in memory in tests."""

    def get(self, key: str) -> dict[str, object] | None: ...  # the names say all
    def put(self, key: str, value: Mapping[str, object]) -> None: ...
    def scan(self, prefix: str) -> Iterator[tuple[str, dict[str, object]]]: ...


class MemoryDrawer:
    """A drawer for tests: copies in and out, so that a value read is never the value stored."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, object]] = {}

    def get(self, key: str) -> dict[str, object] | None:
        """A copy of the record."""
        value = self._values.get(key)
        return None if value is None else dict(value)

    def put(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a copy."""
        self._values[key] = dict(value)

    def scan(self, prefix: str) -> Iterator[tuple[str, dict[str, object]]]:
        """Records whose key starts so, in key order."""
        for key in sorted(self._values):
            if key.startswith(prefix):
                yield key, dict(self._values[key])


class Purses(Protocol):
    """The payers' money. A gateway moves it only when a bill is settled or refunded."""

    def charge(self, wallet: Wallet, amount: Money, memo: str) -> None:
        """Take from the wallet; raises `PurseRefused` with the reason (balance, wallet class limit)."""
        ...

    def credit(self, wallet: Wallet, amount: Money, memo: str) -> None:
        """Give back."""
        ...

    def owner_of(self, payer_code: str) -> Wallet | None:
        """Which wallet shows this payer code now; None when nobody does or it has expired."""
        ...


class PurseRefused(Exception):  # noqa: N818  # a refusal is an answer, not an error
    """The wallet will not pay; the text is what its owner reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notification on its way. The courier repeats it after `retry_after_s` until it is acknowledged."""

    request: HttpRequest
    retry_after_s: tuple[int, ...]
    key: str  # the same for repeats; the courier's own record key


class Courier(Protocol):
    """Carries notifications to the merchant: stores them first, then posts, then repeats by the schedule.

    The courier applies the `notify_…` faults; it decides on `Gateway.acknowledged(reply)` whether to repeat.
    """

    def post(self, notification: Notification, *, forged: Notification | None = None) -> None:
        """Queue it. `forged` is a twin signed by a stranger, sent first when `notify_forged` is armed."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a simulated institution is given."""

    clock: Clock
    random: Random
    drawer: Drawer
    purses: Purses
    courier: Courier
    faults: FaultBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a wallet shows before the payer confirms."""

    id: str
    payee: str
    amount: Money
    title: str
    number: str  # the merchant's own number


class BillGone(Exception):  # noqa: N818  # an answer to the payer, not an error
    """The bill cannot be paid: expired, closed, or already paid. The text is what the payer reads."""


class GatewaySilence(Exception):  # noqa: N818  # raised only to say nothing
    """The institution says nothing: whoever carries the request lets it time out."""


class Gateway(Protocol):
    """The institution's own side."""

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of a test merchant of this gateway, by field name of the provider's settings class.

        Keys and certificates are made on first use and kept in the drawer.
        """
        ...

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one API call. `request.url` is path and query. Raises `GatewaySilence` to time out."""
        ...

    def recognise(self, code: str) -> Bill | None:
        """The open bill behind a code this institution issued; None when the code is not its own.

        Raises `BillGone` for its own code that can no longer be paid.
        """
        ...

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed: charge the purse, mark the trade paid, post the notification.

        Raises `BillGone` or `PurseRefused`, changing nothing.
        """
        ...

    def acknowledged(self, reply: HttpReply) -> bool:
        """Whether the merchant's answer to a notification counts as received."""
        ...


@runtime_checkable
class SignsAgain(Protocol):
    """A gateway whose institution signs each repeat of a notification with the time at which it is sent."""

    def signed_again(self, request: HttpRequest) -> HttpRequest:
        """The same notification, signed now. The courier asks before every delivery but the first."""
        ...


@runtime_checkable
class Handing(Protocol):
    """A gateway whose payees must accept a payout in their wallet's app."""

    def receive(self, confirm: Mapping[str, str], wallet: Wallet) -> None:
        """The payee accepts: `confirm` is `PayoutSnapshot.confirm`. Raises `BillGone`, changing nothing."""
        ...


@runtime_checkable
class KeepsClasses(Protocol):
    """A gateway whose payers' wallets are of classes, each with limits of its own, as those of e-CNY are."""

    def classes(self) -> tuple[str, ...]:
        """The classes a wallet can be of, the least first."""
        ...

    def class_of(self, wallet: Wallet) -> str:
        """The class that wallet is of now."""
        ...

    def put_in_class(self, wallet: Wallet, name: str, held: Money) -> None:
        """Its holder is known better, or less well. Raises `PurseRefused` when it holds more than that class may."""
        ...

    def check_receipt(self, wallet: Wallet, held: Money, amount: Money) -> None:
        """Money of the holder's own is about to come in. Raises `PurseRefused` when the class may not hold it."""
        ...


def spoilt_by(faults: FaultBox) -> Fault | None:
    """The armed call fault that bites before the effect, if any."""
    before = (Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE)
    return next((fault for fault in before if faults.take(fault)), None)


async def handle_with_faults(gateway: Gateway, faults: FaultBox, request: HttpRequest) -> HttpReply:
    """`gateway.handle` with the call faults around it. Whoever carries requests to a gateway calls this."""
    match spoilt_by(faults):
        case Fault.TIMEOUT_BEFORE:
            raise GatewaySilence
        case Fault.HTTP_500_BEFORE:
            return HttpReply(500, body=b"Internal Server Error")
    reply = await gateway.handle(request)
    if faults.take(Fault.TIMEOUT_AFTER):
        raise GatewaySilence
    if faults.take(Fault.HTTP_500_AFTER):
        return HttpReply(500, body=b"Internal Server Error")
    if faults.take(Fault.TRUNCATED):
        return HttpReply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
    if faults.take(Fault.GARBAGE):
        return HttpReply(200, body=b"<html><body>502 Bad Gateway</body></html>")
    return reply
