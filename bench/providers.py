"""What a payment costs in CPU: opening an order and believing a notification, beside the bare cryptography in it.

    python bench/providers.py [--rounds 5] [--times 200]

Every registered provider, on its own wire, against an institution whose honest answer was recorded once: what is
measured is ours, from `create` to the verified answer, and from the raw notification to `Verified`. No network. The
cryptography is not guessed: the interpreter's profiler counts the signatures, verifications, ciphers and digests of one
call, and each kind is timed alone in the same run. The smallest of the rounds counts, so that a noisy machine lies less.
"""

import asyncio
import hashlib
import io
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import click
import qrcode
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# As a script, this folder comes first on the path, and this file would be taken for the package `providers`.
if not __package__:
    sys.path.pop(0)

from bot.catalogue import read_catalogue
from bot.runtime.picture import qr_png
from providers.sdk.contract import Call, Intent, ProviderPlugin, Way
from providers.sdk.gateway import Notification
from providers.sdk.money import Money
from providers.sdk.results import Created, Verified
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply, HttpRequest

_WAYS = (Way.MERCHANT_CODE, Way.LINK, Way.IN_APP, Way.INVOICE)
_CODE = "https://pay.example.com/p/3fK9sQx7LmZt2VbR"  # as long as a one-code link
_TEXT = b"m" * 700  # a usual message


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds of one call, and which cryptography is in it."""

    whole_us: float
    primitives: Counter[str]


class Recorded:
    """The network, answering what the institution answered when the same thing was asked first."""

    def __init__(self, stall: Stall) -> None:
        self._honest = stall.call.transport
        self._replies: dict[str, HttpReply] = {}

    async def send(self, request: HttpRequest) -> HttpReply:
        """The recorded answer of that address."""
        place = request.url.split("?")[0]
        if place not in self._replies:
            self._replies[place] = await self._honest.send(request)
        return self._replies[place]


def counted(primitives: Counter[str]) -> Callable[[Any, str, Any], None]:
    """A profile function that counts calls into cryptography and hashlib."""

    def see(_frame: Any, event: str, called: Any) -> None:  # noqa: ANN401  # the interpreter's own
        if event != "c_call":
            return
        owner, name = type(getattr(called, "__self__", None)).__name__, getattr(called, "__name__", "")
        if owner in {"RSAPrivateKey", "RSAPublicKey"} and name in {"sign", "verify"}:
            primitives[f"RSA {name}"] += 1
        elif owner == "AESGCM":
            primitives["AES-GCM"] += 1
        elif str(getattr(called, "__module__", "")) == "_hashlib" and name != "compare_digest":
            primitives["digest"] += 1

    return see


async def cost_of(work: Callable[[], Awaitable[object]], rounds: int, times: int) -> Cost:
    """Warm up, count once, then time."""
    await work()
    primitives: Counter[str] = Counter()
    sys.setprofile(counted(primitives))
    try:
        await work()
    finally:
        sys.setprofile(None)
    best = min([await _round(work, times) for _ in range(rounds)])
    return Cost(best, primitives)


async def _round(work: Callable[[], Awaitable[object]], times: int) -> float:
    start = time.process_time_ns()
    for _ in range(times):
        await work()
    return (time.process_time_ns() - start) / times / 1000


def bare(work: Callable[[], object], rounds: int, times: int) -> float:
    """The smallest mean of the rounds, CPU microseconds."""

    async def call() -> None:
        work()

    async def measure() -> float:
        return min([await _round(call, times) for _ in range(rounds)])

    return asyncio.run(measure())


def alone(rounds: int, times: int) -> dict[str, float]:
    """Each kind of cryptography by itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public, pkcs1, sha = key.public_key(), padding.PKCS1v15(), hashes.SHA256()
    signature, cipher = key.sign(_TEXT, pkcs1, sha), AESGCM(bytes(32))
    sealed = cipher.encrypt(bytes(12), _TEXT, b"transaction")
    return {
        "RSA sign": bare(lambda: key.sign(_TEXT, pkcs1, sha), rounds, times),
        "RSA verify": bare(lambda: public.verify(signature, _TEXT, pkcs1, sha), rounds, times),
        "AES-GCM": bare(lambda: AESGCM(bytes(32)).decrypt(bytes(12), sealed, b"transaction"), rounds, times),
        "digest": bare(lambda: hashlib.sha256(_TEXT).hexdigest(), rounds, times),
    }


async def measure(plugin: ProviderPlugin, rounds: int, times: int) -> tuple[Cost, Cost | None]:
    """Opening an order; believing the notification of its payment where the institution sends one."""
    stall = Stall(plugin)
    intent = _intent(stall, plugin)
    call = Call(Recorded(stall), stall.clock, stall.random)
    created = await stall.provider.create(intent, call)
    if not isinstance(created, Created):
        raise TypeError(f"{plugin.info.id} did not open an order: {created}")

    async def create() -> None:
        if not isinstance(again := await stall.provider.create(intent, call), Created):
            raise TypeError(f"{plugin.info.id} did not believe the recorded answer: {again}")

    opened = await cost_of(create, rounds, times)
    notification = _notified(stall, intent, created)
    if notification is None:
        return opened, None

    async def read() -> None:
        if not isinstance(verdict := stall.read(notification), Verified):
            raise TypeError(f"{plugin.info.id} did not believe its institution: {verdict}")

    return opened, await cost_of(read, rounds, times)


def _intent(stall: Stall, plugin: ProviderPlugin) -> Intent:
    way = next(way for way in _WAYS if way in plugin.info.ways)
    amount = Money(max(plugin.info.min_minor, min(1800, plugin.info.max_minor)), min(plugin.info.currencies))
    return stall.intent(amount, way=way, payer_id="payer01")


def _notified(stall: Stall, intent: Intent, created: Created) -> Notification | None:
    bill = stall.gateway.recognise(created.code or created.link or "")
    if bill is None:
        return None
    stall.gateway.settle(bill.id, intent.wallet)
    return next(iter(stall.courier.take()), None)


def stock_png(text: str) -> bytes:
    """The same picture as qrcode makes it by itself."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=8, border=4)
    code.add_data(text)
    out = io.BytesIO()
    code.make_image().save(out)
    return out.getvalue()


def line(name: str, what: str, cost: Cost, alone_us: dict[str, float]) -> str:
    """One row of the table."""
    bare_us = sum(alone_us[kind] * count for kind, count in cost.primitives.items())
    named = ", ".join(f"{count} {kind}" for kind, count in sorted(cost.primitives.items())) or "none"
    return f"| {name:<13} | {what:<12} | {cost.whole_us:>8.0f} | {bare_us:>8.0f} | {named} |"


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--times", default=200, show_default=True)
def main(rounds: int, times: int) -> None:
    """Print one table."""
    alone_us = alone(rounds, times)
    print("| provider      | what         | CPU µs   | bare µs  | cryptography in it |")
    print("|---|---|--:|--:|---|")
    for provider in read_catalogue().providers:
        opened, believed = asyncio.run(measure(provider.plugin, rounds, times))
        print(line(provider.name, "create", opened, alone_us))
        if believed is not None:
            print(line(provider.name, "notification", believed, alone_us))
    pictures = {
        "ours": bare(lambda: qr_png(_CODE), rounds, times),
        "qrcode": bare(lambda: stock_png(_CODE), rounds, times // 10),
    }
    for whose, us in pictures.items():
        print(f"| {whose:<13} | {'QR picture':<12} | {us:>8.0f} |          | |")


if __name__ == "__main__":
    main()
