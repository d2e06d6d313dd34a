"""What WeChat Pay APIv3 sends and takes, as pure functions: our intents to bodies, its answers to results.

Source: WeChat Pay merchant documents, APIv3, direct merchant: native, JSAPI and mini-program prepay, payment code
(code-payment-v3), query, close, refunds, trade bill, transfer to a user (mch-transfer), notifications, error codes.
Amounts are whole fen. Times are RFC 3339 with an offset.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from providers.sdk.clock import beijing
from providers.sdk.contract import AttemptRef, Intent, PayoutRequest, RefundRequest
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money, wire_minor
from providers.sdk.results import (
    Paid,
    PayoutSnapshot,
    RefundSnapshot,
    Returned,
    Snapshot,
)
from providers.sdk.wallets import Wallet
from providers.wechatpay import signing
from providers.wechatpay.refusals import Refusal

HOST: Final = "https://api.mch.weixin.qq.com"
STANDBY_HOST: Final = "https://api2.mch.weixin.qq.com"
NATIVE: Final = "/v3/pay/transactions/native"
JSAPI: Final = "/v3/pay/transactions/jsapi"
CODEPAY: Final = "/v3/pay/transactions/codepay"
ORDER: Final = "/v3/pay/transactions/out-trade-no/"
REFUNDS: Final = "/v3/refund/domestic/refunds"
TRADE_BILL: Final = "/v3/bill/tradebill"
TRANSFERS: Final = "/v3/fund-app/mch-transfer/transfer-bills"
CERTIFICATES: Final = "/v3/certificates"

CODE_PREFIX: Final = "weixin://wxpay/bizpayurl?pr="
CODE_USABLE_S: Final = 2 * 60 * 60  # a code_url or prepay_id; staff answers, no document
TITLE_BYTES_MAX: Final = 127  # counted as UTF-8, the stricter of the two readings of "127 characters"
REASON_BYTES_MAX: Final = 80
REMARK_CHARS_MAX: Final = 32
NAMED_PAYOUT_MINOR: Final = 2000_00  # from here on a transfer must name its payee

Fields = Mapping[str, object]

_PAID_STATES: Final = {
    "SUCCESS": Paid.PAID,
    "REFUND": Paid.REFUNDED,
    "NOTPAY": Paid.UNPAID,
    "CLOSED": Paid.CLOSED,
    "REVOKED": Paid.CLOSED,  # a reversed payment code: whatever was taken is given back
    "USERPAYING": Paid.PAYING,
    "ACCEPT": Paid.PAYING,
    "PAYERROR": Paid.FAILED,
}
_REFUND_STATES: Final = {
    "SUCCESS": Returned.DONE,
    "PROCESSING": Returned.PENDING,
    "ABNORMAL": Returned.PENDING,  # the bank card is dead: a person decides, the money is not back yet
    "CLOSED": Returned.FAILED,
}
_TRANSFER_STATES: Final = {
    "ACCEPTED": Returned.PENDING,
    "PROCESSING": Returned.PENDING,
    "WAIT_USER_CONFIRM": Returned.AWAITS_PAYEE,
    "TRANSFERING": Returned.PENDING,  # WeChat Pay's own spelling
    "CANCELING": Returned.PENDING,
    "SUCCESS": Returned.DONE,
    "FAIL": Returned.FAILED,
    "CANCELLED": Returned.FAILED,
}


@dataclass(frozen=True, slots=True)
class Account:
    """The two names every message carries."""

    appid: str
    mchid: str


# --- out ---------------------------------------------------------------------------------------------------------


def native_order(account: Account, intent: Intent) -> bytes:
    """The body of native prepay. The same intent gives the same bytes, as a repeated call must."""
    return _dump(_prepay(account, intent))


def jsapi_order(account: Account, intent: Intent) -> bytes:
    """The body of JSAPI and mini-program prepay."""
    return _dump({**_prepay(account, intent), "payer": {"openid": intent.payer_id}})


def codepay_order(account: Account, intent: Intent, auth_code: str, store_id: str) -> bytes:
    """The body of a payment-code charge. It has neither `notify_url` nor `time_expire`: the answer is synchronous."""
    return _dump(
        {
            "appid": account.appid,
            "mchid": account.mchid,
            "description": cut(intent.title, TITLE_BYTES_MAX),
            "out_trade_no": intent.number,
            "payer": {"auth_code": auth_code},
            "amount": _amount(intent.amount),
            "scene_info": {"store_info": {"id": store_id}},
        }
    )


def order_target(number: str, mchid: str) -> str:
    """Path and query of the query by our number."""
    return f"{ORDER}{quote(number, safe='')}?mchid={quote(mchid, safe='')}"


def order_verb(number: str, verb: str) -> str:
    """The path of `close` or `reverse`."""
    return f"{ORDER}{quote(number, safe='')}/{verb}"


def close_order(account: Account) -> bytes:
    """The body of close."""
    return _dump({"mchid": account.mchid})


def reverse_order(account: Account) -> bytes:
    """The body of reverse."""
    return _dump({"appid": account.appid, "mchid": account.mchid})


def refund_order(request: RefundRequest) -> bytes:
    """The body of a refund. `total` is the amount of the attempt, which WeChat Pay compares with its own."""
    return _dump(
        {
            "out_trade_no": request.attempt.number,
            "out_refund_no": request.number,
            **({"reason": cut(request.reason, REASON_BYTES_MAX)} if request.reason else {}),
            "notify_url": request.notify_url,
            "amount": {
                "refund": request.amount.minor,
                "total": request.attempt.amount.minor,
                "currency": request.amount.currency,
            },
        }
    )


def refund_target(number: str) -> str:
    """The path of the refund query."""
    return f"{REFUNDS}/{quote(number, safe='')}"


def transfer_order(
    account: Account,
    request: PayoutRequest,
    scene_id: str,
    report: Mapping[str, str],
    sealed_name: str | None,
) -> bytes:
    """The body of a transfer to a user. `sealed_name` is encrypted under the key named in `Wechatpay-Serial`."""
    infos = [{"info_type": kind, "info_content": content} for kind, content in report.items()]
    return _dump(
        {
            "appid": account.appid,
            "out_bill_no": request.number,
            "transfer_scene_id": scene_id,
            "openid": request.payee,
            **({"user_name": sealed_name} if sealed_name else {}),
            "transfer_amount": request.amount.minor,
            "transfer_remark": request.title[:REMARK_CHARS_MAX],
            "notify_url": request.notify_url,
            "transfer_scene_report_infos": infos,
        }
    )


def transfer_target(number: str) -> str:
    """The path of the transfer query by our number."""
    return f"{TRANSFERS}/out-bill-no/{quote(number, safe='')}"


def cut(text: str, octets: int) -> str:
    """As much of the text as fits, never half a character."""
    return text.encode()[:octets].decode(errors="ignore")


def _prepay(account: Account, intent: Intent) -> dict[str, object]:
    return {
        "appid": account.appid,
        "mchid": account.mchid,
        "description": cut(intent.title, TITLE_BYTES_MAX),
        "out_trade_no": intent.number,
        "time_expire": rfc3339(intent.expires_at),
        "notify_url": intent.notify_url,
        "amount": _amount(intent.amount),
    }


def _amount(money: Money) -> dict[str, object]:
    return {"total": money.minor, "currency": money.currency}


def _dump(fields: Fields) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def rfc3339(moment: datetime) -> str:
    """Whole seconds in Beijing, as WeChat Pay writes them."""
    return beijing(moment, "%Y-%m-%dT%H:%M:%S+08:00")


# --- in ----------------------------------------------------------------------------------------------------------


def read_json(body: bytes) -> dict[str, object]:
    """A JSON object without repeated keys. Raises `ReplyError`; call it only on bytes that verified."""
    try:
        fields = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ReplyError("The body is not one JSON object with every key once.") from None
    if not isinstance(fields, dict):
        raise ReplyError("The body is not a JSON object.")
    return fields


def read_refusal(fields: Fields) -> Refusal:
    """The error body."""
    return Refusal(code=text(fields, "code"), message=text(fields, "message", ""))


def text(fields: Fields, name: str, absent: str | None = None) -> str:
    """A string field. Raises `ReplyError` when it is missing (unless `absent` is given) or no string."""
    value = fields.get(name, absent)
    if not isinstance(value, str):
        raise ReplyError(f"{name} is missing in the answer, or is not text.")
    return value


def part(fields: Fields, name: str) -> dict[str, object]:
    """A nested object, empty when absent."""
    value = fields.get(name, {})
    if not isinstance(value, dict):
        raise ReplyError(f"{name} in the answer is not an object.")
    return value


def parts(fields: Fields, name: str) -> list[dict[str, object]]:
    """A list of objects, empty when absent."""
    values = fields.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ReplyError(f"{name} in the answer is not a list of objects.")
    return values


def open_resource(sealed: Fields, apiv3_key: bytes) -> bytes:
    """What a notification or a certificate download carries encrypted. No other algorithm is known."""
    if text(sealed, "algorithm") != signing.AEAD:
        raise ReplyError("The resource is sealed with an algorithm this house does not know.")
    return signing.open_sealed(
        apiv3_key, text(sealed, "nonce"), text(sealed, "associated_data", ""), text(sealed, "ciphertext")
    )


def read_order(fields: Fields, account: Account, asked: Money | None = None) -> Snapshot:
    """An order object, from a query, a payment-code charge or a notification.

    WeChat Pay leaves out parts of `amount` while nothing was paid; only then `asked` may stand in for them.
    """
    if text(fields, "appid", account.appid) != account.appid:
        raise ReplyError("The answer speaks of another appid.")
    word = text(fields, "trade_state")
    state = _PAID_STATES.get(word)
    if state is None:
        raise ReplyError("trade_state in the answer is a word this house does not know.")
    openid = text(part(fields, "payer"), "openid", "")
    return Snapshot(
        number=text(fields, "out_trade_no"),
        merchant=text(fields, "mchid"),
        amount=_order_amount(part(fields, "amount"), None if state in {Paid.PAID, Paid.REFUNDED} else asked),
        state=state,
        provider_ref=text(fields, "transaction_id", ""),
        paid_at=moment(fields, "success_time"),
        wallet=Wallet.WECHAT if openid else None,  # another wallet may have scanned a WeChat code
        payer=openid,
        code=word,
        message=text(fields, "trade_state_desc", ""),
    )


def paying(ref: AttemptRef | Intent, account: Account, refusal: Refusal) -> Snapshot:
    """The payer is asked for a password; WeChat Pay says so in an error body without an order object."""
    return Snapshot(
        number=ref.number,
        merchant=account.mchid,
        amount=ref.amount,
        state=Paid.PAYING,
        code=refusal.code,
        message=refusal.message,
    )


def read_refund(fields: Fields, state_name: str) -> RefundSnapshot:
    """A refund object. The API calls its state `status`, the notification `refund_status`.

    The notification's `amount` has no currency: refunds of CNY orders are in CNY.
    """
    word = text(fields, state_name)
    state = _REFUND_STATES.get(word)
    if state is None:
        raise ReplyError(f"{state_name} in the answer is a word this house does not know.")
    amount = part(fields, "amount")
    return RefundSnapshot(
        number=text(fields, "out_refund_no"),
        attempt_number=text(fields, "out_trade_no"),
        amount=wire_minor(amount.get("refund"), text(amount, "currency", "CNY")),
        state=state,
        provider_ref=text(fields, "refund_id", ""),
        done_at=moment(fields, "success_time"),
        code=word,
    )


def read_transfer(fields: Fields, account: Account, asked: Money | None = None) -> PayoutSnapshot:
    """A transfer bill. The reply to the first call carries no amount, then `asked` stands in."""
    word = text(fields, "state")
    state = _TRANSFER_STATES.get(word)
    if state is None:
        raise ReplyError("state in the answer is a word this house does not know.")
    package = text(fields, "package_info", "")
    confirm = {"mchId": account.mchid, "appId": account.appid, "package": package} if package else {}
    sent = fields.get("transfer_amount")
    return PayoutSnapshot(
        number=text(fields, "out_bill_no"),
        amount=asked if sent is None and asked is not None else wire_minor(sent, "CNY"),
        state=state,
        provider_ref=text(fields, "transfer_bill_no", ""),
        confirm=confirm,
        code=word,
    )


def moment(fields: Fields, name: str) -> datetime | None:
    """An RFC 3339 time in UTC; None when absent or empty. One without an offset is not believed."""
    value = text(fields, name, "")
    if not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ReplyError(f"{name} in the answer is not a time with an offset.")
    return read.astimezone(UTC)


def _order_amount(amount: Fields, asked: Money | None) -> Money:
    if asked is None:
        return wire_minor(amount.get("total"), text(amount, "currency"))
    return wire_minor(amount.get("total", asked.minor), text(amount, "currency", asked.currency))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError
    return fields


def _no_constant(_name: str) -> object:
    raise ValueError
