"""The rules of the stateful model: what people, institutions, clocks and machines may do, in any order.

Hypothesis chooses the steps; each runs in a world of `tests/proof/simulation`, so that a step may be two things at
once, or die in the middle. After every step all thirteen invariants hold. In the end everything gets well, days go by,
and all money is somewhere.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from structlog.testing import capture_logs

from bot.orders import institution
from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import Opened, OrderRefusedError, OrphanError, Refused, Why
from bot.orders.order import Order
from providers.sdk.contract import RefundRequest
from providers.sdk.gateway import Fault, Notification
from providers.sdk.money import Money
from providers.sdk.results import Fact, Paid, RefundSnapshot, Returned, Snapshot
from tests.orders.shop import USER
from tests.proof.invariants import violations
from tests.proof.simulation.checks import judge, moment
from tests.proof.simulation.loop import SeededLoop
from tests.proof.simulation.moods import MoodyWorld, tampered
from tests.proof.simulation.world import INSTITUTION_OF, StorePlan, fresh_book
from tests.proof.world import World as Moment

PRICES = {"cart-1": Money.cny("100"), "cart-2": Money.cny("0.01")}
# `make test` tries the same examples every time; a longer run, new ones.
HABITS = settings(
    stateful_step_count=30,
    derandomize=settings().max_examples <= 100,
    suppress_health_check=list(HealthCheck),
)
CALL_FAULTS = [
    Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.HTTP_500_BEFORE, Fault.HTTP_500_AFTER, Fault.TRUNCATED,
    Fault.GARBAGE, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY,
]  # fmt: skip
POST_FAULTS = [Fault.NOTIFY_LOST, Fault.NOTIFY_TWICE, Fault.NOTIFY_REORDERED, Fault.NOTIFY_FORGED]
NAMES = sorted(INSTITUTION_OF.values())
WALLETS = sorted(INSTITUTION_OF)
STRANGER = USER + 1
# Rows of the catalogue for which there is a rule below; what each leaves must be right in every order of events.
FAULTS = (
    "A1", "A3", "A4", "A5", "A9", "A12", "A14", "A16", "A17", "A18", "B1", "B2", "B3", "B4", "B5", "B6", "B12", "C3",
    "C5", "D2", "D4", "D7", "D9", "D10", "D12", "E2", "E4", "E5", "Q5",
)  # fmt: skip


class Street(RuleBasedStateMachine):
    """One person, two wallets, two carts, two institutions, and hosts that die."""

    hosts = 1

    @initialize(seed=st.integers(0, 2**16))
    def open_shop(self, seed: int) -> None:
        random = Random(seed)
        fresh_book()  # made before the loop runs
        self.logs = capture_logs()
        self.logs.__enter__()
        self.runner = asyncio.Runner(loop_factory=lambda: SeededLoop(random))
        self.world = self.run(self._world(seed, random))
        self.orders, self.codes = dict[str, str](), dict[str, tuple[str, Any]]()
        self.doubted, self.looked, self.last = False, -1, Moment()
        self.consoles = 0

    # What people do.

    @rule(key=st.sampled_from(sorted(PRICES)), expires_after_s=st.sampled_from([60, 900]))
    def ask_to_be_paid(self, key: str, expires_after_s: int) -> None:
        draft = self.world.draft(expires_after_s, key, PRICES[key])
        answer = self.ask(self.world.host.checkout.place([draft]))
        if answer is not None:
            self.orders[key] = answer[0].id

    @precondition(lambda self: "cart-1" in self.orders)
    @rule()
    def the_price_changes_behind_a_code(self) -> None:
        draft = self.world.draft(900, "cart-1", Money.cny("1"))
        with suppress(OrderRefusedError):
            assert self.ask(self.world.host.checkout.place([draft])) is None

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wallet=st.sampled_from(WALLETS))
    def tap_a_wallet(self, data: Any, wallet: Any) -> None:
        host = self.world.host
        self.keep(self.ask(host.checkout.open(self.pick(data), wallet, user_id=USER)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wallets=st.lists(st.sampled_from(WALLETS), min_size=2, max_size=3))
    def tap_wallets_at_once(self, data: Any, wallets: list[Any]) -> None:
        order_id = self.pick(data)
        hosts = [(self.world.host, wallet) for wallet in wallets]
        taps = [host.do(host.checkout.open(order_id, wallet, user_id=USER)) for host, wallet in hosts]
        for answer in self.run(self.world.at_once(*taps)):
            self.keep(answer)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wallet=st.sampled_from(WALLETS))
    def a_stranger_taps(self, data: Any, wallet: Any) -> None:
        host = self.world.host
        answer = self.ask(host.checkout.open(self.pick(data), wallet, user_id=STRANGER))
        assert isinstance(answer, Refused)
        assert answer.why is Why.NOT_YOURS

    @precondition(lambda self: self.codes)
    @rule(data=st.data())
    def pay_any_code_ever_shown(self, data: Any) -> None:
        code = data.draw(st.sampled_from(sorted(self.codes)))
        self.run(self._pay(code))

    @precondition(lambda self: len(self.codes) > 1)
    @rule()
    def pay_every_code_ever_shown(self) -> None:
        for code in sorted(self.codes):
            self.run(self._pay(code))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.ask(self.world.host.checkout.cancel(self.pick(data), USER))

    @precondition(lambda self: self.paid_orders())
    @rule(
        data=st.data(),
        fen=st.sampled_from([0, 1, 4000, 6000, 10000, 10001]),
        key=st.sampled_from(["", "", "stock:1"]),
    )
    def refund(self, data: Any, fen: int, key: str) -> None:
        order = self.pick_paid(data)
        self.ask(self.refunding(order, fen, key))

    @precondition(lambda self: self.paid_orders())
    @rule(data=st.data())
    def refund_60_and_60_at_once(self, data: Any) -> None:
        order = self.pick_paid(data)
        hosts = [self.world.host, self.world.host]
        self.run(self.world.at_once(*(host.do(self.refunding(order, 6000, "", host)) for host in hosts)))

    # What institutions do.

    @rule(name=st.sampled_from(NAMES), fault=st.sampled_from(CALL_FAULTS + POST_FAULTS))
    def something_goes_wrong_next(self, name: str, fault: Fault) -> None:
        self.world.stalls[name].faults.arm(fault)

    @rule(name=st.sampled_from(NAMES))
    def the_line_is_dead_for_a_call(self, name: str) -> None:
        self.world.stalls[name].transport.refuse()

    @precondition(lambda self: self.world.bag)
    @rule()
    def all_post_arrives(self) -> None:
        bag, self.world.bag = self.world.bag, []
        self.run(self._all(bag))

    @precondition(lambda self: self.sent())
    @rule(data=st.data(), copies=st.integers(1, 3))
    def any_notification_ever_sent_arrives(self, data: Any, copies: int) -> None:
        """Again, late, or before others; several copies at once."""
        name, place = data.draw(st.sampled_from(self.sent()))
        notification = self.world.stalls[name].courier.sent[place]
        self.run(self.world.at_once(*(self.world.bring(name, notification) for _ in range(copies))))

    @precondition(lambda self: self.sent())
    @rule(data=st.data(), octet=st.integers(0, 4000))
    def a_tampered_notification_is_refused(self, data: Any, octet: int) -> None:
        name, place = data.draw(st.sampled_from(self.sent()))
        genuine = self.world.stalls[name].courier.sent[place]
        kept = len(self.run(self._moment()).inbox)
        reply = self.run(self.world.bring(name, tampered(genuine, octet)))
        if reply is not None:
            assert not self.world.stalls[name].gateway.acknowledged(reply)
        assert len(self.run(self._moment()).inbox) == kept

    @precondition(lambda self: self.codes)
    @rule(data=st.data(), what=st.sampled_from(["amount", "currency", "merchant"]))
    def a_verified_word_that_does_not_match(self, data: Any, what: str) -> None:
        order, attempt = self.attempt(data)
        amount = {
            "amount": Money(attempt.amount.minor + 1, "CNY"),
            "currency": Money(attempt.amount.minor, "HKD"),
        }
        merchant = str(self.world.stalls[attempt.provider].settings.merchant)
        fact = Snapshot(
            number=attempt.number,
            merchant="another" if what == "merchant" else merchant,
            amount=amount.get(what, attempt.amount),
            state=Paid.PAID,
        )
        self.doubted = True
        self.hear(fact, attempt.provider)
        after = self.ask(self.world.host.checkout.find(order.id))
        assert after is None or after.paid == order.paid

    @precondition(lambda self: self.paid_orders())
    @rule(data=st.data(), state=st.sampled_from([Paid.CLOSED, Paid.FAILED, Paid.UNPAID]))
    def an_institution_takes_its_word_back(self, data: Any, state: Paid) -> None:
        order = self.pick_paid(data)
        attempt = next(one for one in order.attempts if one.state == "paid")
        merchant = str(self.world.stalls[attempt.provider].settings.merchant)
        self.hear(
            Snapshot(number=attempt.number, merchant=merchant, amount=attempt.amount, state=state),
            attempt.provider,
        )

    @precondition(lambda self: any(order.refunds for order in self.last.orders))
    @rule(data=st.data())
    def a_refund_bounces_days_later(self, data: Any) -> None:
        done = [one for order in self.last.orders for one in order.refunds if one.state == "done"]
        if not done:
            return
        refund = done[data.draw(st.integers(0, len(done) - 1))]
        attempt = self.find_attempt(refund.attempt_number)
        fact = RefundSnapshot(
            number=refund.number_there,
            attempt_number=attempt.number,
            amount=refund.amount,
            state=Returned.FAILED,
        )
        self.hear(fact, attempt.provider)

    @precondition(lambda self: any(one.provider == "unionpay" for one in self.last.charges or ()))
    @rule(fen=st.sampled_from([1, 4000, 6000]))
    def somebody_refunds_in_the_console(self, fen: int) -> None:
        """Of a payment that the book need not know of yet."""
        charge = next(one for one in self.last.charges or () if one.provider == "unionpay")
        if charge.returned_minor + fen <= charge.minor:
            self.run(self._console(self.find_attempt(charge.number), fen))

    @rule(low=st.booleans())
    def the_merchants_balance_changes(self, low: bool) -> None:
        self.world.low_balance = low

    # What machines do.

    @rule(stormy=st.booleans())
    def the_weather_changes(self, stormy: bool) -> None:
        self.world.stormy = stormy

    @rule(away=st.booleans())
    def the_messenger_comes_and_goes(self, away: bool) -> None:
        self.world.messenger.away = away

    @rule(seconds=st.sampled_from([1, 5, 30, 60, 300, 899, 1000, 3600, 2 * 86400]))
    def time_goes_by(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.run(self._work())

    @rule(seconds=st.sampled_from([-3600, -60, 0, 600, 86400]))
    def the_clock_of_a_machine_jumps(self, seconds: int) -> None:
        self.world.host.clock.off_by_s = seconds

    @rule()
    def a_host_is_killed(self) -> None:
        self.world.kill(self.world.host)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), within_ms=st.integers(0, 1500), wallet=st.sampled_from(WALLETS))
    def a_host_is_killed_at_work(self, data: Any, within_ms: int, wallet: Any) -> None:
        self.run(self._death_at_work(self.pick(data), wallet, within_ms / 1000))

    @invariant()
    def everything_holds(self) -> None:
        if not hasattr(self, "world"):
            return
        now = self.run(self._moment())
        self.complain([*self.world.witness.faults, *violations(now.after(self.last))])
        self.last = now.after(self.last)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.run(self._end_well())
        finally:
            self.run(self.world.close())
            self.runner.close()
            self.logs.__exit__(None, None, None)

    # How it is done.

    def complain(self, faults: list[str]) -> None:
        assert not faults, "\n".join(faults)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def ask(self, work: Any) -> Any:
        """A caller's question; None when the host died over it."""
        return self.run(work)

    def refunding(self, order: Order, fen: int, key: str = "", host: Any = None) -> Any:
        checkout = (host or self.world.host).checkout
        return checkout.refund(order.id, Money(fen, "CNY"), "cold", "operator:li", refund_key=key)

    def keep(self, answer: object) -> None:
        if isinstance(answer, Opened) and answer.attempt.code:
            self.codes[answer.attempt.code] = (answer.attempt.provider, answer.attempt.wallet)

    def pick(self, data: Any) -> str:
        return data.draw(st.sampled_from(sorted(self.orders.values())))

    def pick_paid(self, data: Any) -> Order:
        return self.paid_orders()[data.draw(st.integers(0, len(self.paid_orders()) - 1))]

    def paid_orders(self) -> list[Order]:
        return [order for order in self.last.orders if order.paid]

    def sent(self) -> list[tuple[str, int]]:
        return [(name, place) for name in NAMES for place in range(len(self.world.stalls[name].courier.sent))]

    def attempt(self, data: Any) -> Any:
        found = [(order, one) for order in self.last.orders for one in order.attempts]
        return found[data.draw(st.integers(0, len(found) - 1))]

    def find_attempt(self, number: str) -> Any:
        return next(one for order in self.last.orders for one in order.attempts if one.number == number)

    def hear(self, fact: Fact, provider: str) -> None:
        cause = Cause(CauseKind.OPERATOR, "operator:li")
        with suppress(OrphanError):
            self.ask(self.world.host.checkout.apply(fact, cause, provider_id=provider, account="main"))

    async def _world(self, seed: int, random: Random) -> MoodyWorld:
        world = MoodyWorld(seed, random, StorePlan(), hosts=self.hosts)
        world.holds_post = True
        return world

    async def _moment(self) -> Moment:
        return await moment(self.world)

    async def _pay(self, code: str) -> None:
        name, wallet = self.codes[code]
        self.world.pay(name, code, wallet)

    async def _all(self, bag: list[tuple[str, Notification]]) -> None:
        for name, notification in bag:
            await self.world.bring(name, notification)
        await self._work()

    async def _work(self) -> None:
        for host in self.world.hosts:
            if host.alive:
                await host.worker.drain()

    async def _console(self, attempt: Any, fen: int) -> None:
        stall = self.world.stalls[attempt.provider]
        self.consoles += 1
        request = RefundRequest(
            number=f"Console{self.consoles:04d}",
            attempt=institution._ref(attempt),
            amount=Money(fen, "CNY"),
            reason="console",
            created_at=self.world.clock.now(),
            notify_url="https://shop.example/notify",
        )
        await stall.provider.refund(request, stall.call)

    async def _death_at_work(self, order_id: str, wallet: Any, after_s: float) -> None:
        victim = self.world.host

        async def die() -> None:
            await asyncio.sleep(after_s)
            self.world.kill(victim)

        answers = await self.world.at_once(
            victim.do(victim.checkout.open(order_id, wallet, user_id=USER)),
            victim.do(victim.worker.drain()),
            die(),
            within_s=0.2,
        )
        self.keep(answers[0])

    async def _end_well(self) -> None:
        world = self.world
        world.low_balance, world.messenger.away, world.holds_post = False, False, False
        for host in world.hosts:
            host.clock.off_by_s = 0
        for stall in world.stalls.values():
            stall.transport.refuse(0)
        bag, world.bag = world.bag, []
        for name, notification in bag:
            await world.bring(name, notification)
        await world.settle()
        await judge(world, reviews=self.doubted)
        self.complain(world.witness.faults)
