"""Money from any wallet to any wallet: paid in here, claimed there, and back again when nobody claims it for a day."""

from typing import Final

from miniprograms.sdk import (
    Actions,
    App,
    Bold,
    Button,
    Code,
    CopyButton,
    Field,
    LinkButton,
    Money,
    Page,
    PageData,
    PaymentResult,
    PaymentStatus,
    PayoutResult,
    PayoutStatus,
    QrCode,
    Query,
    Text,
    TextInput,
    View,
)
from miniprograms.sdk.view import AnyButton
from providers.sdk.wallets import Wallet, wallet_name

LEAST: Final = Money.cny("0.10")  # no wallet is paid less
MOST: Final = Money.cny("2000.00")
PRESETS: Final = (Money.cny("20.00"), Money.cny("50.00"), Money.cny("100.00"), Money.cny("200.00"))
NOTE_CHARS_MAX: Final = 50
OPEN_ID_CHARS: Final = 28
SHOWN_MAX: Final = 10

SEND: Final = "pages/send/send"
CLAIM: Final = "pages/claim/claim"


class Transfers(App):
    """Goes on where the page that began a transfer is closed."""

    async def on_payment(self, result: PaymentResult) -> None:
        if result.paid:
            await offer(self, result)

    async def on_payout(self, result: PayoutResult) -> None:
        await remember(self, result)


app = Transfers(__file__)


async def offer(asker: Actions, result: PaymentResult) -> None:
    """What was paid in is offered to whom it is for. `asked` was kept before the payment was asked for."""
    asked = (await asker.get_storage("asked", dict[str, list[str]]())).get(result.order_key, ["", ""])
    await asker.request_payout(
        result.order_id,
        result.amount,
        asked[0] or asker.tr("A transfer", "转账"),
        payout_key=result.order_key,
        page=SEND,
        for_open_id=asked[1],
    )


async def remember(asker: Actions, result: PayoutResult) -> None:
    """Keep it in the list of this person's transfers, newest first; the details that were kept for it can go."""
    asked = await asker.get_storage("asked", dict[str, list[str]]())
    if asked.pop(result.payout_key, None) is not None:
        await asker.set_storage("asked", dict(asked))
    sent = await asker.get_storage("sent", list[list[str]]())
    line = [result.claim_id, str(result.amount), result.status.value]
    others = [one for one in sent if one[0] != result.claim_id]
    await asker.set_storage("sent", [line, *others][:SHOWN_MAX])


def status_text(asker: Actions, status: str) -> str:
    """How a transfer stands, for its sender."""
    texts: dict[PayoutStatus, str] = {
        PayoutStatus.OPEN: asker.tr("Waiting to be claimed", "等待领取"),
        PayoutStatus.CLAIMED: asker.tr("Claimed, on its way", "已领取，转入中"),
        PayoutStatus.PAID: asker.tr("Received ✓", "已到账 ✓"),
        PayoutStatus.RETURNED: asker.tr("Returned to you", "已退回"),
    }
    return texts[PayoutStatus(status)]


@app.page("pages/home/home")
class Home(Page):
    """Send, the id under which one receives, and what one has sent."""

    class Data(PageData):
        sent: list[list[str]] = Field(default_factory=list)

    data: Data

    async def on_show(self) -> None:
        await self.set_data(sent=[list(line) for line in await self.get_storage("sent", list[list[str]]())])

    def render(self) -> View:
        rows = [
            Button(f"{amount} · {status_text(self, status)}", self.look, claim_id=claim_id)
            for claim_id, amount, status in self.data.sent
        ]
        return View(
            [
                Bold(self.tr("Transfer", "转账")),
                "\n",
                self.tr(
                    "From any wallet to any wallet. Unclaimed for a day, it comes back.",
                    "任何钱包转到任何钱包，24 小时未领取自动退回。",
                ),
                "\n\n",
                self.tr(
                    "Your transfer id, for those who send to you alone:", "您的收款号，别人可用它只转给您："
                ),
                "\n",
                Code(self.open_id),
            ],
            [
                Button(self.tr("Send money", "我要转账"), self.send, primary=True),
                CopyButton(self.tr("Copy my transfer id", "复制我的收款号"), self.open_id),
                *rows,
            ],
        )

    async def send(self) -> None:
        await self.navigate_to(SEND)

    async def look(self, claim_id: str) -> None:
        await self.navigate_to(SEND, c=claim_id)


@app.page(SEND)
class Send(Page):
    """How much, a note, for whom; then the payment; then the card of the transfer, until it has arrived or is back."""

    class Data(PageData):
        amount_minor: int = 0
        message: str = ""
        for_open_id: str = ""
        asks: str = "amount"  # what the next written line is: amount, note or payee
        key: str = ""
        notice: str = ""
        room_minor: int = 0
        claim_id: str = ""
        status: str = ""
        title: str = ""
        link: str = ""
        card: str = ""
        bound: bool = False

    data: Data

    async def on_load(self, query: Query) -> None:
        room = await self.payout_room("CNY")
        await self.set_data(key=self.draw_key(), room_minor=room.minor)
        if query.get("c"):
            await self.show_claim(query["c"])

    def render(self) -> View:
        return self.card() if self.data.claim_id else self.form()

    # --- the form

    @property
    def amount(self) -> Money:
        """What is to be sent; nothing yet is zero."""
        return Money(self.data.amount_minor, "CNY")

    @property
    def most(self) -> Money:
        """The most that can be sent now."""
        return Money(min(MOST.minor, self.data.room_minor), "CNY")

    def form(self) -> View:
        asks = {
            "amount": self.tr(
                f"Write an amount, {LEAST} to {self.most}.", f"请输入金额，{LEAST} 至 {self.most}。"
            ),
            "note": self.tr("Write a note, at most 50 characters.", "请输入附言，最多 50 字。"),
            "payee": self.tr("Write the transfer id of the person.", "请输入对方的收款号。"),
        }
        whom = (
            self.data.for_open_id[:6] + "…"
            if self.data.for_open_id
            else self.tr("whoever has the link", "持有链接的人")
        )
        lines: list[str | Text] = [
            Bold(f"{self.amount}\n" if self.amount else self.tr("Send money\n", "我要转账\n")),
            self.tr("For: ", "转给：") + whom + "\n",
            *([Text(f"“{self.data.message}”\n")] if self.data.message else []),
            *([Text(self.data.notice + "\n")] if self.data.notice else []),
            "\n",
            asks[self.data.asks],
        ]
        return View(lines, self.form_buttons(), text_input=TextInput(self.written, asks[self.data.asks][:60]))

    def form_buttons(self) -> list[Button | list[Button]]:
        presets = [
            Button(str(preset), self.choose, minor=preset.minor)
            for preset in PRESETS
            if preset.minor <= self.most.minor
        ]
        pay = Button(f"{self.tr('Pay', '付款')} {self.amount}", self.pay, once=True, primary=True)
        return [
            presets,
            [
                Button(self.tr("Note", "附言"), self.ask, what="note"),
                Button(self.tr("For one person", "指定收款人"), self.ask, what="payee"),
            ],
            *([pay] if self.amount else []),
        ]

    async def ask(self, what: str) -> None:
        await self.set_data(asks=what, notice="")

    async def choose(self, minor: int) -> None:
        await self.take(Money(minor, "CNY"))

    async def written(self, text: str) -> None:
        """A line of text is what was asked for last."""
        match self.data.asks:
            case "note":
                await self.set_data(message=" ".join(text.split())[:NOTE_CHARS_MAX], asks="amount", notice="")
            case "payee":
                await self.bind(text.strip())
            case _:
                await self.take_text(text)

    async def bind(self, open_id: str) -> None:
        if open_id == self.open_id:
            await self.set_data(notice=self.tr("That is your own id.", "这是您自己的收款号。"))
        elif len(open_id) == OPEN_ID_CHARS and open_id.startswith("o"):
            await self.set_data(for_open_id=open_id, asks="amount", notice="")
        else:
            await self.set_data(notice=self.tr("That is no transfer id.", "这不是收款号。"))

    async def take_text(self, text: str) -> None:
        try:
            amount = Money.parse(text.strip().lstrip("¥￥").strip(), "CNY")
        except ValueError:
            await self.set_data(notice=self.tr("That is no amount.", "金额格式不对。"))
            return
        await self.take(amount)

    async def take(self, amount: Money) -> None:
        if LEAST.minor <= amount.minor <= self.most.minor:
            await self.set_data(amount_minor=amount.minor, notice="")
        else:
            await self.set_data(
                notice=self.tr(f"{LEAST} to {self.most} can be sent.", f"可转 {LEAST} 至 {self.most}。")
            )

    # --- the payment

    async def pay(self) -> None:
        room = await self.payout_room("CNY")
        await self.set_data(room_minor=room.minor)
        if not LEAST.minor <= self.amount.minor <= self.most.minor:
            await self.take(self.amount)
            return
        asked = await self.get_storage("asked", dict[str, list[str]]())
        details = [self.data.message, self.data.for_open_id]
        await self.set_storage("asked", {**asked, self.data.key: details})
        title = f"Transfer 转账 {self.data.message}".strip()
        await self.request_payment(self.amount, title, order_key=self.data.key)
        await self.set_data(notice=self.tr("Waiting for your payment …", "等待付款……"))

    async def on_payment(self, result: PaymentResult) -> None:
        if result.paid:
            await offer(self, result)
        elif result.status is PaymentStatus.PENDING:
            await self.set_data(notice=self.tr("The bank is still checking …", "银行处理中……"))
        elif result.order_key == self.data.key:
            await self.set_data(
                key=self.draw_key(), notice=self.tr("Not paid. Tap Pay to try again.", "未付款，可重新付款。")
            )

    async def on_payout(self, result: PayoutResult) -> None:
        await remember(self, result)
        if result.claim_id == self.data.claim_id or result.payout_key == self.data.key:
            await self.show_claim(result.claim_id, result.detail)

    # --- the card

    async def show_claim(self, claim_id: str, detail: str = "") -> None:
        claim = await self.read_claim(claim_id)
        if claim is None or not claim.mine:
            await self.set_data(notice=self.tr("There is no such transfer.", "没有这笔转账。"))
            return
        limit = self.tr("Over the limit of a day.", "超过每日限额。")
        await self.set_data(
            claim_id=claim_id,
            amount_minor=claim.amount.minor,
            status=claim.status.value,
            title=claim.title,
            link=claim.link,
            bound=claim.for_somebody,
            card=self.data.card or await self.short_link(CLAIM, c=claim_id),
            notice=limit if detail == "limit" else "",
        )

    def card(self) -> View:
        lines: list[str | Text] = [
            Bold(f"{self.amount} · {status_text(self, self.data.status)}\n"),
            Text(f"“{self.data.title}”\n"),
            *([Text(self.data.notice + "\n")] if self.data.notice else []),
        ]
        again = Button(self.tr("Look again", "刷新"), self.look_again)
        if self.data.status != PayoutStatus.OPEN:
            return View(lines, [again] if self.data.status == PayoutStatus.CLAIMED else [])
        how = self.tr(
            "Show this code to the recipient, or send the card. Unclaimed for 24 hours, it comes back to you.",
            "请让对方扫此码，或把卡片发给对方。24 小时未领取自动退回。",
        )
        share: list[AnyButton] = [
            CopyButton(self.tr("Copy the card's link", "复制卡片链接"), self.data.card),
            LinkButton(self.tr("Open the card", "打开卡片"), self.data.card),
        ]
        back = Button(self.tr("Take it back", "撤回"), self.take_back, once=True)
        # A card for one person leads that person, and nobody else, to the choice of wallets.
        code = QrCode(self.data.card if self.data.bound else self.data.link)
        return View([*lines, how], [share, [back, again]], picture=code)

    async def look_again(self) -> None:
        await self.show_claim(self.data.claim_id)

    async def take_back(self) -> None:
        await self.withdraw_payout(self.data.claim_id)


@app.page(CLAIM)
class Claiming(Page):
    """The card as its recipient sees it: how much, the note, and the wallets to choose from."""

    class Data(PageData):
        amount: str = ""
        title: str = ""
        status: str = ""
        link: str = ""
        wallets: list[str] = Field(default_factory=list)
        mine: bool = False

    data: Data

    async def on_show(self) -> None:
        await self.look_again()

    async def look_again(self) -> None:
        claim = await self.read_claim(self.query.get("c", ""))
        if claim is None:
            await self.set_data(status="")
            return
        await self.set_data(
            amount=str(claim.amount),
            title=claim.title,
            status=claim.status.value,
            link=claim.link,
            wallets=[wallet.value for wallet in claim.wallets],
            mine=claim.mine,
        )

    def render(self) -> View:
        if not self.data.status:
            return View(self.tr("There is no such transfer.", "没有这笔转账。"))
        lines: list[str | Text] = [
            Bold(f"{self.data.amount}\n"),
            Text(f"“{self.data.title}”\n\n"),
        ]
        again = Button(self.tr("Look again", "刷新"), self.look_again)
        if self.data.status != PayoutStatus.OPEN:
            return View([*lines, self.ended()], [again] if self.data.status == PayoutStatus.CLAIMED else [])
        if not self.data.link:
            return View(
                [*lines, self.tr("This transfer is for somebody else.", "这笔转账指定了别的收款人。")]
            )
        names = " · ".join(wallet_name(Wallet(wallet), self.language) for wallet in self.data.wallets)
        how = self.tr(
            f"Scan this code with the wallet that shall receive it: {names}.",
            f"请用要收款的钱包扫此码：{names}。",
        )
        page = LinkButton(self.tr("Open the page", "打开页面"), self.data.link)
        return View([*lines, how], [page, again], picture=QrCode(self.data.link))

    def ended(self) -> str:
        """What has become of it, for whoever looks at the card."""
        return {
            PayoutStatus.CLAIMED: self.tr("Claimed; it is on its way.", "已领取，正在转入。"),
            PayoutStatus.PAID: self.tr("Received ✓", "已收款 ✓"),
            PayoutStatus.RETURNED: self.tr("It went back to the sender.", "已退回付款人。"),
        }[PayoutStatus(self.data.status)]
