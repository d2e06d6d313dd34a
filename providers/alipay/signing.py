"""RSA2 of Alipay's open platform: what is signed, with which key, and which certificate is believed.

Knows keys and bytes, no business and no network. Sources: Alipay open platform documents, "sign and verify" and
"certificate mode"; the certificate numbers are computed as Alipay's own SDKs compute them.

The root file of production holds four certificates, and one of them no RSA library can parse. So a bundle is cut into
its PEM blocks first and read block by block; blank lines between blocks are not relied on.
"""

import base64
import functools
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import NameOID

from providers.sdk.errors import ConfigurationError, SignatureError

SIGN_TYPE: Final = "RSA2"
UNSIGNED_IN_REQUESTS: Final = frozenset({"sign"})  # sign_type is signed here …
UNSIGNED_IN_NOTIFICATIONS: Final = frozenset({"sign", "sign_type"})  # … and not there

_RSA: Final = "1.2.840.113549.1.1"  # how the OIDs of RSA signatures begin
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_CHAIN_MAX: Final = 4
_BASE64: Final = re.compile(r"[0-9A-Za-z+/=\s]+", re.ASCII)


def signing_text(parameters: Mapping[str, str], left_out: frozenset[str] = UNSIGNED_IN_REQUESTS) -> str:
    """All filled parameters but those left out, in the order of their names, values decoded."""
    return "&".join(
        f"{name}={parameters[name]}"
        for name in sorted(parameters)
        if name not in left_out and parameters[name]
    )


def sign(key: RSAPrivateKey, text: str) -> str:
    """SHA256 with RSA, PKCS#1 v1.5, in Base64."""
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()


def verify(keys: Iterable[RSAPublicKey], text: str, signature: str) -> None:
    """Raise `SignatureError` unless one of the keys signed this text.

    The signature must be canonical Base64: spare bits before the padding would decode to the same octets.
    """
    octets = _canonical(signature)
    for key in keys:
        try:
            key.verify(octets, text.encode(), PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return
    raise SignatureError("The signature does not verify with any key of Alipay that we hold.")


def private_key(text: str, setting: str) -> RSAPrivateKey:
    """Read PKCS#1 or PKCS#8, in PEM or as the one line of Base64 that Alipay's key tool gives.

    Raises `ConfigurationError` naming the setting.
    """
    for label in ("PRIVATE KEY", "RSA PRIVATE KEY"):
        try:
            key = load_pem_private_key(_as_pem(text, label), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, RSAPrivateKey):
            return key
    raise ConfigurationError(
        f"{setting} is not an unencrypted RSA private key; give the PEM text, its path, or the key tool's Base64 line."
    )


def public_key(text: str, setting: str) -> RSAPublicKey:
    """Read a public key, in PEM or as the one line of Base64 that the platform shows. Raises `ConfigurationError`."""
    try:
        key = load_pem_public_key(_as_pem(text, "PUBLIC KEY"))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(
            f"{setting} is not an RSA public key; copy Alipay's public key (not the application's) from the platform."
        )
    return key


@functools.lru_cache(maxsize=32)
def certificates(bundle: bytes) -> tuple[x509.Certificate, ...]:
    """Every certificate of the bundle that is signed with RSA, in the order of the file. Others are passed over."""
    read = (_certificate(block) for block in _BLOCK.findall(bundle))
    return tuple(one for one in read if one is not None)


def certificate_sn(certificate: x509.Certificate) -> str:
    """`app_cert_sn` and `alipay_cert_sn`: MD5 of the issuer's name and the decimal serial number."""
    text = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # a name, not a proof


def root_sn(bundle: bytes) -> str:
    """`alipay_root_cert_sn`: the numbers of all RSA certificates of the root file."""
    return "_".join(certificate_sn(one) for one in certificates(bundle))


def key_of(certificate: x509.Certificate) -> RSAPublicKey:
    """Its public key. Raises `SignatureError` when it is not RSA."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SignatureError("The certificate holds no RSA key.")
    return key


def trusted_leaf(downloaded: bytes, pinned: bytes, roots: bytes, now: datetime) -> x509.Certificate:
    """The first certificate of a downloaded bundle, if it may follow the pinned one. Raises `SignatureError`.

    It must chain to a configured root through certificates in date, and bear the pinned one's common name: every
    merchant holds a certificate of the same authority, so the chain alone proves little. For the same reason an
    intermediate counts only when it is pinned too, or says itself that it is an authority.
    """
    found, known = certificates(downloaded), certificates(pinned)
    anchors = certificates(roots)
    if not found or not known or _common_name(found[0]) != _common_name(known[0]):
        raise SignatureError("The downloaded certificate is not one of the pinned certificate's owner.")
    issuers = (*anchors, *known[1:], *(one for one in found[1:] if _is_authority(one)))
    current = found[0]
    for _ in range(_CHAIN_MAX):
        if not current.not_valid_before_utc <= now <= current.not_valid_after_utc:
            raise SignatureError("A certificate of the downloaded chain is not in date.")
        if current in anchors:
            return found[0]
        current = _issuer(current, issuers)
    raise SignatureError("The downloaded certificate's chain is too long.")


def _issuer(certificate: x509.Certificate, issuers: Iterable[x509.Certificate]) -> x509.Certificate:
    for issuer in issuers:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return issuer
    raise SignatureError("The downloaded certificate does not lead to the configured root.")


def _certificate(block: bytes) -> x509.Certificate | None:
    try:
        one = x509.load_pem_x509_certificate(block)
        return one if one.signature_algorithm_oid.dotted_string.startswith(_RSA) else None
    except (ValueError, UnsupportedAlgorithm):
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _canonical(signature: str) -> bytes:
    try:
        octets = base64.b64decode(signature, validate=True)
    except ValueError:
        raise SignatureError("The signature is not Base64.") from None
    if not octets or not hmac.compare_digest(base64.b64encode(octets), signature.encode()):
        raise SignatureError("The signature is not canonical Base64.")
    return octets


def _as_pem(text: str, label: str) -> bytes:
    if "-----BEGIN" in text or not _BASE64.fullmatch(text):
        return text.encode()
    return f"-----BEGIN {label}-----\n{''.join(text.split())}\n-----END {label}-----\n".encode()
