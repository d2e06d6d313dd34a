"""Worlds of several hosts on one store, in which a seed decides who goes first. A failure prints its SEED.

Replay one with `python -m tests.proof.simulation --seed N`; `make simulate` runs 2,000.
"""

import subprocess
import sys

import pytest

from tests.proof.simulation.plants import FOUND, HARMLESS
from tests.proof.simulation.run import first_found, run
from tests.proof.simulation.scenarios import BY_NAME

_SEEDS = 15
_REPLAY = "from tests.proof.simulation.run import run; print(*(run(seed).digest for seed in range(9)))"


def broken_worlds(name):
    outcomes = (run(seed, BY_NAME[name]) for seed in range(_SEEDS))
    return [str(outcome) for outcome in outcomes if outcome.faults]


@pytest.mark.fault("D1")
def test_of_60_and_60_of_100_one_goes_back():
    assert broken_worlds("two_refunds") == []


@pytest.mark.fault("D11")
def test_the_operator_and_the_house_give_the_same_refund_once():
    assert broken_worlds("one_refund_asked_for_twice") == []


@pytest.mark.fault("C1", "C2")
def test_taps_on_the_phone_and_on_the_desktop_give_one_code():
    assert broken_worlds("a_double_tap") == []


@pytest.mark.fault("C3", "C4")
def test_two_wallets_tapped_at_once_and_both_paid_are_one_payment_and_one_return():
    assert broken_worlds("two_wallets") == []


@pytest.mark.fault("C6", "C7", "C8", "E1", "E3", "B14", "B15")
def test_pay_notice_poll_close_cancel_expiry_and_refund_in_one_tick_have_one_outcome():
    assert broken_worlds("everything_in_the_same_tick") == []


@pytest.mark.fault("A2")
def test_of_sixteen_copies_of_a_notification_at_once_one_has_an_effect_and_all_are_acknowledged():
    assert broken_worlds("many_copies_of_one_notification") == []


@pytest.mark.fault("A6", "D6")
def test_a_notice_may_overtake_the_reply_to_the_call_that_caused_it():
    assert broken_worlds("a_notification_before_the_reply") == []


@pytest.mark.fault("F3", "F4", "F5", "F9", "F10")
def test_another_host_goes_on_where_one_was_killed():
    assert broken_worlds("a_host_is_killed") == []


@pytest.mark.fault("B3", "A28")
def test_hosts_at_work_in_bad_weather_lose_nothing():
    assert broken_worlds("a_day_at_work") == []


@pytest.mark.parametrize("plant", FOUND, ids=lambda plant: plant.name)
def test_a_planted_bug_is_found(plant):
    outcome = first_found(plant, 100)

    assert outcome is not None


@pytest.mark.parametrize("plant", HARMLESS, ids=lambda plant: plant.name)
def test_one_guard_alone_is_enough(plant):
    assert str(first_found(plant, 10)) == "None"


def test_the_same_seed_is_the_same_world_whatever_was_before_it():
    first = run(7)
    run(8)

    assert run(7) == first
    assert len(first.trace) > 50


def test_the_same_seed_is_the_same_world_in_every_process(monkeypatch):
    digests = set()
    for hash_seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        done = subprocess.run([sys.executable, "-c", _REPLAY], capture_output=True, text=True, check=True)
        digests.add(done.stdout)

    assert len(digests) == 1
