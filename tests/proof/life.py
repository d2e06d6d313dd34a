"""What a person does until they have what they want, in two stories. A step is taken when the chat allows it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from bot.sandbox.wallet_app import WalletRefused
from providers.sdk.gateway import Fault
from providers.sdk.wallets import Wallet
from tests.proof.invariants import check
from tests.proof.town import Town
from tests.proof.world import World

_DONE_WITHIN_S = 90.0
_LOOK_S = 0.05
_PATIENCE = 4  # looks without news before time is let pass


class Story(Protocol):
    """`pay` is taken up again and again until `paid`. `check` is what must have come of it."""

    name: str
    paid: bool

    async def pay(self, town: Town, code: str) -> None: ...
    def check(self, world: World) -> None: ...


class Coffee:
    """One wallet, one payment, all of it back."""

    name = "purchase"

    def __init__(self) -> None:
        self.paid = False

    async def pay(self, town: Town, code: str) -> None:
        bill = await town.sandbox.wallets.scan(Wallet.WECHAT, code)
        town.sandbox.wallets.pay(Wallet.WECHAT, bill.key)
        self.paid = True

    def check(self, world: World) -> None:
        assert world.charges is not None
        assert [order.state for order in world.orders] == ["refunded"], world.orders
        assert [one.minor - one.returned_minor for one in world.charges] == [0], world.charges


class LostWord(Coffee):
    """The institution's word of the payment is lost, so it has to be asked."""

    name = "lost word"

    async def pay(self, town: Town, code: str) -> None:
        institution = town.sandbox.institutions.get("wechatpay")
        assert institution is not None
        institution.faults.clear()
        institution.faults.arm(Fault.NOTIFY_LOST)
        await super().pay(town, code)


class TwoWallets:
    """A second wallet is opened while the first cannot be closed, and both pay: one keeps it, one gets it back."""

    name = "two wallets"

    def __init__(self) -> None:
        self.paid = False
        self._bills: dict[Wallet, str] = {}
        self._settled: set[Wallet] = set()

    async def pay(self, town: Town, code: str) -> None:
        for wallet in (Wallet.WECHAT, Wallet.ALIPAY):
            if wallet not in self._bills:
                self._bills[wallet] = (await town.sandbox.wallets.scan(wallet, code)).key
                first = town.sandbox.institutions.get("wechatpay")
                assert first is not None
                first.faults.arm(Fault.HTTP_500_BEFORE, 2)
        for wallet in self._bills.keys() - self._settled:
            self._settled.add(wallet)
            with suppress(WalletRefused):  # closed while the house was away
                town.sandbox.wallets.pay(wallet, self._bills[wallet])
                self.paid = True

    def check(self, world: World) -> None:
        assert world.charges is not None
        assert [order.state for order in world.orders] == ["refunded"], world.orders
        assert {one.minor - one.returned_minor for one in world.charges} == {0}, world.charges


class Person:
    """Taps what is there to be tapped, once per life of the house."""

    def __init__(self, town: Town, story: Story) -> None:
        self._town, self._story = town, story
        self._tapped: set[str] = set()
        self._claimed = False
        self.last_refusal = ""

    def wake_up(self) -> None:
        """The house has been away; what was tapped may be tapped again."""
        self._tapped.clear()

    async def step(self) -> bool:
        """True when there was something to do."""
        if not self._claimed and "Paid" in self._town.text():
            self._claimed = True
            await self._town.note_claim()
        code = self._town.code()
        if code and not self._story.paid:
            try:
                await self._story.pay(self._town, code)
            except WalletRefused as refused:
                self.last_refusal = str(refused)
                return False
            return True
        label = next(self._next_taps(code), "")
        if label:
            self._tapped.add(label)
            await (self._town.say(label) if label == "/start" else self._town.tap(label))
        return bool(label)

    @property
    def content(self) -> bool:
        """They have their money back, and were told."""
        return "is back." in self._town.text()

    def _next_taps(self, code: str) -> Iterator[str]:
        there = self._town.labels()
        ways = (
            ("Money back", "Coffee") if code or self._story.paid else ("Pay", "Latte", "Checkout", "Coffee")
        )
        for label in ways:
            if label not in self._tapped and any(
                one == label or (label != "Pay" and label in one) for one in there
            ):
                yield label
        if not there and "/start" not in self._tapped:
            yield "/start"


async def live(town: Town, story: Story, crash_at: str) -> bool:
    """Live through it; whether the house died on the way. Raises `AssertionError` when it does not end right."""
    person, died = Person(town, story), False
    if not await town.set_out(crash_at):
        died = await _return(town, person)
    deadline, waited = time.monotonic() + _DONE_WITHIN_S, 0
    while not person.content:
        assert time.monotonic() < deadline, (
            f"Not done in {_DONE_WITHIN_S:g} s; the wallet says {person.last_refusal!r}; the chat says:\n{town.text()}"
        )
        if not town.house.is_alive():
            assert not died, f"The house died twice: {town.words()[-2000:]}"
            died = await _return(town, person)
        waited = 0 if await person.step() else waited + 1
        await asyncio.sleep(_LOOK_S)
        if waited > _PATIENCE:
            town.pass_time(1)
    while (world := await town.calm_down()) is None:  # the sweeper's own calls have points as well
        assert not died, f"The house died twice: {town.words()[-2000:]}"
        died = await _return(town, person)
    check(world)
    story.check(world)
    return died


async def _return(town: Town, person: Person) -> bool:
    """It was SIGKILL, and nothing else; now it lives again."""
    town.house.join()
    assert town.house.exitcode == -9, f"It ended with {town.house.exitcode}: {town.words()[-3000:]}"
    person.wake_up()
    assert await town.set_out(), f"It did not come back: {town.words()[-3000:]}"
    return True
