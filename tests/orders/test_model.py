"""Anything that can happen, in any order: people, institutions, faults, the clock, restarts. What must hold, holds."""

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.orders.checkout import Opened
from bot.orders.order import OrderState, RefundState
from providers.sdk.gateway import BillGone, Fault
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER, Shop

PRICES = {"cart-1": Money.cny("100"), "cart-2": Money.cny("0.01")}
CALL_FAULTS = [
    Fault.TIMEOUT_BEFORE,
    Fault.TIMEOUT_AFTER,
    Fault.HTTP_500_AFTER,
    Fault.GARBAGE,
    Fault.BAD_SIGNATURE,
]
POST_FAULTS = [Fault.NOTIFY_LOST, Fault.NOTIFY_LATE, Fault.NOTIFY_TWICE, Fault.NOTIFY_FORGED]
BOTH = ["plainpay", "unionpay"]


class Street(RuleBasedStateMachine):
    """One person, two wallets, two carts."""

    @initialize()
    def open_shop(self):
        self.folder = Path(tempfile.mkdtemp(prefix="moongate-model-"))
        self.runner = asyncio.Runner()
        self.shop = self.runner.run(Shop.opened(f"sqlite:///{self.folder}/book.db"))
        self.codes, self.orders, self.was_paid = {}, {}, set()

    @rule(key=st.sampled_from(sorted(PRICES)))
    def ask_to_be_paid(self, key):
        self.orders[key] = self.runner.run(self.shop.place(key, PRICES[key])).id

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), wallet=st.sampled_from([Wallet.BANK, Wallet.QUICKPASS]))
    def tap_a_wallet(self, data, wallet):
        answer = self.runner.run(self.shop.checkout.open(self.pick(data), wallet, user_id=USER))
        if isinstance(answer, Opened):
            self.codes[answer.attempt.code] = (answer.attempt.provider, answer.attempt.wallet)

    @precondition(lambda self: self.codes)
    @rule(data=st.data())
    def pay_any_code_ever_shown(self, data):
        code = data.draw(st.sampled_from(sorted(self.codes)))
        name, wallet = self.codes[code]
        with suppress(BillGone):
            self.shop.stalls[name].pay(code, wallet)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data):
        self.runner.run(self.shop.checkout.cancel(self.pick(data), USER))

    @precondition(lambda self: self.was_paid)
    @rule(data=st.data(), fen=st.sampled_from([1, 4000, 6000, 10000]))
    def refund(self, data, fen):
        self.runner.run(self.shop.checkout.refund(self.pick(data), Money(fen, "CNY"), "r", "operator:li"))

    @rule(name=st.sampled_from(BOTH), fault=st.sampled_from(CALL_FAULTS + POST_FAULTS))
    def something_goes_wrong_next(self, name, fault):
        self.shop.stalls[name].faults.arm(fault)

    @rule(name=st.sampled_from(BOTH))
    def the_line_is_dead_for_a_call(self, name):
        self.shop.stalls[name].transport.refuse()

    @rule()
    def post_arrives(self):
        self.runner.run(self.shop.deliver())

    @rule(name=st.sampled_from(BOTH))
    def late_post_arrives(self, name):
        late = self.shop.stalls[name].courier.late
        while late:
            self.runner.run(self.shop.receive(name, late.pop()))

    @rule(seconds=st.sampled_from([1, 5, 30, 300, 899, 1000]))
    def time_goes_by(self, seconds):
        self.shop.clock.advance(seconds)
        self.runner.run(self.shop.worker.drain())

    @rule()
    def the_process_starts_anew(self):
        self.runner.run(self.shop.restart())

    @invariant()
    def the_books_hold(self):
        if not hasattr(self, "shop"):
            return
        self.runner.run(self.shop.check_books())
        self.was_paid = {order.id for order in self.shop.last_look.orders if order.paid}

    def teardown(self):
        if not hasattr(self, "shop"):
            return
        try:
            self.runner.run(self.settle())
        finally:
            self.runner.run(self.shop.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    async def settle(self):
        """Everything gets better, and a few days go by: every fen is somewhere."""
        for stall in self.shop.stalls.values():
            stall.faults.clear()
            stall.transport.refuse(0)
        await self.shop.deliver()
        await self.shop.pass_time(3600, step=300)
        await self.shop.pass_time(3 * 86400, step=21600)
        await self.shop.check_books(quiet=True)
        for order in await self.shop.checkout.orders_of(None):
            assert order.state not in {OrderState.CREATED, OrderState.PENDING, OrderState.NEEDS_REVIEW}, order
            assert all(refund.state in {RefundState.DONE, RefundState.FAILED} for refund in order.refunds)
            assert not any(attempt.open for attempt in order.attempts)

    def pick(self, data):
        return data.draw(st.sampled_from(sorted(self.orders.values())))


Street.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestStreet = Street.TestCase
