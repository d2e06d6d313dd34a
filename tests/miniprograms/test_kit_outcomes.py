"""The outcome matrix finds what it is there to find, and its restarts are restarts."""

import asyncio

import pytest

from miniprograms.sdk import Button, Money, Page, PageData, View
from miniprograms.sdk.testing import Case, Outcome, PlayError
from tests.fakes.programs import app_of


class DeadEnd(Page):
    """Once it is paid, nothing can be done here any more."""

    class Data(PageData):
        paid: bool = False

    data: Data

    def render(self) -> View:
        return View("a jar", [] if self.data.paid else [Button("Pay", self.pay)])

    async def pay(self):
        await self.request_payment(Money.cny("1.00"), "Plums", order_key="one")

    async def on_payment(self, result):
        await self.set_data(paid=result.paid)


@pytest.fixture
def dead_end(chat, tmp_path):
    app = app_of(tmp_path / "dead")
    app.page("home")(DeadEnd)
    return chat.open(app).tap("Pay")


def test_a_dead_end_is_found(dead_end, wallet):
    with pytest.raises(PlayError, match=r"After approve, no button leads on. The screen shows:\n"):
        Case(Outcome.APPROVE).play(dead_end, wallet)


def test_a_page_with_another_way_on_passes(dead_end, wallet):
    Case(Outcome.CANCEL).play(dead_end, wallet)


def test_a_payment_that_the_page_does_not_hear_of_is_found(stall, wallet):
    stall.tap("Pay ¥80")

    with pytest.raises(KeyError, match="the eightieth plum"):
        Case(Outcome.APPROVE).play(stall, wallet)


def test_a_host_can_be_killed_over_a_notification(stall, wallet, world):
    stall.tap("Pay")
    before = world.checkout
    stall.restart_host(on_post=True)
    assert world.checkout is before

    wallet.approve().see("heard=¥8.00:paid:")

    assert world.checkout is not before


@pytest.mark.fault("K11")
def test_a_page_s_own_tasks_end_with_the_world(stall, world):
    async def start():
        return asyncio.create_task(asyncio.sleep(3600))

    task = world.act(start())
    world.close()

    assert task.cancelled()
