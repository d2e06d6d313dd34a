"""Which values each of China Mobile's messages signs, and in which order. Data, and the setting that changes it.

Sources: the interface documents 2.0.0 of orders, queries and refunds (`DirectPayConfirm`, `OrderQuery`, `OrderRefund`,
`OfflineNotify`); public clients for the rest. The documents give the order as that of their tables, and a contract may
come with tables of its own: `field_orders` then replaces a row. `TYPE.answer` is the answer to `TYPE`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

MERCHANT_CODE: Final = "CASDirectPayConfirm"
PAGE: Final = "WAPDirectPayConfirm"
PAYER_CODE: Final = "CloudQuickPay"
CANCEL: Final = "CloudTxnCancel"
QUERY_STATE: Final = "OrderQueryByYPOS"
QUERY_ONLINE: Final = "OrderQuery"
QUERY_COUNTER: Final = "OrderQueryCPS"
REFUND_ONLINE: Final = "OrderRefund"
REFUND_COUNTER: Final = "OrderRefundCPS"
REFUND_QUERY: Final = "merchantOrderRefundQuery"
NOTIFY_ONLINE: Final = "OfflineNotify"
NOTIFY_COUNTER: Final = "CloudQuickPay.notify"

ANSWER: Final = ".answer"

_HEAD = "merchantId requestId signType type version"
_ONLINE = f"characterSet callbackUrl notifyUrl ipAddress {_HEAD} amount"
_ONLINE_REST = (
    "currency orderDate orderId merAcDate period periodUnit merchantAbbr productDesc productId productName productNum"
    " reserved1 reserved2 userToken showUrl couponsFlag"
)
_COUNTER = f"characterSet notifyUrl {_HEAD} amount currency orderDate orderId period periodUnit productName"
_SEEN = (
    "merchantId payNo returnCode message signType type version amount amtItem bankAbbr mobile orderId payDate"
)
_RETURNED = "merchantId payNo returnCode message signType type version amount orderId status"

# Three versions of one message; the contract says which. The third has no number of its own.
PAYER_CODE_ORDERS: Final = {
    "2.0.0": f"{_COUNTER} userToken oprId",
    "2.0.1": f"{_COUNTER} reserved1 userToken pikFlag oprId",
    "2.0.0-flags": f"{_COUNTER} reserved1 reserved2 userToken couFlag vchFlag cashFlag",
}

_DEFAULTS: Final = {
    MERCHANT_CODE: f"{_ONLINE} {_ONLINE_REST}",
    PAGE: f"{_ONLINE} bankAbbr {_ONLINE_REST}",
    PAYER_CODE: PAYER_CODE_ORDERS["2.0.0"],
    CANCEL: f"characterSet {_HEAD} orequestId oorderDate",
    QUERY_STATE: f"characterSet {_HEAD} orderDate orderId",
    QUERY_ONLINE: f"{_HEAD} orderId",
    QUERY_COUNTER: f"{_HEAD} orderId",
    REFUND_ONLINE: f"{_HEAD} orderId amount",
    REFUND_COUNTER: f"{_HEAD} orderId amount",
    REFUND_QUERY: "merchantId merchantRequestNo signType type version merchantOrderNo merchantOrderDate",
    MERCHANT_CODE + ANSWER: f"{_HEAD} returnCode message payUrl",
    PAGE + ANSWER: f"{_HEAD} returnCode message payUrl",
    PAYER_CODE
    + ANSWER: f"{_HEAD} returnCode message orderId amount coupAmt vchAmt cashAmt reserved1 reserved2",
    CANCEL + ANSWER: f"{_HEAD} returnCode message",
    QUERY_STATE + ANSWER: (
        f"{_HEAD} returnCode message orderId merchantName mblNo ordSts payDate amount cashAmount bonAmount splAmount"
        " vchAmount merOprNo storeId posId"
    ),
    QUERY_ONLINE + ANSWER: f"{_SEEN} reserved1 reserved2 status orderDate fee",
    QUERY_COUNTER + ANSWER: f"{_SEEN} reserved1 reserved2 status payType orderDate fee",
    REFUND_ONLINE + ANSWER: _RETURNED,
    REFUND_COUNTER + ANSWER: _RETURNED,
    REFUND_QUERY + ANSWER: (
        "merchantId merchantRequestNo signType type version returnCode message merchantOrderNo amount status"
    ),
    NOTIFY_ONLINE: f"{_SEEN} accountDate reserved1 reserved2 status orderDate fee",
    NOTIFY_COUNTER: (
        "merchantId payNo returnCode message signType amount orderId cashAmt coupAmt vchAmt status reserved1 orderDate"
    ),
}

# What this house believes of a message, or sends to be believed, stands under the hmac whatever the setting says.
_BELIEVED: Final = {
    MERCHANT_CODE: "notifyUrl merchantId requestId amount orderId",
    PAGE: "notifyUrl merchantId requestId amount orderId",
    PAYER_CODE: "notifyUrl merchantId requestId amount orderId userToken",
    CANCEL: "merchantId orequestId",
    QUERY_STATE: "merchantId orderId",
    QUERY_ONLINE: "merchantId orderId",
    QUERY_COUNTER: "merchantId orderId",
    REFUND_ONLINE: "merchantId requestId orderId amount",
    REFUND_COUNTER: "merchantId requestId orderId amount",
    REFUND_QUERY: "merchantId merchantRequestNo merchantOrderNo",
    MERCHANT_CODE + ANSWER: "merchantId returnCode payUrl",
    PAGE + ANSWER: "merchantId returnCode payUrl",
    PAYER_CODE + ANSWER: "merchantId returnCode orderId amount",
    CANCEL + ANSWER: "merchantId returnCode",
    QUERY_STATE + ANSWER: "merchantId returnCode orderId ordSts amount",
    QUERY_ONLINE + ANSWER: "merchantId returnCode orderId status amount",
    QUERY_COUNTER + ANSWER: "merchantId returnCode orderId status amount",
    REFUND_ONLINE + ANSWER: "merchantId returnCode orderId status amount",
    REFUND_COUNTER + ANSWER: "merchantId returnCode orderId status amount",
    REFUND_QUERY + ANSWER: "merchantId merchantRequestNo returnCode merchantOrderNo status amount",
    NOTIFY_ONLINE: "merchantId payNo returnCode orderId status amount",
    NOTIFY_COUNTER: "merchantId payNo returnCode orderId status amount",
}

_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_UNSIGNED: Final = frozenset({"hmac", "merchantCert", "serverCert"})

FieldOrders = Mapping[str, tuple[str, ...]]


def field_orders(text: str, payer_code_version: str, fixed: Iterable[str] = ()) -> FieldOrders:
    """The table with the rows of `text` in place of its own.

    `text` is `TYPE=field,field,…; TYPE.answer=field,…`. Raises `ValueError` saying what is wrong with it. `fixed` are
    the fields to which the operator gives a value: a request may hold them beside those known here.
    """
    table = {name: tuple(row.split()) for name, row in _DEFAULTS.items()}
    table[PAYER_CODE] = tuple(PAYER_CODE_ORDERS[payer_code_version].split())
    sendable = {name for kind in requests() for name in table[kind]} | set(fixed)
    for kind, fields in _rows(text):
        _check_row(kind, fields, sendable)
        table[kind] = fields
    return table


def requests() -> tuple[str, ...]:
    """The messages that we send."""
    ours = (kind for kind in _DEFAULTS if not kind.endswith(ANSWER))
    return tuple(kind for kind in ours if kind not in {NOTIFY_ONLINE, NOTIFY_COUNTER})


def read_pairs(text: str) -> dict[str, str]:
    """`name=value; name=value`, for values that stay the same. Raises `ValueError`."""
    cut = [part.strip().partition("=") for part in text.split(";") if part.strip()]
    pairs = {name.strip(): value.strip() for name, _, value in cut}
    if len(pairs) < len(cut) or not all(equals and _FIELD.fullmatch(name.strip()) for name, equals, _ in cut):
        raise ValueError("It must read name=value; name=value with each name once.")
    return pairs


def _rows(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for row in text.split(";"):
        if row.strip():
            kind, _, fields = row.partition("=")
            yield kind.strip(), tuple(name.strip() for name in fields.split(","))


def _check_row(kind: str, fields: tuple[str, ...], sendable: set[str]) -> None:
    if kind not in _DEFAULTS:
        raise ValueError(f"{kind!r} is no message; known are {', '.join(_DEFAULTS)}.")
    odd = [name for name in fields if not _FIELD.fullmatch(name) or name in _UNSIGNED]
    if odd or len(set(fields)) < len(fields):
        raise ValueError(f"{kind}: each field once, by its name, joined by commas, without hmac.")
    if missing := sorted(set(_BELIEVED[kind].split()) - set(fields)):
        raise ValueError(f"{kind}: {', '.join(missing)} must be signed.")
    if kind in requests() and (unknown := sorted(set(fields) - sendable)):
        raise ValueError(f"{kind}: give {', '.join(unknown)} a value in fixed_values.")
