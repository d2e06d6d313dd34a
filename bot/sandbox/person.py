"""The person's side: what someone in front of the sandbox can do, as JSON over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.orders.order import Order, Payout, Refund
from bot.sandbox.bulletin import Bulletin, Topic
from bot.sandbox.chat_view import ChatView
from bot.sandbox.clock import SandboxClock
from bot.sandbox.institutions import Institutions
from bot.sandbox.people import USER_ID_MAX
from bot.sandbox.purses import CURRENCY, SandboxPurses
from bot.sandbox.route import Ask, NotThere, Route, ShopRefused
from bot.sandbox.shapes import (
    AttemptSeen,
    BillSeen,
    ChatSeen,
    ClockAsked,
    ClockSeen,
    Done,
    FaultAsked,
    InstitutionSeen,
    InstitutionsSeen,
    InvoicePaid,
    OrderSeen,
    OrdersSeen,
    Paid,
    PasswordAsked,
    PayAsked,
    PayInvoice,
    PayoutSeen,
    RefundAsked,
    RefundSeen,
    ScanAsked,
    Send,
    Sent,
    StarsSeen,
    TapAsked,
    Tapped,
)
from bot.sandbox.wallet_app import WalletApps, WalletRefused
from bot.sandbox.wallet_shapes import ClassAsked, HistorySeen, MoveSeen, TopUpAsked, WalletSeen, WalletsSeen
from providers.sdk.gateway import Fault, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet, wallet_name

ORDERS_SHOWN: Final = 100

AllOrders = Callable[[int], Awaitable[Sequence[Order]]]
"""The newest orders of everybody, at most so many, the newest last."""
GiveBack = Callable[[str, int, str], Awaitable[Refund | str]]
"""Refund so many minor units of an order for a reason; the refund, or why not."""


@dataclass(frozen=True, slots=True)
class PersonSide:
    """The handlers; each takes what was asked and returns what is told."""

    chat: ChatView
    wallets: WalletApps
    purses: SandboxPurses
    clock: SandboxClock
    institutions: Institutions
    bulletin: Bulletin
    all_orders: AllOrders
    give_back: GiveBack
    reset_world: Callable[[], Awaitable[None]]

    def routes(self) -> tuple[Route, ...]:
        """The whole interface, in the order a person needs it."""
        return (
            Route("POST", "/sandbox/users/{user_id}/send", "Write text, or send a photo of a QR code.", self.send, Send, Sent),
            Route("POST", "/sandbox/users/{user_id}/tap", "Tap the newest button with that label.", self.tap, TapAsked, Tapped),
            Route("GET", "/sandbox/users/{user_id}/chat", "Read the chat.", self.read_chat, None, ChatSeen, query=("after", "chat_id")),
            Route("POST", "/sandbox/users/{user_id}/pay", "Pay an invoice in Telegram Stars.", self.pay_invoice, PayInvoice, InvoicePaid),
            Route("GET", "/sandbox/users/{user_id}/stars", "See the Telegram Stars a person has left.", self.see_stars, None, StarsSeen),
            Route("GET", "/sandbox/wallets", "See the wallets.", self.see_wallets, None, WalletsSeen),
            Route("GET", "/sandbox/wallets/{wallet}/history", "See what moved a wallet's money.", self.see_history, None, HistorySeen),
            Route("POST", "/sandbox/wallets/{wallet}/scan", "Scan any code with a wallet; a claim link is claimed.", self.scan, ScanAsked, BillSeen),
            Route("POST", "/sandbox/wallets/{wallet}/pay", "Confirm a scanned bill.", self.pay, PayAsked, Paid),
            Route("POST", "/sandbox/wallets/{wallet}/password", "Let the next charge by payer code wait for a password, or enter it.", self.hold_password, PasswordAsked, Done),
            Route("POST", "/sandbox/wallets/{wallet}/top_up", "Put play money into a wallet.", self.top_up, TopUpAsked, WalletSeen),
            Route("POST", "/sandbox/wallets/{wallet}/class", "Choose the class of an e-CNY wallet.", self.choose_class, ClassAsked, WalletSeen),
            Route("GET", "/sandbox/clock", "Read the clock.", self.read_clock, None, ClockSeen),
            Route("POST", "/sandbox/clock", "Move the clock forward.", self.advance, ClockAsked, ClockSeen),
            Route("GET", "/sandbox/orders", "See every order, its attempts, refunds and payouts.", self.see_orders, None, OrdersSeen),
            Route("POST", "/sandbox/orders/{order_id}/refund", "Give money back, as the shop.", self.refund, RefundAsked, RefundSeen),
            Route("GET", "/sandbox/institutions", "Where the institutions' own APIs are served.", self.see_institutions, None, InstitutionsSeen),
            Route("POST", "/sandbox/faults", "Arm a fault of an institution or of the Bot API.", self.arm, FaultAsked, Done),
            Route("POST", "/sandbox/reset", "Start a fresh world.", self.reset, None, Done),
        )  # fmt: skip

    async def send(self, ask: Ask) -> Sent:
        return Sent(message_id=await self.chat.send(_user(ask), ask.body_as(Send)))

    async def tap(self, ask: Ask) -> Tapped:
        return await self.chat.tap(_user(ask), ask.body_as(TapAsked))

    async def read_chat(self, ask: Ask) -> ChatSeen:
        user_id = _user(ask)
        return self.chat.read(user_id, ask.number("chat_id", user_id), ask.number("after", 0))

    async def pay_invoice(self, ask: Ask) -> InvoicePaid:
        return await self.chat.pay(_user(ask), ask.body_as(PayInvoice))

    async def see_stars(self, ask: Ask) -> StarsSeen:
        return StarsSeen(stars=self.chat.stars(_user(ask)))

    async def see_wallets(self, _: Ask) -> WalletsSeen:
        return WalletsSeen(wallets=self._seen(*self.wallets.wallets()))

    async def top_up(self, ask: Ask) -> WalletSeen:
        wallet, amount = self._wallet(ask), Money(ask.body_as(TopUpAsked).amount_minor, CURRENCY)
        self.wallets.check_receipt(wallet, self._held(wallet), amount)
        try:
            self.purses.credit(wallet, amount, "Top-up")
        except PurseRefused as refusal:
            raise WalletRefused(str(refusal)) from refusal
        return self._seen(wallet)[0]

    async def choose_class(self, ask: Ask) -> WalletSeen:
        wallet = self._wallet(ask)
        self.wallets.put_in_class(wallet, ask.body_as(ClassAsked).wallet_class, self._held(wallet))
        return self._seen(wallet)[0]

    async def see_history(self, ask: Ask) -> HistorySeen:
        moves = self.purses.history(self._wallet(ask))
        return HistorySeen(moves=[MoveSeen(at=move.at, minor=move.minor, memo=move.memo) for move in moves])

    async def scan(self, ask: Ask) -> BillSeen:
        scanned = await self.wallets.scan(self._wallet(ask), ask.body_as(ScanAsked).code, ask.language)
        return BillSeen(
            bill=scanned.key,
            scheme=scanned.scheme,
            provider=scanned.provider,
            clearing=scanned.clearing.value,
            payee=scanned.bill.payee,
            amount_minor=scanned.bill.amount.minor,
            currency=scanned.bill.amount.currency,
            title=scanned.bill.title,
            state=scanned.state,
        )

    async def pay(self, ask: Ask) -> Paid:
        asked = ask.body_as(PayAsked)
        self.wallets.pay(self._wallet(ask), asked.bill, asked.faults)
        return Paid(status="paid")

    async def hold_password(self, ask: Ask) -> Done:
        self.wallets.hold_password(self._wallet(ask), wanted=ask.body_as(PasswordAsked).wanted)
        return Done()

    async def read_clock(self, _: Ask) -> ClockSeen:
        return ClockSeen(now=self.clock.now().isoformat(timespec="seconds"), ahead_s=self.clock.offset_s)

    async def advance(self, ask: Ask) -> ClockSeen:
        self.clock.advance(ask.body_as(ClockAsked).advance_s)
        self.bulletin.publish(Topic.CLOCK)
        return await self.read_clock(ask)

    async def see_orders(self, _: Ask) -> OrdersSeen:
        return OrdersSeen(orders=[_order(order) for order in await self.all_orders(ORDERS_SHOWN)])

    async def refund(self, ask: Ask) -> RefundSeen:
        asked = ask.body_as(RefundAsked)
        answer = await self.give_back(ask.path["order_id"], asked.amount_minor, asked.reason)
        if isinstance(answer, str):
            raise ShopRefused(answer)
        return _refund(answer)

    async def see_institutions(self, _: Ask) -> InstitutionsSeen:
        seen = [
            InstitutionSeen(
                provider=institution.info.id,
                name=institution.info.name_en,
                name_zh=institution.info.name_zh,
                base_url=institution.base_url,
                wallets=sorted(institution.info.wallets),
            )
            for institution in self.institutions
        ]
        return InstitutionsSeen(institutions=seen, faults=list(Fault))

    async def arm(self, ask: Ask) -> Done:
        asked = ask.body_as(FaultAsked)
        if asked.clear:
            for institution in self.institutions:
                institution.faults.clear()
        elif asked.method is not None:
            self.chat.api.fault(
                asked.method,
                code=429 if asked.retry_after is not None else asked.code,
                retry_after=asked.retry_after,
                times=asked.times,
                after=asked.after,
            )
        else:
            self._arm_institution(asked)
        return Done()

    async def reset(self, _: Ask) -> Done:
        await self.reset_world()
        self.bulletin.publish(Topic.RESET)
        return Done()

    def _arm_institution(self, asked: FaultAsked) -> None:
        institution = self.institutions.get(asked.provider or "")
        if institution is None or asked.fault is None:
            known = ", ".join(institution.info.id for institution in self.institutions)
            raise NotThere(f"There is no institution {asked.provider!r} here; there are {known or 'none'}.")
        institution.faults.arm(asked.fault, asked.times, spare=asked.spare)

    def _held(self, wallet: Wallet) -> Money:
        return Money(self.purses.balance(wallet), CURRENCY)

    def _seen(self, *wallets: Wallet) -> list[WalletSeen]:
        return [
            WalletSeen(
                id=purse.wallet.value,
                name=wallet_name(purse.wallet, "en"),
                name_zh=wallet_name(purse.wallet, "zh"),
                balance_minor=purse.balance_minor,
                currency=CURRENCY,
                payer_code=purse.payer_code,
                wallet_class=self.wallets.class_of(purse.wallet),
            )
            for purse in self.purses.show(wallets)
        ]

    def _wallet(self, ask: Ask) -> Wallet:
        here = self.wallets.wallets()
        wallet = next((wallet for wallet in here if wallet.value == ask.path["wallet"]), None)
        if wallet is None:
            raise NotThere(f"There is no such wallet here; there are {', '.join(here)}.")
        return wallet


def _user(ask: Ask) -> int:
    text = ask.path["user_id"]
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) < USER_ID_MAX):
        raise ValueError("A user id is a whole number from 1 to 2^52.")
    return int(text)


def _order(order: Order) -> OrderSeen:
    return OrderSeen(
        id=order.id,
        state=order.state.value,
        amount_minor=order.amount.minor,
        currency=order.amount.currency,
        title=order.title,
        app_id=order.app_id,
        user_id=order.user_id,
        created_at=order.created_at.isoformat(timespec="seconds"),
        attempts=[
            AttemptSeen(
                number=attempt.number,
                provider=attempt.provider,
                wallet=attempt.wallet.value,
                way=attempt.way.value,
                state=attempt.state.value,
                amount_minor=attempt.amount.minor,
                reason=attempt.reason,
            )
            for attempt in order.attempts
        ],
        refunds=[_refund(refund) for refund in order.refunds],
        payouts=[_payout(payout) for payout in order.payouts],
    )


def _refund(refund: Refund) -> RefundSeen:
    return RefundSeen(
        number=refund.number,
        attempt=refund.attempt_number,
        state=refund.state.value,
        amount_minor=refund.amount.minor,
        reason=refund.reason,
    )


def _payout(payout: Payout) -> PayoutSeen:
    return PayoutSeen(
        number=payout.number,
        attempt=payout.attempt_number,
        state=payout.state.value,
        amount_minor=payout.amount.minor,
        wallet=payout.payee.wallet.value if payout.payee else "",
        provider=payout.payee.provider if payout.payee else "",
    )
