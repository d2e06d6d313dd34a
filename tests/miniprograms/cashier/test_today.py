"""The day's totals, and giving money back at the till."""

import io

import pytest
from PIL import Image

from miniprograms.cashier import app
from miniprograms.cashier.totals import Totals, draw, total
from miniprograms.sdk import Money


@pytest.fixture
def day(till, wallets):
    """Two customers have paid."""
    till.send("18")
    wallets["wechat"].hand_over()
    till.tap("Next customer").send("5.50")
    wallets["alipay"].hand_over()
    return till.tap("Next customer").tap("今日 Today")


def test_the_day_is_counted(day):
    day.see("Today: 2 paid, ¥23.50 stays.")

    assert sum("¥18.00  WeChat Pay" in label for label in day.buttons) == 1


def test_the_totals_are_a_picture(day):
    [screen] = [screen for screen in day.in_sight() if screen.picture]

    with Image.open(io.BytesIO(screen.picture)) as picture:
        assert picture.format == "PNG"
        assert picture.width == 960


def test_yesterday_s_orders_are_not_today_s(day):
    day.advance(hours=24).tap("Count again").see("Today: 0 paid, ¥0.00 stays.")


def test_another_operator_sees_nothing_of_this_till(day, world):
    bob = world.person("Bob")

    bob.open(app, "pages/today/today").see("Today: 0 paid")


def test_a_payment_is_given_back_in_parts(day):
    day.tap("¥18.00  WeChat Pay").send("8")
    day.see("Give ¥8.00 back?").tap("OK")

    day.see("¥8.00 is back ✓").see("Given back ¥8.00")
    assert [order.state for order in day.orders].count("partly_refunded") == 1
    day.tap("Give back ¥10.00").tap("OK").see("Given back ¥18.00")
    assert [order.state for order in day.orders].count("refunded") == 1
    day.tap("Back").tap("Count again").see("¥5.50 stays")


def test_no_more_than_was_paid_is_given_back(day):
    day.tap("¥18.00  WeChat Pay").send("18.01")

    day.see("At most ¥18.00.")


def test_a_refund_that_is_not_confirmed_is_none(day):
    day.tap("¥18.00  WeChat Pay").tap("Give back").tap("Cancel")

    assert not any(order.refunds for order in day.orders)


def test_another_s_order_key_leads_back_to_the_day(day, world):
    key = day.orders[0].order_key
    bob = world.person("Bob")

    bob.open(app, "pages/order/order", key=key).see("Today: 0 paid")


def test_an_empty_day_has_a_picture_too():
    assert draw(total([]), "2026-07-01").startswith(b"\x89PNG")


def test_what_stays_is_what_came_less_what_went_back():
    assert Totals(came=2350, went_back=800).stays == Money.cny("15.50")
