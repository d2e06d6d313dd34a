"""Certificates: whose, which serial, until when, and whether the key beside it is theirs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from providers.sdk.doctor.findings import Finding, fine, note, wrong
from providers.sdk.doctor.keys import Pair, print_of

_SOON: Final = timedelta(days=30)


def examine_certificate(
    certificate: x509.Certificate, about: str, now: datetime, *, own: Pair | None = None
) -> Iterator[Finding]:
    """Dates and serial; with `own`, also that it certifies the merchant's key."""
    until = certificate.not_valid_after_utc
    serial = f"serial {serial_of(certificate)}, subject {name_of(certificate) or 'without a name'}"
    if now < certificate.not_valid_before_utc:
        yield wrong(
            about,
            f"Not valid before {certificate.not_valid_before_utc:%Y-%m-%d} ({serial}): check the clock.",
        )
    elif until < now:
        yield wrong(about, f"Expired on {until:%Y-%m-%d} ({serial}): get the new one from the platform.")
    elif until - now < _SOON:
        yield note(about, f"Expires on {until:%Y-%m-%d}, in {(until - now).days} days ({serial}): renew it.")
    else:
        yield fine(about, f"Valid until {until:%Y-%m-%d}, {serial}.")
    if own is not None:
        yield from _match(certificate, about, own)


def serial_of(certificate: x509.Certificate) -> str:
    """Upper-case hexadecimal, whole octets, as platforms show it."""
    digits = f"{certificate.serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def name_of(certificate: x509.Certificate) -> str:
    """The subject's common name."""
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(names[0].value) if names else ""


def _match(certificate: x509.Certificate, about: str, own: Pair) -> Iterator[Finding]:
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey) and print_of(key) == own.print:
        yield fine(about, f"It certifies your private key ({own.print}).")
        return
    theirs = print_of(key) if isinstance(key, RSAPublicKey) else "no RSA key"
    yield wrong(
        about,
        f"It certifies another key ({theirs}) than your private key ({own.print}): the wrong key, or the "
        "certificate of another pair. Take both from the same download.",
    )
