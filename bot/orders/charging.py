"""Taking money from a payer's code: the till.

The code is money for a minute, so it is handed through and kept nowhere. Whatever becomes of the call, the attempt is
stored as called before it, and from then on only its number is asked about. A code can be sent once: the next code of
the order is a new attempt, made when the one before it is certain to be closed.
"""

from dataclasses import replace
from typing import Final

from pydantic import SecretStr

from bot.orders import routing
from bot.orders.answers import Refused, Why
from bot.orders.audit import Cause, CauseKind
from bot.orders.ending import Ending
from bot.orders.opening import Leave, Opening, Send, aim, closed_door, mark_called
from bot.orders.order import AttemptState, Order
from bot.orders.posting import Posting
from bot.orders.routing import WAYS_AT_TILL
from bot.orders.till import Till
from providers.sdk.wallets import Wallet

_TURNS_MAX: Final = 8
_STILL_OPEN: Final = "The earlier attempt of this order is still being reversed."


class Charging:
    """Charges payers' codes, one at a time for each order."""

    def __init__(self, till: Till, opening: Opening, ending: Ending) -> None:
        self._till = till
        self._opening = opening
        self._ending = ending

    async def charge(
        self, order_id: str, payer_code: SecretStr, wallet: Wallet, user_id: int
    ) -> Order | Refused:
        """See `Checkout.charge`."""
        cause = Cause(CauseKind.PAYER, f"user:{user_id}")
        async with self._till.hold(order_id):
            for _ in range(_TURNS_MAX):  # every turn but the last takes one earlier attempt out of the way
                order, move = await self._till.change(
                    order_id, cause, lambda posting: self._move(posting, wallet, user_id)
                )
                match move:
                    case Refused():
                        return replace(move, order=order)
                    case Leave(attempt):
                        await self._ending.reverse(order, attempt)
                    case Send(number):
                        return await self._send(order, number, payer_code)
        return Refused(Why.CHECKING, _STILL_OPEN, order)

    def _move(self, posting: Posting, wallet: Wallet, user_id: int) -> Refused | Leave | Send:
        order = posting.order
        closed = closed_door(posting, user_id)
        if closed is not None:
            return closed
        found = routing.offers(order.amount, self._till.routes(), wallet=wallet, ways=WAYS_AT_TILL)
        if not found:
            why = routing.refusals(order.amount, self._till.routes(), wallet=wallet, ways=WAYS_AT_TILL)
            return Refused(Why.NO_OFFER, " ".join(refusal.reason for refusal in why))
        for attempt in order.attempts:
            if attempt.open and attempt.called_at is not None:
                return Refused(Why.CHECKING, _STILL_OPEN) if attempt.leaving else Leave(attempt)
        number = aim(self._till, posting, found[0]).number
        mark_called(posting, number)
        return Send(number)

    async def _send(self, order: Order, number: str, payer_code: SecretStr) -> Order | Refused:
        attempt = order.attempt(number)
        account = self._till.accounts[attempt.provider, attempt.account]
        order, _ = await self._opening.send(order, attempt, account, payer_code)
        attempt = order.attempt(number)
        match attempt.state:
            case AttemptState.DECLINED:
                return Refused(Why.DECLINED, attempt.reason, order)
            case AttemptState.INTENT:
                return Refused(Why.OUT_OF_ORDER, attempt.reason, order)
            case _:
                return order
