"""The tip jar's own tests, as its author writes them: nothing of Moongate but the fixtures."""

import pytest
from tipjar import app

from miniprograms.sdk.testing import CASES


@pytest.fixture
def jar(chat):
    return chat.open(app)


def test_a_tip_is_left(jar, wallet):
    jar.see("Was it good? 0 tips so far.")

    jar.tap("¥5")
    wallet.approve()

    jar.see("Thank you! 1 tips so far.")


def test_tips_add_up_across_a_restart(jar, wallet):
    jar.tap("¥1")
    wallet.approve()
    jar.restart_host()

    jar.tap("¥10", twice=True)
    wallet.approve()

    jar.see("2 tips so far.")
    assert [str(order.amount) for order in jar.orders] == ["¥10.00", "¥1.00"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_outcome_is_a_dead_end(jar, wallet, case):
    jar.tap("¥5")

    case.play(jar, wallet)
