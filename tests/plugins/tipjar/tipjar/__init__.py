"""A tip jar: one page, three amounts, a thank-you."""

from miniprograms.sdk import App, Button, Money, Page, PageData, PaymentResult, View

app = App(__file__)


@app.page("pages/jar/jar")
class Jar(Page):
    """The jar."""

    class Data(PageData):
        tips: int = 0
        thanks: bool = False

    data: Data

    def render(self) -> View:
        said = "Thank you!" if self.data.thanks else "Was it good?"
        return View(
            f"{said} {self.data.tips} tips so far.",
            [[Button(f"¥{yuan}", self.tip, once=True, yuan=yuan) for yuan in (1, 5, 10)]],
        )

    async def tip(self, yuan: int) -> None:
        """One key per tip: the same tap twice is the same order."""
        key = f"tip-{self.data.tips}-{yuan}"
        await self.request_payment(Money.cny(f"{yuan}.00"), "A tip", order_key=key)

    async def on_payment(self, result: PaymentResult) -> None:
        """Say thanks once the money is there."""
        if result.paid:
            await self.set_data(tips=self.data.tips + 1, thanks=True)
