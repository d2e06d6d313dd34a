"""Payouts when something goes wrong on the way: paid once all the same, or back to the payer."""

from dataclasses import replace

import pytest

from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import OrphanError
from bot.orders.order import Payout, PayoutState
from providers.alipay import plugin as alipay
from providers.alipay.institution import SHELF
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import PayoutSnapshot, Returned
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.payouts import ALIPAY, AMOUNT, DAY, WECHAT, claimed, heard, offered, received
from tests.orders.shop import Shop


@pytest.fixture(name="shop")
async def _shop(shop: Shop) -> Shop:
    shop.also(alipay)
    shop.also(wechatpay)
    return shop


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.GARBAGE, Fault.TRUNCATED])
async def test_a_payout_whose_answer_is_lost_is_found_by_its_number_and_paid_once(shop, fault):
    _, payout = await offered(shop)
    shop.stalls["alipay"].faults.arm(fault)

    answer = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    assert isinstance(answer, Payout)
    assert answer.state is PayoutState.UNKNOWN
    await shop.pass_time(60, step=5)

    order = await shop.checkout.find(payout.order_id)
    assert [one.state for one in order.payouts] == [PayoutState.DONE]
    assert received(shop, "alipay", Wallet.ALIPAY) == 1800
    assert heard(shop).count("paid") == 1


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE])
async def test_a_payout_that_never_arrived_goes_again_under_the_same_number(shop, fault):
    _, payout = await offered(shop)
    shop.stalls["alipay"].faults.arm(fault)

    await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    await shop.pass_time(300, step=5)

    order = await shop.checkout.find(payout.order_id)
    assert [(one.number, one.state) for one in order.payouts] == [(payout.number, PayoutState.DONE)]
    assert received(shop, "alipay", Wallet.ALIPAY) == 1800


async def test_a_house_that_dies_over_the_call_asks_before_it_sends_again(shop):
    _, payout = await offered(shop)
    stall = shop.stalls["alipay"]
    stall.faults.arm(Fault.TIMEOUT_AFTER)
    await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    sent = len(stall.transport.requests)

    await shop.restart()
    await shop.pass_time(60, step=5)

    later = stall.transport.requests[sent:]
    assert later
    assert all(b"alipay.fund.trans.common.query" in request.body for request in later)


async def test_a_refused_payout_opens_the_claim_again_under_another_number(shop):
    _, payout = await offered(shop)
    nobody = replace(ALIPAY, id="2088000000000000")

    await shop.checkout.claim_payout(payout.claim_token, nobody)
    await shop.worker.drain()

    order = await shop.checkout.find(payout.order_id)
    assert [one.state for one in order.payouts] == [PayoutState.FAILED, PayoutState.OFFERED]
    assert order.payouts[0].number != order.payouts[1].number
    assert heard(shop)[-1].startswith("open PAYEE_NOT_EXIST")
    again = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    assert isinstance(again, Payout)
    assert again.state is PayoutState.DONE
    assert order.attempts[-1].refunding_minor == 1800


async def test_wechat_pays_when_the_payee_has_confirmed(shop):
    payout = await claimed(shop, WECHAT)
    assert payout.state is PayoutState.AWAITS_PAYEE
    assert payout.confirm["package"]

    shop.stalls["wechatpay"].gateway.receive(payout.confirm, Wallet.WECHAT)
    await shop.deliver()

    order = await shop.checkout.find(payout.order_id)
    assert order.payouts[0].state is PayoutState.DONE
    assert order.payouts[0].confirm is None
    assert received(shop, "wechatpay", Wallet.WECHAT) == 1800
    assert not shop.watch.alerts


async def test_wechat_unconfirmed_after_a_day_fails_and_the_money_goes_back(shop):
    payout = await claimed(shop, WECHAT)

    await shop.pass_time(2 * DAY, step=3600)
    await shop.deliver()
    await shop.pass_time(600)

    order = await shop.checkout.find(payout.order_id)
    assert [one.state for one in order.payouts] == [PayoutState.FAILED]
    assert order.state == "refunded"
    assert received(shop, "wechatpay", Wallet.WECHAT) == 0
    await shop.check_books()


async def test_what_wechat_needs_for_confirming_is_asked_for_again_when_its_answer_was_lost(shop):
    _, payout = await offered(shop)
    shop.stalls["wechatpay"].faults.arm(Fault.TIMEOUT_AFTER)
    await shop.checkout.claim_payout(payout.claim_token, WECHAT)

    await shop.pass_time(60, step=5)

    order = await shop.checkout.find(payout.order_id)
    [only] = order.payouts
    assert only.state is PayoutState.AWAITS_PAYEE
    assert only.confirm["package"]
    shop.stalls["wechatpay"].gateway.receive(only.confirm, Wallet.WECHAT)
    await shop.deliver()
    assert received(shop, "wechatpay", Wallet.WECHAT) == 1800


async def test_a_merchant_without_balance_waits_and_then_pays_under_the_same_number(shop):
    _, payout = await offered(shop)
    drawer = shop.stalls["alipay"].drawer
    drawer.put(f"{SHELF}merchant/funds", {"minor": 0})

    answer = await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    assert isinstance(answer, Payout)
    assert answer.state is PayoutState.RESERVED
    drawer.put(f"{SHELF}merchant/funds", {"minor": 100_000})
    await shop.pass_time(7200, step=600)

    order = await shop.checkout.find(payout.order_id)
    assert [(one.number, one.state) for one in order.payouts] == [(payout.number, PayoutState.DONE)]
    assert any("balance" in alert for alert in shop.watch.alerts)


async def test_a_claim_that_could_never_be_sent_goes_back_when_its_time_is_over(shop):
    order, payout = await offered(shop)
    shop.stalls["alipay"].drawer.put(f"{SHELF}merchant/funds", {"minor": 0})
    await shop.checkout.claim_payout(payout.claim_token, ALIPAY)

    await shop.pass_time(DAY + 7200, step=1800)
    await shop.deliver()
    await shop.pass_time(600)

    order = await shop.look(order)
    assert order.payouts[0].state is PayoutState.WITHDRAWN
    assert order.state == "refunded"


async def test_a_payout_reported_with_another_amount_moves_nothing_and_calls_a_person(shop):
    payout = await claimed(shop, WECHAT)
    wrong = PayoutSnapshot(number=payout.number, amount=Money.cny("18.01"), state=Returned.DONE)

    await shop.checkout.apply(
        wrong, Cause(CauseKind.OPERATOR, "test"), provider_id="wechatpay", account="main"
    )
    await shop.worker.drain()

    order = await shop.checkout.find(payout.order_id)
    assert order.payouts[0].state is PayoutState.AWAITS_PAYEE
    assert any("18.01" in alert for alert in shop.watch.alerts)


async def test_a_payout_that_another_account_reports_is_nothing_of_ours(shop):
    payout = await claimed(shop, WECHAT)
    told_of = PayoutSnapshot(number=payout.number, amount=AMOUNT, state=Returned.DONE)

    with pytest.raises(OrphanError):
        await shop.checkout.apply(
            told_of, Cause(CauseKind.OPERATOR, "test"), provider_id="alipay", account="main"
        )
