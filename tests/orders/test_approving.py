"""The last word before a messenger takes the money: from the book alone, once, and never in doubt."""

import asyncio
from dataclasses import replace

import pytest

from bot.orders.answers import Refused, Why
from bot.orders.approving import Approving, Question
from bot.orders.checkout import Checkout
from bot.orders.order import AttemptState, OrderState
from providers.sdk.handover import PASSED_AT, PAYER
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from providers.telegramstars import plugin as telegramstars
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import USER

FIVE = Money(5, "XTR")


class Desk:
    """A shop that sells for Stars, and the messenger's questions."""

    def __init__(self, shop):
        self.shop = shop

    @property
    def approving(self):
        return Approving(self.shop.checkout.till)

    async def opened(self):
        return await self.shop.open(await self.shop.place("club", FIVE), Wallet.TELEGRAM)

    async def ask(self, opened, key="q1", **more):
        asked = {
            "key": key,
            "provider_id": "telegramstars",
            "account": "main",
            "number": opened.attempt.number,
            "amount": FIVE,
            "user_id": USER,
        }
        return await self.approving.approve(Question(**{**asked, **more}))

    async def why(self, opened, key="q1", **more):
        answer = await self.ask(opened, key, **more)
        return answer.why if isinstance(answer, Refused) else None

    def pay(self, opened):
        self.shop.stalls["telegramstars"].pay(opened.attempt.link, Wallet.TELEGRAM)


@pytest.fixture(name="desk")
def _desk(shop):
    shop.also(telegramstars)
    return Desk(shop)


async def test_a_waiting_order_is_let_pass_and_the_yes_is_stored_before_it_is_said(desk):
    opened = await desk.opened()

    assert await desk.why(opened) is None

    [attempt] = (await desk.shop.look(opened.order)).attempts
    assert attempt.state is AttemptState.OPENED
    assert attempt.memo[PAYER] == str(USER)
    assert attempt.memo[PASSED_AT] == desk.shop.clock.now().isoformat()


async def test_what_was_let_pass_is_paid_and_goes_back_to_its_payer(desk):
    desk.shop.hearsay = True
    opened = await desk.opened()
    await desk.ask(opened)
    desk.pay(opened)
    await desk.shop.deliver()

    refund = await desk.shop.checkout.refund(opened.order.id, FIVE, "sorry", "operator")

    assert (await desk.shop.look(opened.order)).state is OrderState.REFUNDED
    assert refund.provider_ref.startswith("stx")
    assert desk.shop.calls("telegramstars", lambda body: b'"user_id":7001' in body) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"user_id": USER + 1}, Why.NOT_YOURS),
        ({"amount": Money(4, "XTR")}, Why.WRONG_AMOUNT),
        ({"amount": Money(5, "USD")}, Why.WRONG_AMOUNT),
        ({"number": "Nothing1"}, Why.UNKNOWN_ORDER),
        ({"account": "other"}, Why.UNKNOWN_ORDER),
        ({"provider_id": "plainpay"}, Why.UNKNOWN_ORDER),
    ],
)
async def test_another_payer_amount_or_number_is_refused(desk, change, why):
    opened = await desk.opened()

    assert await desk.why(opened, **change) is why
    assert await desk.why(opened) is None


async def test_a_refund_s_number_is_no_invoice(desk):
    desk.shop.hearsay = True
    opened = await desk.opened()
    desk.pay(opened)
    await desk.shop.deliver()
    refund = await desk.shop.checkout.refund(opened.order.id, FIVE, "sorry", "operator")

    assert await desk.why(opened, number=refund.number) is Why.UNKNOWN_ORDER
    assert await desk.why(opened) is Why.ALREADY_PAID


async def test_the_same_question_has_the_same_answer(desk):
    opened = await desk.opened()

    assert await desk.why(opened) is None
    assert await desk.why(opened) is None
    entries = (await desk.shop.look(opened.order)).version
    assert await desk.why(opened) is None
    assert (await desk.shop.look(opened.order)).version == entries


async def test_a_second_payment_waits_until_the_first_can_no_longer_come(desk):
    opened = await desk.opened()
    await desk.ask(opened)

    desk.shop.clock.advance(59)
    assert await desk.why(opened, "q2") is Why.CHECKING
    desk.shop.clock.advance(2)
    assert await desk.why(opened, "q3") is None


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_of_many_questions_at_once_one_is_let_pass(desk):
    opened = await desk.opened()
    shop = desk.shop
    elsewhere = Checkout(shop.book, shop.accounts(), clock=shop.clock, random=shop.random)  # another process
    asked = Question(
        key="", provider_id="telegramstars", account="main", number=opened.attempt.number, amount=FIVE, user_id=USER
    )  # fmt: skip

    answers = await asyncio.gather(
        *(
            Approving(till).approve(replace(asked, key=f"q{number}"))
            for number, till in enumerate([shop.checkout.till, elsewhere.till] * 4)
        )
    )

    assert [answer.why for answer in answers if answer is not None] == [Why.CHECKING] * 7


async def test_a_cancelled_order_is_refused(desk):
    opened = await desk.opened()
    await desk.shop.checkout.cancel(opened.order.id, USER)

    assert await desk.why(opened) is Why.CANCELLED


async def test_an_order_past_its_time_is_refused_before_the_sweeper_comes(desk):
    opened = await desk.opened()
    desk.shop.clock.advance(900)

    assert await desk.why(opened) is Why.EXPIRED
    await desk.shop.worker.drain()
    assert await desk.why(opened) is Why.EXPIRED


async def test_what_was_let_pass_is_not_cancelled_before_it_can_no_longer_come(desk):
    opened = await desk.opened()
    await desk.ask(opened)

    answer = await desk.shop.checkout.cancel(opened.order.id, USER)
    assert answer.why is Why.CHECKING
    assert await desk.why(opened, "q2") is Why.CHECKING
    await desk.shop.pass_time(240)

    assert (await desk.shop.look(opened.order)).state is OrderState.CANCELLED


async def test_a_payment_that_was_let_pass_beats_the_cancelling(desk):
    desk.shop.hearsay = True
    opened = await desk.opened()
    await desk.ask(opened)
    await desk.shop.checkout.cancel(opened.order.id, USER)
    desk.pay(opened)
    await desk.shop.deliver()

    assert (await desk.shop.look(opened.order)).state is OrderState.PAID


async def test_from_the_moment_another_wallet_is_chosen_nobody_is_let_pass(desk, monkeypatch):
    shop = desk.shop
    opened = await shop.opened_order(Wallet.QUICKPASS)
    provider = shop.stalls["unionpay"].provider
    close, answers = provider.close, []

    async def closing(ref, call):
        question = Question(
            key="q1", provider_id="unionpay", account="main", number=opened.attempt.number,
            amount=opened.attempt.amount, user_id=USER,
        )  # fmt: skip
        answers.append(await desk.approving.approve(question))
        return await close(ref, call)

    monkeypatch.setattr(provider, "close", closing)
    await shop.checkout.open(opened.order.id, Wallet.BANK, user_id=USER)

    assert [answer.why for answer in answers] == [Why.CHECKING]


async def test_a_call_that_somebody_has_open_holds_no_question_up(desk):
    opened = await desk.opened()

    async with desk.shop.checkout.till.hold(opened.order.id), asyncio.timeout(2):
        assert await desk.why(opened) is None


async def test_a_store_that_hangs_gives_no_answer_in_time(desk, monkeypatch):
    opened = await desk.opened()
    monkeypatch.setattr("bot.orders.approving._WITHIN_S", 0.05)

    async def hang(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(desk.shop.checkout.till, "find_by_number", hang)

    with pytest.raises(TimeoutError):
        await desk.ask(opened)
