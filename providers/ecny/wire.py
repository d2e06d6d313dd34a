"""Huifu's wire, as far as words go: paths, response codes, states, times, forms. No keys, no network.

Sources: Huifu's open platform (paas.huifu.com), pages of the aggregated scan payments: create `jspay`, payer code
`micropay`, `scanpay/query`, `scanpay/close`, `scanpay/refund`, `scanpay/refundquery`, asynchronous messages (2024-11
to 2025-09). `resp_code` says what became of the *request*; where the money is, `trans_stat` alone says.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_plus

from providers.ecny.channel import Stand, Verdict
from providers.sdk.clock import beijing, from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.results import DeclineReason

DAY: Final = "%Y%m%d"
TIME: Final = "%Y%m%d%H%M%S"
JSON_TYPE: Final = "application/json;charset=utf-8"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
GOODS_DESC_MAX: Final = 127
REMARK_MAX: Final = 84
REASON_MAX: Final = 80
ACKNOWLEDGED: Final = "RECV_ORD_ID_"
BY_MERCHANT_CODE: Final = "D_NATIVE"
BY_PAYER_CODE: Final = "D_MICROPAY"
RETURNED: Final = "TRANS_REFUND"
_FORM_BYTES_MAX: Final = 256 * 1024


class Work(StrEnum):
    """The calls, by the end of their path. Close knows one version; the others come as v2 and v3."""

    CREATE = "jspay"
    TAKE = "micropay"
    QUERY = "scanpay/query"
    CLOSE = "scanpay/close"
    REFUND = "scanpay/refund"
    QUERY_REFUND = "scanpay/refundquery"


ROOT: Final = "trade/payment"
PATH: Final = re.compile(
    r"/v[23]/trade/payment/(jspay|micropay|scanpay/(?:query|close|refund|refundquery))\Z", re.ASCII
)


def path(work: Work, version: str) -> str:
    """`/v3/trade/payment/jspay`, and its siblings."""
    return f"/{'v2' if work is Work.CLOSE else version}/{ROOT}/{work}"


ACCEPTED: Final = "00000000"
IN_PROCESS: Final = "00000100"
BAD_FIELD: Final = "10000000"
REPEATED: Final = "20000000"
CONCURRENT: Final = "20000001"
MISSING: Final = "21000000"
BAD_PRODUCT: Final = "22000000"
BAD_MERCHANT: Final = "22000002"
WRONG_STATE: Final = "23000000"
ABSENT: Final = "23000001"
WRONG_AMOUNT: Final = "23000003"
NOT_SUPPORTED: Final = "23000004"
FAILED: Final = "90000000"

_TAKEN: Final = frozenset({ACCEPTED, IN_PROCESS})

# Definite refusals of payments: code, a word of `resp_desc` that tells which of its meanings is meant, the reason.
# One code has many meanings at Huifu; the first row that fits counts. Unlisted codes decide nothing.
_REFUSED: Final = (
    (BAD_FIELD, "付款码", DeclineReason.PAYER),
    (BAD_FIELD, "超时", DeclineReason.WINDOW),
    (BAD_FIELD, "", DeclineReason.MISCONFIGURED),
    (MISSING, "", DeclineReason.MISCONFIGURED),
    (BAD_PRODUCT, "", DeclineReason.MISCONFIGURED),
    (BAD_MERCHANT, "", DeclineReason.MISCONFIGURED),
    ("22000003", "", DeclineReason.MISCONFIGURED),
    ("22000004", "", DeclineReason.MISCONFIGURED),
    ("22000005", "", DeclineReason.MISCONFIGURED),
    ("23000002", "", DeclineReason.MISCONFIGURED),
    (WRONG_AMOUNT, "", DeclineReason.LIMIT),
    (NOT_SUPPORTED, "", DeclineReason.MISCONFIGURED),
    (FAILED, "超限", DeclineReason.LIMIT),
    (FAILED, "功能已关闭", DeclineReason.MISCONFIGURED),
    (FAILED, "", DeclineReason.PAYER),
)

# The same of refunds. A payment that is not entered yet, or an account too low: the same number again later.
_REFUND_REFUSED: Final = (
    (WRONG_STATE, "未入账", DeclineReason.BALANCE),
    (WRONG_STATE, "", DeclineReason.OTHER),
    (ABSENT, "", DeclineReason.OTHER),
    (WRONG_AMOUNT, "账户余额不足", DeclineReason.BALANCE),
    (WRONG_AMOUNT, "", DeclineReason.LIMIT),
    (NOT_SUPPORTED, "", DeclineReason.OTHER),
    (FAILED, "余额不足", DeclineReason.BALANCE),
    (FAILED, "期限", DeclineReason.WINDOW),
    (FAILED, "", DeclineReason.OTHER),
    *(row for row in _REFUSED if row[0].startswith(("1", "21", "22"))),
)

_STANDS: Final = {"P": Stand.OPEN, "I": Stand.OPEN, "S": Stand.DONE, "F": Stand.FAILED}


def stand(word: object) -> Stand | None:
    """What `trans_stat` says; None when it is left out. Raises `ReplyError` for a word that Huifu does not have."""
    if word is None or word == "":
        return None
    known = _STANDS.get(word) if isinstance(word, str) else None
    if known is None:
        raise ReplyError("Huifu's trans_stat is none of P, I, S, F.")
    return known


def judge(
    work: Work, code: str, message: str, state: Stand | None, absent: frozenset[str]
) -> tuple[Verdict, DeclineReason]:
    """What a response code says of a request. A refusal that contradicts `trans_stat` decides nothing."""
    if code in _TAKEN:  # should it have failed at once, then because of the payer
        return Verdict.ACCEPTED, DeclineReason.PAYER
    if work in {Work.QUERY, Work.QUERY_REFUND}:
        return (Verdict.ABSENT if code in absent else Verdict.UNDECIDED), DeclineReason.OTHER
    if state in {Stand.OPEN, Stand.DONE}:
        return Verdict.UNDECIDED, DeclineReason.OTHER
    if code == REPEATED:
        return Verdict.REPEATED, DeclineReason.CONFLICT
    for listed, word, reason in _REFUND_REFUSED if work is Work.REFUND else _REFUSED:
        if code == listed and word in message:
            return Verdict.REFUSED, reason
    return Verdict.UNDECIDED, DeclineReason.OTHER


def day_of(moment: datetime) -> str:
    """`req_date`: the Beijing day on which a number was first used. It names an order together with the number."""
    return beijing(moment, DAY)


def finished_at(*texts: object) -> datetime | None:
    """The first of these that is a time of Huifu's, `yyyyMMddHHmmss` in Beijing."""
    for text in texts:
        if isinstance(text, str) and re.fullmatch(r"[0-9]{14}", text, re.ASCII):
            try:
                return from_beijing(text, TIME)
            except ValueError:
                continue
    return None


def decode_form(body: bytes) -> dict[str, str]:
    """Read a notification's form, decoding once. Raises `ReplyError` for anything ambiguous."""
    if not 0 < len(body) <= _FORM_BYTES_MAX:
        raise ReplyError("The notification is empty or too long.")
    fields: dict[str, str] = {}
    try:
        for pair in body.decode("ascii").split("&"):
            name, equals, value = pair.partition("=")
            name = unquote_plus(name, errors="strict")
            if not equals or not name or name in fields:
                raise ReplyError("The notification is no form, or has a field twice.")
            fields[name] = unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        raise ReplyError("The notification is not a form in UTF-8.") from None
    return fields


_NAMES: Final = (
    r"auth_code|private_key|sign|(?:sub_)?openid|(?:wx_)?user_id|buyer_id|buyer_logon_id|acc_no|acct_id"
    r"|debtor(?:WalletName|WalletId|PartyIdentification)|mer_dev_location|ip_addr"
)
_MASKS: Final = tuple(
    (re.compile(pattern.replace("NAMES", f"(?:{_NAMES})").encode()), masked)
    for pattern, masked in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----", b"***"),
        (r'("NAMES"\s*:\s*")(?:[^"\\]|\\.)*', rb"\g<1>***"),
        (r'(\\"NAMES\\"\s*:\s*\\")(?:(?!\\").)*', rb"\g<1>***"),  # JSON inside a JSON string
        (r"(%22NAMES%22(?:\+|%20)*%3A(?:\+|%20)*%22)(?:(?!%22|&).)*", rb"\g<1>***"),  # JSON inside a form
        (r"((?:^|&)sign=)[^&\s]*", rb"\g<1>***"),
        (r"(?<![0-9A-Za-z])01[0-9]{17}(?![0-9A-Za-z])", b"***"),  # a payer code, wherever it stands
    )
)


def scrub(transcript: bytes) -> bytes:
    """Mask payer codes, keys, signatures, and what tells who paid."""
    for pattern, masked in _MASKS:
        transcript = pattern.sub(masked, transcript)
    return transcript
