"""The four wallet classes: dated rows, and what a wallet of each may pay."""

from datetime import date

import pytest

from providers.ecny.classes import TABLE, Limits, Spending, WalletClass, limits_on, objection
from providers.ecny.ledger import Payer

TODAY = date(2026, 7, 1)


def today(wallet_class):
    return limits_on(wallet_class, TODAY)


@pytest.mark.parametrize(
    ("wallet_class", "single", "daily", "yearly", "balance"),
    [
        (WalletClass.IV, 2_000, 5_000, 50_000, 10_000),
        (WalletClass.III, 5_000, 10_000, None, 20_000),
        (WalletClass.II, 50_000, 100_000, None, 500_000),
        (WalletClass.I, None, None, None, None),
    ],
)
def test_the_published_limits_hold_today(wallet_class, single, daily, yearly, balance):
    row = today(wallet_class)
    fen = [None if yuan is None else yuan * 100 for yuan in (single, daily, yearly, balance)]

    assert [row.single, row.daily, row.yearly, row.balance] == fen


def test_the_limits_of_the_trial_held_before(stall):
    row = limits_on(WalletClass.II, date(2020, 9, 1))

    assert (row.single, row.daily, row.yearly) == (5_000_00, 10_000_00, 300_000_00)
    assert limits_on(WalletClass.II, date(2019, 12, 31)) is None


def test_a_new_row_is_all_that_a_new_limit_takes():
    newer = Limits(
        wallet_class=WalletClass.IV,
        opened_with="a phone number",
        since=date(2026, 7, 1),
        balance=1,
        single=1,
        daily=1,
        yearly=1,
        confirmed=False,
        source="this test",
    )

    assert limits_on(WalletClass.IV, date(2026, 6, 30), (*TABLE, newer)) == today(WalletClass.IV)
    assert limits_on(WalletClass.IV, date(2026, 7, 1), (*TABLE, newer)) is newer


def test_every_row_says_where_it_was_read_and_a_quoted_one_is_not_confirmed():
    assert all(row.source for row in TABLE)
    assert all(not row.confirmed for row in TABLE if "not seen" in row.source)
    assert {row.wallet_class for row in TABLE if row.confirmed} == {
        WalletClass.II,
        WalletClass.III,
        WalletClass.IV,
    }


@pytest.mark.parametrize(
    ("amount", "spending", "word"),
    [
        (2_000_00, Spending(), None),
        (2_000_01, Spending(), "单笔"),
        (2_000_00, Spending(today=3_000_00, this_year=3_000_00), None),
        (2_000_00, Spending(today=3_000_01, this_year=3_000_01), "当日"),
        (1, Spending(today=5_000_00, this_year=5_000_00), "当日"),
        (1_00, Spending(this_year=49_999_00), None),
        (1_01, Spending(this_year=49_999_00), "年累计"),
        (1_00, Spending(held=1_00), None),
        (1_01, Spending(held=1_00), "余额不足"),
    ],
)
def test_a_class_four_wallet_pays_up_to_its_limits_and_not_a_fen_more(amount, spending, word):
    why = objection(today(WalletClass.IV), amount, spending)

    assert (why is None) if word is None else word in why


def test_a_class_one_wallet_has_no_published_limit():
    assert objection(today(WalletClass.I), 10**10, Spending(today=10**10, this_year=10**10)) is None


def test_a_day_and_a_year_begin_anew():
    payer = Payer().after("20261231", 100).after("20261231", 50)

    assert payer.spending("20261231") == Spending(today=150, this_year=150)
    assert payer.spending("20260101") == Spending(today=0, this_year=150)
    assert payer.spending("20270101") == Spending()
    assert payer.after("20270101", 7).spending("20270101") == Spending(today=7, this_year=7)
