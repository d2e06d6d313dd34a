"""Money out: offered of a paid order, claimed once, paid once; or back to the payer."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from bot.orders.answers import PayoutRefusedError, Refused, Why
from bot.orders.order import Payout, PayoutState, RefundState, Withdrawal
from bot.orders.payouting import PayoutLimits
from bot.orders.proof import prove
from bot.orders.rows import ledger_of, trail
from bot.orders.schema import attempts
from bot.orders.story import told
from providers.alipay import plugin as alipay
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.conftest import BOTH_STORES
from tests.orders.payouts import (
    ALIPAY,
    AMOUNT,
    DAY,
    WECHAT,
    claimed,
    heard,
    offer,
    offered,
    received,
    shop_paid,
)
from tests.orders.shop import USER, Shop


@pytest.fixture(name="shop")
async def _shop(shop: Shop) -> Shop:
    shop.also(alipay)
    shop.also(wechatpay)
    return shop


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_what_is_paid_in_can_be_claimed_with_another_wallet(shop):
    payout = await claimed(shop)
    await shop.deliver()

    assert payout.state is PayoutState.DONE
    assert received(shop, "alipay", Wallet.ALIPAY) == 1800
    assert heard(shop) == ["open", "claimed", "paid"]
    assert {page for page, _ in shop.teller.paid_out} == {"pages/gift/gift"}
    await shop.check_books()


async def test_the_amount_is_held_from_the_offer_on_and_no_refund_can_have_it(shop):
    order, payout = await offered(shop)

    refused = await shop.checkout.refund(order.id, Money.cny("0.01"), "no", "operator:test")

    assert payout.state is PayoutState.OFFERED
    assert isinstance(refused, Refused)
    assert refused.why is Why.OVER_BUDGET


async def test_refunds_and_payouts_share_one_budget(shop):
    order = await shop.paid_order()
    await shop.checkout.refund(order.id, Money.cny("10.00"), "half", "operator:test")

    with pytest.raises(PayoutRefusedError, match="left"):
        await shop.checkout.offer_payouts([offer(order, amount=Money.cny("8.01"))])
    await shop.checkout.offer_payouts([offer(order, amount=Money.cny("8.00"))])

    assert (await shop.look(order)).attempts[-1].refunding_minor == 1800


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_the_store_refuses_a_budget_that_is_overdrawn(shop):
    order, _ = await offered(shop)

    async def overdraw(connection):
        await connection.execute(
            update(attempts).where(attempts.c.order_id == order.id).values(refunding_minor=1801)
        )

    with pytest.raises(IntegrityError):
        await shop.book.write(overdraw)


async def test_the_ledger_takes_it_from_the_account_that_paid_it_out(shop):
    payout = await claimed(shop)

    lines = await shop.book.read(lambda connection: ledger_of(connection, payout.order_id))

    sums: dict[str, int] = {}
    for line in lines:
        sums[line.account] = sums.get(line.account, 0) + line.minor
    assert {account: minor for account, minor in sums.items() if minor} == {
        "receivable:unionpay:main": 1800,
        "receivable:alipay:main": -1800,
    }


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_two_recipients_at_once_are_one_payout(shop):
    _, payout = await offered(shop)

    answers = await asyncio.gather(
        shop.checkout.claim_payout(payout.claim_token, ALIPAY),
        shop.checkout.claim_payout(payout.claim_token, WECHAT),
    )
    await shop.deliver()

    [refused] = [answer for answer in answers if isinstance(answer, Refused)]
    assert refused.why is Why.NOT_CLAIMABLE
    order = await shop.checkout.find(payout.order_id)
    assert len(order.payouts) == 1


async def test_the_same_recipient_twice_is_one_payout(shop):
    _, payout = await offered(shop)

    for _ in range(3):
        answer = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
        assert isinstance(answer, Payout)

    assert received(shop, "alipay", Wallet.ALIPAY) == 1800


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_unclaimed_it_goes_back_to_the_payer_when_its_time_is_over(shop):
    order, payout = await offered(shop)

    await shop.pass_time(DAY + 60, step=3600)
    await shop.deliver()
    await shop.pass_time(600)

    order = await shop.look(order)
    assert order.payouts[0].state is PayoutState.WITHDRAWN
    assert [refund.state for refund in order.refunds] == [RefundState.DONE]
    assert order.state == "refunded"
    assert heard(shop)[:2] == ["open", "returned Nobody claimed it in time"]
    late = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    assert isinstance(late, Refused)
    assert received(shop, "alipay", Wallet.ALIPAY) == 0
    await shop.check_books()


async def test_a_claim_after_its_time_is_refused_also_before_the_sweeper_has_been_there(shop):
    _, payout = await offered(shop)
    shop.clock.advance(DAY)

    answer = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)

    assert isinstance(answer, Refused)


async def test_the_payer_takes_it_back_before_it_is_claimed(shop):
    order, payout = await offered(shop)

    await shop.checkout.withdraw_payout(Withdrawal(app_id="coffee", user_id=USER, claim_id=payout.claim_id))
    await shop.deliver()

    order = await shop.look(order)
    assert order.payouts[0].state is PayoutState.WITHDRAWN
    assert order.refunds[0].amount == AMOUNT
    assert "returned Taken back by the payer" in heard(shop)


async def test_what_is_claimed_cannot_be_taken_back(shop):
    payout = await claimed(shop)

    await shop.checkout.withdraw_payout(Withdrawal(app_id="coffee", user_id=USER, claim_id=payout.claim_id))
    await shop.worker.drain()

    order = await shop.checkout.find(payout.order_id)
    assert (order.payouts[0].state, order.refunds) == (PayoutState.DONE, ())
    assert heard(shop)[-1] == "paid"


async def test_nobody_else_takes_it_back(shop):
    _, payout = await offered(shop)

    for other in ({"user_id": USER + 1}, {"app_id": "another"}):
        asked = replace(Withdrawal(app_id="coffee", user_id=USER, claim_id=payout.claim_id), **other)
        with pytest.raises(PayoutRefusedError):
            await shop.checkout.withdraw_payout(asked)


async def test_the_same_key_is_the_same_offer_and_is_told_again(shop):
    order, payout = await offered(shop)

    await shop.checkout.offer_payouts([offer(order)])
    await shop.worker.drain()

    assert (await shop.look(order)).payouts == (payout,)
    assert heard(shop) == ["open", "open"]


@pytest.mark.parametrize("wrong", [{"user_id": USER + 1}, {"app_id": "another"}])
async def test_nobody_offers_what_another_has_paid(shop, wrong):
    order = await shop.paid_order()

    with pytest.raises(PayoutRefusedError):
        await shop.checkout.offer_payouts([replace(offer(order), **wrong)])


async def test_an_unpaid_order_has_nothing_to_offer(shop):
    order = await shop.place()

    with pytest.raises(PayoutRefusedError, match="no payment"):
        await shop.checkout.offer_payouts([offer(order)])


async def test_what_is_beyond_the_limit_of_a_day_goes_back_at_once(shop):
    shop.limits = PayoutLimits(each_minor=2000, day_minor=3000)
    shop.open_door()
    first, second = await shop.paid_order(), await shop_paid(shop, "cart-2")

    for order in (first, second):
        await shop.checkout.offer_payouts([offer(order)])
    await shop.worker.drain()

    assert (await shop.look(first)).payouts[0].state is PayoutState.OFFERED
    assert (await shop.look(second)).payouts[0].state is PayoutState.WITHDRAWN
    assert (await shop.look(second)).refunds[0].amount == AMOUNT
    assert heard(shop)[-1] == "returned limit"


async def test_a_payee_claims_no_more_than_the_limit_of_a_day(shop):
    shop.limits = PayoutLimits(each_minor=2000, day_minor=10_000)
    shop.open_door()
    first, second = await shop.paid_order(), await shop_paid(shop, "cart-2")
    for order in (first, second):
        await shop.checkout.offer_payouts([offer(order)])
    shop.limits = PayoutLimits(each_minor=2000, day_minor=3000)
    shop.open_door()
    tokens = [(await shop.look(order)).payouts[0].claim_token for order in (first, second)]

    paid = await shop.checkout.claim_payout(tokens[0], ALIPAY)
    refused = await shop.checkout.claim_payout(tokens[1], ALIPAY)

    assert isinstance(paid, Payout)
    assert isinstance(refused, Refused)
    assert refused.why is Why.LIMIT


async def test_the_story_tells_both_legs(shop):
    payout = await claimed(shop)
    order = await shop.checkout.find(payout.order_id)
    entries = await shop.book.read(lambda connection: trail(connection, order.id))

    story = "\n".join(told(order, entries))

    assert "Payout 1" in story
    assert "The payee's wish (payee:alipay/main)" in story
    assert "is done: the payee has the money" in story
    assert ALIPAY.id not in story
    assert payout.claim_token not in story


async def test_the_proof_walks_payouts_too(shop):
    await claimed(shop)

    assert (await prove(shop.book)).faults == ()


async def test_no_record_of_a_payout_prints_its_secrets(shop):
    payout = await claimed(shop, WECHAT)

    assert WECHAT.id not in repr(payout)
    assert payout.claim_token not in repr(payout)
    assert payout.confirm["package"] not in repr(payout)
