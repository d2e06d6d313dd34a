"""UnionPay's QRA gateway on the wire: flat XML signed by MD5 with a shared key. Vocabulary of the swiftpass family.

Source: up.95516.com/open/openapi, QRA ("barcode payment front platform"), `version` 2.0, `sign_type` MD5.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from providers.sdk.errors import ReplyError, SignatureError

PATH: Final = "/pay/gateway"
XML_TYPE: Final = "text/xml;charset=utf-8"
TIME: Final = "%Y%m%d%H%M%S"

NATIVE: Final = "unified.trade.native"
MICROPAY: Final = "unified.trade.micropay"
QUERY: Final = "unified.trade.query"
REFUND: Final = "unified.trade.refund"
REFUND_QUERY: Final = "unified.trade.refundquery"
CLOSE: Final = "unified.trade.close"
REVERSE: Final = "unified.micropay.reverse"

OK: Final = "0"

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_BODY_BYTES_MAX: Final = 64 * 1024
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def sign(fields: Mapping[str, str], key: str) -> str:
    """MD5 in upper-case hex over the sorted filled fields, the key behind them: the gateway's own scheme."""
    filled = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign" and fields[name])
    return hashlib.md5(f"{filled}&key={key}".encode(), usedforsecurity=False).hexdigest().upper()


def signed(fields: Mapping[str, str], key: str) -> dict[str, str]:
    """The filled fields with their `sign`."""
    filled = {name: value for name, value in fields.items() if value and name != "sign"}
    return filled | {"sign": sign(filled, key)}


def check(fields: Mapping[str, str], key: str) -> None:
    """Compare in constant time. Raises `SignatureError`."""
    if not hmac.compare_digest(fields.get("sign", "").encode(), sign(fields, key).encode()):
        raise SignatureError("The QRA message is not signed with this merchant's key.")


def encode(fields: Mapping[str, str]) -> bytes:
    """`<xml>` with every value in a CDATA section. Characters that XML cannot carry are left out."""
    parts = (f"<{name}><![CDATA[{_safe(value)}]]></{name}>" for name, value in fields.items())
    return f"<xml>{''.join(parts)}</xml>".encode()


def decode(body: bytes) -> dict[str, str]:
    """Read flat XML. Raises `ReplyError` for entities, DTDs, nesting, or a field that stands twice."""
    if not 0 < len(body) <= _BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for QRA.")
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise ReplyError("The message is not the XML of QRA.") from None
    fields: dict[str, str] = {}
    for child in root:
        if len(child) or child.tag in fields or not _NAME.fullmatch(child.tag):
            raise ReplyError("The message has a field twice, nested, or with an odd name.")
        fields[child.tag] = child.text or ""
    if root.tag != "xml" or not fields:
        raise ReplyError("The message is not the XML of QRA.")
    return fields


def scrub(transcript: bytes) -> bytes:
    """Mask payer codes and payer ids."""
    return _SECRET.sub(rb"<\1>***</\1>", transcript)


_SECRET: Final = re.compile(rb"<(auth_code|openid|sub_openid|buyer_logon_id|user_id)>.*?</\1>", re.DOTALL)


def _safe(value: str) -> str:
    return _NOT_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>")
