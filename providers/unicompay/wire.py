"""China Unicom's order page and its queries on the wire: forms, lines, times. No keys, no network.

Sources: public merchant code of `MerOrderPayReqServlte.htm` (so spelt) and `query/order.htm`, and the platform's demo.
A request is a URL-encoded form in UTF-8. An answer is lines of `k=v`. A notification is a form again. Values that hold
`|` are refused: it joins the fields that are signed, so one such value could be read as two.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote_plus, urlencode, urlsplit

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError

HOST: Final = "https://epay.10010.com"
PAGE_PATH: Final = "/pay/servlet/MerOrderPayReqServlte.htm"
QUERY_PATH: Final = "/pay/query/order.htm"
CHARSET_QUERY: Final = "?reqCharSet=UTF-8"
FORM_TYPE: Final = "application/x-www-form-urlencoded;charset=UTF-8"
TIME: Final = "%Y%m%d%H%M%S"
DAY: Final = "%Y%m%d"
SUCCESS: Final = "SUCCESS"
NAME_CHARS_MAX: Final = 60

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_BODY_BYTES_MAX: Final = 64 * 1024


def encode_form(fields: Mapping[str, str]) -> bytes:
    """A request or a notification."""
    return urlencode(fields).encode("ascii")


def decode_form(body: bytes) -> dict[str, str]:
    """Read a form, decoding once. Raises `ReplyError` for anything ambiguous."""
    try:
        pairs = [_pair(part) for part in _text(body).split("&")]
        return _fields((unquote_plus(k, errors="strict"), unquote_plus(v, errors="strict")) for k, v in pairs)
    except UnicodeDecodeError:
        raise ReplyError("The form is not UTF-8.") from None


def encode_lines(fields: Mapping[str, str]) -> bytes:
    """An answer as China Unicom writes it."""
    return "\n".join(f"{name}={value}" for name, value in fields.items()).encode()


def decode_lines(body: bytes) -> dict[str, str]:
    """Read an answer. Raises `ReplyError` for anything ambiguous."""
    lines = (line.rstrip("\r") for line in _text(body).split("\n"))
    return _fields(_pair(line) for line in lines if line)


def page_url(page: str, fields: Mapping[str, str]) -> str:
    """The page's address with the order in its query: what a payer opens or scans."""
    return f"{page}{'&' if '?' in page else '?'}{urlencode(fields)}"


def fields_of_url(url: str) -> dict[str, str] | None:
    """The order in the address of an order page; None for any other text."""
    try:
        parts = urlsplit(url)
        if not parts.path.endswith(PAGE_PATH):
            return None
        fields = decode_form(parts.query.encode())
    except (ReplyError, ValueError):
        return None
    fields.pop("reqCharSet", None)
    return fields


def sendable(text: str) -> str:
    """Text without control characters or `|`, of a length that fits an address."""
    return "".join(one for one in text if one.isprintable() and one != "|")[:NAME_CHARS_MAX].strip()


def moment(text: str) -> datetime | None:
    """A time of fourteen digits, Beijing; None when it is none."""
    try:
        return from_beijing(text, TIME).astimezone(UTC)
    except ValueError:
        return None


def _text(body: bytes) -> str:
    if not 0 < len(body) <= _BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for China Unicom.")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ReplyError("The message is not UTF-8.") from None


def _pair(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise ReplyError("The message is not made of k=v pairs.")
    return name, value


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or name in fields or "|" in value:
            raise ReplyError("The message has a field twice, an odd name, or a value with the joint in it.")
        fields[name] = value
    return fields


_SECRET: Final = ("bankAcountName", "bankAcountNo", "merUserId", "mobileNo", "customerEmail")
_SECRET_FIELD: Final = re.compile(rb"\b(" + "|".join(_SECRET).encode() + rb")=[^&\s\"']*")


def scrub(transcript: bytes) -> bytes:
    """Mask accounts, telephone numbers and names, wherever they stand."""
    return _SECRET_FIELD.sub(rb"\1=***", transcript)
