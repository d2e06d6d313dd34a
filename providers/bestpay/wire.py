"""BestPay on the wire: forms, JSON whose numbers keep their spelling, names, codes, times. No keys, no network.

Two wires that share nothing but the institution:
- the payer-code gateway ("BestPay gateway access, payer-code cashier", user guide V2.8): a form goes out, JSON comes
  back, notifications are forms;
- MAPI (the merchant platform's demo, interface version 1.0.3): JSON both ways, notifications are JSON.

Amounts are whole fen on both, times are Beijing's.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn
from urllib.parse import unquote_plus, urlencode

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.results import DeclineReason

FORM_TYPE: Final = "application/x-www-form-urlencoded; charset=UTF-8"
JSON_TYPE: Final = "application/json;charset=UTF-8"

# The payer-code gateway.
PLACE: Final = "/barcode/placeOrder"
QUERY: Final = "/query/queryOrder"
REFUND: Final = "/refund/commonRefund"
REVERSE: Final = "/reverse/reverse"
STAMP: Final = "%Y%m%d%H%M%S"
DAY: Final = "%Y%m%d"
PAYER_CODE: Final = re.compile(r"51[0-9]{16}", re.ASCII)
NUMBER_MAX: Final = 30
URL_MAX: Final = 255
NAME_MAX: Final = 256

# MAPI.
SDK_REQUEST: Final = "/sdkRequest"
CASHIER: Final = "/form/cashier/H5/pay"
CREATE: Final = "/uniformReceipt/proCreateOrder"
TRADE_QUERY: Final = "/uniformReceipt/tradeQuery"
TRADE_REFUND: Final = "/uniformReceipt/tradeRefund"
REFUND_QUERY: Final = "/uniformReceipt/refundOrderQuery"
CLOSE: Final = "/tradeprod/closeOrder"
MOMENT: Final = "%Y-%m-%d %H:%M:%S"
CCY: Final = "156"

# The answers to notifications.
PAYMENT_ACK: Final = "UPTRANSEQ_"
AGGREGATE_ACK: Final = b'{"resultCode":"SUCCESS","resultMsg":"OK"}'
AGGREGATE_NACK: Final = b'{"resultCode":"FAILED","resultMsg":"FAILED"}'

# Error codes of the payer-code gateway, user guide 5.7, 6.6, 8.7 and 10.6.
BAD_MAC: Final = "BE300001"
BAD_PARAMETER: Final = "BE199999"
BUSY: Final = "BE999999"
NO_SUCH_ORDER: Final = "BE110062"
TOO_LATE: Final = "BE110078"
BAD_BARCODE: Final = "BARCODE_VALIDATE_ERROR"
NO_STORE: Final = "BARCODE_STORE_CODE_IS_EMPTY"
BAD_ORDER: Final = "-302"
BAD_TRADE_KEY: Final = "-309"
NO_SUCH_MERCHANT: Final = "BE300000"
BAD_AMOUNT: Final = "BE301001"
NOT_REFUNDABLE: Final = "BE301008"
NOT_PAID: Final = "BE301009"
RETURNED: Final = "BE301011"
PARTLY_RETURNED: Final = "BE301012"
VOID: Final = "BE301013"
NOT_TODAY: Final = "BE301014"

MESSAGES: Final = {
    BAD_MAC: "订单 MAC 域验证失败", BAD_PARAMETER: "请求参数有误", BUSY: "系统繁忙，请稍后再试",
    NO_SUCH_ORDER: "没有找到符合条件的记录。", TOO_LATE: "原交易不存在或超过退款限制时间",
    BAD_BARCODE: "条形码验证异常", NO_STORE: "条码门店号不能为空", BAD_ORDER: "校验订单出错",
    BAD_TRADE_KEY: "校验商户调用密码出错", NO_SUCH_MERCHANT: "商户不存在",
    BAD_AMOUNT: "订单金额出现异常，交易失败", NOT_REFUNDABLE: "订单的业务类型不支持退款，退款失败",
    NOT_PAID: "订单状态不为成功，退款失败", RETURNED: "订单已退款或冲正，退款失败",
    PARTLY_RETURNED: "订单不为未退款，冲正失败", VOID: "订单状态为作废，冲正失败",
    NOT_TODAY: "原订单不为当天订单，冲正失败",
}  # fmt: skip

# Refusals that say for certain that nothing was done. Any other word leaves the order to a query: busy (BE999999) and
# "the order fails its check" (-302) are also what a repeated number is answered with.
_REASONS: Final = {
    **dict.fromkeys(
        (
            "-301", "-304", "-309", "1001", "1002", "1003", "-3061", "-3062", "-3063", "-3064", "-3065",
            BAD_MAC, BAD_PARAMETER, NO_STORE, NO_SUCH_MERCHANT, "BE100002", "BE110028", "BE300006", "BE300007",
            "BE300012", "BE300013",
        ),
        DeclineReason.MISCONFIGURED,
    ),
    **dict.fromkeys((BAD_BARCODE, "849", "5146", "4008"), DeclineReason.PAYER),
    BAD_AMOUNT: DeclineReason.LIMIT,
    TOO_LATE: DeclineReason.WINDOW,
    "API100001": DeclineReason.MISCONFIGURED,  # MAPI: the merchant's signature
    "API500009": DeclineReason.MISCONFIGURED,  # MAPI: the digital envelope
}  # fmt: skip

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_CODE: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}", re.ASCII)
_BODY_BYTES_MAX: Final = 64 * 1024
_NESTINGS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """BestPay's no, in its own words. Which wire it came over, and whether it was signed, its reader knows."""

    code: str
    message: str


def certain_reason(code: str) -> DeclineReason | None:
    """Why nothing was done; None for a word that does not say so for certain."""
    return _REASONS.get(code)


def shown_code(code: str) -> str:
    """A code as it may stand in a log: BestPay's own letters, or nothing."""
    return code if _CODE.fullmatch(code) else "an unreadable code"


def wire_number(number: str) -> str:
    """Our number as the payer-code gateway can refund it.

    Order and serial numbers must have an even number of characters, or a refund is refused (user guide 5.2). An odd
    number gets a 1 behind it, an even one 00; `own_number` takes that away again.
    """
    return number + ("1" if len(number) % 2 else "00")


def reversal_number(number: str) -> str:
    """The serial number of an order's reversal: always the same one, and never that of an order or a refund."""
    return number + ("2" if len(number) % 2 else "22")


def own_number(text: str) -> str:
    """Our number behind one of the gateway's. Raises `ReplyError` when it was never ours."""
    if len(text) % 2 == 0 and text.endswith("1"):
        return text[:-1]
    if len(text) % 2 == 0 and text.endswith("00"):
        return text[:-2]
    raise ReplyError("BestPay speaks of a number that this house never gave out.")


def read_moment(text: str) -> datetime | None:
    """A time of BestPay's, in either of its two spellings; None for anything else."""
    for form in (MOMENT, STAMP):
        try:
            return from_beijing(text, form)
        except ValueError:
            continue
    return None


def cut(text: str, bytes_max: int) -> str:
    """The text in no more UTF-8 bytes than that, whole characters only."""
    return text.encode()[:bytes_max].decode(errors="ignore")


# --- forms ---


def encode_form(fields: Mapping[str, str]) -> bytes:
    """A request or notification of the payer-code gateway, and the cashier's query."""
    return urlencode(fields).encode("ascii")


def decode_form(body: bytes) -> dict[str, str]:
    """Read a form, decoding once. Raises `ReplyError` for anything ambiguous."""
    pairs = (part.partition("=") for part in _text(body).split("&"))
    fields: dict[str, str] = {}
    for name, _, value in pairs:
        if not _NAME.fullmatch(name) or name in fields:
            raise ReplyError("The form has a field twice, or one with an odd name.")
        try:
            fields[name] = unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise ReplyError("The form is not UTF-8.") from None
    return fields


# --- JSON ---


class Digits(str):
    """A JSON number as it was written: `1.10` stays `1.10`. What is signed is this spelling."""

    __slots__ = ()


Tree = None | bool | str | list["Tree"] | dict[str, "Tree"]
Message = dict[str, Tree]


def encode_json(message: Mapping[str, object]) -> bytes:
    """A JSON text as published clients send it."""
    return json_text(message).encode()


def json_text(message: object) -> str:
    """The same as text: what stands, as a string, in `bizContent` and `commonParams`."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def decode_json(body: bytes) -> Message:
    """Read a JSON object, numbers as `Digits`. Raises `ReplyError` for a name that stands twice, NaN, or deep nests."""
    text = _text(body)
    if text.count("{") + text.count("[") > _NESTINGS_MAX:
        raise ReplyError("The message has too many parts for one of BestPay's.")
    try:
        tree = json.loads(
            text, parse_int=Digits, parse_float=Digits, parse_constant=_no_number, object_pairs_hook=_object
        )
    except ValueError:
        raise ReplyError("The message is not JSON.") from None
    if not isinstance(tree, dict):
        raise ReplyError("The message is not a JSON object.")
    return tree


def word(message: Mapping[str, Tree], name: str) -> str:
    """A field as text: a number as it was written, empty when it is null or missing. Raises `ReplyError` for others."""
    value = message.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReplyError(f"The field {name} is not a plain value.")
    return str(value)


def part(message: Mapping[str, Tree], name: str) -> Message:
    """A field that must be an object. Raises `ReplyError`."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise ReplyError(f"The message has no {name}.")
    return value


def compact(tree: Tree) -> str:
    """One value in the form that is signed: names sorted, nulls kept, no blanks, numbers as they were written."""
    match tree:
        case None:
            return "null"
        case bool():
            return "true" if tree else "false"
        case Digits():
            return str(tree)
        case str():
            return _quoted(tree)
        case list():
            return f"[{','.join(compact(item) for item in tree)}]"
    return "{" + ",".join(f"{_quoted(name)}:{compact(tree[name])}" for name in sorted(tree)) + "}"


_SHORT: Final = {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
}  # fmt: skip
# BestPay's JSON library (fastjson) also spells out DEL, the C1 controls and the two Unicode line ends.
_ESCAPED: Final = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]')


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", text) + '"'


def _object(pairs: Iterable[tuple[str, Tree]]) -> Message:
    message: Message = {}
    for name, value in pairs:
        if name in message:
            raise ReplyError("The message has a name twice.")
        message[name] = value
    return message


def _no_number(text: str) -> NoReturn:
    raise ReplyError(f"{text} is not a number.")


def _text(body: bytes) -> str:
    if not 0 < len(body) <= _BODY_BYTES_MAX:
        raise ReplyError("The message is empty or too long for BestPay.")
    try:
        return body.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise ReplyError("The message is not UTF-8.") from None


# --- transcripts ---

_SECRET: Final = (
    "barcode", "buyerContractNo", "buyerLoginNo", "customerID", "customerId", "merchantPwd", "payeeAccount",
    "payerAccount", "PRODUCTNO", "service_cardno", "transPhone",
)  # fmt: skip
_NAMES: Final = "|".join(_SECRET).encode()
_SECRET_FIELD: Final = re.compile(rb"\b(" + _NAMES + rb")=[^&\s\"']*")
_SECRET_VALUE: Final = re.compile(rb'(\\*"(?:' + _NAMES + rb')\\*"\s*:\s*\\*")[^"\\]*')
_SECRET_DIGITS: Final = re.compile(rb"(?<![0-9])51[0-9]{16}(?![0-9])")


def scrub(transcript: bytes) -> bytes:
    """Mask payer codes, the merchant's password, and payers' accounts and telephone numbers, wherever they stand."""
    masked = _SECRET_VALUE.sub(rb"\1***", _SECRET_FIELD.sub(rb"\1=***", transcript))
    return _SECRET_DIGITS.sub(b"***", masked)
