"""UnionPay ACP 5.1.0 on the wire: forms, transaction types, response codes, times. No keys, no network.

Sources: the transaction matrix and field sets of ACP's QR-code product (open.unionpay.com, apiservId 468) and the
published response-code table. A request is a URL-encoded form. An answer is `k=v&k=v` that is *not* URL-encoded: its
base64 and its PEM stand raw, so it is cut at `&` and then at the first `=`. A notification is an ordinary form again.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import unquote_plus, urlencode

from providers.sdk.clock import beijing, from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money, wire_minor
from providers.sdk.results import DeclineReason

API: Final = "/gateway/api/"
FORM_TYPE: Final = "application/x-www-form-urlencoded;charset=utf-8"
TIME: Final = "%Y%m%d%H%M%S"
CURRENCIES: Final = {"156": "CNY", "344": "HKD", "446": "MOP", "840": "USD", "978": "EUR"}
CODE_PREFIX: Final = "https://qr.95516.com/"
PAYER_CODE: Final = re.compile(r"62[0-9]{17}", re.ASCII)

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_BODY_BYTES_MAX: Final = 64 * 1024


class Trade(NamedTuple):
    """One row of the transaction matrix."""

    path: str
    txn_type: str
    txn_sub_type: str
    biz_type: str = "000000"


APPLY_CODE: Final = Trade("backTransReq.do", "01", "07")
PAY_BY_PAYER_CODE: Final = Trade("backTransReq.do", "01", "06")
PRE_ORDER: Final = Trade("order.do", "01", "01")
QUERY: Final = Trade("queryTrans.do", "00", "00")
VOID: Final = Trade("backTransReq.do", "31", "00")
REFUND: Final = Trade("backTransReq.do", "04", "00")
REVERSAL: Final = Trade("backTransReq.do", "99", "01")
FILE: Final = Trade("", "76", "01")

# Codes of `respCode` and `origRespCode`, from the published table.
ACCEPTED: Final = "00"
PAID_CODES: Final = frozenset({"00", "A6"})  # A6: paid, with a defect on UnionPay's side
TIMED_OUT: Final = "03"
STATE_UNCLEAR: Final = "04"
RECEIVED: Final = "05"
# In process, or a word too unclear to end anything. 42 says "debited, but too late": never a failure.
OPEN_CODES: Final = frozenset({"01", "02", "03", "04", "05", "06", "12", "34", "42", "60"})
BAD_FORM: Final = "10"
BAD_SIGNATURE: Final = "11"
DUPLICATE: Final = "12"
MISSING_FIELD: Final = "13"
NOT_PASSED: Final = "30"
BAD_MERCHANT: Final = "31"
NOT_ALLOWED: Final = "32"
OVER_LIMIT: Final = "33"
NO_SUCH_TRADE: Final = "34"
WRONG_STATE: Final = "35"
NOT_THE_ORIGINAL: Final = "36"
RETURNED: Final = "45"
REVERSED: Final = "46"
NO_MONEY: Final = "64"
PAYER_TOO_SLOW: Final = "69"
NO_SUCH_FILE: Final = "98"

MESSAGES: Final = {
    ACCEPTED: "成功", RECEIVED: "交易已受理，请稍后查询交易结果", BAD_FORM: "报文格式错误",
    BAD_SIGNATURE: "验证签名失败", DUPLICATE: "重复交易", MISSING_FIELD: "报文交易要素缺失",
    NOT_PASSED: "交易未通过", BAD_MERCHANT: "商户状态不正确", NOT_ALLOWED: "无此交易权限",
    NO_SUCH_TRADE: "查无此交易", WRONG_STATE: "原交易不存在或状态不正确", NOT_THE_ORIGINAL: "与原交易信息不符",
    REVERSED: "交易已被成功冲正", NO_MONEY: "卡上的余额不足", PAYER_TOO_SLOW: "您的输入超时，交易失败",
    NO_SUCH_FILE: "文件不存在",
}  # fmt: skip

_REASONS: Final = {
    **dict.fromkeys(("10", "11", "13", "31", "32", "43"), DeclineReason.MISCONFIGURED),
    **dict.fromkeys(("30", "44", *(str(code) for code in range(61, 80))), DeclineReason.PAYER),
    **dict.fromkeys(("33", "37", "38"), DeclineReason.LIMIT),
    **dict.fromkeys(("35", "39"), DeclineReason.WINDOW),
    **dict.fromkeys((DUPLICATE, "36"), DeclineReason.CONFLICT),
}


def decline_reason(code: str) -> DeclineReason:
    """Why ACP refused, as far as its table tells."""
    return _REASONS.get(code, DeclineReason.OTHER)


def encode_form(fields: Mapping[str, str]) -> bytes:
    """A request or a notification: an ordinary URL-encoded form."""
    return urlencode(fields).encode("ascii")


def decode_form(body: bytes) -> dict[str, str]:
    """Read a URL-encoded form, decoding once. Raises `ReplyError` for anything ambiguous."""
    pairs = _pairs(body)
    try:
        decoded = [(unquote_plus(k, errors="strict"), unquote_plus(v, errors="strict")) for k, v in pairs]
    except UnicodeDecodeError:
        raise ReplyError("The form is not UTF-8.") from None
    return _fields(decoded)


def encode_reply(fields: Mapping[str, str]) -> bytes:
    """An answer as ACP writes it: raw, unquoted."""
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def decode_reply(body: bytes) -> dict[str, str]:
    """Read an answer: nothing in it is URL-encoded. Raises `ReplyError` for anything ambiguous."""
    return _fields(_pairs(body))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    if not 0 < len(body) <= _BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for ACP.")
    try:
        text = body.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise ReplyError("The message is not UTF-8.") from None
    cut = [part.partition("=") for part in text.split("&")]
    if not all(equals for _, equals, _ in cut):
        raise ReplyError("The message is not made of k=v pairs.")
    return [(name, value) for name, _, value in cut]


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or name in fields:
            raise ReplyError("The message has a field twice, or one with an odd name.")
        fields[name] = value
    return fields


def amount_of(fields: Mapping[str, str]) -> Money:
    """`txnAmt` in fen with its currency. Raises `ReplyError` when either is missing or odd."""
    currency = CURRENCIES.get(fields.get("currencyCode", ""))
    if currency is None:
        raise ReplyError("The message names no currency that this house knows.")
    return wire_minor(fields.get("txnAmt"), currency)


def traced_at(fields: Mapping[str, str]) -> datetime | None:
    """When UnionPay processed it. `traceTime` has no year (MMDDhhmmss); the year of `txnTime` gives it."""
    sent, traced = fields.get("txnTime", ""), fields.get("traceTime", "")
    try:
        at = from_beijing(sent[:4] + traced, TIME)
        if at < from_beijing(sent, TIME) - timedelta(days=180):  # sent in December, traced in January
            at = from_beijing(f"{int(sent[:4]) + 1}{traced}", TIME)
    except ValueError:
        return None
    return at.astimezone(UTC)


def clearing_day(moment: datetime) -> str:
    """UnionPay's day runs from 23:00 to 23:00 Beijing time; `YYYYMMDD` of the day it is cleared on."""
    return beijing(moment + timedelta(hours=1), "%Y%m%d")


_SECRET: Final = (
    "accNo", "cardTransData", "certifId", "customerInfo", "customerNm", "cvn2", "encryptedInfo", "expired",
    "fileContent", "payCardNo", "phoneNo", "pin", "qrNo",
)  # fmt: skip
_SECRET_FIELD: Final = re.compile(rb"\b(" + "|".join(_SECRET).encode() + rb")=[^&\s\"']*")
_SECRET_DIGITS: Final = re.compile(rb"(?<![0-9])62[0-9]{17}(?![0-9])")  # a payer code, or a card number


def scrub(transcript: bytes) -> bytes:
    """Mask payer codes, card numbers, personal fields and files, wherever they stand."""
    return _SECRET_DIGITS.sub(b"***", _SECRET_FIELD.sub(rb"\1=***", transcript))
