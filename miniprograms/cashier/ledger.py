"""What was taken today, as a picture and a list, and giving it back."""

from typing import Final

from miniprograms.cashier.amounts import read_amount
from miniprograms.cashier.front import ORDER, TODAY, app
from miniprograms.cashier.totals import Totals, draw, total
from miniprograms.sdk import (
    Bold,
    Button,
    Code,
    Field,
    Money,
    OrderRecord,
    Page,
    PageData,
    Picture,
    Query,
    RefundResult,
    RefundStatus,
    Text,
    TextInput,
    View,
    beijing,
    wallet_name,
)

_LISTED: Final = 8
_COUNTED_MAX: Final = 500


class Line(PageData):
    """One order as the list shows it."""

    key: str
    label: str


@app.page(TODAY)
class Today(Page):
    """The day's totals as a picture, and its newest orders as buttons."""

    class Data(PageData):
        totals: Totals = Totals()
        lines: list[Line] = Field(default_factory=list)
        shown: int = _LISTED
        counted: int = 0
        day: str = ""

    data: Data

    async def on_show(self) -> None:
        orders = await self.list_orders(limit=_COUNTED_MAX)
        lines = [Line(key=order.order_key, label=self._label(order)) for order in orders if order.wallet]
        await self.set_data(
            totals=total(orders).to_json(),
            lines=[line.to_json() for line in lines[: self.data.shown]],
            counted=len(orders),
            day=self.today.isoformat(),
        )

    def render(self) -> View:
        totals = self.data.totals
        text = self.tr(
            f"Today: {totals.count} paid, {totals.stays} stays.",
            f"今日 {totals.count} 笔，净收 {totals.stays}。",
        )
        rows = [Button(line.label, self.look, key=line.key) for line in self.data.lines]
        more = [Button(self.tr("More", "更多"), self.more)] if len(rows) == self.data.shown else []
        return View(
            [Bold(text), "\n", self._cut()],
            [*rows, *more, Button(self.tr("⟳ Count again", "⟳ 刷新"), self.on_show)],
            picture=Picture(draw(totals, self.data.day)),
        )

    async def look(self, key: str) -> None:
        await self.navigate_to(ORDER, key=key)

    async def more(self) -> None:
        await self.set_data(shown=min(self.data.shown + _LISTED, 64))
        await self.on_show()

    def _cut(self) -> str:
        if self.data.counted < _COUNTED_MAX:
            return ""
        return self.tr(f"Only the last {_COUNTED_MAX} orders are counted.", f"仅统计最近 {_COUNTED_MAX} 笔。")

    def _label(self, order: OrderRecord) -> str:
        wallet = wallet_name(order.wallet, self.language) if order.wallet else ""
        back = " ↩️" if order.refunded or order.refunding else ""
        return f"{beijing(order.paid_at or order.placed_at, '%H:%M')}  {order.amount}  {wallet}{back}"


@app.page(ORDER)
class Order(Page):
    """One order of this till, and giving part or all of it back. `refund_key` makes each refund one refund."""

    class Data(PageData):
        key: str = ""
        refund_key: str = ""
        number: str = ""
        paid: bool = False
        amount: str = "0.00"
        left: str = "0.00"
        back: str = "0.00"
        wanted: str = ""
        note: str = ""

    data: Data

    async def on_load(self, query: Query) -> None:
        await self.set_data(key=query.get("key", "")[:64] or "-", refund_key=self.draw_key())

    async def on_show(self) -> None:
        order = await self.find_order(self.data.key)
        if order is None:
            await self.switch_tab(TODAY)
            return
        await self.set_data(
            number=order.order_id,
            paid=order.paid,
            amount=order.amount.decimal,
            left=order.left.decimal,
            back=(order.refunded + order.refunding).decimal,
        )

    def render(self) -> View:
        given = f"{self.tr('Given back', '已退')} ¥{self.data.back}\n" if self.data.back != "0.00" else ""
        body = [
            Bold(f"¥{self.data.amount}"),
            Text("\n"),
            Text(given),
            Code(self.data.number),
            Text(f"\n{self.data.note}"),
        ]
        if not self.data.paid or self.data.left == "0.00":
            return View(body)
        whole = Button(f"{self.tr('Give back', '退款')} ¥{self.data.left}", self.give_all)
        hint = self.tr("Or write a part of it", "或输入部分退款金额")
        return View([*body, Text(f"\n{hint}")], [whole], text_input=TextInput(self.give_part, hint))

    async def give_all(self) -> None:
        await self._ask(Money.cny(self.data.left))

    async def give_part(self, text: str) -> None:
        part = read_amount(text)
        if part is None or part > Money.cny(self.data.left):
            await self.show_toast(self.tr(f"At most ¥{self.data.left}.", f"最多可退 ¥{self.data.left}。"))
        else:
            await self._ask(part)

    async def sure(self, *, confirm: bool) -> None:
        if not confirm:
            return
        await self.request_refund(
            order_key=self.data.key,
            amount=Money.cny(self.data.wanted),
            reason=self.tr("Given back at the till", "柜台退款"),
            refund_key=self.data.refund_key,
        )
        await self.set_data(
            refund_key=self.draw_key(), note=self.tr("The money is going back …", "退款处理中……")
        )

    async def on_refund(self, result: RefundResult) -> None:
        notes = {
            RefundStatus.DONE: self.tr(f"{result.amount} is back ✓", f"已退回 {result.amount} ✓"),
            RefundStatus.PENDING: self.tr("The money is going back …", "退款处理中……"),
            RefundStatus.FAILED: self.tr("That could not be given back.", "退款未成功。"),
        }
        await self.set_data(note=notes[result.status])
        await self.on_show()

    async def _ask(self, amount: Money) -> None:
        await self.set_data(wanted=amount.decimal)
        await self.show_modal(
            self.tr(f"Give {amount} back?", f"退款 {amount}？"),
            self.tr("It goes to the wallet that paid.", "款项将原路退回。"),
            then=self.sure,
        )
