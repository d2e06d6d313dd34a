"""A customer's code at the till, from the amount to the money."""

import pytest

from bot.catalogue import read_catalogue
from miniprograms.sdk import Money, PaymentStatus
from providers.sdk.contract import Way

AT_TILL = sorted(
    {
        wallet
        for plugin in read_catalogue().plugins.values()
        if Way.PAYER_CODE in plugin.info.ways
        for wallet in plugin.info.wallets
    }
)
TOLD_APART = [wallet for wallet in AT_TILL if wallet != "cmpay"]  # Hebao's codes begin as WeChat's may


@pytest.mark.parametrize("kind", TOLD_APART)
def test_every_wallet_pays_by_its_code(charge, wallets, kind):
    wallets[kind].hand_over().see("Paid ✓").see("Paid ¥18.00")

    assert wallets[kind].charged == Money.cny("18.00")
    assert charge.results[-1].status is PaymentStatus.PAID  # UnionPay tells by notification, after a pending


def test_the_digits_may_be_typed_in_groups(charge, wallets):
    code = wallets["alipay"].show_code()

    charge.send(" ".join(code[n : n + 4] for n in range(0, len(code), 4)))

    charge.see("Paid ✓")


@pytest.mark.parametrize("kind", AT_TILL)
def test_a_password_is_waited_for(charge, wallets, kind):
    wallets[kind].hand_over(password=True)
    if kind == "cmpay":
        charge.tap("China Mobile Hebao")
    charge.see("The customer is entering the password")

    wallets[kind].enter_password().see("Paid ✓")

    assert wallets[kind].charged == Money.cny("18.00")


@pytest.mark.parametrize("kind", AT_TILL)
def test_a_customer_who_walks_away_is_not_charged(charge, wallets, kind):
    wallets[kind].hand_over(password=True)
    if kind == "cmpay":
        charge.tap("China Mobile Hebao")

    wallets[kind].walk_away().see("The charge was reversed")

    assert wallets[kind].charged == Money.cny("0")
    charge.tap("Take the customer's code")
    other = "wechat" if kind == "alipay" else "alipay"
    wallets[other].hand_over().see("Paid ✓")
    assert [order.state for order in charge.orders] == ["paid"]
    assert wallets[other].charged == Money.cny("18.00")
