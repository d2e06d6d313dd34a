"""Where the money is, account by account, at every step of its way."""

import pytest
from sqlalchemy import func, select

from bot.orders import institution
from bot.orders.order import RefundState
from bot.orders.rows import ledger_of
from bot.orders.schema import suspense_entries
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason
from providers.sdk.wallets import Wallet
from tests.orders.shop import USER

OWED = "receivable:plainpay:main"
OVERNIGHT_S = 86400


async def accounts(shop, order):
    sums: dict[str, int] = {}
    for line in await shop.book.read(lambda connection: ledger_of(connection, order.id)):
        sums[line.account] = sums.get(line.account, 0) + line.minor
    assert sum(sums.values()) == 0
    return {account: minor for account, minor in sums.items() if minor}


async def paid_untold(shop):
    """Paid in the book; nobody has told the page yet."""
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    [notification] = shop.post("plainpay")
    await shop.receive("plainpay", notification)
    await shop.worker.process_inbox()
    return await shop.look(opened.order)


async def test_money_belongs_to_the_order_until_its_page_was_told_and_is_revenue_from_then_on(shop):
    order = await paid_untold(shop)
    before = await accounts(shop, order)

    await shop.worker.send_outbox()

    assert before == {OWED: 1800, "orders": -1800}
    assert await accounts(shop, order) == {OWED: 1800, "revenue": -1800}
    assert (await shop.look(order)).earned_at == shop.clock.now()


async def test_while_the_page_cannot_be_told_nothing_is_earned(shop):
    order = await paid_untold(shop)
    shop.teller.broken = True

    await shop.worker.send_outbox()

    assert await accounts(shop, order) == {OWED: 1800, "orders": -1800}


async def test_a_refund_is_payable_from_the_moment_it_is_reserved(shop):
    order = await shop.paid_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse()
    refund = await shop.checkout.refund(order.id, Money.cny("6.00"), "cold", "operator:li")
    reserved = await accounts(shop, order)

    shop.stalls["plainpay"].transport.refuse(0)
    await shop.pass_time(120)

    assert refund.state is RefundState.RESERVED
    assert reserved == {OWED: 1800, "revenue": -1200, "refunds_payable": -600}
    assert await accounts(shop, order) == {OWED: 1200, "revenue": -1200}


async def test_what_is_reserved_before_the_page_was_told_is_never_earned(shop):
    order = await paid_untold(shop)
    shop.stalls["plainpay"].transport.refuse()
    await shop.checkout.refund(order.id, Money.cny("6.00"), "cold", "operator:li")

    await shop.worker.send_outbox()

    assert await accounts(shop, order) == {OWED: 1800, "revenue": -1200, "refunds_payable": -600}


async def test_a_refund_that_fails_is_revenue_again(shop, monkeypatch):
    order = await shop.paid_order(Wallet.BANK)

    async def too_late(*_):
        return Declined(DeclineReason.WINDOW, "LATE", "Too late.")

    monkeypatch.setattr(institution, "refund", too_late)

    refund = await shop.checkout.refund(order.id, Money.cny("6.00"), "cold", "operator:li")

    assert refund.state is RefundState.FAILED
    assert await accounts(shop, order) == {OWED: 1800, "revenue": -1800}


async def test_a_second_payment_hangs_in_suspense_until_it_is_back(shop):
    first = await shop.opened_order(Wallet.BANK)
    shop.pay(first)
    second = await shop.checkout.open(first.order.id, Wallet.QUICKPASS, user_id=USER)
    del second

    await shop.deliver()

    sums = await accounts(shop, first.order)
    assert "suspense" not in sums
    assert sums[OWED] == 1800


@pytest.mark.fault("Q7")
async def test_a_fee_is_booked_once_as_the_institution_rounded_it(shop):
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    day = order.created_at.date()

    for _ in range(3):
        await shop.checkout.reconcile(day)

    fee = 1800 * 38 // 10_000
    query = select(suspense_entries.c.account, func.sum(suspense_entries.c.minor)).group_by(
        suspense_entries.c.account
    )
    booked = dict((await shop.book.read(lambda one: one.execute(query))).all())
    assert booked == {"fees": fee, "receivable:unionpay:main": -fee}
