"""The amount, the customer's payment code, the money."""

from typing import Final

from miniprograms.cashier.amounts import AMOUNT_MAX, press, read_amount
from miniprograms.cashier.front import CHARGE, TILL, app
from miniprograms.sdk import (
    ApiError,
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
    ShownCode,
    Text,
    TextInput,
    View,
    Wallet,
    wallet_name,
)

_KEYS: Final = (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"), (".", "0", "⌫"))
_CHARGE_WITHIN_S: Final = 600


@app.page(TILL)
class Till(Page):
    """The keypad. An amount may be typed as well."""

    class Data(PageData):
        typed: str = ""

    data: Data

    def render(self) -> View:
        shown = f"¥{self.data.typed or '0'}"
        hint = self.tr("Tap the amount, or write it.", "点按金额，或直接输入。")
        rows: list[list[Button]] = [[Button(key, self.press, key=key) for key in keys] for keys in _KEYS]
        charge = Button(f"{self.tr('Charge', '收款')} {shown}", self.charge, primary=True)
        return View(
            [Bold(self.tr("Cashier", "收银台")), "\n", hint, "\n\n", Bold(shown)],
            [*rows, charge],
            text_input=TextInput(self.write, self.tr("Amount, such as 18.00", "金额，如 18.00")),
        )

    async def press(self, key: str) -> None:
        await self.set_data(typed=press(self.data.typed, key))

    async def write(self, text: str) -> None:
        amount = read_amount(text)
        if amount is None:
            await self._refuse()
        else:
            await self._take(amount)

    async def charge(self) -> None:
        amount = read_amount(self.data.typed)
        if amount is None:
            await self._refuse()
        else:
            await self._take(amount)

    async def _take(self, amount: Money) -> None:
        await self.set_data(typed="")
        await self.navigate_to(CHARGE, amount=amount.decimal)

    async def _refuse(self) -> None:
        await self.show_toast(
            self.tr(f"An amount is ¥0.01 to {AMOUNT_MAX}.", f"金额须在 ¥0.01 到 {AMOUNT_MAX} 之间。")
        )


@app.page(CHARGE)
class Charge(Page):
    """One customer. However many codes it takes, `key` makes it one order until it has ended without money."""

    class Data(PageData):
        amount: str = ""
        key: str = ""
        slip: str = ""  # stands for a code until somebody says whose it is
        wallets: list[str] = Field(default_factory=list)
        order_id: str = ""
        status: str = ""

    data: Data

    async def on_load(self, query: Query) -> None:
        amount = read_amount(query.get("amount", ""))
        if amount is None:
            await self.switch_tab(TILL)
            return
        await self.set_data(amount=amount.decimal, key=self.draw_key())
        await self.take()

    def render(self) -> View:
        paid = self.data.status == PaymentStatus.PAID
        take = Button(self.tr("Take the customer's code", "扫顾客付款码"), self.take, primary=True)
        number = [Code(self.data.order_id), Text("\n")] if self.data.order_id else []
        return View(
            [Bold(f"{self.tr('Charge', '收款')} ¥{self.data.amount}"), "\n", self._note(), "\n", *number],
            [Button(self.tr("Next customer", "下一位"), self.leave, primary=True)] if paid else [take],
        )

    async def take(self) -> None:
        await self.take_payer_code(then=self.taken)

    async def taken(self, code: ShownCode | None) -> None:
        if code is None:
            return
        if not code.ambiguous:
            await self._charge(code.slip, None)
            return
        await self.set_data(slip=code.slip, wallets=[wallet.value for wallet in code.wallets])
        names = [wallet_name(wallet, self.language) for wallet in code.wallets]
        await self.show_action_sheet(
            names, then=self.said, title=self.tr("Whose code is this?", "这是哪个钱包的付款码？")
        )

    async def said(self, tap_index: int | None) -> None:
        if tap_index is not None:
            await self._charge(self.data.slip, Wallet(self.data.wallets[tap_index]))

    async def leave(self) -> None:
        await self.switch_tab(TILL)

    async def on_payment(self, result: PaymentResult) -> None:
        if self.data.status == PaymentStatus.PAID:
            return
        await self.set_data(status=result.status.value, order_id=result.order_id)
        if result.status in {PaymentStatus.CANCELLED, PaymentStatus.FAILED}:
            await self.set_data(key=self.draw_key())  # what has ended is not tried again: a new order

    async def _charge(self, slip: str, wallet: Wallet | None) -> None:
        try:
            await self.charge_payer_code(
                Money.cny(self.data.amount),
                self.tr("At the till", "柜台收款"),
                code=slip,
                order_key=self.data.key,
                wallet=wallet,
                expires_after_s=_CHARGE_WITHIN_S,
            )
        except ApiError as error:
            await self.show_toast(self._refusal(error))
            return
        await self.set_data(slip="", status="asked")

    def _refusal(self, error: ApiError) -> str:
        if error.err_msg.endswith("code expired"):
            return self.tr("That code is worn out. Take a fresh one.", "付款码已失效，请重新扫码。")
        return self.tr("No account here takes that wallet for this amount.", "此钱包无法支付该金额。")

    def _note(self) -> str:
        return {
            PaymentStatus.PAID.value: self.tr("Paid ✓", "已收款 ✓"),
            PaymentStatus.PENDING.value: self.tr(
                "The customer is confirming. If that takes too long, the charge is reversed.",
                "顾客正在确认；超时将自动撤销。",
            ),
            PaymentStatus.CANCELLED.value: self.tr(
                "Cancelled. Take a code to try again.", "已取消，可重新扫码。"
            ),
            PaymentStatus.FAILED.value: self.tr(
                "Not paid. Take a code to try again.", "未收款，可重新扫码。"
            ),
            "asked": self.tr("Charging …", "收款中……"),
        }.get(self.data.status, self.tr("Ask the customer to show a payment code.", "请顾客出示付款码。"))
