"""A market stall: one page that uses what a page can use, for the tests of the test kit."""

from pathlib import Path

from miniprograms.sdk import (
    App,
    Button,
    CopyButton,
    Field,
    LinkButton,
    Money,
    Page,
    PageData,
    PaymentResult,
    TextInput,
    View,
)
from tests.fakes.programs import app_of

STALL = "com.example.shop"


class Stall(Page):
    """Sells things; some of its buttons are broken on purpose."""

    class Data(PageData):
        said: str = ""
        heard: list[str] = Field(default_factory=list)
        link: str = "https://example.com/docs"

    data: Data

    async def on_load(self, query):
        await self.set_data(said=query.get("say", ""))

    def render(self) -> View:
        rows = [
            Button("Pay", self.pay, yuan=8),
            Button("Pay ¥80", self.pay, yuan=80),
            Button("Pay in stars", self.pay_stars),
            Button("Two at once", self.pay_two),
            Button("Boom", self.boom),
            Button("Ask", self.ask),
            Button("Scan", self.scan),
            Button("Whisper", self.whisper),
            Button("Make a link", self.make_link),
            LinkButton("Docs", self.data.link),
            CopyButton("Copy the code", "4711"),
        ]
        text = f"stall said={self.data.said} heard={','.join(self.data.heard)}"
        return View(text, rows, text_input=TextInput(self.say))

    async def say(self, text: str):
        await self.set_data(said=text)

    async def pay(self, yuan: int):
        await self.request_payment(
            Money.cny(f"{yuan}.00"), "Plums", order_key=f"{yuan}-{len(self.data.heard)}"
        )

    async def pay_stars(self):
        await self.request_payment(Money(50, "XTR"), "Plums", order_key="stars")

    async def pay_two(self):
        await self.pay(1)
        await self.pay(2)

    async def on_payment(self, result: PaymentResult):
        await self.set_data(heard=[*self.data.heard, f"{result.amount}:{result.status}:{result.detail}"])
        if result.amount == Money.cny("80.00") and result.paid:
            raise KeyError("the eightieth plum")

    async def boom(self):
        await self.set_data(said="never kept")
        raise ZeroDivisionError("no plums left")

    async def ask(self):
        await self.show_modal("Sure?", then=self.answered)

    async def answered(self, *, confirm: bool):
        await self.set_data(said="yes" if confirm else "no")

    async def scan(self):
        await self.scan_code(then=self.scanned)

    async def scanned(self, *, result: str | None):
        await self.set_data(said=result or "nothing")

    async def whisper(self):
        await self.show_toast("psst")

    async def make_link(self):
        await self.set_data(link=await self.short_link("home", say="hello"))


def stall_app(folder: Path) -> App:
    app = app_of(folder)
    app.page("home")(Stall)
    return app
