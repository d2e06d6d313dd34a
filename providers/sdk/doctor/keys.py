"""Keys as operators really paste them, and what is wrong with each: swapped, mislabelled, encrypted, of another kind."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from pydantic import SecretStr

from providers.sdk.doctor.findings import Finding, fine, wrong
from providers.sdk.doctor.texts import mix_up

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LINE: Final = re.compile(r"[0-9A-Za-z+/=\s]{200,}", re.ASCII)
_BITS_MIN: Final = 2048
_HEADERS: Final = {"PRIVATE KEY": "PKCS#8", "RSA PRIVATE KEY": "PKCS#1"}
_TO_PKCS8: Final = "openssl pkcs8 -topk8 -nocrypt -in KEY.pem -out KEY8.pem"
_SEQUENCE, _INTEGER, _LONG_FORM = 0x30, 0x02, 0x80


@dataclass(frozen=True, slots=True)
class Pair:
    """A merchant's key, read; `print` is what can be compared and shown: SHA-256 of the public half, 16 digits."""

    key: RSAPrivateKey = field(repr=False)
    form: str

    @property
    def print(self) -> str:
        return print_of(self.key.public_key())


def read_setting(value: SecretStr | str, about: str) -> tuple[str, list[Finding]]:
    """The text of a setting that holds PEM, one line of Base64, or a path. Empty with a finding when there is none."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if "-----BEGIN" not in text and not _LINE.fullmatch(text):
        try:
            content = Path(text).expanduser().read_bytes()
        except (OSError, ValueError):
            return "", [
                wrong(about, "It names a file that cannot be read: give its path, or the PEM itself.")
            ]
        if said := mix_up(content):
            return "", [wrong(about, f"{said} Keys are plain ASCII: this is no PEM file.")]
        text = content.decode("utf-8")
    if "\\n" in text:
        return "", [
            wrong(about, r"It holds the two characters \n for line ends: write real ones, or a path.")
        ]
    return text, []


def examine_private(
    value: SecretStr | str, about: str, *, pkcs8: bool = False, bare: bool = False
) -> tuple[Pair | None, list[Finding]]:
    """Read a merchant's RSA key, or say why it is none.

    `pkcs8`: the institution's software takes PKCS#8 only. `bare`: one line of Base64 without a header will do.
    """
    text, findings = read_setting(value, about)
    if findings:
        return None, findings
    label, octets = _block(text, "PRIVATE KEY")
    if said := _no_private(text, label, octets, bare=bare):
        return None, [wrong(about, said)]
    form = _form(octets)
    if said := _wrong_form(label, form, pkcs8=pkcs8):
        return None, [wrong(about, said)]
    return _read_private(octets, about, form)


def examine_public(
    value: str, about: str, own: Pair | None, whose: str
) -> tuple[RSAPublicKey | None, list[Finding]]:
    """Read an institution's RSA key. `own` is the merchant's: its public half in this place is the commonest mistake."""
    text, findings = read_setting(value, about)
    if findings:
        return None, findings
    if "PRIVATE KEY-----" in text:
        return None, [
            wrong(
                about,
                f"It holds a private key: the pair is swapped. {whose}'s public key belongs here; a private key "
                "that stood in a public place must be replaced.",
            )
        ]
    if "BEGIN CERTIFICATE" in text:
        return None, [wrong(about, "It holds a certificate: take the key out (openssl x509 -pubkey -noout).")]
    return _read_public(text, about, own, whose)


def print_of(key: RSAPublicKey) -> str:
    """What two halves of one pair have in common."""
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(octets).hexdigest()[:16]


def _block(text: str, kind: str) -> tuple[str, bytes]:
    """Label and bytes of the first block of that kind; a bare line of Base64 has no label."""
    found = next((found for found in _BLOCK.finditer(text) if found[1].endswith(kind)), None)
    label, body = (found[1], found[2]) if found else ("", text if _LINE.fullmatch(text) else "")
    try:
        return label, base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        return label, b""


def _no_private(text: str, label: str, octets: bytes, *, bare: bool) -> str:
    if "ENCRYPTED" in text:
        return f"The key is encrypted with a password: decrypt it ({_TO_PKCS8})."
    if not label and "BEGIN CERTIFICATE" in text:
        return "It holds a certificate: the private key belongs here (apiclient_key.pem beside apiclient_cert.pem)."
    if not label and "PUBLIC KEY-----" in text:
        return "It holds a public key: the pair is swapped. The private key belongs here."
    if label == "EC PRIVATE KEY":
        return "It is an elliptic-curve key (SM2?): an RSA key of 2048 bits belongs here."
    if not octets:
        return "It holds no whole private key in PEM: copy it again, with the BEGIN and END lines."
    if not label and not bare:
        return "It is Base64 without a header: put -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- around it."
    return ""


def _wrong_form(label: str, form: str, *, pkcs8: bool) -> str:
    if label and form and _HEADERS.get(label, form) != form:
        right = next(header for header, name in _HEADERS.items() if name == form)
        return f"The key is {form} under the header of {_HEADERS[label]}: the header must be -----BEGIN {right}-----."
    if pkcs8 and form == "PKCS#1":
        return f"The key is PKCS#1 (BEGIN RSA PRIVATE KEY) where PKCS#8 is wanted: convert it ({_TO_PKCS8})."
    return ""


def _form(octets: bytes) -> str:
    """Which of the two it is, by what follows the version: a number (PKCS#1) or an algorithm (PKCS#8)."""
    if len(octets) < 8 or octets[0] != _SEQUENCE:  # noqa: PLR2004  # shorter than any header
        return ""
    at = 2 + (octets[1] & 0x7F if octets[1] & _LONG_FORM else 0)
    if octets[at : at + 3] != b"\x02\x01\x00":
        return ""
    return {_INTEGER: "PKCS#1", _SEQUENCE: "PKCS#8"}.get(octets[at + 3], "")


def _read_private(octets: bytes, about: str, form: str) -> tuple[Pair | None, list[Finding]]:
    try:
        key = load_der_private_key(octets, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None, [wrong(about, "The key is damaged: copy the file again, whole.")]
    if not isinstance(key, RSAPrivateKey):
        return None, [wrong(about, "It is no RSA key (SM2, EC?): an RSA key of 2048 bits belongs here.")]
    pair = Pair(key, form)
    if key.key_size < _BITS_MIN:
        return pair, [wrong(about, f"The key has {key.key_size} bits; 2048 are wanted. Make a new pair.")]
    return pair, [fine(about, f"RSA {key.key_size}, {form}, public half {pair.print}.")]


def _read_public(
    text: str, about: str, own: Pair | None, whose: str
) -> tuple[RSAPublicKey | None, list[Finding]]:
    label, octets = _block(text, "PUBLIC KEY")
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if label == "RSA PUBLIC KEY":
        return None, [
            wrong(
                about,
                "It is PKCS#1 (BEGIN RSA PUBLIC KEY): convert it (openssl rsa -RSAPublicKey_in -pubout).",
            )
        ]
    if not isinstance(key, RSAPublicKey):
        return None, [wrong(about, f"It is no RSA public key in PEM: copy {whose}'s public key again.")]
    if own is not None and print_of(key) == own.print:
        return None, [
            wrong(
                about,
                f"It is the public half of your own private key ({own.print}): the pairs are swapped. You upload "
                f"that one; copy {whose}'s own public key from its platform into this setting.",
            )
        ]
    return key, [fine(about, f"RSA {key.key_size}, {print_of(key)}; not yours, as it should be.")]
