"""UnionPay ACP 5.1.0, signMethod 01: what is signed, by whom, and whose word counts.

A message carries the certificate it was signed with, so a good signature alone proves nothing: anyone can enclose a
certificate of his own. What makes it UnionPay's word is the chain (leaf, middle and root of CFCA, which are settings)
and the organisation in the leaf's common name. CFCA signs these certificates with SHA-1, which
`cryptography.x509.verification` refuses; the chain is therefore checked link by link here.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from providers.sdk.errors import ConfigurationError, SignatureError

VERSION: Final = "5.1.0"
SIGN_METHOD: Final = "01"
ORGANISATION: Final = "中国银联股份有限公司"
TEST_ORGANISATION: Final = "00040000:SIGN"  # a second name that the test environment signs with

_PEM_BYTES_MAX: Final = 16 * 1024
_ORGANISATION_AT: Final = 2  # 041@<code>@<organisation>@<serial>
_CHAIN_HASHES: Final = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)


def signing_text(fields: Mapping[str, str]) -> str:
    """Join all filled fields but `signature`, in ASCII order of their names, values as they are."""
    return "&".join(
        f"{name}={fields[name]}" for name in sorted(fields) if name != "signature" and fields[name]
    )


def digest(fields: Mapping[str, str]) -> str:
    """Compute the SHA-256 of the signing text in lower-case hex. RSA-SHA256 then signs these 64 letters: it is hashed twice."""
    return hashlib.sha256(signing_text(fields).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing key with the serial number (`certId`) of its certificate."""

    cert_id: str
    key: RSAPrivateKey = field(repr=False)

    @classmethod
    def from_pem(cls, text: bytes, cert_id: str = "") -> Self:
        """Read one PEM text with the private key and, unless `cert_id` says its serial, the certificate."""
        try:
            key = load_pem_private_key(text, None)
            serial = cert_id or str(x509.load_pem_x509_certificate(_certificate_part(text)).serial_number)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError(
                "The UnionPay sign_key cannot be read: give a PEM with an unencrypted private key and its "
                "certificate (or set cert_id), or the path of a .pfx with sign_key_password."
            ) from None
        return cls._of(serial, key)

    @classmethod
    def from_pfx(cls, content: bytes, password: str, cert_id: str = "") -> Self:
        """Read the `.pfx` that UnionPay or CFCA hands to a merchant."""
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(content, password.encode() or None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError(
                "The UnionPay .pfx cannot be opened: check the file and sign_key_password."
            ) from None
        return cls._of(cert_id or (str(certificate.serial_number) if certificate else ""), key)

    @classmethod
    def _of(cls, cert_id: str, key: object) -> Self:
        if not isinstance(key, RSAPrivateKey) or not cert_id.isdecimal():
            raise ConfigurationError("The UnionPay sign_key must hold an RSA key and its certificate.")
        return cls(cert_id, key)

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The filled fields of a request, signed: `certId` and `signMethod` are part of what is signed."""
        whole = {name: value for name, value in fields.items() if value and name != "signature"}
        whole |= {"certId": self.cert_id, "signMethod": SIGN_METHOD}
        return whole | {"signature": signature_of(whole, self.key)}


def signature_of(fields: Mapping[str, str], key: RSAPrivateKey) -> str:
    """RSA PKCS#1 v1.5 with SHA-256 over the digest's hex letters, base64 in one line."""
    return base64.b64encode(key.sign(digest(fields).encode(), PKCS1v15(), hashes.SHA256())).decode()


def check_signature(fields: Mapping[str, str], certificate: x509.Certificate) -> None:
    """Check the signature against one certificate, and nothing else. Raises `SignatureError`."""
    try:
        signature = base64.b64decode(fields.get("signature", ""), validate=True)
        _rsa(certificate).verify(signature, digest(fields).encode(), PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise SignatureError("The signature does not fit the message.") from None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose messages are believed: the certificate authorities and the organisations of one environment.

    Both authorities may hold several certificates, so that an old and a new one overlap while CFCA changes them.
    The leaf may change from one message to the next: that is UnionPay's own key rotation, and needs nothing from us.
    """

    roots: tuple[x509.Certificate, ...]
    middles: tuple[x509.Certificate, ...]
    organisations: frozenset[str]

    def check(self, fields: Mapping[str, str], now: datetime) -> None:
        """Check method, certificate, chain, organisation and signature. Raises `SignatureError` for any of them."""
        if fields.get("signMethod") != SIGN_METHOD or fields.get("version") != VERSION:
            raise SignatureError("The message is not signed by method 01 of version 5.1.0.")
        leaf = enclosed_certificate(fields)
        self.check_certificate(leaf, now)
        check_signature(fields, leaf)

    def check_certificate(self, leaf: x509.Certificate, now: datetime) -> None:
        """Check validity at `now`, both links of the chain, and the organisation. Revocation is not asked for."""
        middle = _issuer(leaf, self.middles, now)
        _issuer(middle, self.roots, now)
        if not _valid(leaf, now) or organisation_of(leaf) not in self.organisations:
            raise SignatureError("The enclosed certificate is not a valid one of UnionPay.")


def enclosed_certificate(fields: Mapping[str, str]) -> x509.Certificate:
    """The certificate that a message brings along; not yet trusted. Raises `SignatureError`."""
    text = fields.get("signPubKeyCert", "").encode()
    if not 0 < len(text) <= _PEM_BYTES_MAX:
        raise SignatureError("The message encloses no certificate.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error", CryptographyDeprecationWarning
            )  # what it will refuse, we refuse now
            return x509.load_pem_x509_certificate(text)
    except (ValueError, x509.InvalidVersion, CryptographyDeprecationWarning):
        raise SignatureError("The enclosed certificate cannot be read.") from None


def organisation_of(certificate: x509.Certificate) -> str:
    """The third part of the common name, split on `@`; empty when there is none or the name is ambiguous."""
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    parts = str(names[0].value).split("@") if len(names) == 1 else []
    return parts[_ORGANISATION_AT] if len(parts) > _ORGANISATION_AT else ""


def authorities(text: bytes, setting: str) -> tuple[x509.Certificate, ...]:
    """One or more certificates out of a setting. Raises `ConfigurationError` naming it."""
    try:
        if b"-----BEGIN" in text:
            return tuple(x509.load_pem_x509_certificates(text))
        return (x509.load_der_x509_certificate(text),)
    except (ValueError, x509.InvalidVersion):
        raise ConfigurationError(
            f"The UnionPay setting {setting} is no certificate: give PEM, or the path of a .cer."
        ) from None


def _issuer(child: x509.Certificate, parents: Iterable[x509.Certificate], now: datetime) -> x509.Certificate:
    for parent in parents:
        if _valid(parent, now) and _signed_by(child, parent):
            return parent
    raise SignatureError("The enclosed certificate does not lead to the configured authorities.")


def _valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _signed_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        algorithm = child.signature_hash_algorithm
        if child.issuer != parent.subject or not isinstance(algorithm, _CHAIN_HASHES):
            return False
        _rsa(parent).verify(child.signature, child.tbs_certificate_bytes, PKCS1v15(), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, SignatureError):
        return False
    return True


def _rsa(certificate: x509.Certificate) -> RSAPublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise SignatureError("The certificate's key cannot be read.") from None
    if not isinstance(key, RSAPublicKey):
        raise SignatureError("The certificate's key is not RSA.")
    return key


def _certificate_part(text: bytes) -> bytes:
    at = text.find(b"-----BEGIN CERTIFICATE")
    return text[at:] if at >= 0 else b""
