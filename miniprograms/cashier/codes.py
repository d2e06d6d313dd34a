"""Codes for the counter: printed once, scanned by anybody, with an amount or without one."""

from typing import Final

from miniprograms.cashier.amounts import AMOUNT_MAX, read_amount
from miniprograms.cashier.front import CODES, app
from miniprograms.sdk import (
    Bold,
    Button,
    CopyButton,
    Field,
    Money,
    Page,
    PageData,
    PaymentResult,
    QrCode,
    TextInput,
    View,
)

_KEPT: Final = "codes"
_CODES_MAX: Final = 20
_OPEN: Final = "open"  # the key of the code whose amount the payer enters


class Kept(PageData):
    """A code as this till remembers it. `amount` is empty where the payer enters it."""

    key: str
    amount: str
    url: str


@app.page(CODES)
class Codes(Page):
    """One code is shown at a time, as a picture to be printed or held out."""

    class Data(PageData):
        codes: list[Kept] = Field(default_factory=list)
        shown: str = ""

    data: Data

    async def on_show(self) -> None:
        await self.set_data(codes=await self.get_storage(_KEPT, list[dict[str, str]]()))

    def render(self) -> View:
        shown = next((code for code in self.data.codes if code.key == self.data.shown), None)
        rows = [
            Button(self._label(code), self.show, key=code.key)
            for code in self.data.codes
            if code is not shown
        ]
        hint = self.tr("Write an amount for a code of that amount.", "输入金额，生成定额收款码。")
        if all(code.key != _OPEN for code in self.data.codes):
            rows.append(Button(self.tr("A code without an amount", "不定额收款码"), self.open_amount))
        again = self.tr("Any wallet can scan it, again and again.", "任何钱包均可反复扫码付款。")
        if shown is None:
            title = self.tr("A code for the counter", "柜台收款码")
            return View([Bold(title), "\n", again], rows, text_input=TextInput(self.fixed, hint))
        copy = CopyButton(self.tr("Copy the link", "复制链接"), shown.url)
        close = Button(self.tr("Close this code", "停用此码"), self.close)
        return View(
            [Bold(self._label(shown)), "\n", again],
            [[copy, close], *rows],
            picture=QrCode(shown.url),
            text_input=TextInput(self.fixed, hint),
        )

    async def show(self, key: str) -> None:
        await self.set_data(shown=key)

    async def open_amount(self) -> None:
        await self._make(_OPEN, None)

    async def fixed(self, text: str) -> None:
        amount = read_amount(text)
        if amount is None:
            await self.show_toast(
                self.tr(f"An amount is ¥0.01 to {AMOUNT_MAX}.", f"金额须在 ¥0.01 到 {AMOUNT_MAX} 之间。")
            )
        elif len(self.data.codes) >= _CODES_MAX:
            await self.show_toast(self.tr("Close a code first.", "请先停用一个收款码。"))
        else:
            await self._make(f"fixed-{amount.decimal}", amount)

    async def close(self) -> None:
        await self.show_modal(
            self.tr("Close this code?", "停用此收款码？"),
            self.tr("Prints of it will lead nowhere.", "已打印的收款码将失效。"),
            then=self.sure,
        )

    async def sure(self, *, confirm: bool) -> None:
        if confirm:
            await self.close_collection_code(self.data.shown)
            await self._keep([code for code in self.data.codes if code.key != self.data.shown], "")

    async def on_payment(self, result: PaymentResult) -> None:
        """The receipt is in the chat already; nothing is to be done here."""

    async def _make(self, key: str, amount: Money | None) -> None:
        url = await self.collection_code("柜台收款 At the till", code_key=key, amount=amount)
        new = Kept(key=key, amount=amount.decimal if amount else "", url=url)
        await self._keep([*(code for code in self.data.codes if code.key != key), new], key)

    async def _keep(self, codes: list[Kept], shown: str) -> None:
        kept = [code.to_json() for code in codes]
        await self.set_storage(_KEPT, kept)
        await self.set_data(codes=kept, shown=shown)

    def _label(self, code: Kept) -> str:
        if not code.amount:
            return self.tr("The payer enters the amount", "付款人输入金额")
        return self.tr(f"¥{code.amount} each time", f"每次 ¥{code.amount}")
