"""Money back at the coffee shop, and what the kit tells of it."""

import pytest

from miniprograms.sdk import Money, RefundStatus


@pytest.fixture
def paid(checkout, chat, wallet):
    chat.tap("Pay")
    wallet.approve()
    return chat.see("Paid")


@pytest.mark.fault("C12")
def test_a_paid_coffee_is_given_back_once(paid, wallet):
    before = wallet.balance

    paid.tap("Money back", twice=True).see("¥18.00 is back.")

    assert wallet.balance.minor == before.minor + 1800
    assert [(one.status, one.amount) for one in paid.refunds] == [(RefundStatus.DONE, Money.cny("18.00"))]
    assert [order.state for order in paid.orders] == ["refunded"]
    assert "Money back" not in paid.buttons


def test_a_host_that_dies_after_the_tap_gives_back_all_the_same(paid, wallet):
    before = wallet.balance

    paid.tap("Money back").restart_host().advance(minutes=5)

    assert wallet.balance.minor == before.minor + 1800
    paid.see("is back")


def test_an_unpaid_coffee_offers_no_money_back(checkout):
    assert not any("Money back" in label for label in checkout.buttons)
