"""What an operator of an Alipay application may have wrong, named. See `providers.sdk.doctor`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from providers.alipay import signing, wire
from providers.alipay.settings import AlipaySettings
from providers.sdk.doctor import (
    Finding,
    Pair,
    examine_certificate,
    examine_private,
    examine_public,
    fine,
    mix_up,
    note,
    read_setting,
    signed_by,
    why_unverified,
    wrong,
)
from providers.sdk.errors import ReplyError
from providers.sdk.transport import HttpReply, HttpRequest

_CERTIFICATES: Final = ("app_cert", "alipay_cert", "root_cert")
_NUMBERS: Final = re.compile(r"20[0-9]{14}", re.ASCII)  # application numbers, and accounts 2088…
_OBJECT: Final = re.compile(r'"([a-z_]+)_response"')

# Alipay open platform, "public error codes".
_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "isv.invalid-signature": ("private_key", "Alipay's signature check failed: the key that is uploaded for this application is not the public half of private_key (the wrong key), or the application signs with RSA where RSA2 is set, or the text was signed in another charset than utf-8."),
    "isv.invalid-app-id": ("app_id", "Alipay does not know this application: check app_id, and whether base_url is the sandbox's while the application is not (or the other way round)."),
    "isv.missing-signature": ("base_url", "The signature did not arrive: a proxy drops parameters."),
    "isv.invalid-signature-type": ("app_id", "The application is set to another signature type than RSA2: change it on the platform."),
    "isv.invalid-app-cert-sn": ("app_cert", "The serial of app_cert is not that of this application's certificate: it is of another application, or an older one. Download it again."),
    "isv.invalid-alipay-root-cert-sn": ("root_cert", "root_cert is not Alipay's present root file: download alipayRootCert.crt again, whole."),
    "isv.invalid-timestamp": ("clock", "Alipay does not take the time we sent: set this machine's clock (NTP)."),
    "isv.invalid-charset": ("base_url", "The charset did not arrive as utf-8: a proxy changes the address."),
}  # fmt: skip


class AlipayDoctor:
    """`providers.sdk.doctor.Doctor`."""

    def examine(self, settings: AlipaySettings, now: datetime) -> Sequence[Finding]:
        """Every key of the mode that is set."""
        return list(_examine(settings, now))

    def signed_text(self, request: HttpRequest) -> bytes:
        """All filled parameters but `sign`, by name, decoded, joined with `&`."""
        parameters = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        return signing.signing_text(parameters).encode() if "sign" in parameters else b""

    def explain(self, settings: AlipaySettings, reply: HttpReply) -> Sequence[Finding]:
        """A refusal without signature is about ours; a signed answer, about Alipay's."""
        if said := mix_up(reply.body):
            return [
                wrong("charset", f"The answer: {said} Alipay answers in GBK when charset did not reach it.")
            ]
        if found := _refused(reply):
            return [found]
        return list(_unverified(settings, reply.body))


def _examine(settings: AlipaySettings, now: datetime) -> Iterator[Finding]:
    own, findings = examine_private(settings.private_key, "private_key", bare=True)
    yield from findings
    yield fine("app_id", f"{settings.app_id}.")
    if settings.app_cert:
        for name in _CERTIFICATES:
            yield from _certificate(settings, name, own, now)
        if settings.alipay_public_key:
            yield note("alipay_public_key", "It is not used: the three certificates are set.")
    else:
        yield from examine_public(settings.alipay_public_key, "alipay_public_key", own, "Alipay")[1]
        yield note(
            "app_cert",
            "Public-key mode: whether Alipay holds the public half of private_key, only Alipay can tell.",
        )
    if ("alipaydev.com" in settings.base_url) != settings.app_id.startswith("9021"):
        yield from _environment(settings)


def _environment(settings: AlipaySettings) -> Iterator[Finding]:
    """Sandbox applications are numbered 9021…; older ones are not, so this is a hint."""
    if "alipay" in settings.base_url:
        yield note(
            "base_url",
            f"{settings.base_url} and application {settings.app_id} look like two environments: sandbox numbers begin with 9021.",
        )


def _certificate(settings: AlipaySettings, name: str, own: Pair | None, now: datetime) -> Iterator[Finding]:
    text, findings = read_setting(getattr(settings, name), name)
    yield from findings
    bundle = signing.certificates(text.encode())
    if text and not bundle:
        yield wrong(name, "It holds no RSA certificate in PEM: download it again from Alipay.")
        return
    for one in bundle[:1] if name != "root_cert" else bundle:
        yield from examine_certificate(one, name, now, own=own if name == "app_cert" else None)
        if name == "alipay_cert" and own is not None and one.public_key() == own.key.public_key():
            yield wrong(
                name,
                "It is your own application's certificate: the two are swapped. alipayCertPublicKey_RSA2.crt belongs here.",
            )
    if name == "app_cert" and bundle:
        yield from _owner(bundle[0].subject.rfc4514_string(), settings.app_id)


def _owner(subject: str, app_id: str) -> Iterator[Finding]:
    named = [number for number in _NUMBERS.findall(subject) if not number.startswith("2088")]
    if named and app_id not in subject:
        yield wrong(
            "app_cert",
            f"The certificate is for another application: it names {named[0]}, and app_id is {app_id}.",
        )


def _refused(reply: HttpReply) -> Finding | None:
    try:
        members = json.loads(reply.body)
        if "sign" in members:
            return None
        inner = next(part for part in members.values() if isinstance(part, dict))
        word = str(inner.get("sub_code") or inner["code"])
    except (ValueError, LookupError, TypeError, StopIteration, AttributeError):
        return wrong(
            "reply",
            f"HTTP {reply.status} and not Alipay's words: is a proxy in between, or base_url another's?",
        )
    about, words = _REFUSALS.get(word, ("reply", "Alipay refused before it read the call."))
    return wrong(about, f"{words} It said: {word} {inner.get('sub_msg', '')}".rstrip())


def _unverified(settings: AlipaySettings, body: bytes) -> Iterator[Finding]:
    """Why a signed answer does not verify. Silent when it does."""
    named = _OBJECT.search(body.decode("utf-8"))
    try:
        envelope = wire.open_envelope(body, named[1].replace("_", ".") if named else "")
    except ReplyError as error:
        yield wrong("reply", str(error))
        return
    keys, about = _known(settings)
    said = why_unverified(envelope.signed.encode(), lambda text: signed_by(keys, text, envelope.signature))
    if not said:
        yield wrong(
            about,
            f"Alipay's answer does not verify with it: it is not Alipay's present key{_serial(envelope.cert_sn)}. Copy it again from the platform (Alipay's key, not the application's).",
        )
    elif "nothing is wrong" not in said:
        yield wrong("reply", said)


def _serial(cert_sn: str) -> str:
    return f", which signs with certificate {cert_sn}" if cert_sn else ""


def _known(settings: AlipaySettings) -> tuple[list[RSAPublicKey], str]:
    if settings.alipay_cert:
        text, _ = read_setting(settings.alipay_cert, "")
        return [signing.key_of(one) for one in signing.certificates(text.encode())[:1]], "alipay_cert"
    public, _ = examine_public(settings.alipay_public_key, "", None, "")
    return [public] if public else [], "alipay_public_key"
