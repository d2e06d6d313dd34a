"""What a person may see of an offer: everybody how it stands, only those it is for the way to claim it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.orders.payouting import payout_status
from bot.runtime.ports import Counter
from miniprograms.sdk.payout import Claim, PayoutStatus


@dataclass(frozen=True, slots=True)
class Claims:
    """`address` makes the web address of a claim's page from its token."""

    checkout: Counter
    address: Callable[[str], str] = field(repr=False)

    async def read(self, app_id: str, claim_id: str, user_id: int, open_id: str) -> Claim | None:
        """None for an offer of another program, as for one that is not there."""
        order = await self.checkout.find_claim(claim_id=claim_id) if claim_id else None
        if order is None or order.app_id != app_id:
            return None
        payout = order.claim(claim_id)
        status = payout_status(payout)
        over = status in {PayoutStatus.PAID, PayoutStatus.RETURNED}
        theirs = payout.for_open_id in {"", open_id}
        return Claim(
            claim_id=claim_id,
            status=status,
            amount=payout.amount,
            title=payout.title,
            until=payout.claim_until,
            mine=order.user_id == user_id,
            for_somebody=bool(payout.for_open_id),
            wallets=self.checkout.payout_wallets(payout),
            link=self.address(payout.claim_token) if theirs and not over else "",
        )
