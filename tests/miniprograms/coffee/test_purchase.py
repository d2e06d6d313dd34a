"""The coffee shop from Pay to the receipt, with every wallet and in every way it can go."""

import pytest

from bot.catalogue import read_catalogue
from miniprograms.sdk import Money, PaymentStatus
from miniprograms.sdk.testing import CASES
from providers.sdk.contract import Way

SCANNED = {
    wallet
    for plugin in read_catalogue().plugins.values()
    if plugin.info.ways & {Way.MERCHANT_CODE, Way.LINK}
    for wallet in plugin.info.wallets
}


def test_a_latte_is_paid_and_remembered(checkout, wallet):
    checkout.tap("Pay").see("Waiting for your payment")

    wallet.approve()

    checkout.see("Paid ✓ Your coffee is on its way.")
    assert wallet.charged == Money.cny("18.00")
    assert "Pay" not in checkout.buttons
    [order] = checkout.orders
    checkout.tap("Back").tap("My orders").see(f"¥18.00  {order.id}")


@pytest.mark.parametrize("kind", sorted(SCANNED))
def test_every_wallet_pays_for_coffee(checkout, wallets, kind):
    checkout.tap("Pay")

    wallets[kind].approve()

    checkout.see("Paid ✓")
    assert wallets[kind].charged == Money.cny("18.00")


def test_pay_tapped_twice_is_one_order(checkout, wallet):
    checkout.tap("Pay", twice=True)

    wallet.approve()

    assert [order.state for order in checkout.orders] == ["paid"]
    assert wallet.charged == Money.cny("18.00")


def test_a_cancelled_order_can_be_tried_again_as_a_new_one(checkout, wallet):
    checkout.tap("Pay")
    wallet.cancel().see("Cancelled. Tap Pay to try again.")

    checkout.tap("Pay")
    wallet.approve().see("Paid ✓")

    assert [order.state for order in checkout.orders] == ["paid", "cancelled"]


def test_an_order_that_runs_out_can_be_tried_again(checkout, wallet):
    checkout.tap("Pay").advance(minutes=20).see("That did not work. Tap Pay to try again.")

    checkout.tap("Pay")

    wallet.approve().see("Paid ✓")


def test_a_payment_after_a_cancel_counts(checkout, wallet):
    checkout.tap("Pay")
    wallet.cancel()

    wallet.late().see("Paid ✓")

    assert [order.state for order in checkout.orders] == ["paid_late"]


def test_a_payment_that_nobody_knows_of_is_still_being_checked(checkout, wallet):
    checkout.tap("Pay")

    wallet.pending().see("The bank is still checking …")

    wallet.approve().see("Paid ✓")
    assert [result.status for result in checkout.results] == [PaymentStatus.PENDING, PaymentStatus.PAID]


def test_a_receipt_said_three_times_is_one_line_in_the_history(checkout, wallet):
    checkout.tap("Pay")

    wallet.duplicate(3)

    checkout.tap("Back").tap("My orders")
    assert checkout.screen.count("¥18.00  ") == 1


def test_who_has_gone_back_to_the_menu_finds_the_order_paid(checkout, wallet):
    checkout.tap("Pay").tap("Back")

    wallet.approve()

    checkout.see("Paid ¥18.00")
    assert [result.status for result in checkout.results] == [PaymentStatus.PAID]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_outcome_is_a_dead_end(checkout, wallet, case):
    checkout.tap("Pay")

    case.play(checkout, wallet)
