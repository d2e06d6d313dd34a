"""The circuit breaker of an account, moment by moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders.health import FAILURES_MAX, Health, Pulse, Reading, Sign, begun, heard, read
from bot.orders.patience import Ear
from providers.sdk.errors import ReplyError
from providers.sdk.results import Created, Declined, DeclineReason, NotFound, NotSent, Unknown
from providers.sdk.testing import ManualClock
from providers.sdk.transport import Headers, HttpReply, HttpRequest

START = datetime(2026, 7, 1, tzinfo=UTC)
LOST = read(Unknown("no answer"), opening=True)
OPENED = read(Created(code="x"), opening=True)
TOLD = read(NotFound(), opening=False)


def at(seconds):
    return START + timedelta(seconds=seconds)


def after(*events):
    """The health after `(second, reading)`."""
    health = Health()
    for second, reading in events:
        health = heard(health, reading, at(second))
    return health


def fell(second=0):
    return after(*[(second, LOST)] * FAILURES_MAX)


def test_two_failures_are_nothing_and_the_third_within_a_minute_is_a_rest():
    assert after((0, LOST), (1, LOST)).standing(at(2)).down == ""
    assert after((0, LOST), (30, LOST), (59, LOST)).standing(at(60)).down == "it does not answer"
    assert after((0, LOST), (30, LOST), (61, LOST)).standing(at(62)).down == ""


def test_an_order_that_is_opened_forgets_all_failures():
    assert after((0, LOST), (1, LOST), (2, OPENED), (3, LOST), (4, LOST)).standing(at(5)).down == ""


def test_an_institution_that_answers_questions_but_opens_nothing_still_goes_to_rest():
    assert after((0, LOST), (1, TOLD), (2, LOST), (3, TOLD), (4, LOST)).standing(at(5)).down


def test_failures_of_asking_are_forgotten_by_an_answer():
    unheard = read(NotSent("refused"), opening=False)

    assert not after((0, unheard), (1, unheard), (2, TOLD), (3, unheard), (4, unheard)).standing(at(5)).down


def test_after_the_rest_one_call_tries_and_the_others_wait():
    health = fell()
    assert health.standing(at(29)).down
    half_open = health.standing(at(30))
    trying = begun(health, at(30))

    assert not half_open.down
    assert half_open.ailing
    assert "tried again" in trying.standing(at(31)).down
    assert not trying.standing(at(61)).down  # whoever tried has died over it
    assert heard(trying, OPENED, at(31)) == Health()


def test_each_rest_is_twice_as_long_up_to_ten_minutes():
    health, now = fell(), at(0)
    lengths = []
    for _ in range(7):
        lengths.append((health.down_until - now).total_seconds())
        now = health.down_until
        health = heard(begun(health, now), LOST, now)

    assert lengths == [30, 60, 120, 240, 480, 600, 600]


def test_a_straggler_neither_ends_nor_lengthens_a_rest():
    health = fell()

    assert heard(health, OPENED, at(5)) == health
    assert heard(health, LOST, at(5)).down_until == health.down_until


@pytest.mark.fault("B8")
def test_a_refused_contract_rests_for_five_minutes_and_a_refused_refund_does_not():
    no = Declined(DeclineReason.MISCONFIGURED, "NO_AUTH", "No permission.")

    opening = heard(Health(), read(no, opening=True), START)
    assert "NO_AUTH" in opening.standing(at(299)).down
    assert not opening.standing(at(300)).down
    assert not heard(Health(), read(no, opening=False), START).standing(START).down


@pytest.mark.fault("B7")
@pytest.mark.parametrize(("asked_s", "rest_s"), [(0, 30), (7, 7), (10**6, 3600)])
def test_patience_is_given_as_asked_within_reason(asked_s, rest_s):
    reading = read(Unknown("429"), opening=False, patience_s=asked_s)

    health = heard(Health(), reading, START)

    assert reading.sign is Sign.BUSY
    assert health.standing(at(rest_s - 1)).down
    assert not health.standing(at(rest_s)).down


@pytest.mark.fault("B7")
@pytest.mark.parametrize(
    ("status", "header", "patience_s"),
    [
        (429, None, 0), (429, "12", 12), (429, "Wed, 01 Jul 2026 04:00:30 GMT", 30), (429, "soon", 0), (429, "-5", 0),
        (429, "Wed, 01 Jul 2026 03:00:00 GMT", 0), (503, None, None), (503, "9", 9), (200, "9", None), (429, "9" * 99, 999_999),
    ],
)  # fmt: skip
async def test_the_pause_is_heard_on_the_wire(status, header, patience_s):
    class Said:
        async def send(self, _):
            return HttpReply(status, Headers.of({"Retry-After": header} if header else {}))

    ear = Ear(Said(), ManualClock())
    await ear.send(HttpRequest("GET", "https://x.example/"))

    assert ManualClock().now() == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert ear.patience_s == patience_s


def test_a_header_that_stands_twice_is_ambiguous_everywhere():
    with pytest.raises(ReplyError):
        Headers((("Retry-After", "1"), ("retry-after", "2"))).get("Retry-After")


def test_whoever_watches_is_told_once_a_rest():
    pulse, told = Pulse(), []
    pulse.tell(lambda: told.append(1))

    for second in range(FAILURES_MAX + 2):
        pulse.hear(LOST, at(second))

    assert len(told) == 1


READINGS = st.builds(
    Reading, st.sampled_from(Sign), st.just("why"), st.booleans(), st.integers(min_value=1, max_value=3600)
)


@given(st.lists(st.tuples(st.integers(0, 90), READINGS)))
def test_no_history_keeps_an_account_down_for_ever(history):
    health, now = Health(), START
    for pause, reading in history:
        now += timedelta(seconds=pause)
        health = heard(begun(health, now) if reading.opening else health, reading, now)

    later = now + timedelta(seconds=3601)
    assert not health.standing(later).down
    assert heard(begun(health, later), OPENED, later) == Health()
    assert len(health.failures) <= FAILURES_MAX
    assert bool(health.standing(now).down) <= health.standing(now).ailing
