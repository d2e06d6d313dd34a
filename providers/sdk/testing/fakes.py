"""Everything a provider needs from outside, faked: time, randomness, purses, post, the network, the key store.

Nothing here opens a socket, reads the machine's clock or draws real randomness.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from providers.sdk.errors import NoReplyError, NotSentError
from providers.sdk.gateway import (
    Fault,
    FaultBox,
    Gateway,
    GatewaySilence,
    Notification,
    PurseRefused,
    handle_with_faults,
)
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

NOON = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)  # noon in Beijing, a Wednesday
BASE_URL = "https://institution.test"
NOTIFY_URL = "https://shop.example/notify/provider/main"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ManualClock:
    """Stands still until it is advanced; a sleeper advances it by what it sleeps."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        """Aware, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Pass that time at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Turn the hands."""
        self._now += timedelta(seconds=seconds)


class FixedRandom:
    """The same texts in the same order for the same seed."""

    def __init__(self, seed: str = "moongate") -> None:
        self._seed, self._drawn = seed, 0

    def text(self, length: int) -> str:
        """`length` characters of `[0-9A-Za-z]`."""
        self._drawn += 1
        octets = hashlib.shake_256(f"{self._seed}:{self._drawn}".encode()).digest(length)
        return "".join(_ALPHABET[octet % len(_ALPHABET)] for octet in octets)


class JsonDrawer:
    """A drawer that keeps every record as JSON text, so that a gateway can keep nothing else in it."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.texts = dict(texts or {})

    def get(self, key: str) -> dict[str, object] | None:
        """The record, read from its text."""
        text = self.texts.get(key)
        record: dict[str, object] | None = None if text is None else json.loads(text)
        return record

    def put(self, key: str, value: Mapping[str, object]) -> None:
        """Keep its text."""
        self.texts[key] = json.dumps(value)

    def scan(self, prefix: str) -> Iterator[tuple[str, dict[str, object]]]:
        """Records whose key starts so, in key order."""
        for key in sorted(self.texts):
            if key.startswith(prefix):
                yield key, json.loads(self.texts[key])


class MemoryKeys:
    """The host's key store, forgotten with the test."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """The bytes stored under that name."""
        return self.values.get(name)

    def put(self, name: str, value: bytes) -> None:
        """Store."""
        self.values[name] = value


class OpenPurses:
    """Every wallet holds the same play money; `moves` lists what was taken (negative) and given back."""

    def __init__(self, minor: int = 100_000_00) -> None:
        self.left = dict.fromkeys(Wallet, minor)
        self.moves: list[tuple[Wallet, int, str]] = []
        self.shown: dict[str, Wallet] = {}

    def show(self, payer_code: str, wallet: Wallet) -> None:
        """The wallet shows this payer code from now on."""
        self.shown[payer_code] = wallet

    def charge(self, wallet: Wallet, amount: Money, memo: str) -> None:
        """Take; `PurseRefused` when the wallet holds less."""
        if self.left[wallet] < amount.minor:
            raise PurseRefused("Insufficient balance.")
        self._move(wallet, -amount.minor, memo)

    def credit(self, wallet: Wallet, amount: Money, memo: str) -> None:
        """Give back."""
        self._move(wallet, amount.minor, memo)

    def owner_of(self, payer_code: str) -> Wallet | None:
        """Which wallet shows this payer code."""
        return self.shown.get(payer_code)

    def _move(self, wallet: Wallet, minor: int, memo: str) -> None:
        self.left[wallet] += minor
        self.moves.append((wallet, minor, memo))


class ListCourier:
    """Keeps the post in the order the merchant would receive it, `notify_…` faults applied.

    `take` empties the bag. A late notification waits in `late`; `sent` holds every genuine one ever posted.
    """

    def __init__(self, faults: FaultBox) -> None:
        self._faults = faults
        self._bag: list[Notification] = []
        self.late: list[Notification] = []
        self.sent: list[Notification] = []

    def post(self, notification: Notification, *, forged: Notification | None = None) -> None:
        """Queue it as the armed faults would have it arrive."""
        self.sent.append(notification)
        if self._faults.take(Fault.NOTIFY_FORGED) and forged is not None:
            self._bag.append(forged)
        if self._faults.take(Fault.NOTIFY_LOST):
            return
        if self._faults.take(Fault.NOTIFY_LATE):
            self.late.append(notification)
            return
        place = 0 if self._faults.take(Fault.NOTIFY_REORDERED) else len(self._bag)
        self._bag.insert(place, notification)
        if self._faults.take(Fault.NOTIFY_TWICE):
            self._bag.append(notification)

    def take(self) -> list[Notification]:
        """What lies in the bag, first to arrive first; the bag is empty afterwards."""
        bag, self._bag = self._bag, []
        return bag


class GatewayTransport:
    """The network to one gateway, in process.

    The gateway's silence is a `NoReplyError`; another host, or one refused with `refuse`, a `NotSentError`.
    """

    def __init__(self, gateway: Gateway, faults: FaultBox, base_url: str = BASE_URL) -> None:
        self.gateway, self._faults, self._base_url = gateway, faults, base_url
        self._refusals = 0
        self.requests: list[HttpRequest] = []
        self.replies: list[HttpReply] = []

    def refuse(self, times: int = 1) -> None:
        """The next `times` connections do not open."""
        self._refusals = times

    async def send(self, request: HttpRequest) -> HttpReply:
        """Carry one request there and the reply back."""
        if not request.url.startswith(f"{self._base_url}/"):
            raise NotSentError(f"{request.url} is not on {self._base_url}.")
        if self._refusals:
            self._refusals -= 1
            raise NotSentError("The connection was refused.")
        self.requests.append(request)
        target = request.url[len(self._base_url) :]
        wired = HttpRequest(request.method, target, request.headers, request.body)
        try:
            reply = await handle_with_faults(self.gateway, self._faults, wired)
        except GatewaySilence:
            raise NoReplyError("No answer in time.") from None
        self.replies.append(reply)
        return reply
