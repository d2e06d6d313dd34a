import pytest

from bot.sandbox.purses import PAYER_CODES, SandboxPurses
from bot.sandbox.records import SandboxRecords
from providers.sdk.gateway import PurseRefused
from providers.sdk.money import Money
from providers.sdk.testing import FixedRandom, ManualClock
from providers.sdk.wallets import Wallet


@pytest.fixture(name="clock")
def _clock():
    return ManualClock()


@pytest.fixture(name="purses")
def _purses(tmp_path, clock):
    with SandboxRecords(tmp_path / "sandbox.db") as records:
        yield SandboxPurses(records.drawer("purses"), clock, FixedRandom())


def code_of(purses, wallet):
    return purses.show([wallet])[0].payer_code


def test_money_leaves_and_comes_back_with_a_history(purses):
    purses.charge(Wallet.WECHAT, Money.cny("18.00"), "Latte")
    purses.credit(Wallet.WECHAT, Money.cny("5.00"), "Refund of Latte")

    assert purses.balance(Wallet.WECHAT) == 100_000 - 1800 + 500
    assert purses.balance(Wallet.BANK) == 100_000
    moves = purses.history(Wallet.WECHAT)
    assert [(move.minor, move.memo) for move in moves] == [(500, "Refund of Latte"), (-1800, "Latte")]


def test_a_purse_never_pays_more_than_it_holds(purses):
    with pytest.raises(PurseRefused, match=r"WeChat Pay holds ¥1000\.00"):
        purses.charge(Wallet.WECHAT, Money.cny("1000.01"), "Too much")

    assert purses.balance(Wallet.WECHAT) == 100_000
    assert purses.history(Wallet.WECHAT) == ()


def test_a_purse_holds_yuan_only(purses):
    with pytest.raises(PurseRefused, match="not XTR"):
        purses.charge(Wallet.WECHAT, Money(5, "XTR"), "Stars")


@pytest.mark.parametrize("wallet", list(PAYER_CODES))
def test_a_payer_code_looks_like_its_wallets(purses, wallet):
    code = code_of(purses, wallet)

    prefix, length = PAYER_CODES[wallet]
    assert code.isdigit()
    assert code.startswith(prefix)
    assert len(code) == length
    assert purses.owner_of(code) is wallet


def test_wallets_without_a_purse_are_not_shown(purses):
    assert purses.show([Wallet.TELEGRAM]) == ()


def test_a_payer_code_is_good_for_a_minute_and_always_for_ten_seconds_more_when_shown(purses, clock):
    first = code_of(purses, Wallet.BANK)

    clock.advance(49)
    assert code_of(purses, Wallet.BANK) == first
    clock.advance(2)
    second = code_of(purses, Wallet.BANK)

    assert second != first
    assert purses.owner_of(first) is Wallet.BANK
    clock.advance(9)
    assert purses.owner_of(first) is None
    assert purses.owner_of(second) is Wallet.BANK
    clock.advance(51)
    assert purses.owner_of(second) is None


def test_nobody_owns_a_strangers_code(purses):
    assert purses.owner_of("134567890123456789") is None
    assert purses.owner_of("") is None


def test_a_purse_does_not_show_its_code_in_logs(purses):
    [purse] = purses.show([Wallet.WECHAT])

    assert purse.payer_code not in repr(purse)
