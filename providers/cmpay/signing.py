"""China Mobile's hmac: an HMAC-MD5 of an HMAC-MD5 over values alone, in each message's own order.

Source: the signing chapter of the merchant interface documents 2.0.0 and the demo clients that come with them. No names
and no separators are signed, so a message says nothing about where one value ends and the next begins: whoever reads a
verified message checks the shape of every value it believes.
"""

import hmac
from collections.abc import Mapping, Sequence

from providers.sdk.errors import SignatureError

HMAC = "hmac"


def signature(data: str, key: str) -> str:
    """`hmac` of the joined values: UTF-8 whatever the wire's charset is, the inner hash under an empty key."""
    inner = hmac.new(b"", data.encode(), "md5").hexdigest()
    return hmac.new(key.encode(), inner.encode(), "md5").hexdigest()


def signed(fields: Mapping[str, str], order: Sequence[str], key: str) -> dict[str, str]:
    """The fields with their `hmac`. A field that is missing counts as empty."""
    return {**fields, HMAC: signature(_joined(fields, order), key)}


def check(fields: Mapping[str, str], order: Sequence[str], key: str) -> None:
    """Raise `SignatureError` unless `hmac` is there and right."""
    given = fields.get(HMAC, "")
    if not given:
        raise SignatureError("The message carries no hmac.")
    expected = signature(_joined(fields, order), key)
    if not hmac.compare_digest(given.lower().encode(), expected.encode()):
        raise SignatureError("The hmac does not verify.")


def _joined(fields: Mapping[str, str], order: Sequence[str]) -> str:
    return "".join(fields.get(name, "") for name in order)
