"""China Unicom's signature: every field that is not empty, sorted by name, joined by `|`, with the key at the end.

Source: the published signing demo of the payment platform (UniPaySignUtils). MD5 or SHA-1, in hex of either case.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from providers.sdk.errors import SignatureError

SIGN: Final = "signMsg"
DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1"}

_UNSIGNED: Final = frozenset({"hmac", "signmsg", "cert"})


def source_text(fields: Mapping[str, str], order: Sequence[str] = ()) -> str:
    """What is signed, but for the key. `order` names the fields where a contract lists them; else all, sorted."""
    names = order or sorted(name for name in fields if name.lower() not in _UNSIGNED)
    return "|".join(f"{name}={fields[name]}" for name in names if fields.get(name))


def signature(text: str, key: str, kind: str) -> str:
    """The digest of the text with the key, in lower-case hex."""
    return hashlib.new(DIGESTS[kind], f"{text}|key={key}".encode()).hexdigest()


def signed(fields: Mapping[str, str], key: str, kind: str) -> dict[str, str]:
    """The fields that are not empty, with `signType` and `signMsg`."""
    whole = {name: value for name, value in fields.items() if value} | {"signType": kind}
    return whole | {SIGN: signature(source_text(whole), key, kind)}


def check(fields: Mapping[str, str], key: str, kind: str, order: Sequence[str] = ()) -> None:
    """Raise `SignatureError` unless `signMsg` is there, of the agreed kind, and right."""
    given = fields.get(SIGN, "")
    if not given or not given.isascii():
        raise SignatureError("The message carries no signMsg.")
    if fields.get("signType", kind) != kind:
        raise SignatureError("The message is signed in another way than agreed (signType).")
    if not hmac.compare_digest(given.lower(), signature(source_text(fields, order), key, kind)):
        raise SignatureError("The signMsg does not verify.")
