"""China Mobile's `cmpayService` on the wire: forms, answers, codes, charsets, payment addresses. No keys, no network.

Sources: merchant interface documents 2.0.0 (June 2011 with later error tables), the demo clients that come with them,
and public clients of the barcode product. A request and a notification are URL-encoded forms in the charset that
`characterSet` names. An answer is `k=v&k=v` that is not URL-encoded, but for the Chinese texts: those are signed as
they are and then URL-encoded in UTF-8.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import quote_plus, unquote_plus, unquote_to_bytes, urlencode, urlsplit

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money, wire_minor
from providers.sdk.results import DeclineReason

ONLINE_PATH: Final = "/ips/cmpayService"
COUNTER_PATH: Final = "/cps/cmpayService"
CODECS: Final = {"00": "gbk", "01": "gb2312", "02": "utf-8"}
TIME: Final = "%Y%m%d%H%M%S"
DAY: Final = "%Y%m%d"
CODE_HOST: Final = "https://p.10086.cn/"
CODE_PREFIX: Final = "https://p.10086.cn/info/wap/qrcodepay/downloadclient.html?SESSIONID="
# Seen is one sample, 18 digits from 10; no rule is published, so any of that length is tried.
PAYER_CODE: Final = re.compile(r"[0-9]{16,24}", re.ASCII)
URL_CHARS_MAX: Final = 100
TEXT_BYTES_MAX: Final = 50
PERIOD_MAX: Final = 999
PERIOD_MINUTES: Final = "00"

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_SESSION: Final = re.compile(r"[0-9A-Za-z_-]{6,128}", re.ASCII)
_BODY_BYTES_MAX: Final = 64 * 1024
_CHARSET: Final = re.compile(r"charset=\"?([A-Za-z0-9-]+)", re.ASCII)

# returnCode. The documents print the same codes under two heads: C… and D…, or MCG… and RPM….
DONE: Final = frozenset({"000000", "MCG00000"})
PAYING: Final = "CPS01134"
OVER_CODE_LIMIT: Final = "PCC00225"
BAD_KEY: Final = "IPS0008"
BAD_MERCHANT: Final = "IPS0001"

_REASONS: Final = {
    OVER_CODE_LIMIT: DeclineReason.PAYER,
    BAD_KEY: DeclineReason.MISCONFIGURED,
    BAD_MERCHANT: DeclineReason.MISCONFIGURED,
    "D77040": DeclineReason.MISCONFIGURED,  # no permission for this kind of trade
    "D22224": DeclineReason.MISCONFIGURED,
    "D99981": DeclineReason.WINDOW,
    "D23190": DeclineReason.WINDOW,  # too late to refund
    "D22401": DeclineReason.LIMIT,  # more than is left to refund
    "D22407": DeclineReason.LIMIT,
    **dict.fromkeys(
        ("C01014", "C01018", "C01019", "C01024", "C01025", "C01027", "C01028", "C01030", "C01033", "C01081", "C01088"),
        DeclineReason.OTHER,
    ),
}  # fmt: skip
TAKEN: Final = "D22208"  # the order is in another state, or the orderId or requestId was used before
UNKNOWN_ORDER: Final = "D22201"
MAY_BE_REPEATED: Final = frozenset({TAKEN, "D22401", "D22407"})  # said of a refund that was made before, too

MESSAGES: Final = {
    "000000": "SUCCESS", PAYING: "支付中，请等待", OVER_CODE_LIMIT: "条码支付额度超限", BAD_KEY: "签名不符",
    BAD_MERCHANT: "商户编号不存在", "D22201": "订单不存在", "D22208": "订单状态异常",
    "D22401": "退货金额大于可退货金额", "D77040": "商户没有开通此类交易的权限", "C01014": "订单金额域为空",
    "C01019": "币种域取值不合法", "C01025": "订单日期域不合法", "C01030": "有效期单位域不合法",
    "C01033": "产品名称域为空", "C01081": "产品名称域越界", "C01088": "退货金额域非法",
}  # fmt: skip


def short(code: str) -> str:
    """The code under the shorter of its two heads: `RPM22201` is `D22201`, `MCG01033` is `C01033`."""
    return re.sub(r"^RPM", "D", re.sub(r"^MCG", "C", code))


def decline_reason(code: str) -> DeclineReason | None:
    """Why China Mobile refused; None for a code that its tables do not explain."""
    return _REASONS.get(short(code))


def encode_form(fields: Mapping[str, str], codec: str) -> bytes:
    """A request or a notification."""
    return urlencode(fields, encoding=codec, errors="strict").encode("ascii")


def decode_form(body: bytes, codec: str) -> dict[str, str]:
    """Read a form, decoding once. Raises `ReplyError` for anything ambiguous or not in that charset."""
    cut = _cut(body)
    try:
        return _fields(
            (name, unquote_to_bytes(value.replace(b"+", b" ")).decode(codec)) for name, value in cut
        )
    except UnicodeDecodeError:
        raise ReplyError("The form is in another charset.") from None


def encode_answer(fields: Mapping[str, str], codec: str, encoded: Collection[str]) -> bytes:
    """An answer as China Mobile writes it."""
    pairs = ((name, quote_plus(value) if name in encoded else value) for name, value in fields.items())
    return "&".join(f"{name}={value}" for name, value in pairs).encode(codec)


def decode_answer(body: bytes, codec: str, encoded: Collection[str]) -> dict[str, str]:
    """Read an answer; the fields named in `encoded` are URL-encoded UTF-8. Raises `ReplyError`."""
    try:
        texts = [(name, value.decode(codec)) for name, value in _cut(body)]
        return _fields((k, unquote_plus(v, errors="strict") if k in encoded else v) for k, v in texts)
    except UnicodeDecodeError:
        raise ReplyError("The answer is in another charset.") from None


def codec_of(content_type: str | None, otherwise: str) -> str:
    """The charset an answer declares, if it is one of China Mobile's."""
    match = _CHARSET.search(content_type or "")
    declared = match[1].lower() if match else ""
    return declared if declared in CODECS.values() else otherwise


def _cut(body: bytes) -> list[tuple[str, bytes]]:
    body = body.strip(b"\r\n")
    if not 0 < len(body) <= _BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for cmpayService.")
    cut = [part.partition(b"=") for part in body.split(b"&")]
    if not all(equals for _, equals, _ in cut):
        raise ReplyError("The message is not made of k=v pairs.")
    return [(name.decode("latin-1"), value) for name, _, value in cut]


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or name in fields:
            raise ReplyError("The message has a field twice, or one with an odd name.")
        fields[name] = value
    return fields


def amount_of(fields: Mapping[str, str]) -> Money:
    """`amount` in fen; China Mobile knows one currency. Raises `ReplyError`."""
    return wire_minor(fields.get("amount"), "CNY")


def paid_at(fields: Mapping[str, str]) -> datetime | None:
    """`payDate` where it is a whole time; some answers carry the day alone."""
    try:
        return from_beijing(fields.get("payDate", ""), TIME).astimezone(UTC)
    except ValueError:
        return None


def sendable(text: str, codec: str, bytes_max: int = TEXT_BYTES_MAX) -> str:
    """Text without control characters, cut to fit, with `?` for what the charset lacks: what is sent is what is signed."""
    plain = "".join(letter for letter in text if letter.isprintable())
    return plain.encode(codec, "replace")[:bytes_max].decode(codec, "ignore").strip()


def period(expires_at: datetime, now: datetime) -> str:
    """Whole minutes until then, of one to three digits; China Mobile counts from when it gets the order."""
    minutes = int((expires_at - now).total_seconds()) // 60
    return str(min(max(minutes, 1), PERIOD_MAX))


class PayUrl(NamedTuple):
    """What `payUrl` says: an address to go to, how, and the session that stands for the order."""

    url: str
    method: str
    session: str


def read_pay_url(text: str) -> PayUrl:
    """Read `url<hi:=>…<hi:$$>method<hi:=>…<hi:$$>sessionId<hi:=>…`, or a bare session. Raises `ReplyError`."""
    cut = (part.partition("<hi:=>") for part in text.split("<hi:$$>"))
    parts = {name.strip(): value.strip() for name, equals, value in cut if equals}
    session = parts.get("sessionId", "") if parts else text.strip()
    if not _SESSION.fullmatch(session):
        raise ReplyError("China Mobile accepted the order and gave no session for it.")
    return PayUrl(parts.get("url", ""), parts.get("method", ""), session)


def link_of(pay_url: PayUrl) -> str:
    """The page where the payer pays. Raises `ReplyError` when it is not China Mobile's."""
    host = urlsplit(pay_url.url).hostname or ""
    if not pay_url.url.startswith(("https://", "http://")) or not host.endswith(".10086.cn"):
        raise ReplyError("China Mobile accepted the order and gave an address that is not its own.")
    return f"{pay_url.url}{'&' if '?' in pay_url.url else '?'}sessionId={pay_url.session}"


_SECRET_FIELD: Final = re.compile(rb"\b(userToken|mobile|mblNo)=[^&\s\"']*")
_SECRET_DIGITS: Final = re.compile(rb"(?<![0-9])10[0-9]{16}(?![0-9])")  # a payer code


def scrub(transcript: bytes) -> bytes:
    """Mask payer codes and telephone numbers, wherever they stand."""
    return _SECRET_DIGITS.sub(b"***", _SECRET_FIELD.sub(rb"\1=***", transcript))
