"""What an operator of a UnionPay account may have wrong, named. See `providers.sdk.doctor`."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from providers.sdk.doctor import (
    Finding,
    Pair,
    examine_certificate,
    examine_private,
    fine,
    look_over,
    mix_up,
    note,
    read_setting,
    signed_by,
    why_unverified,
    wrong,
)
from providers.sdk.errors import ConfigurationError, ReplyError, SignatureError
from providers.sdk.transport import HttpReply, HttpRequest
from providers.unionpay import signing, wire
from providers.unionpay.settings import UnionPaySettings

_MERCHANT: Final = re.compile(r"(?<![0-9])[0-9]{15}(?![0-9])", re.ASCII)
_TEST_HOST: Final = "test.95516.com"


class UnionPayDoctor:
    """`providers.sdk.doctor.Doctor`, for ACP; the QRA gateway has one shared key and is looked over."""

    def examine(self, settings: UnionPaySettings, now: datetime) -> Sequence[Finding]:
        """The signing key with its certificate, and the authorities."""
        return list(_examine(settings, now) if settings.mode == "acp" else look_over(settings, now))

    def signed_text(self, request: HttpRequest) -> bytes:
        """The joined fields. What RSA signs is the SHA-256 of this text in lower-case hexadecimal."""
        try:
            fields = wire.decode_form(request.body)
        except ReplyError:
            return b""
        return signing.signing_text(fields).encode() if "signature" in fields else b""

    def explain(self, settings: UnionPaySettings, reply: HttpReply) -> Sequence[Finding]:
        """A refused signature of ours, or a doubtful one of UnionPay's."""
        if said := mix_up(reply.body):
            return [
                wrong("encoding", f"The answer: {said} ACP is asked for encoding=UTF-8; a proxy changes it.")
            ]
        if settings.mode != "acp":
            return []
        try:
            fields = wire.decode_reply(reply.body)
        except ReplyError:
            said = reply.body[:120].decode("utf-8", "replace")
            return [
                wrong(
                    "reply", f"HTTP {reply.status} and no ACP message: {said!r}. Check base_url and mer_id."
                )
            ]
        return list(_explain(settings, fields))


def _examine(settings: UnionPaySettings, now: datetime) -> Iterator[Finding]:
    own, certificate, findings = _signing_key(settings)
    yield from findings
    if own is not None and certificate is not None:
        yield from examine_certificate(certificate, "sign_key", now, own=own)
        yield from _named(settings, certificate)
    elif own is not None and not settings.cert_id:
        yield wrong(
            "sign_key",
            "It holds no certificate beside the key, and cert_id is empty: add the certificate, or set its decimal serial.",
        )
    yield from _authorities(settings, now)


def _signing_key(settings: UnionPaySettings) -> tuple[Pair | None, x509.Certificate | None, list[Finding]]:
    value = settings.sign_key.get_secret_value()
    if value.lower().endswith((".pfx", ".p12")):
        return _pfx(Path(value).expanduser(), settings.sign_key_password.get_secret_value())
    own, findings = examine_private(settings.sign_key, "sign_key")
    text, _ = read_setting(settings.sign_key, "sign_key")
    return own, _first_certificate(text), findings


def _pfx(path: Path, password: str) -> tuple[Pair | None, x509.Certificate | None, list[Finding]]:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(path.read_bytes(), password.encode() or None)
    except OSError:
        return None, None, [wrong("sign_key", "The .pfx cannot be read: give its path.")]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return (
            None,
            None,
            [
                wrong(
                    "sign_key_password",
                    "The .pfx does not open: the password is wrong, or the file is damaged.",
                )
            ],
        )
    if not isinstance(key, RSAPrivateKey):
        return (
            None,
            None,
            [
                wrong(
                    "sign_key",
                    "The .pfx holds no RSA key: download UnionPay's RSA certificate, not the SM2 one.",
                )
            ],
        )
    return Pair(key, "PKCS#12"), certificate, [fine("sign_key", f"RSA {key.key_size} out of the .pfx.")]


def _first_certificate(text: str) -> x509.Certificate | None:
    try:
        return next(iter(x509.load_pem_x509_certificates(text.encode())), None)
    except ValueError:
        return None


def _named(settings: UnionPaySettings, certificate: x509.Certificate) -> Iterator[Finding]:
    """What requests call the certificate, and whose it says it is."""
    serial = str(certificate.serial_number)
    if settings.cert_id and settings.cert_id != serial:
        yield wrong(
            "cert_id",
            f"The certificate's decimal serial is {serial}, and cert_id says {settings.cert_id}: leave cert_id empty.",
        )
    else:
        yield fine("cert_id", f"{serial} stands in requests as certId; the merchant is {settings.mer_id}.")
    if signing.organisation_of(certificate) in {signing.ORGANISATION, signing.TEST_ORGANISATION}:
        yield wrong("sign_key", "The certificate is UnionPay's own, not the merchant's: the two are swapped.")
    named = _MERCHANT.findall(certificate.subject.rfc4514_string())
    if named and settings.mer_id not in named:
        yield wrong(
            "sign_key",
            f"The certificate is for another merchant: it names {named[0]}, and mer_id is {settings.mer_id}.",
        )


def _authorities(settings: UnionPaySettings, now: datetime) -> Iterator[Finding]:
    try:
        trust = settings.trust()
    except ConfigurationError as error:
        yield wrong("root_cert", str(error))
        return
    for name, certificates in (("root_cert", trust.roots), ("middle_cert", trust.middles)):
        for one in certificates:
            yield from examine_certificate(one, name, now)
    roots = {root.subject for root in trust.roots}
    if not any(middle.issuer in roots for middle in trust.middles):
        yield wrong(
            "middle_cert",
            "It was not issued by root_cert: test and production files are mixed, or the two are swapped.",
        )
    test = any("TEST" in str(root.subject.rfc4514_string()).upper() for root in trust.roots)
    if "95516.com" in settings.base_url and test != (_TEST_HOST in settings.base_url):
        yield wrong(
            "base_url", f"{settings.base_url} and root_cert are of two environments, test and production."
        )
    if settings.test_environment and _TEST_HOST not in settings.base_url:
        yield note(
            "test_environment",
            "It also accepts the signer of the test environment: turn it off in production.",
        )


def _explain(settings: UnionPaySettings, fields: dict[str, str]) -> Iterator[Finding]:
    if fields.get("respCode") == wire.BAD_SIGNATURE:
        yield wrong(
            "sign_key",
            f"UnionPay's check of our signature failed: sign_key is the wrong key for mer_id, or its certificate (certId) is not the one registered there. It said: 11 {fields.get('respMsg', '')}",
        )
    try:
        leaf = signing.enclosed_certificate(fields)
    except SignatureError as error:
        yield wrong(
            "reply",
            f"{error} An answer that is not signed comes from something in between, or base_url is another's.",
        )
        return
    key, signature = leaf.public_key(), fields.get("signature", "")
    said = why_unverified(
        signing.signing_text(fields).encode(),
        lambda text: signed_by([key], hashlib.sha256(text).hexdigest().encode(), signature),
    )
    if not said:
        yield wrong(
            "reply",
            "UnionPay's answer does not verify with the certificate it encloses: it was changed on the way.",
        )
    elif "nothing is wrong" not in said:
        yield wrong("reply", said)
    yield from _chain(settings, leaf)


def _chain(settings: UnionPaySettings, leaf: x509.Certificate) -> Iterator[Finding]:
    trust = settings.trust()
    if leaf.issuer not in {middle.subject for middle in trust.middles}:
        issuer = leaf.issuer.rfc4514_string()
        yield wrong(
            "middle_cert",
            f"UnionPay's certificate was issued by {issuer}, which middle_cert is not: set that authority's file (test or production?).",
        )
    elif (said := signing.organisation_of(leaf)) not in trust.organisations:
        yield wrong(
            "organisation",
            f"The answer is signed in the name of {said!r}: the test environment needs test_environment, and anybody else is not UnionPay.",
        )
