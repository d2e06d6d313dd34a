"""What the simulated Huifu says of a trade: the fields of its answers and notifications."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from providers.ecny import wire
from providers.ecny.ledger import State, Trade
from providers.ecny.seals import Sealed
from providers.sdk.gateway import Notification
from providers.sdk.transport import Headers, HttpRequest

RETRY_AFTER_S: Final = (60, 180, 600)  # three repeats are documented, their pauses are not
STATES: Final[dict[State, str]] = {"open": "P", "paying": "P", "done": "S", "failed": "F"}

_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))
_ECHOED: Final = ("huifu_id", "req_date", "req_seq_id", "remark")


def echo(data: Mapping[str, object]) -> dict[str, object]:
    """What every answer repeats of its request."""
    return {name: data[name] for name in _ECHOED if name in data}


def told(trade: Trade, amount: str = "trans_amt") -> dict[str, object]:
    """What an answer says of a trade it was asked about."""
    said: dict[str, object] = {
        "resp_code": wire.ACCEPTED,
        "resp_desc": "查询成功",
        "trans_type": trade.kind,
        "trans_stat": STATES[trade.state],
        amount: trade.money.decimal,
    }
    if trade.ended:
        said["trans_finish_time" if trade.kind == wire.RETURNED else "end_time"] = trade.ended
    return said


def opened(trade: Trade) -> dict[str, object]:
    """The answer to a new order: taken, which is not paid."""
    return {
        "resp_code": wire.IN_PROCESS,
        "resp_desc": "交易正在处理中",
        "hf_seq_id": trade.reference,
        "trade_type": trade.kind,
        "trans_amt": trade.money.decimal,
        "trans_stat": STATES[trade.state],
        **({"end_time": trade.ended} if trade.ended else {}),
    }


def posted(trade: Trade, huifu_id: str, original: Trade | None) -> dict[str, object]:
    """The `resp_data` of a notification."""
    is_refund = trade.kind == wire.RETURNED
    said: dict[str, object] = {
        **told(trade, "ord_amt" if is_refund else "trans_amt"),
        "resp_desc": "交易成功" if trade.state == "done" else "交易失败",
        "huifu_id": huifu_id,
        "req_seq_id": trade.number,
        "req_date": trade.day,
        "hf_seq_id": trade.reference,
        "notify_type": 1,
    }
    if original is not None:
        said |= {"org_req_seq_id": original.number, "org_req_date": original.day, "remark": trade.remark}
    return said


def notification(trade: Trade, sealed: Sealed) -> Notification:
    """The form on its way, repeated on the same `key`."""
    form = {
        "resp_code": "10000",
        "resp_desc": "成功调用",
        "resp_data": sealed.text,
        **({"sign": sealed.signature} if sealed.signature else {}),
    }
    request = HttpRequest("POST", trade.notify_url, _FORM, urlencode(form).encode("ascii"))
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=f"ecny-{trade.id}")
