"""Codes on the counter: every scan is a new order of this till."""

import pytest

from bot.orders.answers import Refused, Why
from bot.orders.standing import OPEN_MAX
from bot.runtime.scanner import read_code
from miniprograms.cashier import app
from miniprograms.sdk import Money, Wallet


@pytest.fixture
def codes(chat):
    return chat.open(app, "pages/codes/codes")


def shown_token(chat):
    pictures = [screen.picture for screen in chat.in_sight() if screen.picture]
    return read_code(pictures[-1]).rpartition("/s/")[2]


def scan(chat, world, nonce, amount=None):
    standing = world.checkout.standing
    return world.act(standing.order(shown_token(chat), amount, nonce))


def test_a_code_with_an_amount_is_shown_as_a_picture(codes):
    codes.send("18").see("¥18.00 each time")

    assert len(shown_token(codes)) == 22


def test_the_same_amount_is_the_same_code(codes):
    token = shown_token(codes.send("18"))
    codes.send("20")

    assert shown_token(codes.send("18.00")) == token
    assert shown_token(codes.tap("¥20.00 each time")) != token


def test_every_scan_is_an_order_of_its_own_and_the_till_hears_of_the_paid_ones(codes, world):
    codes.send("18")

    first, second = scan(codes, world, "a" * 22), scan(codes, world, "b" * 22)

    assert first.id != second.id
    assert {order.amount for order in codes.orders} == {Money.cny("18.00")}
    codes.not_see("Scan this code with any of these wallets")


def test_a_scan_that_is_paid_is_a_receipt_in_the_operator_s_chat(codes, world):
    codes.send("18")
    order = scan(codes, world, "a" * 22)
    opened = world.act(world.checkout.open(order.id, Wallet.QUICKPASS))
    branch = world.street.branches[opened.attempt.provider]

    branch.gateway.settle(branch.gateway.recognise(opened.attempt.code).id, opened.attempt.wallet)
    world.settle()

    codes.see("Paid ¥18.00")


def test_a_form_that_is_sent_twice_orders_once(codes, world):
    codes.send("18")

    assert scan(codes, world, "a" * 22).id == scan(codes, world, "a" * 22).id


def test_without_an_amount_the_payer_enters_it(codes, world):
    codes.tap("A code without an amount").see("The payer enters the amount")

    order = scan(codes, world, "a" * 22, Money.cny("3.20"))
    nothing = scan(codes, world, "b" * 22)

    assert order.amount == Money.cny("3.20")
    assert isinstance(nothing, Refused)
    assert nothing.why is Why.WRONG_AMOUNT


def test_the_amount_of_a_code_that_has_one_cannot_be_changed(codes, world):
    codes.send("18")

    assert scan(codes, world, "a" * 22, Money.cny("0.01")).amount == Money.cny("18.00")


def test_a_closed_code_orders_nothing(codes, world):
    token = shown_token(codes.send("18"))

    codes.tap("Close this code").tap("OK").not_see("¥18.00 each time")

    answer = world.act(world.checkout.standing.order(token, None, "a" * 22))
    assert answer.why is Why.UNKNOWN_ORDER


def test_a_code_cannot_be_flooded_with_orders(codes, world):
    codes.send("18")
    for number in range(OPEN_MAX):
        scan(codes, world, f"{number:022d}")

    answer = scan(codes, world, "x" * 22)

    assert isinstance(answer, Refused)
    assert len(codes.orders) == OPEN_MAX
