"""The till: a payer's code is charged once, and whatever dies on the way, no money is lost or taken twice."""

import asyncio
from dataclasses import replace

import pytest
import structlog
from pydantic import SecretStr

from bot.orders.checkout import Refused, Why
from bot.orders.order import AttemptState, Order, OrderState
from bot.orders.rows import trail
from providers.alipay import plugin as alipay
from providers.sdk.contract import Call
from providers.sdk.gateway import Fault
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import PRICE, USER

CODES = {
    Wallet.WECHAT: "134567890123456789",
    Wallet.ALIPAY: "287654321098765432",
    Wallet.QUICKPASS: "6222345678901234567",
}
PROVIDERS = {Wallet.WECHAT: "wechatpay", Wallet.ALIPAY: "alipay", Wallet.QUICKPASS: "unionpay"}
LINGERS = 1000


class Death(BaseException):
    """The process dies here."""


class DeadlyWire:
    """Carries the first request, or not even that, and then the process is gone."""

    def __init__(self, wire, *, arrives):
        self.wire, self.arrives = wire, arrives

    async def send(self, request):
        if self.arrives:
            await self.wire.send(request)
        raise Death


@pytest.fixture
async def till(shop):
    shop.also(wechatpay)
    shop.also(alipay)
    for wallet, code in CODES.items():
        shop.stalls[PROVIDERS[wallet]].purses.show(code, wallet)
    return shop


async def place(till, **more):
    return await till.place(by_payer_code=True, expires_after_s=600, **more)


async def charge(till, order, wallet=Wallet.WECHAT, code=""):
    return await till.checkout.charge(order.id, SecretStr(code or CODES[wallet]), wallet, user_id=USER)


def taken(till, wallet=Wallet.WECHAT):
    """What left the wallet, in minor units, less what came back."""
    return -sum(minor for kind, minor, _ in till.stalls[PROVIDERS[wallet]].purses.moves if kind is wallet)


def paths(till, name="wechatpay"):
    return [request.url.split("?")[0].rsplit("/", 1)[-1] for request in till.stalls[name].transport.requests]


def ask_for_password(till, name="wechatpay"):
    till.stalls[name].faults.arm(Fault.USER_PAYING)
    till.stalls[name].faults.arm(Fault.PAYER_LINGERS, LINGERS)


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
@pytest.mark.parametrize("wallet", CODES)
async def test_a_code_is_charged_and_the_page_is_told(till, wallet):
    order = await place(till)

    answer = await charge(till, order, wallet)
    await till.deliver()

    assert isinstance(answer, Order)
    assert (await till.look(order)).state is OrderState.PAID
    assert taken(till, wallet) == PRICE.minor
    assert till.teller.results[-1] == "paid"


@pytest.mark.fault("B3")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_killed_between_call_and_answer_the_payment_is_found_by_our_number(till):
    order = await place(till)
    stall = till.stalls["wechatpay"]
    stall.call = Call(DeadlyWire(stall.transport, arrives=True), till.clock, till.random)
    with pytest.raises(Death):
        await charge(till, order)
    stall.call = Call(stall.transport, till.clock, till.random)
    assert (await till.look(order)).attempts[0].state is AttemptState.UNKNOWN

    await till.restart()
    await till.pass_time(15, step=5)

    order = await till.look(order)
    assert (order.state, len(order.attempts)) == (OrderState.PAID, 1)
    assert paths(till).count("codepay") == 1
    assert taken(till) == PRICE.minor


@pytest.mark.fault("B2")
async def test_killed_before_the_call_arrived_nothing_is_sent_again_and_nothing_taken(till):
    order = await place(till)
    stall = till.stalls["wechatpay"]
    stall.call = Call(DeadlyWire(stall.transport, arrives=False), till.clock, till.random)
    with pytest.raises(Death):
        await charge(till, order)
    stall.call = Call(stall.transport, till.clock, till.random)

    await till.restart()
    await till.pass_time(1800, step=10)

    order = await till.look(order)
    assert paths(till).count("codepay") == 0
    assert taken(till) == 0
    assert order.state is OrderState.EXPIRED
    assert till.teller.results[-1] == "failed expired"


@pytest.mark.parametrize("arrives", [True, False])
async def test_what_may_still_arrive_is_not_reversed_for_the_next_code(till, arrives):
    order = await place(till)
    stall = till.stalls["wechatpay"]
    stall.call = Call(DeadlyWire(stall.transport, arrives=arrives), till.clock, till.random)
    with pytest.raises(Death):
        await charge(till, order)
    stall.call = Call(stall.transport, till.clock, till.random)
    till.clock.advance(16)  # WeChat Pay would reverse now

    answer = await charge(till, order, Wallet.ALIPAY)
    await till.pass_time(300, step=5)

    assert answer.why is Why.CHECKING
    assert taken(till) == (PRICE.minor if arrives else 0)
    assert (await till.look(order)).state is (OrderState.PAID if arrives else OrderState.PENDING)


async def test_a_password_is_asked_for_every_few_seconds_and_then_counts(till):
    order = await place(till)
    ask_for_password(till)
    answer = await charge(till, order)
    assert answer.attempts[0].entering_password
    await till.pass_time(20, step=1)
    asked = len(paths(till)) - 1

    till.stalls["wechatpay"].faults.clear()
    await till.pass_time(10, step=1)

    assert 3 <= asked <= 4
    assert (await till.look(order)).state is OrderState.PAID
    assert till.teller.results == ["pending", "paid"]


@pytest.mark.parametrize("wallet", CODES)
async def test_at_the_deadline_it_is_asked_reversed_and_asked_again(till, wallet):
    name = PROVIDERS[wallet]
    order = await place(till)
    ask_for_password(till, name)
    await charge(till, order, wallet)
    within_s = till.stalls[name].plugin.info.payer_code_within_s

    await till.pass_time(within_s - 5, step=5)
    early = (await till.look(order)).attempts[0].state
    await till.pass_time(30, step=5)

    order = await till.look(order)
    [attempt] = order.attempts
    assert early is AttemptState.UNKNOWN
    assert attempt.state is AttemptState.CLOSED
    assert order.state is OrderState.PENDING
    assert taken(till, wallet) == 0
    causes = await till.book.read(lambda one: trail(one, order.id))
    closed = next(entry for entry in causes if entry.after == "closed")
    assert closed.cause_kind in {"query", "reply"}


@pytest.mark.parametrize("spoil", [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER])
@pytest.mark.parametrize("enters", [True, False])
async def test_a_password_that_crosses_the_reversal_is_paid_or_returned_never_lost(till, enters, spoil):
    order = await place(till)
    ask_for_password(till)
    await charge(till, order)
    await till.pass_time(40, step=5)

    till.stalls["wechatpay"].faults.arm(spoil, 3)  # the questions and the reversal around the deadline
    if enters:
        till.stalls["wechatpay"].faults.disarm(Fault.PAYER_LINGERS)
    await till.pass_time(300, step=5)
    await till.deliver()

    order = await till.look(order)
    assert (order.state, taken(till)) in {(OrderState.PAID, PRICE.minor), (OrderState.PENDING, 0)}
    assert not any(attempt.open for attempt in order.attempts)


async def test_a_dead_code_is_declined_and_the_next_is_an_attempt_of_its_own(till):
    order = await place(till)

    dead = await charge(till, order, code="139999999999999999")  # no wallet shows it
    till.clock.advance(1)
    paid = await charge(till, order)

    assert dead.why is Why.DECLINED
    assert [one.state for one in paid.attempts] == [AttemptState.DECLINED, AttemptState.PAID]
    assert len({one.number for one in paid.attempts}) == 2


@pytest.mark.parametrize("paid_meanwhile", [False, True])
async def test_money_that_arrives_after_the_reversal_counts_or_goes_back(till, paid_meanwhile):
    stall = till.stalls["wechatpay"]
    order = await place(till)
    ask_for_password(till)
    await charge(till, order)
    as_it_was = dict(stall.drawer.texts)
    await till.pass_time(70, step=5)
    if paid_meanwhile:
        await charge(till, order, Wallet.ALIPAY)
    reversed_ = next(one for one in (await till.look(order)).attempts if one.wallet is Wallet.WECHAT)

    stall.drawer.texts.update(as_it_was)  # inside the institution, the password was faster than the reversal
    stall.faults.clear()
    await till.pass_time(400, step=20)

    order = await till.look(order)
    assert reversed_.state is AttemptState.CLOSED
    assert order.state is OrderState.PAID
    assert [refund.amount for refund in order.refunds] == ([PRICE] if paid_meanwhile else [])
    assert taken(till) == (0 if paid_meanwhile else PRICE.minor)


async def test_a_code_of_another_wallet_is_declined_and_the_right_one_pays(till):
    order = await place(till)

    wrong = await charge(till, order, Wallet.WECHAT, CODES[Wallet.ALIPAY])
    right = await charge(till, order, Wallet.ALIPAY)

    assert isinstance(wrong, Refused)
    assert wrong.why is Why.DECLINED
    assert right.state is OrderState.PAID


async def test_a_code_that_was_used_is_declined_and_takes_nothing(till):
    first, second = await place(till), await place(till, key="cart-2")
    await charge(till, first)

    answer = await charge(till, second)

    assert answer.why is Why.DECLINED
    assert (await till.look(second)).state is OrderState.PENDING
    assert taken(till) == PRICE.minor


async def test_the_next_code_waits_until_the_one_before_it_is_closed(till):
    order = await place(till)
    ask_for_password(till)
    await charge(till, order)

    too_soon = await charge(
        till, order, Wallet.ALIPAY
    )  # WeChat Pay reverses after fifteen seconds at the earliest
    await till.pass_time(60, step=5)
    then = await charge(till, order, Wallet.ALIPAY)

    assert too_soon.why is Why.CHECKING
    assert [one.state for one in then.attempts] == [AttemptState.CLOSED, AttemptState.PAID]
    assert (taken(till), taken(till, Wallet.ALIPAY)) == (0, PRICE.minor)


async def test_the_one_code_of_a_till_s_order_opens_nothing_while_a_charge_may_be_paid(till):
    order = await place(till)
    ask_for_password(till)
    await charge(till, order)

    answer = await till.checkout.open(order.id, Wallet.BANK)

    assert isinstance(answer, Refused)
    assert answer.why is Why.CHECKING
    assert len((await till.look(order)).attempts) == 1


async def test_two_codes_at_once_are_charged_one_after_the_other(till):
    order = await place(till)

    answers = await asyncio.gather(charge(till, order), charge(till, order, Wallet.ALIPAY))

    assert [isinstance(answer, Refused) for answer in answers] == [False, True]
    assert answers[1].why is Why.ALREADY_PAID
    assert taken(till, Wallet.ALIPAY) == 0


async def test_only_the_till_s_own_operator_charges(till):
    order = await place(till)

    answer = await till.checkout.charge(
        order.id, SecretStr(CODES[Wallet.WECHAT]), Wallet.WECHAT, user_id=USER + 1
    )

    assert answer.why is Why.NOT_YOURS
    assert paths(till) == []


async def test_a_cancel_reverses_and_ends_when_the_institution_agrees(till):
    order = await place(till)
    ask_for_password(till)
    await charge(till, order)

    answer = await till.checkout.cancel(order.id, USER)
    await till.pass_time(60, step=5)

    assert answer.why is Why.CHECKING
    assert (await till.look(order)).state is OrderState.CANCELLED
    assert taken(till) == 0
    assert till.teller.results[-1] == "cancelled"


async def test_a_connection_that_never_opened_leaves_the_order_to_the_next_code(till):
    order = await place(till)
    till.stalls["wechatpay"].transport.refuse()

    away = await charge(till, order)
    here = await charge(till, order)

    assert away.why is Why.OUT_OF_ORDER
    assert here.state is OrderState.PAID
    assert len(here.attempts) == 1


async def test_an_account_without_payer_codes_is_not_asked(till):
    order = await place(till)

    answer = await charge(till, order, Wallet.UNICOMPAY, "631234567890123456")

    assert answer.why is Why.NO_OFFER


@pytest.mark.fault("M7")
async def test_the_code_is_in_no_table_no_log_and_no_repr(till, tmp_path):
    order = await place(till)
    with structlog.testing.capture_logs() as logs:
        till.stalls["wechatpay"].faults.arm(Fault.TIMEOUT_AFTER)
        answer = await charge(till, order)
        await till.pass_time(120, step=5)

    code = CODES[Wallet.WECHAT]
    files = [path.read_bytes() for path in tmp_path.rglob("book.db*")]
    assert files
    assert not any(code.encode() in content for content in files)
    assert code not in f"{answer!r} {logs!r} {till.teller.told!r} {till.watch.alerts!r}"


async def test_an_order_nobody_can_charge_fails_at_once(till):
    till.infos = {name: replace(stall.plugin.info, max_minor=100) for name, stall in till.stalls.items()}
    till.open_door()

    order = await place(till)

    assert order.state is OrderState.FAILED
