"""What the order book says of this program's own orders, to be read and not to be changed."""

from dataclasses import dataclass
from datetime import datetime

from miniprograms.sdk.payment import PaymentStatus
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One order as the book has it now. Moments are aware; `beijing(moment, "%H:%M")` writes one for people.

    `refunded` has gone back; `refunding` is reserved or on its way. `wallet` is what the payer used, None before.
    """

    order_id: str
    order_key: str
    title: str
    amount: Money
    status: PaymentStatus
    placed_at: datetime
    paid_at: datetime | None
    wallet: Wallet | None
    refunded: Money
    refunding: Money

    @property
    def paid(self) -> bool:
        """The money came; some or all of it may have gone back since."""
        return self.status is PaymentStatus.PAID

    @property
    def left(self) -> Money:
        """What can still be given back."""
        return self.amount - self.refunded - self.refunding
