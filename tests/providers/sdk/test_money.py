import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sdk.errors import ReplyError
from providers.sdk.money import EXPONENTS, MINOR_MAX, Money, wire_decimal, wire_minor

amounts = st.builds(Money, st.integers(0, MINOR_MAX), st.sampled_from(sorted(EXPONENTS)))


@given(amounts)
def test_the_decimal_of_any_amount_reads_back_as_the_same_amount(money: Money) -> None:
    assert Money.parse(money.decimal, money.currency) == money
    assert wire_decimal(money.decimal, money.currency) == money
    assert wire_minor(str(money.minor), money.currency) == money


@pytest.mark.fault("A19")
@pytest.mark.parametrize(
    ("text", "minor"), [("18", 1800), ("18.0", 1800), ("18.00", 1800), ("18.000", 1800), ("0.01", 1)]
)
def test_trailing_zeros_do_not_matter(text: str, minor: int) -> None:
    assert Money.cny(text) == Money(minor, "CNY")


@pytest.mark.fault("A19", "Q8")
@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.", ".5", "1e3", "NaN", "01", "1,000", "0.001", " 1", "1\n", "１"]
)
def test_what_is_not_a_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        Money.cny(text)


@pytest.mark.parametrize("odd", [None, 1.0, True, -1, "1.0", "01", "", "１", MINOR_MAX + 1, [1]])
def test_an_odd_amount_on_the_wire_is_no_answer(odd: object) -> None:
    with pytest.raises(ReplyError):
        wire_minor(odd, "CNY")


@pytest.mark.fault("Q8")
@pytest.mark.parametrize("bad", [18.0, "18", True])
def test_only_an_int_is_money(bad: object) -> None:
    with pytest.raises(TypeError):
        Money(bad, "CNY")  # type: ignore[arg-type]  # that is the point


def test_currencies_do_not_mix_and_nothing_goes_below_zero() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(ValueError, match="outside"):
        Money(1, "CNY") - Money(2, "CNY")


def test_people_read_amounts_with_their_sign() -> None:
    assert [str(Money(1800, "CNY")), str(Money(5, "XTR")), str(Money(7, "JPY")), str(Money(5, "HKD"))] == [
        "¥18.00", "★5", "JPY 7", "HKD 0.05",
    ]  # fmt: skip
