"""One person cannot keep the house busy, and neither can a group."""

import pytest

from bot.runtime.events import Seat
from bot.runtime.pace import Pace
from miniprograms.sdk import Button, Money, Page, PaymentStatus, View
from tests.fakes.machine import FakeClock
from tests.fakes.programs import JOURNAL, Counting, app_of

HOME = Seat(7, 7)
GROUP = -100


def let(pace, seat, tries):
    return sum(pace.lets(seat) for _ in range(tries))


class Paying(Page):
    def render(self):
        return View("pay", [Button("Pay", self.pay)])

    async def pay(self):
        await self.request_payment(Money.cny("18.00"), "Latte", order_key="k")

    async def on_payment(self, result):
        JOURNAL.append(f"told {result.status}")


def paying(folder):
    app = app_of(folder)
    app.page("home")(Paying)
    return app


@pytest.mark.fault("J15")
def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time():
    clock = FakeClock()
    pace = Pace(60, clock)

    assert let(pace, HOME, 100) == 60

    clock.moment = clock.moment.replace(second=3)

    assert let(pace, HOME, 100) == 3


@pytest.mark.fault("J15")
def test_the_others_are_not_slowed_down_by_one():
    pace = Pace(60, FakeClock())
    let(pace, HOME, 100)

    assert let(pace, Seat(8, 8), 10) == 10


@pytest.mark.fault("J15")
def test_a_group_may_do_what_five_people_may():
    pace = Pace(60, FakeClock())

    passed = sum(let(pace, Seat(GROUP, user), 30) for user in range(1, 21))

    assert passed == 300


def test_what_is_refused_is_not_held_against_anybody():
    clock = FakeClock()
    pace = Pace(60, clock)
    let(pace, HOME, 1000)
    clock.moment = clock.moment.replace(minute=1)

    assert let(pace, HOME, 1000) == 60


@pytest.mark.fault("J15")
async def test_who_taps_too_fast_is_told_and_nothing_happens(host, person, tmp_path):
    app = app_of(tmp_path)
    app.page("home")(type("Home", (Counting,), {}))
    anna = person(host(app, taps_per_minute=10))
    await anna.command("start")

    toasts = [await anna.tap("more") for _ in range(12)]

    assert toasts == [""] * 9 + ["That is too fast. Please wait a moment."] * 3
    assert anna.sees() == "count 9"


@pytest.mark.fault("J15")
async def test_what_became_of_money_is_told_at_any_pace(host, person, counter, tmp_path):
    anna = person(host(paying(tmp_path), taps_per_minute=10))
    await anna.command("start")
    await anna.tap("Pay")
    for _ in range(20):
        await anna.command("start")

    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert JOURNAL[-1] == "told paid"
