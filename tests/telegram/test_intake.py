"""What the edge does with updates that cannot be read, cannot be kept, or break something."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.runtime.errors import ConflictError
from bot.telegram.intake import COMES_AGAIN_MAX, Intake, apology
from tests.telegram.test_updates import PRIVATE, event, message, query

ORDER_ID = "0Zk3vQ9sX7bT1mL5"
PATIENCE = "系统暂时无法使用。您刚才的操作已保留，稍后会自动完成，请勿重复操作。订单和付款都是安全的。"


class Paper:
    """A surface that only writes down."""

    def __init__(self, fails=None):
        self.answers = []
        self.screens = []
        self.fails = fails

    async def answer(self, callback_id, toast="", *, alert=False):
        self._fail()
        self.answers.append((callback_id, toast, alert))

    async def draw(self, chat_id, screen, *, edit):
        self._fail()
        self.screens.append((chat_id, "".join(text.content for text in screen.body), edit))

    def _fail(self):
        if self.fails:
            raise self.fails


def update(number=55, **fields):
    return {"update_id": number, **fields}


def raising(*errors):
    left = list(errors)

    async def handle(_):
        if left:
            raise left.pop(0)

    return handle


async def test_an_update_that_cannot_be_read_is_let_pass_and_noted_without_its_content():
    broken = update(message={"chat": "secret words"})
    intake = Intake(raising(AssertionError("never called")), Paper())

    with capture_logs() as logs:
        assert await intake.take(broken)

    assert logs[0]["event"] == "update_not_understood"
    assert "secret words" not in str(logs)


async def test_a_tap_that_is_nothing_to_us_stops_spinning():
    paper = Paper()
    inline = query(inline_message_id="i")
    del inline["message"]

    assert await Intake(raising(AssertionError("never called")), paper).take(update(callback_query=inline))

    assert paper.answers == [("q9", "", False)]


@pytest.mark.parametrize("trouble", [ConflictError("lost"), ConnectionError("store"), TimeoutError()])
async def test_trouble_that_passes_at_once_asks_for_the_update_again_and_says_nothing(trouble):
    paper = Paper()
    intake = Intake(raising(trouble), paper)

    assert not await intake.take(update(message=message(text="x")))
    assert await intake.take(update(message=message(text="x")))
    assert paper.screens == []


async def test_the_application_can_name_more_troubles_that_pass():
    class StoreAwayError(Exception):
        pass

    intake = Intake(raising(StoreAwayError()), Paper(), transient=(StoreAwayError,))

    assert not await intake.take(update(message=message(text="x")))


async def test_an_update_that_never_works_does_not_come_for_ever():
    paper = Paper()
    intake = Intake(raising(*[TimeoutError()] * COMES_AGAIN_MAX), paper)

    taken = [await intake.take(update(message=message(text="x"))) for _ in range(COMES_AGAIN_MAX)]

    assert taken == [False] * (COMES_AGAIN_MAX - 1) + [True]
    assert [text for _, text, _ in paper.screens] == [
        PATIENCE,
        "这里出了点问题，请再试一次。",
    ]


@pytest.mark.fault("G2")
async def test_a_tap_that_must_wait_is_answered_at_once_and_once():
    paper = Paper()
    intake = Intake(raising(ConflictError("lost"), TimeoutError()), paper)

    for _ in range(3):
        await intake.take(update(callback_query=query(data="x")))

    assert paper.answers == [("q9", PATIENCE, True)]


async def test_a_broken_tap_is_answered_with_the_number_of_its_order():
    paper = Paper()
    tapped = query(data=f"p:{ORDER_ID}:wechat")

    with capture_logs() as logs:
        assert await Intake(raising(ZeroDivisionError()), paper).take(update(callback_query=tapped))

    [(query_id, toast, alert)] = paper.answers
    assert (query_id, alert) == ("q9", True)
    assert ORDER_ID in toast
    assert logs[0]["event"] == "update_failed"
    assert logs[0]["update_key"] == "u55"


async def test_a_broken_message_is_answered_in_its_chat_in_its_language():
    paper = Paper()

    await Intake(raising(ZeroDivisionError()), paper).take(update(message=message(text="x")))

    assert paper.screens == [(PRIVATE["id"], "这里出了点问题，请再试一次。", None)]


async def test_an_apology_that_fails_too_is_only_noted():
    intake = Intake(raising(ZeroDivisionError()), Paper(fails=ConnectionError("blocked")))

    assert await intake.take(update(message=message(text="x")))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_apology_fits_a_toast(language):
    tapped = event("callback_query", data=f"p:{'9' * 32}:unicompay", **{"from": {**_person(language)}})

    assert "9" * 32 in apology(tapped)
    assert len(apology(tapped)) <= 200


def _person(language):
    return {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": language}


async def test_two_people_in_one_group_do_not_wait_for_each_other():
    group = {"id": -100, "type": "supergroup", "title": "Tea"}
    begun, gate = [], asyncio.Event()

    async def handle(event):
        begun.append(event.text)
        if event.text == "slow":
            await gate.wait()

    intake = Intake(handle, Paper())
    other = {"id": 8, "is_bot": False, "first_name": "Bo"}
    slow = asyncio.create_task(intake.take(update(1, message=message(text="slow", chat=group))))
    after = asyncio.create_task(intake.take(update(2, message=message(text="after", chat=group))))
    await asyncio.sleep(0.01)

    await intake.take(update(3, message=message(text="other", chat=group, **{"from": other})))

    assert begun == ["slow", "other"]
    gate.set()
    assert await slow
    assert await after
    assert begun == ["slow", "other", "after"]
