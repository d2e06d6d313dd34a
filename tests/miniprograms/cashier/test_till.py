"""The keypad, and amounts as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprograms.cashier import app
from miniprograms.cashier.amounts import press, read_amount
from miniprograms.sdk import Money

AMOUNTS = {
    "18": "18.00", "18.5": "18.50", "18.00": "18.00", "018": "18.00", ".5": "0.50", "7.": "7.00", "¥18": "18.00",
    "￥18.00": "18.00", "１８．００": "18.00", "18元": "18.00", " 0.01 ": "0.01", "50000": "50000.00",
}  # fmt: skip
NO_AMOUNTS = [
    "", "0", "0.00", "-1", "+1", "1e3", "1,000", "18.005", "50000.01", "9999999", "18 00", "٣", "NaN", "十八", "18\n19",
]  # fmt: skip


@pytest.mark.parametrize(("text", "yuan"), AMOUNTS.items())
def test_an_amount_is_read_however_it_is_written(text, yuan):
    assert read_amount(text) == Money.cny(yuan)


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_is_no_amount_is_none(text):
    assert read_amount(text) is None


@given(st.text(max_size=20))
def test_no_text_raises(text):
    amount = read_amount(text)

    assert amount is None or amount.minor > 0


@given(st.lists(st.sampled_from([*"0123456789.", "⌫"]), max_size=20))
def test_the_keypad_never_shows_what_is_no_beginning_of_an_amount(keys):
    typed = ""
    for key in keys:
        typed = press(typed, key)

    whole, _, cents = typed.partition(".")
    assert typed == "" or (whole.isdecimal() and len(whole) <= 6 and len(cents) <= 2)
    assert read_amount(typed) is not None or not set(typed) - set("0.") or int(whole) > 50000


def test_the_keypad_makes_an_amount(till):
    for key in ("1", "8", ".", "5", "5", "⌫"):
        till.tap(key)

    till.tap("Charge ¥18.5").see("Photograph the customer's payment code")


def test_an_amount_beyond_the_till_is_refused_with_its_limits(till):
    till.send("50000.01").see("An amount is ¥0.01 to ¥50000.00.")

    assert not till.orders


def test_a_link_with_a_strange_amount_leads_to_the_keypad(chat):
    chat.open(app, "pages/charge/charge", amount="-5").see("Cashier")


def test_the_till_speaks_chinese(world):
    li = world.person("李雷", language="zh-hans")

    li.open(app).see("收银台").send("18").see("请拍摄顾客的付款码")
