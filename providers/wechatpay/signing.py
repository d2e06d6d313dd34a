"""Signatures and sealed fields of WeChat Pay APIv3. Knows keys and bytes, no business and no network.

Sources: WeChat Pay merchant documents, "interface rules": building and verifying signatures, AEAD_AES_256_GCM
resources, encrypting sensitive fields, switching from platform certificates to the WeChat Pay public key.
"""

import base64
import functools
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from providers.sdk.errors import ConfigurationError, SignatureError
from providers.sdk.transport import Headers

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
PUBLIC_KEY_PREFIX: Final = "PUB_KEY_ID_"
PROBE_PREFIX: Final = "WECHATPAY/SIGNTEST/"  # sent on purpose, to find merchants who do not verify
FRESH_S: Final = 300
AEAD: Final = "AEAD_AES_256_GCM"
APIV3_KEY_BYTES: Final = 32

# OAEP with SHA-1 is what WeChat Pay decrypts; only its collision resistance is broken, which OAEP does not need.
_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303  # see above


def sealed_lines(*lines: str | bytes) -> bytes:
    """The text to sign: every line ends in LF, the last too."""
    return b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """SHA256 with RSA, PKCS#1 v1.5, in Base64."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def verify(key: RSAPublicKey, message: bytes, signature: str) -> None:
    """Raise `SignatureError` unless the signature is the canonical Base64 of a true one.

    Base64 leaves spare bits before its padding; an altered spare bit would decode to the same signature, so the text is
    encoded again and compared.
    """
    try:
        octets = base64.b64decode(signature, validate=True)
        if not hmac.compare_digest(base64.b64encode(octets), signature.encode()):
            raise SignatureError("The signature is not canonical Base64.")
        key.verify(octets, message, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):  # binascii.Error is a ValueError: SIGNTEST probes end here
        raise SignatureError("The signature does not verify.") from None


def authorization(key: RSAPrivateKey, mchid: str, serial_no: str, signed: "SignedRequest") -> str:
    """The value of the `Authorization` header."""
    return header_text(mchid, serial_no, signed, sign(key, signed.message))


def header_text(mchid: str, serial_no: str, signed: "SignedRequest", signature: str) -> str:
    """The five items; WeChat Pay takes them in any order."""
    items = {
        "mchid": mchid,
        "nonce_str": signed.nonce,
        "timestamp": signed.timestamp,
        "serial_no": serial_no,
        "signature": signature,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in items.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a merchant signs. `target` is path and query exactly as on the wire, `body` the very bytes sent."""

    method: str
    target: str
    timestamp: str
    nonce: str
    body: bytes = field(default=b"", repr=False)

    @property
    def message(self) -> bytes:
        """Five lines; the body's line stays when there is no body."""
        return sealed_lines(self.method, self.target, self.timestamp, self.nonce, self.body)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The pinned keys of WeChat Pay by the name that stands in `Wechatpay-Serial`.

    That is the id of the public key (`PUB_KEY_ID_…`, not a number) or the hexadecimal serial of a platform
    certificate. A name outside the ring is refused: nothing is fetched because a stranger wrote a header.
    """

    keys: Mapping[str, RSAPublicKey] = field(repr=False)

    def check(self, headers: Headers, body: bytes, now: datetime) -> None:
        """Raise `SignatureError` unless these bytes were signed within five minutes by a pinned key."""
        signature = _present(headers, "Wechatpay-Signature")
        timestamp = _present(headers, "Wechatpay-Timestamp")
        nonce = _present(headers, "Wechatpay-Nonce")
        key = self.keys.get(_present(headers, "Wechatpay-Serial"))
        if headers.get("Wechatpay-Signature-Type") not in {None, SCHEME}:
            raise SignatureError("Wechatpay-Signature-Type names an unknown scheme.")
        if key is None:
            raise SignatureError(
                "Wechatpay-Serial names a key that is not pinned; download the platform certificates, "
                "or set the public key of the merchant platform."
            )
        verify(key, sealed_lines(timestamp, nonce, body), signature)
        _check_fresh(timestamp, now)


def is_probe(headers: Headers) -> bool:
    """Whether the signature is WeChat Pay's own deliberate wrong one."""
    return any(
        name.lower() == "wechatpay-signature" and value.startswith(PROBE_PREFIX)
        for name, value in headers.lines
    )


def is_unsigned(headers: Headers) -> bool:
    """Whether no header claims a signature at all."""
    return headers.get("Wechatpay-Signature") is None


def open_sealed(key: bytes, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Decrypt AES-GCM: `ciphertext` is Base64 with the 16-byte tag at its end. Raises `SignatureError`."""
    try:
        octets = base64.b64decode(ciphertext, validate=True)
        return AESGCM(key).decrypt(nonce.encode(), octets, associated_data.encode())
    except (ValueError, InvalidTag):
        raise SignatureError("The encrypted resource does not open with the APIv3 key.") from None


def seal(key: bytes, nonce: str, associated_data: str, plaintext: bytes) -> str:
    """The institution's side of `open_sealed`."""
    return base64.b64encode(AESGCM(key).encrypt(nonce.encode(), plaintext, associated_data.encode())).decode()


def encrypt_field(key: RSAPublicKey, text: str) -> str:
    """A sensitive field (a payee's name) for WeChat Pay's eyes: RSA-OAEP under its key, in Base64."""
    return base64.b64encode(key.encrypt(text.encode(), _OAEP)).decode()


def decrypt_field(key: RSAPrivateKey, text: str) -> str:
    """The institution's side of `encrypt_field`. Raises `ValueError` when it was made for another key."""
    return key.decrypt(base64.b64decode(text, validate=True), _OAEP).decode()


@functools.lru_cache(maxsize=32)  # reading a key checks its primes, which takes a tenth of a second
def private_key(pem: bytes, setting: str) -> RSAPrivateKey:
    """Read PKCS#1 or PKCS#8. Raises `ConfigurationError` naming the setting, never its value."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(
            f"{setting} is not an unencrypted RSA private key in PEM; see apiclient_key.pem."
        )
    return key


def public_key(pem: bytes, setting: str) -> RSAPublicKey:
    """Read WeChat Pay's public key. Raises `ConfigurationError` naming the setting."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(f"{setting} is not an RSA public key in PEM; see pub_key.pem.")
    return key


@functools.lru_cache(maxsize=32)
def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a bundle, none for an empty one. Raises `ValueError` when it is no bundle."""
    return tuple(x509.load_pem_x509_certificates(pem)) if pem else ()


def serial_of(certificate: x509.Certificate) -> str:
    """The serial as WeChat Pay writes it: upper-case hexadecimal, whole octets."""
    digits = f"{certificate.serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def certificate_keys(pem: bytes, now: datetime) -> dict[str, RSAPublicKey]:
    """The keys of those certificates of a bundle that are valid at `now`, by serial."""
    keys = {}
    for certificate in certificates(pem):
        key = certificate.public_key()
        valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        if valid and isinstance(key, RSAPublicKey):
            keys[serial_of(certificate)] = key
    return keys


def unexpired(pem: bytes, now: datetime) -> bytes:
    """The bundle without what has expired and without repetitions, so that a store does not grow for ever."""
    kept = {serial_of(one): one for one in certificates(pem) if one.not_valid_after_utc >= now}
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for _, one in sorted(kept.items()))


def _present(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise SignatureError(f"The header {name} is missing.")
    return value


def _check_fresh(timestamp: str, now: datetime) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp, re.ASCII):
        raise SignatureError("Wechatpay-Timestamp is not a Unix time.")
    if abs(int(now.timestamp()) - int(timestamp)) >= FRESH_S:
        raise SignatureError(
            "The signature is five minutes or more away from our clock: stale, or clocks differ."
        )
