"""How one account is examined: what its settings say, then one harmless question to its institution.

The question is a query of an order that does not exist. An institution that answers it has accepted our signature, and
its answer is verified as any other: nothing else proves so much and moves so little.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from bot.settings import AccountName
from providers.sdk.contract import (
    AttemptRef,
    Call,
    KeyStore,
    Provider,
    ProviderPlugin,
    ProviderSettings,
    Rotating,
)
from providers.sdk.doctor import Finding, Weight, fine, look_over, note, wrong
from providers.sdk.errors import ConfigurationError, ProviderError, ReplyError
from providers.sdk.money import Money
from providers.sdk.results import NotFound, NotSent, Snapshot
from providers.sdk.transport import HttpReply, HttpRequest, Transport

_SKEW_NOTED: Final = timedelta(seconds=30)
_SKEW_REFUSED: Final = timedelta(seconds=300)  # WeChat Pay's five minutes; the others grant more
_SHOWN_CHARS: Final = 1500
_METHOD_NOT_ALLOWED: Final = 405
_WITHIN_S: Final = 10
_SECRET_CHARS_MIN: Final = 6


@dataclass(frozen=True, slots=True)
class Patient:
    """One merchant account, as the host would build it."""

    name: AccountName
    plugin: ProviderPlugin
    settings: ProviderSettings
    keys: KeyStore
    call: Call
    notify_url: str


class Overheard:
    """A transport that keeps what it carried last."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.request: HttpRequest | None = None
        self.reply: HttpReply | None = None

    async def send(self, request: HttpRequest) -> HttpReply:
        """Carry and keep."""
        self.request, self.reply = request, None
        self.reply = await self._inner.send(request)
        return self.reply


async def examine(patient: Patient, *, offline: bool = False) -> AsyncIterator[Finding]:
    """Everything that can be said of one account, in the order in which an operator would look. Never a secret."""
    secrets = tuple(_secrets(patient.settings))
    async for finding in _examined(patient, offline=offline):
        text = finding.text
        for secret in secrets:
            text = text.replace(secret, "***")
        yield replace(finding, text=text)


async def _examined(patient: Patient, *, offline: bool) -> AsyncIterator[Finding]:
    now = patient.call.clock.now()
    found = list(_settings(patient, now))
    for finding in found:
        yield finding
    try:
        provider = patient.plugin.build(patient.settings, patient.keys)
    except ConfigurationError as error:
        if all(finding.weight is not Weight.WRONG for finding in found):  # else it has been told, and better
            yield wrong("settings", str(error))
        return
    for finding in _addresses(patient.settings):
        yield finding
    if offline:
        return
    async for finding in _ask(patient, provider):
        yield finding


async def reach(url: str, client: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Whether the notification address can work. From here: a firewall may still keep the institution out."""
    for finding in _address(url):
        yield finding
    try:
        timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
        async with client.get(url, timeout=timeout, allow_redirects=False) as answer:
            yield _answered(url, answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        yield wrong(
            "notify_url",
            f"{url} does not answer from here ({type(error).__name__}): is the host running, does the name "
            "resolve, is the certificate of the TLS proxy good?",
        )


def _secrets(settings: ProviderSettings) -> Iterator[str]:
    """What must not be printed even where an institution repeats it; a value too short to be a secret is none."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and len(value.get_secret_value()) >= _SECRET_CHARS_MIN:
            yield value.get_secret_value()


def _settings(patient: Patient, now: datetime) -> Iterator[Finding]:
    doctor = patient.plugin.doctor
    yield from look_over(patient.settings, now) if doctor is None else doctor.examine(patient.settings, now)


def _addresses(settings: ProviderSettings) -> Iterator[Finding]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, str) and value.startswith("https://"):
            yield fine(name, value)
        elif isinstance(value, str) and value.startswith("http://"):
            yield note(
                name, f"{value} is not encrypted: right for a simulated institution, wrong for a real one."
            )


async def _ask(patient: Patient, provider: Provider) -> AsyncIterator[Finding]:
    line = Overheard(patient.call.transport)
    call = Call(line, patient.call.clock, patient.call.random)
    if isinstance(provider, Rotating):
        yield await _refreshed(provider, call)
    ref = _nobodys_order(patient, call)
    found = await provider.query(ref, call)
    if line.request is not None:
        for finding in _signed(patient, provider, line.request):
            yield finding
    for finding in _skew(line.reply, call.clock.now()):
        yield finding
    match found:
        case NotFound() | Snapshot():
            yield fine("signature", f"Accepted, and the answer verified: it knows no order {ref.number}.")
        case NotSent(reason=reason):
            yield wrong("base_url", f"Nothing could be sent: {reason}")
        case _:
            for finding in _unanswered(patient, found.reason, line.reply):
                yield finding


async def _refreshed(provider: Rotating, call: Call) -> Finding:
    try:
        await provider.refresh(call)
    except ProviderError as error:
        return note("keys", f"The institution's present keys could not be fetched: {error}")
    return fine("keys", "The institution's present keys are fetched, or there is nothing to fetch.")


def _nobodys_order(patient: Patient, call: Call) -> AttemptRef:
    now = call.clock.now()
    currency = min(patient.plugin.info.currencies)
    return AttemptRef(
        number=f"Doctor{call.random.text(14)}",
        amount=Money(max(1, patient.plugin.info.min_minor), currency),
        created_at=now - timedelta(minutes=10),
        expires_at=now + timedelta(minutes=10),
    )


def _signed(patient: Patient, provider: Provider, request: HttpRequest) -> Iterator[Finding]:
    """The bytes, masked, with length and digest of the true ones: another program's can be compared."""
    doctor = patient.plugin.doctor
    text = doctor.signed_text(request) if doctor is not None else b""
    if not text:
        yield note(
            "signed bytes",
            f"To {urlsplit(request.url).hostname}; this provider does not tell which.",
        )
        return
    digest = hashlib.sha256(text).hexdigest()
    shown = provider.scrub(text).decode("utf-8", "replace")[:_SHOWN_CHARS].replace("\n", "⏎\n        ")
    yield fine("signed bytes", f"{len(text)} bytes, SHA-256 {digest}:\n        {shown}")


def _skew(reply: HttpReply | None, now: datetime) -> Iterator[Finding]:
    try:
        date = reply.headers.get("Date") if reply is not None else None
        theirs = parsedate_to_datetime(date) if date else None
    except (ReplyError, ValueError):
        theirs = None
    if theirs is None or theirs.tzinfo is None:
        if reply is not None:
            yield note("clock", "The institution told no time; compare this machine's clock with another.")
        return
    skew = now - theirs
    words = (
        f"{abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta() else 'behind'} the institution"
    )
    if abs(skew) >= _SKEW_REFUSED:
        yield wrong(
            "clock", f"This machine is {words}: signatures are refused from 300 s on. Set the clock (NTP)."
        )
    elif abs(skew) >= _SKEW_NOTED:
        yield note("clock", f"This machine is {words}: set the clock (NTP).")
    else:
        yield fine("clock", f"{words}.")


def _unanswered(patient: Patient, reason: str, reply: HttpReply | None) -> Iterator[Finding]:
    found: Sequence[Finding] = ()
    if reply is not None and patient.plugin.doctor is not None:
        found = patient.plugin.doctor.explain(patient.settings, reply)
    yield from found
    status = f" (HTTP {reply.status})" if reply is not None else ""
    if not found:
        yield wrong("signature", f"No answer that can be believed{status}: {reason}")


def _address(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        yield note("notify_url", f"{url} is not https: institutions post to https only. Set PUBLIC_URL.")
    if host == "localhost" or _is_private(host):
        yield note(
            "notify_url",
            f"{host} is this machine or its network: no institution can reach it. Set PUBLIC_URL.",
        )


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def _answered(url: str, status: int) -> Finding:
    if status == _METHOD_NOT_ALLOWED:  # our own door: it takes POST only
        return fine("notify_url", f"{url} leads here.")
    if status // 100 == 3:  # noqa: PLR2004  # RFC 9110, 15.4
        return wrong(
            "notify_url",
            f"{url} redirects (HTTP {status}): institutions do not follow. Set PUBLIC_URL to the last address.",
        )
    return wrong(
        "notify_url",
        f"{url} is answered by something else than Moongate (HTTP {status}): check PUBLIC_URL and the proxy's paths.",
    )
