"""Out of review: a person says when and why, the institution's word decides."""

from dataclasses import replace

import pytest

from bot.orders.audit import CauseKind
from bot.orders.checkout import Refused, Why
from bot.orders.order import AttemptState, OrderState
from bot.orders.rows import trail
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import PRICE

ACTOR = "operator:li"


@pytest.fixture
def answering(shop, monkeypatch):
    """The institution answers every query so."""
    provider, account = shop.stalls["plainpay"].provider, shop.account("plainpay")

    def use(amount=PRICE, state=Paid.PAID, merchant=account.merchant, answer=None):
        async def query(ref, _call):
            return answer or Snapshot(number=ref.number, merchant=merchant, amount=amount, state=state)

        return monkeypatch.setattr(provider, "query", query)

    return use


@pytest.fixture
def doubting(shop, answering):
    """An order that the institution reports with a wrong amount, whether it was paid or not."""

    async def happen(*, pay):
        opened = await shop.opened_order(Wallet.BANK)
        if pay:
            shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LOST)
            shop.pay(opened)
        answering(amount=Money.cny("17.00"))
        await shop.checkout.checking.check(opened.attempt.number)
        order = await shop.look(opened.order)
        assert order.state is OrderState.NEEDS_REVIEW
        return order

    return happen


@pytest.fixture
async def doubted(doubting):
    return await doubting(pay=False)


async def causes(shop, order):
    entries = await shop.book.read(lambda one: trail(one, order.id))
    return [(entry.subject, entry.event, entry.cause_kind, entry.note) for entry in entries]


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_what_the_institution_calls_paid_is_paid(shop, doubting, monkeypatch):
    doubted = await doubting(pay=True)
    monkeypatch.undo()

    settled = await shop.checkout.settle(doubted.id, ACTOR, "The amount is right now.")
    await shop.worker.drain()

    assert settled.state is OrderState.PAID
    assert shop.teller.results[-1] == "paid"
    assert ("order", "settling", CauseKind.OPERATOR, "The amount is right now.") in await causes(
        shop, doubted
    )


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_what_was_never_paid_is_closed_there_and_failed_by_the_operators_word(
    shop, doubted, monkeypatch
):
    monkeypatch.undo()

    settled = await shop.checkout.settle(doubted.id, ACTOR, "The payer has left.")
    await shop.worker.drain()

    assert settled.state is OrderState.FAILED
    assert settled.attempts[0].state is AttemptState.CLOSED
    assert ("order", "failed", CauseKind.OPERATOR, "The payer has left.") in await causes(shop, doubted)
    assert shop.teller.results[-1].startswith("failed")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"amount": Money.cny("17.00")}, "give it back there"),
        ({"answer": Unknown("cut")}, "no clear answer"),
    ],
)
async def test_no_operator_can_type_over_what_does_not_match_or_is_not_known(
    shop, doubted, answering, answer, words
):
    answering(**answer)

    refused = await shop.checkout.settle(doubted.id, ACTOR, "I am sure.")

    assert isinstance(refused, Refused)
    assert words in refused.detail
    assert (await shop.look(doubted)).state is OrderState.NEEDS_REVIEW


async def test_a_wrong_amount_that_was_given_back_there_is_settled_as_failed(shop, doubted, answering):
    answering(state=Paid.REFUNDED, amount=Money.cny("17.00"))

    settled = await shop.checkout.settle(doubted.id, ACTOR, "Given back in the console.")

    assert settled.state is OrderState.FAILED


async def test_an_order_that_is_not_under_review_is_left_alone(shop):
    order = await shop.place()

    refused = await shop.checkout.settle(order.id, ACTOR, "Why not.")
    unknown = await shop.checkout.settle("nobody", ACTOR, "Why not.")

    assert (refused.why, unknown.why) == (Why.NOT_IN_REVIEW, Why.UNKNOWN_ORDER)
    assert (await shop.look(order)).version == order.version


async def test_an_account_that_is_gone_cannot_be_asked(shop, doubted):
    shop.stalls.pop("plainpay")
    shop.open_door()

    refused = await shop.checkout.settle(doubted.id, ACTOR, "Now.")

    assert "not configured" in refused.detail
    assert replace(await shop.look(doubted), version=0, audit_hash="").state is OrderState.NEEDS_REVIEW
