"""What can be said of any provider's settings without knowing its institution: PEM, paths, lengths, encodings."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cryptography import x509
from pydantic import SecretStr

from providers.sdk.contract import ProviderSettings
from providers.sdk.doctor.certificates import examine_certificate
from providers.sdk.doctor.findings import Finding, fine, wrong
from providers.sdk.doctor.keys import examine_private, read_setting
from providers.sdk.doctor.texts import mix_up

_PATH_ENDS: Final = (".pem", ".key", ".crt", ".cer")


def look_over(settings: ProviderSettings, now: datetime) -> Iterator[Finding]:
    """Every setting that is a key, a certificate or a shared secret."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr | str):
            yield from _look(name, value, now)


def _look(name: str, value: SecretStr | str, now: datetime) -> Iterator[Finding]:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        return
    if said := mix_up(text):
        yield wrong(name, said)
    elif "-----BEGIN" in text or text.lower().endswith(_PATH_ENDS):
        yield from _look_into(name, value, now)
    elif isinstance(value, SecretStr):
        yield _secret(name, text)


def _look_into(name: str, value: SecretStr | str, now: datetime) -> Iterator[Finding]:
    text, findings = read_setting(value, name)
    yield from findings
    if "BEGIN CERTIFICATE" in text:
        try:
            for one in x509.load_pem_x509_certificates(text.encode()):
                yield from examine_certificate(one, name, now)
        except ValueError:
            yield wrong(name, "It holds a certificate that cannot be read: copy the file again.")
    if "PRIVATE KEY-----" in text or (text and isinstance(value, SecretStr)):
        yield from examine_private(value, name)[1]


def _secret(name: str, text: str) -> Finding:
    if text != text.strip():
        return wrong(name, "There are blanks or line ends around it: they count. Take them away.")
    if text[0] == text[-1] and text[0] in "\"'":
        return wrong(name, "It stands in quotation marks that are part of it: take them away.")
    return fine(name, f"{len(text.encode())} bytes.")
