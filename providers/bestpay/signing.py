"""What BestPay signs and how: MD5 macs on the payer-code gateway, RSA on MAPI.

MAPI's wire defines the signed text by what was received: names sorted, values written again, `k=v` joined by `&`. So a
message is parsed before it is verified, by a parser that refuses every ambiguity (names that stand twice, numbers
respelt), and nothing in it is believed before its signature holds. The platform's certificate is pinned by the
operator: BestPay publishes no authority to check it against, and its dates are therefore not asked.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key, pkcs12

from providers.bestpay.wire import Message, Tree, compact
from providers.sdk.errors import ConfigurationError, SignatureError

# Fields of the payer-code gateway in the order in which they are signed; user guide 5.2 to 10.4.
PLACE_MAC: Final = ("merchantId", "orderNo", "orderReqNo", "orderDate", "barcode", "orderAmt")
QUERY_MAC: Final = ("merchantId", "orderNo", "orderReqNo", "orderDate")
REVERSE_MAC: Final = (
    "merchantId", "merchantPwd", "oldOrderNo", "oldOrderReqNo", "refundReqNo", "refundReqDate", "transAmt",
)  # fmt: skip
REFUND_MAC: Final = (*REVERSE_MAC, "ledgerDetail")
ORDER_SIGN: Final = (
    "merchantId", "orderNo", "orderReqNo", "orderDate", "ourTransNo", "transAmt", "transStatus", "encodeType",
)  # fmt: skip
RETURN_SIGN: Final = ("oldOrderNo", "refundReqNo", "transAmt")
REFUND_NOTICE: Final = (
    "merchantCode", "oldOrderNo", "oldOrderReqNo", "ourTransNo", "refundReqNo", "transAmt", "transStatus",
)  # fmt: skip
_PAYMENT_NOTICE: Final = (
    "UPTRANSEQ", "MERCHANTID", "ORDERSEQ", "ORDERAMOUNT", "RETNCODE", "RETNINFO", "TRANDATE",
)  # fmt: skip
# A payment notification is signed under other names than it is sent under; the mobile cashier keeps the sent ones.
_PC_NAMES: Final = {"ORDERSEQ": "ORDERID", "ORDERAMOUNT": "PAYMENT", "TRANDATE": "PAYDATE"}

_HASHES: Final = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
HASHES: Final = tuple(_HASHES)
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
# `a=1&b=2` is the signed text of two fields, and of one field that holds `1&b=2`. Fields that money hangs on may not hide.
_HIDDEN: Final = re.compile(
    r"&(errorCode|merchantNo|notifyType|outRefundNo|outTradeNo|refundAmt|result|success|totalAmt|tradeAmt|tradeNo|"
    r"tradeStatus)="
)
_SIGNATURE_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class Mac:
    """The merchant's data key: the one secret of the payer-code gateway, for both directions."""

    key: str = field(repr=False)

    def of(self, fields: Mapping[str, Tree], names: tuple[str, ...]) -> str:
        """MD5 in upper-case hex of `NAME=value&…&KEY=…`. A null is written `null`, as the gateway does.

        Raises `SignatureError` for a value with `&` in it, behind which another field could hide.
        """
        return self._of([(name.upper(), fields.get(name)) for name in names])

    def of_payment(self, fields: Mapping[str, Tree], *, mobile: bool) -> str:
        """The `SIGN` of a payment notification; see `_PC_NAMES`."""
        labels = {} if mobile else _PC_NAMES
        return self._of([(labels.get(name, name), fields.get(name)) for name in _PAYMENT_NOTICE])

    def _of(self, pairs: list[tuple[str, Tree]]) -> str:
        if any(isinstance(value, str) and "&" in value for _, value in pairs):
            raise SignatureError("A signed value has an & in it.")
        text = "&".join(f"{name}={plain(value)}" for name, value in [*pairs, ("KEY", self.key)])
        return hashlib.md5(utf8(text), usedforsecurity=False).hexdigest().upper()


def same(given: str, right: str) -> None:
    """Compare two macs in constant time. Raises `SignatureError`."""
    if not hmac.compare_digest(given.upper().encode(errors="replace"), right.encode()):
        raise SignatureError("The mac does not fit the message.")


def plain(value: Tree) -> str:
    """A top-level value in the text that is signed: strings bare, anything else as JSON."""
    return value if isinstance(value, str) else compact(value)


def signed_text(message: Mapping[str, Tree]) -> str:
    """All fields but `sign`, nulls included, in the order of their names."""
    return "&".join(f"{name}={plain(message[name])}" for name in sorted(message) if name != "sign")


def utf8(text: str) -> bytes:
    """The bytes that are signed. Raises `SignatureError` for half a surrogate pair, which has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise SignatureError("The message holds half a character.") from None


@dataclass(frozen=True, slots=True)
class Signer:
    """The merchant's private key."""

    key: RSAPrivateKey = field(repr=False)

    @classmethod
    def from_pem(cls, text: bytes) -> Self:
        """Read an unencrypted private key."""
        try:
            return cls._of(load_pem_private_key(text, None))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError(
                "The BestPay sign_key cannot be read: give a PEM with an unencrypted private key, or the path of "
                "the .p12 with sign_key_password."
            ) from None

    @classmethod
    def from_p12(cls, content: bytes, password: str) -> Self:
        """Read the `.p12` that BestPay's portal hands to a merchant (alias `conname`)."""
        try:
            key, _, _ = pkcs12.load_key_and_certificates(content, password.encode() or None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError(
                "The BestPay .p12 cannot be opened: check the file and sign_key_password."
            ) from None
        return cls._of(key)

    @classmethod
    def _of(cls, key: object) -> Self:
        if not isinstance(key, RSAPrivateKey):
            raise ConfigurationError("The BestPay sign_key must hold an RSA key.")
        return cls(key)

    def sign(self, fields: Mapping[str, str]) -> str:
        """RSA with SHA-256 over the sorted fields, base64 in one line."""
        return signature_of(fields, self.key, "SHA256")


def signature_of(message: Mapping[str, Tree], key: RSAPrivateKey, digest: str) -> str:
    """RSA PKCS#1 v1.5 over the signed text, base64."""
    return base64.b64encode(key.sign(utf8(signed_text(message)), PKCS1v15(), _HASHES[digest]())).decode()


@dataclass(frozen=True, slots=True)
class Trust:
    """The platform's keys, old and new while they overlap, and the hashes it is known to sign with, likeliest first."""

    keys: tuple[RSAPublicKey, ...]
    digests: tuple[str, ...] = HASHES

    @classmethod
    def of(cls, text: bytes, digests: tuple[str, ...] = HASHES) -> Self:
        """Read certificates or public keys, one or more, PEM or one DER certificate. Raises `ConfigurationError`."""
        if not digests or not set(digests) <= set(HASHES):
            raise ConfigurationError(f"The BestPay platform_hashes are a list of: {', '.join(HASHES)}.")
        try:
            keys = tuple(_keys(text))
        except (ValueError, UnsupportedAlgorithm):
            keys = ()
        if not keys or not all(isinstance(key, RSAPublicKey) for key in keys):
            raise ConfigurationError(
                "The BestPay platform_cert cannot be read: give the platform's certificate or public key (RSA) as "
                "PEM, or the path of its .cer."
            )
        return cls(tuple(key for key in keys if isinstance(key, RSAPublicKey)), digests)

    def check(self, message: Message) -> None:
        """Raises `SignatureError` unless one of the keys signed it with one of the hashes."""
        given = message.get("sign")
        if not isinstance(given, str) or not 0 < len(given) <= _SIGNATURE_MAX:
            raise SignatureError("The message has no sign.")
        try:
            signature = base64.b64decode("".join(given.split()), validate=True)
        except (binascii.Error, ValueError):
            raise SignatureError("The sign is not base64.") from None
        if any(isinstance(value, str) and _HIDDEN.search(value) for value in message.values()):
            raise SignatureError("A value hides another field: the sign fits more than one reading.")
        text = utf8(signed_text(message))
        if not any(_fits(key, signature, text, digest) for digest in self.digests for key in self.keys):
            raise SignatureError("The sign does not fit the message.")


def _fits(key: RSAPublicKey, signature: bytes, text: bytes, digest: str) -> bool:
    try:
        key.verify(signature, text, PKCS1v15(), _HASHES[digest]())
    except InvalidSignature:
        return False
    return True


def _keys(text: bytes) -> list[object]:
    if b"-----BEGIN" not in text:
        return [x509.load_der_x509_certificate(text).public_key()]
    blocks = ((found[1], found[0].encode()) for found in _BLOCK.finditer(text.decode("ascii")))
    return [
        x509.load_pem_x509_certificate(block).public_key()
        if kind == "CERTIFICATE"
        else load_pem_public_key(block)
        for kind, block in blocks
    ]
