from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders.numbers import new_number, new_token
from providers.sdk.testing import NOON, FixedRandom

moments = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


@given(moments, st.text(max_size=5))
def test_every_institution_accepts_a_number(moment, seed):
    number = new_number(moment, FixedRandom(seed))

    assert 6 <= len(number) <= 32
    assert number.isascii()
    assert number.isalnum()


@given(moments, st.timedeltas(timedelta(milliseconds=1), timedelta(days=300)))
def test_a_later_number_sorts_later_whatever_the_case(moment, gap):
    random = FixedRandom()

    earlier, later = new_number(moment, random), new_number(moment + gap, random)

    assert earlier < later
    assert earlier.lower() < later.lower()


@pytest.mark.fault("M12")
def test_numbers_of_one_moment_differ():
    random = FixedRandom()

    assert len({new_number(NOON, random) for _ in range(1000)}) == 1000


@pytest.mark.fault("J5", "M12")
def test_a_token_cannot_be_guessed():
    assert 62 ** len(new_token(FixedRandom())) > 2**128
