"""The keys of the simulated UnionPay: an authority of its own, a signing leaf, and a test merchant's key.

Made on first use and kept in the gateway's drawer. The names look like CFCA's and UnionPay's and lead nowhere: only a
provider that was given this root believes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from providers.sdk.gateway import Drawer, Fault, FaultBox
from providers.unionpay.signing import ORGANISATION, SIGN_METHOD, VERSION, signature_of

LEAF_NAME: Final = f"041@8310000000083040@{ORGANISATION}@00016495"

_YEAR: Final = timedelta(days=365)
_KEYS: Final = "keys"


@dataclass(frozen=True, slots=True)
class Seal:
    """A key with the certificate that travels beside its signatures."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what `text` writes."""
        # Our own drawer's key: checking its primes again would make every start of the sandbox slow.
        key = serialization.load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("A seal in the drawer holds no RSA key.")
        return cls(key, x509.load_pem_x509_certificate(text[text.index("-----BEGIN CERT") :].encode()))

    @property
    def text(self) -> str:
        """Key and certificate in one PEM text."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key.decode() + pem_text(self.certificate)

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The filled fields, signed as UnionPay does: the certificate in CRLF lines is part of what is signed."""
        enclosed = pem_text(self.certificate).strip().replace("\n", "\r\n")
        whole = {name: value for name, value in fields.items() if value and name != "signature"}
        whole |= {"version": VERSION, "signMethod": SIGN_METHOD, "signPubKeyCert": enclosed}
        return whole | {"signature": signature_of(whole, self.key)}


@dataclass(frozen=True, slots=True)
class Authority:
    """All keys of one simulated world."""

    root: Seal
    middle: Seal
    leaf: Seal
    expired: Seal  # an honest leaf that ran out yesterday
    stranger: Seal  # the right name, on a certificate that its owner made himself
    merchant: Seal

    @classmethod
    def kept_in(cls, drawer: Drawer, now: datetime) -> Self:
        """The keys of this drawer; made now if it has none."""
        kept = drawer.get(_KEYS)
        if kept is not None:
            return cls(**{name: Seal.of(str(text)) for name, text in kept.items()})
        made = cls.made(now)
        drawer.put(_KEYS, {name: getattr(made, name).text for name in cls.__slots__})
        return made

    @classmethod
    def made(cls, now: datetime) -> Self:
        """Fresh keys, valid around `now`."""
        root = _seal("CFCA SANDBOX CS CA", now - _YEAR, now + 20 * _YEAR)
        middle = _seal("CFCA SANDBOX OCA1", now - _YEAR, now + 20 * _YEAR, root)
        leaf = _seal(LEAF_NAME, now - _YEAR, now + 20 * _YEAR, middle)
        expired = certificate(LEAF_NAME, leaf.key, now - _YEAR, now - timedelta(days=1), middle)
        stranger = _seal(LEAF_NAME, now - _YEAR, now + 20 * _YEAR)
        merchant = _seal("MOONGATE SANDBOX MERCHANT", now - _YEAR, now + 20 * _YEAR, middle)
        return cls(root, middle, leaf, Seal(leaf.key, expired), stranger, merchant)

    def sealed(self, faults: FaultBox, fields: Mapping[str, str]) -> dict[str, str]:
        """Signed by the leaf, unless a fault says otherwise."""
        if "txnAmt" in fields and faults.take(Fault.WRONG_AMOUNT):
            fields = {**fields, "txnAmt": str(int(fields["txnAmt"]) + 1)}
        signed = self._seal(faults).sign(fields)
        if faults.take(Fault.BAD_SIGNATURE):
            return signed | {"respMsg": "tampered"}
        if faults.take(Fault.NO_SIGNATURE):
            return {name: value for name, value in signed.items() if name != "signature"}
        return signed

    def _seal(self, faults: FaultBox) -> Seal:
        if faults.take(Fault.UNKNOWN_KEY):
            return self.stranger
        return self.expired if faults.take(Fault.STALE_CLOCK) else self.leaf


def certificate(
    name: str, key: rsa.RSAPrivateKey, since: datetime, until: datetime, issuer: Seal | None = None
) -> x509.Certificate:
    """A certificate over `key`; signed by itself when no issuer is given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() >> 96)  # CFCA's serials are short
        .not_valid_before(since)
        .not_valid_after(until)
    )
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def pem_text(one: x509.Certificate) -> str:
    """A certificate as PEM with plain line ends."""
    return one.public_bytes(serialization.Encoding.PEM).decode()


def _seal(name: str, since: datetime, until: datetime, issuer: Seal | None = None) -> Seal:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Seal(key, certificate(name, key, since, until, issuer))
