"""A shop with two institutions in process, a book on the disk, and a clock to turn."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.orders.book import Book, open_book
from bot.orders.checkout import Checkout, Opened
from bot.orders.order import Draft, Order
from bot.orders.payouting import PayoutLimits
from bot.orders.ports import Account, Terms
from bot.orders.word import Word
from bot.orders.worker import Worker
from miniprograms.sdk.payment import PaymentRequest, PaymentResult
from miniprograms.sdk.payout import PayoutResult
from providers.sdk.contract import Call, ProviderInfo
from providers.sdk.gateway import Notification
from providers.sdk.money import Money
from providers.sdk.results import Verified
from providers.sdk.testing import FixedRandom, ManualClock, Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin as unionpay
from tests.proof.invariants import check
from tests.proof.street import Charge, charges_in, purse_of
from tests.proof.world import Acknowledged, Shown, Told, World, look

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "plainpay"))
from plainpay import plugin as plainpay  # found through the line above

PRICE = Money.cny("18.00")
USER = 7001


class ListTeller:
    """Draws nothing, remembers everything; can be made to fail."""

    def __init__(self) -> None:
        self.shown: list[Order] = []
        self.told: list[tuple[str, PaymentResult]] = []
        self.refunds: list[Word] = []
        self.paid_out: list[tuple[str, PayoutResult]] = []
        self.broken = False

    async def show(self, order: Order) -> int | None:
        self._check()
        self.shown.append(order)
        return order.message_id or 100 + len(self.shown)

    async def tell(self, key: str, order: Order, result: PaymentResult) -> None:
        self._check()
        self.told.append((key, result))

    async def tell_refund(self, key: str, order: Order, word: Word) -> None:
        self._check()
        self.refunds.append(word)

    async def tell_payout(self, key: str, order: Order, page: str, result: PayoutResult) -> None:
        self._check()
        self.paid_out.append((page, result))

    @property
    def results(self) -> list[str]:
        return [f"{result.status} {result.detail}".strip() for _, result in self.told]

    def _check(self) -> None:
        if self.broken:
            raise ConnectionError("The messenger is away.")


class ListWatch:
    def __init__(self) -> None:
        self.counts: list[str] = []
        self.alerts: list[str] = []

    def count(self, event: str, provider: str = "") -> None:
        self.counts.append(event)

    def alert(self, text: str, order_id: str = "") -> None:
        self.alerts.append(text)


class Shop:
    """What a test holds in its hand. `restart` is what a kill leaves: the store and the institutions."""

    def __init__(self, url: str, book: Book) -> None:
        self.url, self.book = url, book
        self.clock, self.random = ManualClock(), FixedRandom("shop")
        self.stalls = {"unionpay": self._stall(unionpay), "plainpay": self._stall(plainpay)}
        self.infos: dict[str, ProviderInfo] = {}
        self.terms: dict[str, Terms] = {}
        self.teller, self.watch = ListTeller(), ListWatch()
        self.acknowledged: list[Acknowledged] = []
        self.last_look = World()
        self.hearsay = False  # True where a test makes up words of institutions that these never said
        self.limits = PayoutLimits()
        self.open_door()

    @classmethod
    async def opened(cls, url: str) -> "Shop":
        return cls(url, await open_book(url))

    def also(self, plugin: Any) -> None:
        """One more institution."""
        self.stalls[plugin.info.id] = self._stall(plugin)
        self.open_door()

    def open_door(self) -> None:
        """A new process on what is stored."""
        self.checkout = Checkout(
            self.book,
            self.accounts(),
            clock=self.clock,
            random=self.random,
            watch=self.watch,
            limits=self.limits,
        )
        self.worker = Worker(self.checkout, self.teller)

    async def restart(self) -> None:
        await self.book.close()
        self.book = await open_book(self.url)
        self.open_door()

    def accounts(self) -> list[Account]:
        return [self.account(name) for name in self.stalls]

    def account(self, name: str, **more: Any) -> Account:
        stall = self.stalls[name]
        merchant = stall.settings.merchant
        account = Account(
            provider_id=name,
            merchant=str(merchant),
            info=self.infos.get(name, stall.plugin.info),
            provider=stall.provider,
            call=lambda: stall.call,
            notify_url="https://shop.example/notify",
            terms=self.terms.get(name, Terms()),
        )
        return replace(account, **more)

    def draft(self, key: str = "cart-1", amount: Money = PRICE, **more: Any) -> Draft:
        fields = {
            "app_id": "coffee",
            "page": "pages/menu/menu",
            "chat_id": USER,
            "user_id": USER,
            "language": "zh",
            "request": PaymentRequest(amount=amount, title="拿铁 Latte", order_key=key),
        }
        return Draft(**{**fields, **more})

    async def place(self, key: str = "cart-1", amount: Money = PRICE, **more: Any) -> Order:
        [order] = await self.checkout.place([self.draft(key, amount, **more)])
        return order

    async def open(self, order: Order, wallet: Wallet = Wallet.QUICKPASS) -> Opened:
        opened = await self.checkout.open(order.id, wallet, user_id=USER)
        assert isinstance(opened, Opened), opened
        return opened

    async def opened_order(self, wallet: Wallet = Wallet.QUICKPASS) -> Opened:
        return await self.open(await self.place(), wallet)

    def pay(self, opened: Opened, wallet: Wallet | None = None) -> None:
        self.stalls[opened.attempt.provider].pay(opened.attempt.code, wallet or opened.attempt.wallet)

    async def receive(self, name: str, notification: Notification) -> HttpReply:
        verdict = self.stalls[name].read(notification)
        reply = await self.checkout.receive(name, "main", notification.request)
        if isinstance(verdict, Verified) and self.stalls[name].gateway.acknowledged(reply):
            self.acknowledged.append(Acknowledged(name, verdict.event_key))
        return reply

    def post(self, name: str = "unionpay") -> list[Notification]:
        return self.stalls[name].courier.take()

    async def deliver(self) -> None:
        """All post arrives, and everything due is worked off."""
        for name in self.stalls:
            for notification in self.post(name):
                for _ in range(5):  # a busy machine may not store in time; institutions come again
                    if (await self.receive(name, notification)).status < 500:
                        break
        await self.worker.drain()

    async def paid_order(self, wallet: Wallet = Wallet.QUICKPASS) -> Order:
        opened = await self.opened_order(wallet)
        self.pay(opened)
        await self.deliver()
        return await self.look(opened.order)

    async def look(self, order: Order) -> Order:
        found = await self.checkout.find(order.id)
        assert found is not None
        return found

    async def pass_time(self, seconds: int, step: int = 60) -> None:
        """Time goes by, and the worker with it."""
        for _ in range(0, seconds, step):
            self.clock.advance(step)
            await self.worker.drain()

    def calls(self, name: str, what: Callable[[bytes], bool]) -> int:
        return sum(what(request.body) for request in self.stalls[name].transport.requests)

    async def world(self, *, quiet: bool = False) -> World:
        """Everything as it stands now, in the book and outside."""
        purses = [stall.purses for stall in self.stalls.values()]
        return replace(
            await look(self.book),
            charges=None if self.hearsay else self._charges(),
            purse=purse_of(minor for purse in purses for _, minor, _ in purse.moves),
            acknowledged=tuple(self.acknowledged),
            told=tuple(Told(key, result.order_id, result.status) for key, result in self.teller.told),
            shown=tuple(Shown(order.id, order.version, order.state) for order in self.teller.shown),
            outputs=(*self.watch.alerts, repr(self.teller.shown), repr(self.teller.told)),
            canaries=tuple(secret for stall in self.stalls.values() for secret in _secrets(stall.settings)),
            quiet=quiet,
        )

    async def check_books(self, *, quiet: bool = False) -> None:
        """All invariants hold, and what was paid at the last look still is."""
        world = await self.world(quiet=quiet)
        check(world.after(self.last_look))
        self.last_look = world.after(self.last_look)

    async def close(self) -> None:
        await self.book.close()

    def _charges(self) -> tuple[Charge, ...]:
        return tuple(
            charge for name, stall in self.stalls.items() for charge in charges_in(name, stall.drawer)
        )

    def _stall(self, plugin: Any) -> Stall:
        stall = Stall(plugin)
        stall.clock = self.clock
        stall.restart_gateway()
        stall.call = Call(stall.transport, self.clock, stall.random)
        return stall


def _secrets(settings: Any) -> list[str]:
    """What stands in these settings and must stand nowhere else."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    return [
        value.get_secret_value()
        for value in values
        if isinstance(value, SecretStr) and value.get_secret_value()
    ]
