"""A restored backup knows of no claim: nobody is paid and given back to at once."""

import pytest

from bot.orders.answers import ClosedError
from bot.orders.order import PayoutState, Withdrawal
from bot.orders.recovery import CLOSED
from providers.alipay import plugin as alipay
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.payouts import ALIPAY, DAY, offered, received
from tests.orders.shop import USER


@pytest.fixture(name="shop")
async def _shop(shop):
    shop.also(alipay)
    shop.also(wechatpay)
    return shop


@pytest.fixture
async def lost_claim(shop, keeper, backup):
    """Offered, backed up, claimed and paid out; then the backup is put back."""
    order, payout = await offered(shop)
    await backup.take()
    await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    await shop.worker.drain()
    await keeper().step()
    await backup.put()
    assert (await shop.look(order)).payouts[0].state is PayoutState.OFFERED
    return order


@pytest.mark.fault("H7")
async def test_what_was_paid_out_in_the_lost_hours_is_not_given_back_as_well(shop, keeper, lost_claim):
    recovery = keeper()
    await recovery.begin()

    await recovery.step()
    await shop.pass_time(DAY + 600, step=600)
    await shop.deliver()

    order = await shop.look(lost_claim)
    assert shop.checkout.till.closed == ""
    assert [payout.state for payout in order.payouts] == [PayoutState.DONE]
    assert order.refunds == ()
    assert received(shop, "alipay", Wallet.ALIPAY) == 1800


@pytest.mark.fault("H7")
async def test_while_an_institution_that_could_have_paid_is_silent_nothing_goes_back(
    shop, keeper, lost_claim
):
    recovery = keeper()
    await recovery.begin()
    for stall in shop.stalls.values():
        stall.transport.refuse()

    await recovery.step()
    await shop.pass_time(DAY + 600, step=600)

    order = await shop.look(lost_claim)
    assert shop.checkout.till.closed == CLOSED
    assert [payout.state for payout in order.payouts] == [PayoutState.OFFERED]
    with pytest.raises(ClosedError):
        await shop.checkout.withdraw_payout(
            Withdrawal(app_id="coffee", user_id=USER, claim_id=order.payouts[0].claim_id)
        )


@pytest.mark.fault("H7")
async def test_an_offer_that_nobody_claimed_stays_open(shop, keeper, backup):
    order, _ = await offered(shop)
    await backup.take()
    await shop.place("cart-9")
    await keeper().step()
    await backup.put()
    recovery = keeper()
    await recovery.begin()

    await recovery.step()

    assert shop.checkout.till.closed == ""
    assert [payout.state for payout in (await shop.look(order)).payouts] == [PayoutState.OFFERED]
