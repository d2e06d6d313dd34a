r"""The wire of Alipay's classic gateway: methods, forms, the envelope of an answer, times and titles.

Source: Alipay open platform documents, "common parameters" and the page of each method; facts seen in its SDKs.

An answer is `{"alipay_trade_query_response":{…},"alipay_cert_sn":"…","sign":"…"}`, and what is signed is the text of
the inner object *as it stands*: Alipay writes `\/` for a slash and orders keys its own way, so nothing may be parsed
and written again. The text is cut out with a JSON decoder, which knows that a brace may stand inside a string.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus, urlencode

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError, SignatureError

PRECREATE: Final = "alipay.trade.precreate"
PAY: Final = "alipay.trade.pay"
QUERY: Final = "alipay.trade.query"
CANCEL: Final = "alipay.trade.cancel"
CLOSE: Final = "alipay.trade.close"
REFUND: Final = "alipay.trade.refund"
QUERY_REFUND: Final = "alipay.trade.fastpay.refund.query"
BILL: Final = "alipay.data.dataservice.bill.downloadurl.query"
TRANSFER: Final = "alipay.fund.trans.uni.transfer"
QUERY_TRANSFER: Final = "alipay.fund.trans.common.query"
CERTIFICATE: Final = "alipay.open.app.alipaycert.download"

CODE_PREFIX: Final = "https://qr.alipay.com/"
CODE: Final = re.compile(re.escape(CODE_PREFIX) + r"[0-9A-Za-z]{1,64}", re.ASCII)
CODE_USABLE_S: Final = 2 * 3600  # whatever the order's own time says
PAYER_CODE: Final = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}", re.ASCII)
FACE_CODE: Final = re.compile(r"fp[0-9A-Za-z]{33}", re.ASCII)  # payment by face
TIME: Final = "%Y-%m-%d %H:%M:%S"
FORM_TYPE: Final = "application/x-www-form-urlencoded;charset=utf-8"

DONE: Final = "10000"
PAYER_BUSY: Final = "10003"  # alipay.trade.pay only: the payer is entering a password
NOT_EXISTING: Final = "ACQ.TRADE_NOT_EXIST"

Fields = Mapping[str, object]

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r"[0-9A-Za-z._-]{1,64}", re.ASCII)
_SUBJECT_OCTETS: Final = 256
_FULL_WIDTH: Final = str.maketrans("/=&", "／＝＆")  # the three that a subject must not hold


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer before anything in it is believed."""

    signed: str = field(repr=False)
    signature: str = field(repr=False)
    cert_sn: str = ""

    def fields(self) -> dict[str, object]:
        """The object that was signed: read from the signed text and from nothing else."""
        return _object(self.signed)


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer."""

    fields: Fields = field(repr=False)

    @property
    def code(self) -> str:
        """The gateway's word: 10000 is done, 40004 is refused with a `sub_code`."""
        return text(self.fields, "code")

    @property
    def sub_code(self) -> str:
        """The method's own word; empty when all is well."""
        return optional(self.fields, "sub_code")

    @property
    def message(self) -> str:
        """In words, for people."""
        return (optional(self.fields, "sub_msg") or optional(self.fields, "msg"))[:200]

    @property
    def done(self) -> bool:
        """Whether the method was carried out; what that means is the method's own."""
        return self.code == DONE


def response_key(method: str) -> str:
    """The name of the object in an answer."""
    return f"{method.replace('.', '_')}_response"


def open_envelope(body: bytes, method: str) -> Envelope:
    """Cut an answer apart. Of a name that stands twice the first counts.

    Raises `SignatureError` for an answer without signature, `ReplyError` for one that is not of this form.
    """
    members: dict[str, tuple[int, int]] = {}
    try:
        whole = body.decode("utf-8")
        for name, start, end in _members(whole):
            members.setdefault(name, (start, end))
    except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError
        raise ReplyError("Alipay's answer is not the JSON its gateway writes.") from None
    place = members.get(response_key(method)) or members.get("error_response")
    if place is None or whole[place[0]] != "{":
        raise ReplyError("Alipay's answer does not speak of what was asked.")
    signed = whole[slice(*place)]
    return Envelope(signed, _signature(whole, members, signed), _string(whole, members, "alipay_cert_sn"))


def text(fields: Fields, name: str) -> str:
    """A field that must be a filled text. Raises `ReplyError`."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ReplyError(f"Alipay's message lacks {name}.")
    return value


def optional(fields: Fields, name: str) -> str:
    """A field that may be missing."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def moment(fields: Fields, *names: str) -> datetime | None:
    """The first of these times that is given, Beijing's clock read into UTC. Raises `ReplyError` for an odd one."""
    given = next((optional(fields, name) for name in names if fields.get(name)), "")
    try:
        return from_beijing(given[:19], TIME) if given else None  # some messages add milliseconds
    except ValueError:
        raise ReplyError("A time in Alipay's message cannot be read.") from None


def subject(title: str) -> str:
    """A title as Alipay takes it: no control characters, none of `/=&`, at most 256 octets."""
    plain = "".join(letter if letter.isprintable() else " " for letter in title).translate(_FULL_WIDTH)
    cut = " ".join(plain.split()).encode()[:_SUBJECT_OCTETS].decode(errors="ignore").strip()
    return cut or "Order"


def encode_form(fields: Mapping[str, str]) -> bytes:
    """A request or a notification."""
    return urlencode(fields).encode("ascii")


def decode_form(body: bytes) -> dict[str, str]:
    """Read a URL-encoded form, decoding once: `+` is a space, `%2B` a plus. Raises `ReplyError` when ambiguous."""
    fields: dict[str, str] = {}
    try:
        for part in body.decode("ascii").split("&"):
            name, equals, value = part.partition("=")
            key = unquote_plus(name, errors="strict")
            if not equals or not key or key in fields:
                raise ReplyError("The form has a field twice, or one without a value.")
            fields[key] = unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        raise ReplyError("The form is not URL-encoded UTF-8.") from None
    return fields


def dump(content: Fields) -> str:
    """`biz_content`: the very text that is signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _members(whole: str) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of every member of the outermost object. Raises `ValueError` when it is none."""
    if not isinstance(_DECODER.decode(whole), dict):
        raise ValueError  # noqa: TRY004  # what the decoder raises for anything else that is no JSON
    at = _skip(whole, whole.index("{") + 1)
    while whole[at] != "}":
        name, at = _DECODER.raw_decode(whole, at)
        start = _skip(whole, _skip(whole, at) + 1)  # behind the colon
        _, end = _DECODER.raw_decode(whole, start)
        yield name, start, end
        at = _skip(whole, end)
        at = _skip(whole, at + 1) if whole[at] == "," else at


def _skip(whole: str, at: int) -> int:
    found = _SPACE.match(whole, at)
    return found.end() if found else at


def _signature(whole: str, members: Mapping[str, tuple[int, int]], signed: str) -> str:
    signature = _string(whole, members, "sign")
    if not signature:
        said = _object(signed)
        words = [optional(said, name) for name in ("code", "sub_code")]
        quoted = " ".join(word for word in words if _WORD.fullmatch(word)) or "no code"
        raise SignatureError(
            f"Alipay's answer carries no signature ({quoted}); if it stays so, check app_id, keys and mode."
        )
    return signature


def _string(whole: str, members: Mapping[str, tuple[int, int]], name: str) -> str:
    place = members.get(name)
    value: object = json.loads(whole[slice(*place)]) if place else ""
    return value if isinstance(value, str) else ""


def _object(signed: str) -> dict[str, object]:
    try:
        value = json.loads(signed)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ReplyError("Alipay's answer holds no object.")
    return value
