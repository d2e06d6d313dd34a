"""The one code of an order as texts: the link to its page, and EMVCo's form of it."""

from dataclasses import dataclass
from typing import Literal

from bot.orders.order import Order
from providers.sdk.codes import CodeError, OneCode, write_emv_one_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Signboard:
    """What hangs over the till. `form` is what the picture in a chat carries; `name` and `city` stand in EMVCo's form."""

    base_url: str = ""
    form: Literal["link", "emvco"] = "link"
    name: str = "Moongate"
    city: str = "Beijing"

    def link(self, order: Order) -> str:
        """The address of the order's page."""
        return OneCode(order.link_token).link(self.base_url)

    def emvco(self, order: Order) -> str | None:
        """EMVCo's form; None for an amount it cannot write, such as one in Stars."""
        try:
            return write_emv_one_code(
                OneCode(order.link_token),
                self.base_url,
                amount=order.amount,
                name=self.name,
                city=self.city,
                reference=order.id,
            )
        except CodeError:
            return None

    def text(self, order: Order) -> str:
        """What the picture carries: the chosen form, or the link where that cannot be written."""
        return (self.emvco(order) if self.form == "emvco" else None) or self.link(order)
