"""An account is not taken out of the settings while its money is under way."""

import pytest

from bot.orders.abandoned import abandoned
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


@pytest.mark.fault("P5")
async def test_an_open_payment_of_a_missing_account_is_named(shop):
    await shop.opened_order(Wallet.BANK)

    everything = await abandoned(shop.book, shop.accounts())
    without = await abandoned(shop.book, [shop.account("unionpay")])

    assert (everything, without) == ((), ("plainpay/main: 1 open",))


@pytest.mark.fault("P5")
async def test_a_refund_under_way_counts_too(shop):
    order = await shop.paid_order(Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse()
    await shop.checkout.refund(order.id, Money.cny("1.00"), "cold", "operator:li")

    assert await abandoned(shop.book, []) == ("plainpay/main: 1 open",)


@pytest.mark.fault("P5")
async def test_what_is_settled_or_never_left_this_house_holds_nothing_up(shop):
    await shop.paid_order(Wallet.BANK)
    await shop.place("cart-2")

    assert await abandoned(shop.book, []) == ()
