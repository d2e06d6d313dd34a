"""HMAC-SHA256 over the target and the raw body, in hex, under the merchant's shared key."""

import hashlib
import hmac

from providers.sdk.errors import SignatureError
from providers.sdk.transport import Headers

HEADER = "Plain-Sign"


def sign(key: bytes, target: str, body: bytes) -> str:
    """What stands in `Plain-Sign`."""
    return hmac.digest(key, f"{target}\n".encode() + body, hashlib.sha256).hex()


def check(key: bytes, target: str, headers: Headers, body: bytes) -> None:
    """Raise `SignatureError` unless the body was signed for this very target."""
    given = (headers.get(HEADER) or "").encode("latin-1", "replace")
    if not hmac.compare_digest(given, sign(key, target, body).encode()):
        raise SignatureError("The signature does not verify.")
