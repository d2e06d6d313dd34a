r"""Huifu's signatures: RSA with SHA-256 (PKCS #1 v1.5) over JSON text, base64.

What is signed (Huifu's open platform, "v2 signing"; the published SDKs bspay-go-sdk and dg-sdk):
- a request: its `data` with keys sorted at every level, compact, in UTF-8, nothing written as `\uXXXX`;
- a reply: the `data` member as it stands on the wire. Older papers and dg-sdk sort it first, so that form counts too:
  it is the same values, and they must carry Huifu's signature either way;
- a notification: exactly the text of its `resp_data` field.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import SecretStr

from providers.sdk.contract import pem
from providers.sdk.errors import ConfigurationError, ReplyError, SignatureError

BODY_BYTES_MAX: Final = 256 * 1024  # Huifu's longest field holds 6,000 characters

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9+/\s]{200,}={0,2}\s*", re.ASCII)
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def canonical(data: Mapping[str, object]) -> str:
    """The text of `data` that a request's signature covers. Members that are None are left out, empty ones stay."""
    filled = {name: value for name, value in data.items() if value is not None}
    return json.dumps(filled, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def signature_of(text: str, key: rsa.RSAPrivateKey) -> str:
    """The base64 signature over that text."""
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(text: str, signature: object, keys: tuple[rsa.RSAPublicKey, ...]) -> bool:
    """Whether one of the keys signed that text."""
    try:
        octets = base64.b64decode(signature if isinstance(signature, str) else "", validate=True)
        signed = text.encode()
    except (binascii.Error, ValueError):
        return False
    return any(_verifies(key, octets, signed) for key in keys)


def read_reply(body: bytes, keys: tuple[rsa.RSAPublicKey, ...]) -> dict[str, object]:
    """The verified `data` of a reply. Raises `SignatureError`, or `ReplyError` for what is no envelope."""
    members = read_members(body)
    data, raw = members.get("data", (None, ""))
    signature, _ = members.get("sign", (None, ""))
    if not isinstance(data, dict):
        raise ReplyError("Huifu's reply has no data.")
    if not any(is_signed(text, signature, keys) for text in (raw, canonical(data))):
        raise SignatureError("Huifu's reply does not verify with the Huifu public key.")
    return data


def read_members(body: bytes) -> dict[str, tuple[object, str]]:
    """The members of the outermost object, each as read and as written. A name that stands twice is refused."""
    if not 0 < len(body) <= BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for Huifu.")
    try:
        text = body.decode("utf-8", errors="strict")
        return _scan(text)
    except (ValueError, RecursionError):
        raise ReplyError("The message is not JSON in UTF-8.") from None


def read_object(text: str) -> dict[str, object]:
    """A JSON object with no name twice. Raises `ReplyError`."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise ReplyError("The message holds text that is not JSON.") from None
    if not isinstance(value, dict):
        raise ReplyError("The message holds no JSON object.")
    return value


def private_key(setting: SecretStr, name: str) -> rsa.RSAPrivateKey:
    """The merchant's key: PEM, a path, or the bare base64 that Huifu's console shows."""
    try:
        content = _der(setting.get_secret_value())
        key = (
            serialization.load_der_private_key(content, None)
            if content is not None
            else serialization.load_pem_private_key(pem(setting), None)
        )
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise _unreadable(name) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unreadable(name)
    return key


def public_keys(setting: str, name: str) -> tuple[rsa.RSAPublicKey, ...]:
    """Huifu's keys: one or more (an old and a new one), each PEM or bare base64; or the path of such a file."""
    try:
        text = setting if _looks_like_key(setting) else Path(setting).expanduser().read_text()
        keys = [serialization.load_der_public_key(content) for content in _ders(text)]
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise _unreadable(name) from None
    found = tuple(key for key in keys if isinstance(key, rsa.RSAPublicKey))
    if not found or len(found) != len(keys):
        raise _unreadable(name)
    return found


def _verifies(key: rsa.RSAPublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ReplyError(f"The message holds {name}, which is not JSON.")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ReplyError("The message has a member twice.")
    return members


# Fractions stay text: Huifu writes amounts as strings, and nothing here counts with the others.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_float=str, parse_constant=_no_constant)


def _scan(text: str) -> dict[str, tuple[object, str]]:
    at = _expect(text, _skip(text, 0), "{")
    members: dict[str, tuple[object, str]] = {}
    while True:
        name, at = _DECODER.raw_decode(text, _skip(text, at))
        start = _skip(text, _expect(text, _skip(text, at), ":"))
        value, at = _DECODER.raw_decode(text, start)
        if not isinstance(name, str) or name in members:
            raise ReplyError("The message has a member twice, or one without a name.")
        members[name] = (value, text[start:at])
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at += 1
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise ReplyError("The message goes on after its end.")
    return members


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise ReplyError("The message is not a JSON object.")
    return at + 1


def _looks_like_key(text: str) -> bool:
    return "-----BEGIN" in text or _BARE_KEY.fullmatch(text.replace(",", "").replace("=", "")) is not None


def _der(text: str) -> bytes | None:
    """The bytes of a key in bare base64; None for PEM and paths."""
    if "-----BEGIN" in text or not _BARE_KEY.fullmatch(text):
        return None
    return base64.b64decode("".join(text.split()), validate=True)


def _ders(text: str) -> list[bytes]:
    blocks = re.findall(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", text, re.DOTALL)
    keys = blocks or text.split(",")
    return [base64.b64decode("".join(key.split()), validate=True) for key in keys if key.strip()]


def _unreadable(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"The e-CNY setting {name} holds no RSA key. Give PEM, the path of a PEM file, or Huifu's base64 text."
    )
