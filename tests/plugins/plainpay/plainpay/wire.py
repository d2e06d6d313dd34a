"""The messages: one JSON object each, the same field names in calls, answers and notifications."""

import json
from datetime import datetime
from typing import Final

from providers.sdk.errors import ReplyError
from providers.sdk.money import wire_minor
from providers.sdk.results import Paid, RefundSnapshot, Returned, Snapshot
from providers.sdk.wallets import Wallet

CODE_PREFIX: Final = "https://pay.plainpay.example/"
NOTIFY_FRESH_S: Final = 300
STATES: Final = {"OPEN": Paid.UNPAID, "PAID": Paid.PAID, "CLOSED": Paid.CLOSED, "REFUNDED": Paid.REFUNDED}

Fields = dict[str, object]


def pack(fields: Fields) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def unpack(body: bytes) -> Fields:
    """Raises `ReplyError` for anything but one JSON object."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise ReplyError("The message is not JSON.") from error
    if not isinstance(fields, dict):
        raise ReplyError("The message is not an object.")
    return fields


def snapshot(fields: Fields) -> Snapshot:
    """How an order stands; a state word that is not in the table is no answer."""
    try:
        state = STATES[str(fields["state"])]
    except KeyError as error:
        raise ReplyError("The message has no state that is known.") from error
    return Snapshot(
        number=str(fields["number"]),
        merchant=str(fields["merchant"]),
        amount=wire_minor(fields["amount"], "CNY"),
        state=state,
        provider_ref=str(fields.get("trade", "")),
        paid_at=moment(fields["paid_at"]) if fields.get("paid_at") else None,
        wallet=Wallet.BANK if state is Paid.PAID else None,
        code=str(fields["state"]),
    )


def refund_snapshot(fields: Fields) -> RefundSnapshot:
    """How a refund stands: it is made at once or not at all."""
    return RefundSnapshot(
        number=str(fields["refund"]),
        attempt_number=str(fields["number"]),
        amount=wire_minor(fields["refund_amount"], "CNY"),
        state=Returned.DONE,
        provider_ref=str(fields.get("trade", "")),
    )


def moment(text: object) -> datetime:
    """`2026-07-01T04:00:00+00:00`; a moment without its zone is no answer."""
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ReplyError("A moment in the message has no zone.")
    return found
