"""What China Unicom's verified words mean for an attempt or a refund. Pure: fields in, results out.

Published are `queryResult` SUCCESS and `orderState` 1; every other word is what the operator's settings say it is, and
a word that they do not know settles nothing.
"""

from collections.abc import Mapping
from typing import Final

from providers.sdk.contract import AttemptRef, RefundRef
from providers.sdk.errors import ReplyError
from providers.sdk.money import wire_minor
from providers.sdk.results import Paid, RefundSnapshot, Returned, Snapshot, Verified
from providers.sdk.wallets import Wallet
from providers.unicompay import wire
from providers.unicompay.settings import UnicompaySettings, listed

_PAID: Final = "1"
_CNY: Final = "CNY"


class Reading:
    """The words of one merchant's contract."""

    def __init__(self, settings: UnicompaySettings) -> None:
        self._states = {
            **dict.fromkeys(listed(settings.unpaid_states), Paid.UNPAID),
            **dict.fromkeys(listed(settings.closed_states), Paid.CLOSED),
            **dict.fromkeys(listed(settings.refunded_states), Paid.REFUNDED),
            _PAID: Paid.PAID,
        }
        self._refunds = {
            **dict.fromkeys(listed(settings.refund_pending_results), Returned.PENDING),
            **dict.fromkeys(listed(settings.refund_done_results), Returned.DONE),
        }
        self._refund_field = settings.refund_result_field
        self.refused = listed(settings.refund_refused_results)
        self.unknown = listed(settings.unknown_order_results)
        self._roles = settings.roles()
        self._results = {
            **dict.fromkeys(listed(settings.notification_failed_results), Paid.UNPAID),
            **dict.fromkeys(listed(settings.notification_paid_results), Paid.PAID),
        }

    def snapshot(self, fields: Mapping[str, str], ref: AttemptRef, *, over: bool) -> Snapshot:
        """What a query says about an attempt; `over` once it counts as closed. Raises `ReplyError`."""
        state = self._states.get(fields.get("orderState", ""))
        if state is None:
            raise ReplyError("China Unicom's answer has an orderState that the settings do not know.")
        moved = state in {Paid.PAID, Paid.REFUNDED}
        told = fields.get("payAmount") if moved else fields.get("amount", str(ref.amount.minor))
        if over and state is Paid.UNPAID:
            state = Paid.CLOSED
        return Snapshot(
            number=fields["orderNo"],
            merchant=fields["merNo"],
            amount=wire_minor(told, _CNY),
            state=state,
            provider_ref=fields.get("payJournl", ""),
            paid_at=wire.moment(fields.get("payTime", "")) if moved else None,
            wallet=Wallet.UNICOMPAY if moved else None,
            code=fields["orderState"],
        )

    def result_of_refund(self, fields: Mapping[str, str]) -> str:
        """The word that tells what became of a refund."""
        return fields.get(self._refund_field, "")

    def refunded(self, fields: Mapping[str, str], ref: RefundRef) -> RefundSnapshot:
        """What an answer says about a refund. Raises `ReplyError`."""
        word = self.result_of_refund(fields)
        state = self._refunds.get(word)
        if state is None:
            raise ReplyError("China Unicom's answer has a refund result that the settings do not know.")
        return RefundSnapshot(
            number=ref.number,
            attempt_number=ref.attempt.number,
            amount=wire_minor(fields.get("amount", str(ref.amount.minor)), _CNY),
            state=state,
            provider_ref=fields.get("refundJournl", ""),
            code=word,
        )

    def verified(self, fields: Mapping[str, str]) -> Verified:
        """A notification's meaning; a result that the settings do not know is kept and ignored. Raises `ReplyError`."""
        told = {role: fields.get(name, "") for role, name in self._roles.items()}
        if not told["merchant"] or not told["number"] or not told["result"]:
            raise ReplyError("The notification names no merchant, no order or no result.")
        state = self._results.get(told["result"])
        paid = state is Paid.PAID
        fact = None
        if state is not None:
            fact = Snapshot(
                number=told["number"],
                merchant=told["merchant"],
                amount=wire_minor(told["amount"], _CNY),
                state=state,
                provider_ref=told["reference"],
                paid_at=wire.moment(told["paid_at"]) if paid else None,
                wallet=Wallet.UNICOMPAY if paid else None,
                code=told["result"],
            )
        return Verified(event_key=f"{told['number']}-{told['reference']}-{told['result']}", fact=fact)
