"""A coffee shop: menu, cart, checkout, payment, money back, history. Read it top-down; it is also the tutorial."""

from typing import Final

from miniprograms.sdk import (
    App,
    Bold,
    Button,
    Code,
    Field,
    Money,
    Page,
    PageData,
    PaymentResult,
    PaymentStatus,
    Query,
    RefundResult,
    RefundStatus,
    Text,
    View,
)

# Each cup: its name in English and Chinese, and its price.
MENU: Final = {
    "latte": ("Latte", "拿铁", Money.cny("18.00")),
    "mocha": ("Mocha", "摩卡", Money.cny("22.00")),
    "tea": ("Jasmine tea", "茉莉花茶", Money.cny("12.50")),
}
CUPS_MAX: Final = 20
HISTORY_MAX: Final = 10

app = App(__file__)  # reads app.json beside this file


def total_of(cart: dict[str, int]) -> Money:
    """What the cups in the cart cost."""
    return sum((MENU[sku][2] * cups for sku, cups in cart.items()), Money.cny("0"))


@app.page("pages/menu/menu")
class Menu(Page):
    """Cups go into the cart; a link such as `…?sku=latte` puts the first one in."""

    class Data(PageData):
        cart: dict[str, int] = Field(default_factory=dict)

    data: Data

    async def on_load(self, query: Query) -> None:
        if query.get("sku") in MENU:
            await self.add(query["sku"])

    def render(self) -> View:
        rows = [
            Button(f"{self.tr(english, chinese)} {price} ×{self.data.cart.get(sku, 0)}", self.add, sku=sku)
            for sku, (english, chinese, price) in MENU.items()
        ]
        return View(
            [Bold(self.tr("Coffee shop", "咖啡店")), "\n", self.tr("What would you like?", "想喝点什么？")],
            [
                *rows,
                [
                    Button(self.tr("Empty cart", "清空"), self.clear),
                    Button(self.tr("My orders", "我的订单"), self.history),
                ],
                Button(
                    f"{self.tr('Checkout', '去结算')} {total_of(self.data.cart)}", self.checkout, primary=True
                ),
            ],
        )

    async def add(self, sku: str) -> None:
        if sum(self.data.cart.values()) >= CUPS_MAX:
            await self.show_toast(self.tr("The tray is full.", "托盘放不下了。"))
        else:
            await self.set_data(cart={**self.data.cart, sku: self.data.cart.get(sku, 0) + 1})

    async def clear(self) -> None:
        await self.set_data(cart={})

    async def history(self) -> None:
        await self.navigate_to("pages/history/history")

    async def checkout(self) -> None:
        if self.data.cart:
            await self.navigate_to("pages/checkout/checkout", **self.data.cart)
        else:
            await self.show_toast(self.tr("Your cart is empty.", "购物车是空的。"))


@app.page("pages/checkout/checkout")
class Checkout(Page):
    """One order. However often Pay is tapped, `key` makes it the same one."""

    class Data(PageData):
        key: str = ""
        note: str = ""
        paid: bool = False
        returned: bool = False

    data: Data

    @property
    def cart(self) -> dict[str, int]:
        """The cups of the query: text that came over a link, so it is read with care."""
        return {
            sku: min(int(self.query[sku]), CUPS_MAX) for sku in MENU if self.query.get(sku, "").isdecimal()
        }

    async def on_load(self, query: Query) -> None:
        if not query.keys() & MENU.keys():
            await self.redirect_to("pages/menu/menu")
        await self.set_data(key=self.draw_key())

    def render(self) -> View:
        lines = [f"{self.tr(*MENU[sku][:2])} ×{cups}\n" for sku, cups in self.cart.items()]
        total = Bold(f"{self.tr('Total', '合计')} {total_of(self.cart)}\n")
        buttons = {
            (False, False): [Button(self.tr("Pay", "支付"), self.pay, once=True, primary=True)],
            (True, False): [Button(self.tr("Money back", "退款"), self.give_back, once=True)],
        }
        # The host adds the way back.
        return View([*lines, total, self.data.note], buttons.get((self.data.paid, self.data.returned), []))

    async def pay(self) -> None:
        await self.request_payment(total_of(self.cart), "Coffee 咖啡", order_key=self.data.key)
        await self.set_data(note=self.tr("Waiting for your payment …", "等待支付……"))

    async def on_payment(self, result: PaymentResult) -> None:
        notes = {
            PaymentStatus.PAID: self.tr("Paid ✓ Your coffee is on its way.", "已支付 ✓ 马上就好。"),
            PaymentStatus.PENDING: self.tr("The bank is still checking …", "银行处理中……"),
            PaymentStatus.CANCELLED: self.tr("Cancelled. Tap Pay to try again.", "已取消，可重新支付。"),
            PaymentStatus.FAILED: self.tr(
                "That did not work. Tap Pay to try again.", "支付失败，可重新支付。"
            ),
        }
        await self.set_data(note=notes[result.status], paid=self.data.paid or result.paid)
        if result.paid:
            orders = await self.get_storage("orders", list[str]())
            await self.set_storage("orders", [f"{result.amount}  {result.order_id}", *orders][:HISTORY_MAX])
        elif result.status is not PaymentStatus.PENDING:
            await self.set_data(key=self.draw_key())  # a new try is a new order

    async def give_back(self) -> None:
        await self.request_refund(
            order_key=self.data.key, reason="Not made 未制作", refund_key=self.draw_key()
        )
        await self.set_data(note=self.tr("Your money is going back …", "正在退款……"), returned=True)

    async def on_refund(self, result: RefundResult) -> None:
        notes = {
            RefundStatus.DONE: self.tr(f"{result.amount} is back.", f"已退款 {result.amount}。"),
            RefundStatus.PENDING: self.tr("Your money is on its way back.", "退款处理中。"),
            RefundStatus.FAILED: self.tr("That did not work. Please ask us.", "退款失败，请联系店员。"),
        }
        await self.set_data(note=notes[result.status])


@app.page("pages/history/history")
class History(Page):
    """What this person has paid here; storage outlives sessions and deploys."""

    class Data(PageData):
        orders: list[str] = Field(default_factory=list)

    data: Data

    async def on_show(self) -> None:
        await self.set_data(orders=await self.get_storage("orders", list[str]()))

    def render(self) -> View:
        title = Bold(self.tr("My orders", "我的订单") + "\n")
        lines = [Code(f"{order}\n") for order in self.data.orders]
        return View([title, *(lines or [Text(self.tr("None yet.", "还没有订单。"))])])
