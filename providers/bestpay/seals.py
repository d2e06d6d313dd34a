"""The keys of the simulated BestPay, and how it signs: honestly, or as a fault would have it.

Made on first use and kept in the gateway's drawer: the platform's key with its certificate, a stranger's key, the
merchant's key, and the merchant's two shared keys of the payer-code gateway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from providers.bestpay.signing import Mac, signature_of
from providers.bestpay.wire import Message, Tree
from providers.sdk.clock import Random
from providers.sdk.gateway import Drawer, Fault, FaultBox

_KEYS: Final = "keys"
_PLATFORM_NAME: Final = "BESTPAY SANDBOX PLATFORM"
_ALPHABET: Final = "0123456789ABCDEF"
_DATA_KEY_LENGTH: Final = 48
_YEAR: Final = timedelta(days=365)

MacOf = Callable[[Mac, Message], str]


@dataclass(frozen=True, slots=True)
class Seals:
    """All keys of one simulated world."""

    platform: rsa.RSAPrivateKey
    platform_cert: str
    stranger: rsa.RSAPrivateKey
    merchant: rsa.RSAPrivateKey
    data_key: str
    strange_key: str
    password: str

    @classmethod
    def kept_in(cls, drawer: Drawer, random: Random, now: datetime) -> Self:
        """The keys of this drawer; made now if it has none."""
        kept = drawer.get(_KEYS)
        if kept is None:
            kept = _made(random, now)
            drawer.put(_KEYS, kept)
        return cls(
            platform=_read(kept["platform"]),
            platform_cert=str(kept["platform_cert"]),
            stranger=_read(kept["stranger"]),
            merchant=_read(kept["merchant"]),
            data_key=str(kept["data_key"]),
            strange_key=str(kept["strange_key"]),
            password=str(kept["password"]),
        )

    @property
    def merchant_pem(self) -> str:
        """What the merchant sets as `sign_key`."""
        return pem_of(self.merchant)

    def seal(self, faults: FaultBox, message: Message, digest: str = "SHA1") -> Message:
        """A MAPI answer or notification, signed by the platform unless a fault says otherwise."""
        message = _with_wrong_amount(faults, message)
        key = self.stranger if faults.take(Fault.UNKNOWN_KEY) else self.platform
        signed: Message = {**message, "sign": signature_of(message, key, digest)}
        if faults.take(Fault.BAD_SIGNATURE):
            return {**signed, "tampered": "1"}
        if faults.take(Fault.NO_SIGNATURE):
            return message
        return signed

    def forged(self, message: Message) -> Message:
        """The same, signed by a stranger."""
        return {**message, "sign": signature_of(message, self.stranger, "SHA1")}

    def stamp(self, faults: FaultBox, fields: Message, field: str, mac_of: MacOf) -> Message:
        """An answer or notification of the payer-code gateway with its mac in `field`, faults applied."""
        fields = _with_wrong_amount(faults, fields)
        key = self.strange_key if faults.take(Fault.UNKNOWN_KEY) else self.data_key
        mac = mac_of(Mac(key), fields)
        if faults.take(Fault.BAD_SIGNATURE):
            mac = mac[::-1]
        if faults.take(Fault.NO_SIGNATURE):
            return fields
        return {**fields, field: mac}

    def forged_stamp(self, fields: Message, field: str, mac_of: MacOf) -> Message:
        """The same, under a key that is not the merchant's."""
        return {**fields, field: mac_of(Mac(self.strange_key), fields)}


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """A private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


_AMOUNTS: Final = ("transAmt", "ORDERAMOUNT", "totalAmt", "tradeAmt", "refundAmt")


def _with_wrong_amount(faults: FaultBox, message: Message) -> Message:
    """One fen more wherever an amount stands, in the message or in its result."""
    result = message.get("result")
    inner = result if isinstance(result, dict) else message
    if not any(inner.get(name) for name in _AMOUNTS) or not faults.take(Fault.WRONG_AMOUNT):
        return message
    spoilt: Message = {name: _more(value) if name in _AMOUNTS else value for name, value in inner.items()}
    return {**message, "result": spoilt} if inner is result else spoilt


def _more(value: Tree) -> Tree:
    return str(int(value) + 1) if isinstance(value, str) and value else value


def _made(random: Random, now: datetime) -> dict[str, object]:
    platform, stranger, merchant = (_new_key() for _ in range(3))
    return {
        "platform": pem_of(platform),
        "platform_cert": _certificate(platform, now),
        "stranger": pem_of(stranger),
        "merchant": pem_of(merchant),
        "data_key": _hex(random, _DATA_KEY_LENGTH),
        "strange_key": _hex(random, _DATA_KEY_LENGTH),
        "password": f"{sum(map(ord, random.text(12))) * 7919 % 10**6:06d}",  # the trade key has six digits
    }


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _read(text: object) -> rsa.RSAPrivateKey:
    # Our own drawer's key: checking its primes again would make every start of the sandbox slow.
    key = serialization.load_pem_private_key(str(text).encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("A seal in the drawer holds no RSA key.")
    return key


def _hex(random: Random, length: int) -> str:
    return "".join(_ALPHABET[ord(letter) % len(_ALPHABET)] for letter in random.text(length))


def _certificate(key: rsa.RSAPrivateKey, now: datetime) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _PLATFORM_NAME)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() >> 96)
        .not_valid_before(now - _YEAR)
        .not_valid_after(now + 20 * _YEAR)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
