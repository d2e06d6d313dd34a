"""Raw notifications at rest: sealed with a key of the host's, so that a copy of the book tells nothing about payers.

AES-256-GCM; the key is derived from the host's secret (HKDF, RFC 5869). What was stored before is read as it is.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from providers.sdk.clock import Random
from providers.sdk.transport import Headers, HttpRequest

_BEGINS: Final = b"mgs1"
_NONCE_BYTES: Final = 12
_RANDOM_CHARS: Final = 32  # 190 random bits behind each nonce of 96


class SealError(Exception):
    """It was sealed with another host's secret, or changed since."""


class Seal:
    """Closes and opens with one host's secret."""

    def __init__(self, secret: SecretStr, random: Random) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"moongate inbox")
        self._cipher = AESGCM(derived.derive(secret.get_secret_value().encode()))
        self._random = random

    def close(self, request: HttpRequest) -> bytes:
        """The whole request, unreadable."""
        plain = json.dumps(
            {
                "method": request.method,
                "url": request.url,
                "headers": [list(line) for line in request.headers.lines],
                "body": b64encode(request.body).decode(),
            }
        )
        nonce = hashlib.sha256(self._random.text(_RANDOM_CHARS).encode()).digest()[:_NONCE_BYTES]
        return _BEGINS + nonce + self._cipher.encrypt(nonce, plain.encode(), _BEGINS)

    def open(self, stored: bytes) -> HttpRequest:
        """What `close` was given. Raises `SealError`."""
        rest = stored.removeprefix(_BEGINS)
        try:
            plain = self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _BEGINS)
        except InvalidTag as error:
            raise SealError("This notification was sealed with another HOST_SECRET.") from error
        record = json.loads(plain)
        lines = tuple((name, value) for name, value in record["headers"])
        return HttpRequest(record["method"], record["url"], Headers(lines), b64decode(record["body"]))


def is_sealed(stored: bytes) -> bool:
    """Whether `Seal.open` is needed."""
    return stored.startswith(_BEGINS)
