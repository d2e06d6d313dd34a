"""The keys of the simulated Huifu and of its test merchant, and the faults that sit in a signature.

Made on first use and kept in the gateway's drawer. Huifu signs no time, so `stale_clock` has nothing to bite here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.ecny import signing
from providers.sdk.gateway import Drawer, Fault, FaultBox
from providers.sdk.money import Money

_KEYS: Final = "keys"
_NAMES: Final = ("huifu", "merchant", "stranger")
_AMOUNTS: Final = ("trans_amt", "ord_amt")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text and the signature that goes with it; empty when a fault took it away."""

    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class Seals:
    """All keys of one simulated world; `stranger` is nobody that a merchant trusts."""

    huifu: rsa.RSAPrivateKey
    merchant: rsa.RSAPrivateKey
    stranger: rsa.RSAPrivateKey

    @classmethod
    def kept_in(cls, drawer: Drawer) -> Self:
        """The keys of this drawer; made now if it has none."""
        kept = drawer.get(_KEYS)
        if kept is not None:
            return cls(*(_loaded(str(kept[name])) for name in _NAMES))
        made = cls(*(rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in _NAMES))
        drawer.put(_KEYS, {name: private_text(getattr(made, name)) for name in _NAMES})
        return made

    def seal(self, data: Mapping[str, object], faults: FaultBox) -> Sealed:
        """The compact text of `data`, signed by Huifu unless a fault says otherwise."""
        if any(name in data for name in _AMOUNTS) and faults.take(Fault.WRONG_AMOUNT):
            data = {**data, **{name: _one_fen_more(data[name]) for name in _AMOUNTS if name in data}}
        text = signing.canonical(data)
        sealed = Sealed(text, signing.signature_of(text, self.huifu))
        if faults.take(Fault.UNKNOWN_KEY):
            sealed = self.forged(data)
        if faults.take(Fault.BAD_SIGNATURE):
            sealed = Sealed(signing.canonical({**data, "resp_desc": "tampered"}), sealed.signature)
        return Sealed(sealed.text, "") if faults.take(Fault.NO_SIGNATURE) else sealed

    def forged(self, data: Mapping[str, object]) -> Sealed:
        """The same words in a stranger's hand."""
        text = signing.canonical(data)
        return Sealed(text, signing.signature_of(text, self.stranger))


def private_text(key: rsa.RSAPrivateKey) -> str:
    """PEM, PKCS #8."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public_text(key: rsa.RSAPrivateKey) -> str:
    """PEM of the public half."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def envelope(sealed: Sealed) -> bytes:
    """A reply: `data` stands in it exactly as it was signed."""
    return f'{{"data":{sealed.text},"sign":{json.dumps(sealed.signature)}}}'.encode()


def _loaded(text: str) -> rsa.RSAPrivateKey:
    # Our own drawer's key: checking its primes again would make every start of the sandbox slow.
    key = serialization.load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("A seal in the drawer holds no RSA key.")
    return key


def _one_fen_more(amount: object) -> str:
    return (Money.cny(str(amount)) + Money(1, "CNY")).decimal
