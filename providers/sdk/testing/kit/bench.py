"""The bench of one check: a fresh stall, and the few moves that every check is made of."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    PayoutRequest,
    Provider,
    ProviderPlugin,
    RefundRequest,
    Way,
)
from providers.sdk.gateway import Fault, Notification
from providers.sdk.money import Money
from providers.sdk.results import Closed, Created, Paid, RefundSnapshot, Returned, Snapshot, Verified
from providers.sdk.testing.fakes import NOTIFY_URL, FixedRandom, JsonDrawer, MemoryKeys
from providers.sdk.testing.kit.quality import Claim, Quality, read_quality
from providers.sdk.testing.stall import Stall
from providers.sdk.wallets import Wallet

# A payer code as each wallet shows it: prefix and length.
PAYER_CODES: Final[Mapping[Wallet, tuple[str, int]]] = {
    Wallet.WECHAT: ("13", 18),
    Wallet.ALIPAY: ("28", 18),
    Wallet.QUICKPASS: ("6222", 19),
    Wallet.BANK: ("6250105", 19),
    Wallet.BESTPAY: ("51", 18),
    Wallet.ECNY: ("01", 19),
    Wallet.CMPAY: ("1004", 18),
    Wallet.UNICOMPAY: ("63", 18),
}
PAYERS: Final[Mapping[Wallet, str]] = {
    Wallet.WECHAT: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    Wallet.ALIPAY: "2088101117955611",
}
ANY_PAYER: Final = "13812345678"
ALWAYS_BITE: Final = (Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.WRONG_AMOUNT)
_built: dict[tuple[object, ...], tuple[ProviderPlugin, Provider, MemoryKeys]] = {}
_elsewhere: dict[str, dict[str, str]] = {}  # drawers of the other environment: making keys is slow
_OPENING: Final = (Way.MERCHANT_CODE, Way.LINK, Way.INVOICE, Way.IN_APP)
_WAITS_S: Final = (0, 120, 3600, 86_400, 86_400)  # institutions that settle later than they answer


class Broken(AssertionError):  # noqa: N818  # what a check found, in the word of the report
    """The provider, or its gateway, breaks a rule of the contract. The text says what happened and what must."""


class NotAsked(Exception):  # noqa: N818  # an answer, not an error
    """The check does not concern this provider; the text names the capability."""


def hold(truth: object, complaint: str) -> None:
    """Raise `Broken` with the complaint unless it is so."""
    if not truth:
        raise Broken(complaint)


@dataclass(frozen=True, slots=True)
class Opened:
    """An attempt that the institution holds."""

    intent: Intent
    ref: AttemptRef
    codes: tuple[str, ...]
    first: Created | Snapshot


class SwiftStall(Stall):
    """A stall that builds the provider of one account once: a provider holds keys and no state, and keys load slowly.

    The check `nothing_is_remembered_between_calls` is what makes this fair.
    """

    def __init__(self, plugin: ProviderPlugin, **more: Any) -> None:  # noqa: ANN401  # options of Stall
        super().__init__(plugin, **more)
        # Not the gateway's own randomness, whose first words may have become keys.
        self.call = Call(self.transport, self.clock, FixedRandom("merchant"))

    def _provider(self) -> Provider:
        account = (id(self.plugin), *sorted(self.merchant.items()))
        if account not in _built:
            _built[account] = (self.plugin, self.plugin.build(self.settings, self.keys), self.keys)
        _, provider, self.keys = _built[account]
        self.keys.values.clear()
        return provider


class Bench:
    """One provider before one check. `proofs` are the author's own tests, by the rule that they prove."""

    def __init__(self, plugin: ProviderPlugin, proofs: Mapping[str, Sequence[Path]] | None = None) -> None:
        self.plugin, self.info = plugin, plugin.info
        self.proofs = proofs or {}
        self._numbers = 0

    @cached_property
    def stall(self) -> Stall:
        """Made when it is first needed: loading keys is slow, and some checks read only."""
        return SwiftStall(self.plugin)

    @property
    def quality(self) -> Quality:
        """What the author claims."""
        return read_quality(self.plugin)

    def need(self, rule: str) -> None:
        """Go on only where the rule is claimed `done`. Raises `NotAsked`."""
        claim: Claim = self.quality.of(rule)
        if not claim.is_done:
            raise NotAsked(f"{rule} is {claim.state}: {claim.reason}")

    def need_record(self) -> None:
        """Go on only where the institution keeps an order. Raises `NotAsked`.

        A messenger signs nothing, ends no invoice, and remembers payments only: before each the host says yes or no.
        """
        if Way.INVOICE in self.info.ways:
            raise NotAsked("invoice: a messenger keeps no order that nobody has paid; the host decides")

    # --- what a merchant asks for ---

    @property
    def currency(self) -> str:
        """Yuan where the provider knows them."""
        return "CNY" if "CNY" in self.info.currencies else min(self.info.currencies)

    @property
    def price(self) -> Money:
        """Eighteen yuan, or what the limits allow."""
        return Money(min(max(1800, self.info.min_minor), self.info.max_minor), self.currency)

    @property
    def way(self) -> Way:
        """How an order is opened here: by a code if there is one."""
        return next((way for way in _OPENING if way in self.info.ways), Way.PAYER_CODE)

    @property
    def wallet(self) -> Wallet:
        """Who pays."""
        return min(self.info.wallets)

    def number(self, stem: str = "Kit") -> str:
        """A number of ours that was never used."""
        self._numbers += 1
        return f"{stem}20260701{self._numbers:04d}"

    def intent(self, amount: Money | None = None, way: Way | None = None, **more: Any) -> Intent:  # noqa: ANN401  # fields of Intent
        """An attempt made now, by the way this provider opens orders unless another is asked for."""
        way = way or self.way
        if way is Way.PAYER_CODE and "payer_code" not in more:
            more["payer_code"] = self.payer_code()
        if way is Way.IN_APP:
            more.setdefault("payer_id", self.payer)
        number = more.pop("number", None) or self.number()
        lives = timedelta(
            seconds=min(max(1800, self.info.expires_after_min_s), self.info.expires_after_max_s)
        )
        more.setdefault("expires_at", self.stall.clock.now() + lives)
        return self.stall.intent(amount or self.price, number, way=way, wallet=self.wallet, **more)

    @property
    def payer(self) -> str:
        """The payer's id at the institution."""
        return PAYERS.get(self.wallet, ANY_PAYER)

    def payer_code(self) -> str:
        """The digits that the payer's wallet shows; one of the provider's wallets must have such codes."""
        wallet = next((wallet for wallet in sorted(self.info.wallets) if wallet in PAYER_CODES), None)
        if wallet is None:
            raise NotAsked("payer_code: none of its wallets shows one.")
        prefix, length = PAYER_CODES[wallet]
        self._numbers += 1
        code = prefix + str(7_351_000_000_000_000_000 + self._numbers)[-(length - len(prefix)) :]
        self.stall.purses.show(code, wallet)
        return code

    async def open(self, amount: Money | None = None, way: Way | None = None, **more: Any) -> Opened:  # noqa: ANN401  # fields of Intent
        """An order that stands open at the institution."""
        intent = self.intent(amount, way, **more)
        first = await self.stall.provider.create(intent, self.stall.call)
        if not isinstance(first, Created | Snapshot):
            raise Broken(f"create answered {first} to a plain order of {intent.amount}; it must be opened.")
        created = first if isinstance(first, Created) else None
        return Opened(intent, self.stall.ref(intent, created), tuple(codes_of(first)), first)

    def pay(self, opened: Opened) -> None:
        """The payer scans whatever was shown, and confirms."""
        for code in opened.codes:
            bill = self.stall.gateway.recognise(code)
            if bill is not None:
                hold(bill.amount == opened.intent.amount, f"the bill says {bill.amount}")
                self.stall.gateway.settle(bill.id, self.wallet)
                return
        if not isinstance(opened.first, Snapshot):
            raise Broken("the gateway does not recognise the code that it issued")

    async def paid(self, amount: Money | None = None) -> Opened:
        """An order that was paid."""
        opened = await self.open(amount)
        self.pay(opened)
        return opened

    async def query(self, opened: Opened) -> object:
        """What the provider says now."""
        return await self.stall.provider.query(opened.ref, self.stall.call)

    async def refund(self, opened: Opened, minor: int | None = None) -> RefundRequest:
        """Part or all of it, sent back, accepted."""
        amount = opened.intent.amount if minor is None else Money(minor, self.currency)
        request = self.stall.refund(opened.ref, amount, self.number("Ref"))
        answer = await self.stall.provider.refund(request, self.stall.call)
        accepted = isinstance(answer, RefundSnapshot) and answer.state in {Returned.PENDING, Returned.DONE}
        hold(accepted, f"refund answered {answer} to a plain refund of {amount}")
        return request

    async def refund_done(self, request: RefundRequest) -> RefundSnapshot:
        """The refund, once the institution calls it done."""
        answer: object = None
        for wait_s in _WAITS_S:
            self.stall.clock.advance(wait_s)
            answer = await self.stall.provider.query_refund(self.stall.refund_ref(request), self.stall.call)
            if isinstance(answer, RefundSnapshot) and answer.state is Returned.DONE:
                return answer
        raise Broken(f"a refund that was accepted is never done: {answer}")

    async def closed(self, opened: Opened) -> None:
        """Close it; some institutions close only after a while, or when the code has died."""
        answer: object = None
        for wait_s in _WAITS_S:
            self.stall.clock.advance(wait_s)
            answer = await self.stall.provider.close(opened.ref, self.stall.call)
            if isinstance(answer, Closed):
                return
        raise Broken(f"an order that nobody paid is never closed: {answer}")

    def payout(self) -> PayoutRequest:
        """A payout made now."""
        return PayoutRequest(
            number=self.number("Out"),
            amount=self.price,
            payee=self.payer,
            title="退押金 deposit",
            created_at=self.stall.clock.now(),
            notify_url=NOTIFY_URL,
        )

    # --- post ---

    async def told(self, fault: Fault | None = None) -> Notification:
        """The notification of a payment, spoilt by a fault if one is given. Raises `NotAsked` where it cannot bite."""
        self.need("notification")
        opened = await self.open()
        if fault is not None:
            self.stall.faults.arm(fault)
        self.pay(opened)
        post = self.stall.courier.take()
        if fault is not None and self.stall.faults.take(fault):
            hold(fault not in ALWAYS_BITE, f"the gateway does not know the fault {fault} in a notification")
            raise NotAsked(f"faults: {fault} has nothing to bite on this wire")
        hold(post, "the gateway posts no notification of a payment")
        return post[0]

    async def genuine(self) -> tuple[Notification, Verified]:
        """A notification of a payment that the provider believes."""
        notification = await self.told()
        verdict = self.stall.read(notification)
        if not isinstance(verdict, Verified):
            raise Broken(f"a genuine notification is not believed: {verdict}")
        return notification, verdict

    def money_moved(self) -> int:
        """Minor units that left the payers' purses and did not come back."""
        return -sum(minor for _, minor, _ in self.stall.purses.moves)


def codes_of(answer: object) -> Iterator[str]:
    """Everything in a created order that a wallet could be handed; nothing in any other answer."""
    if not isinstance(answer, Created):
        return
    yield from filter(None, (answer.code, answer.link))
    for bridge in (answer.in_app, answer.invoice):
        if bridge is not None:
            yield json.dumps(dict(bridge))
            yield from bridge.values()


def is_paid(answer: object) -> bool:
    """Whether it says that the money was taken."""
    return isinstance(answer, Snapshot) and answer.state in {Paid.PAID, Paid.REFUNDED}


def another_stall(plugin: ProviderPlugin) -> Stall:
    """The same institution in another environment: keys of its own, the same merchant's numbers."""
    kept = _elsewhere.get(plugin.info.id)
    stall = SwiftStall(plugin, drawer=JsonDrawer(kept), random=FixedRandom("elsewhere"))
    _elsewhere.setdefault(plugin.info.id, dict(stall.drawer.texts))
    return stall
