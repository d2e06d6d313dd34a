"""From Pay to the page's `on_payment`: one order per key, told once, wherever the page is by then."""

import asyncio
import re
from dataclasses import replace

import pytest

from bot.orders.ports import HookFailedError
from miniprograms.sdk import Button, Money, Page, PageData, PaymentResult, PaymentStatus, View
from tests.fakes.programs import JOURNAL, LoggingApp, app_of, logging_app
from tests.fakes.surface import text_of


class Till(Page):
    class Data(PageData):
        note: str = "-"
        heard: int = 0

    data: Data

    def render(self) -> View:
        return View(
            f"{self.data.note} {self.data.heard}",
            [Button("Pay", self.pay, once=True), Button("Look", self.look), Button("Leave", self.leave)],
        )

    async def pay(self) -> None:
        await self.request_payment(Money.cny("18.00"), "Latte", order_key=self.draw_key())

    async def look(self) -> None:
        await self.set_data(note=self.data.note + "?")

    async def leave(self) -> None:
        await self.redirect_to("other")

    async def on_payment(self, result: PaymentResult) -> None:
        await self.set_data(note=result.err_msg, heard=self.data.heard + 1)


class Other(Page):
    def render(self) -> View:
        return View("other")


@pytest.fixture
def shop(tmp_path):
    JOURNAL.clear()
    app = app_of(tmp_path, kind=LoggingApp, pages=["till", "other"])
    app.page("till")(type("Home", (Till,), {}))
    app.page("other")(type("Else", (Other,), {}))
    return app


@pytest.fixture
async def anna(host, person, shop):
    anna = person(host(shop))
    await anna.command("start")
    return anna


@pytest.mark.fault("C1")
async def test_a_double_tap_on_pay_is_one_order(anna, counter):
    first = anna.finger("Pay")

    await asyncio.gather(anna.send(first), anna.send(anna.again(first)))

    assert counter.placed == 1
    assert sorted(toasts[0][0] for toasts in anna.surface.answers.values()) == [
        "",
        "That button is out of date. This is the page as it is now.",
    ]


@pytest.mark.fault("I5", "J3")
async def test_pay_from_an_older_picture_of_the_page_does_nothing(anna, counter):
    old = anna.finger("Pay")
    await anna.tap("Look")

    await anna.send(anna.again(old))

    assert counter.placed == 0


async def test_a_button_that_is_not_once_works_from_an_older_picture(anna):
    old = anna.finger("Look")
    await anna.tap("Look")

    await anna.send(anna.again(old))

    assert anna.sees() == "-?? 0"


async def test_pay_can_be_tapped_anew_when_it_is_drawn_anew(anna, counter):
    await anna.tap("Pay")
    await anna.tap("Pay")

    assert counter.placed == 2


async def test_the_page_is_told_once_also_by_another_process(anna, counter, host, shop):
    await anna.tap("Pay")

    await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")
    anna.runtime = host(shop)
    await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")

    assert anna.sees() == "requestPayment:ok 1"


async def test_a_cancel_is_told_in_wechat_s_words_and_a_late_payment_after_it(anna, counter):
    await anna.tap("Pay")

    await anna.settle(counter, "order1", PaymentStatus.CANCELLED)
    assert anna.sees() == "requestPayment:fail cancel 1"
    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert anna.sees() == "requestPayment:ok 2"


async def test_the_app_is_told_when_the_page_is_closed(anna, counter):
    await anna.tap("Pay")
    await anna.tap("Leave")

    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert JOURNAL[-1] == "app.on_payment paid"
    assert anna.sees() == "other"


async def test_a_program_in_the_background_is_told_and_stays_there(anna, counter):
    await anna.tap("Pay")
    await anna.command("apps")

    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert anna.sees() == "Choose a mini program:"
    await anna.tap("com.example.shop")
    assert anna.sees() == "requestPayment:ok 1"


async def test_a_person_without_a_session_is_served_by_the_app(anna, counter, redis, prefix):
    await anna.tap("Pay")
    await redis.delete(f"{prefix}:{{u7}}:s:7")

    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert JOURNAL[-1] == "app.on_payment paid"


async def test_the_page_comes_down_under_the_cashier_when_it_has_news(anna, counter, surface):
    await anna.tap("Pay")
    page = max(surface.messages[7])
    cashier = await anna.runtime.show(counter.orders["order1"])

    await anna.settle(counter, "order1", PaymentStatus.PAID)

    assert sorted(surface.messages[7]) == [cashier, cashier + 1]
    assert page not in surface.messages[7]
    assert text_of(surface.messages[7][cashier + 1]) == "requestPayment:ok 1"


@pytest.mark.fault("K7")
async def test_a_payment_needs_the_permission(host, person, tmp_path, counter):
    app = app_of(tmp_path / "bare", pages=["till"], permission={})
    app.page("till")(type("Home", (Till,), {}))
    anna = person(host(app))
    await anna.command("start")

    assert await anna.tap("Pay") == "Something went wrong here. Nothing was changed."
    assert counter.placed == 0


@pytest.mark.parametrize("command", ["orders", "paysupport"])
async def test_the_list_of_orders_brings_a_cashier_back_down(anna, counter, surface, command):
    await anna.tap("Pay")
    cashier = await anna.runtime.show(counter.orders["order1"])
    counter.orders["order1"] = replace(counter.orders["order1"], message_id=cashier)
    await anna.command(command)

    await anna.tap("¥18.00")

    assert cashier not in surface.messages[7]
    again = await anna.runtime.show(counter.orders["order1"])
    assert again == max(surface.messages[7])


@pytest.mark.fault("J5")
async def test_somebody_else_s_order_is_an_unknown_order(anna, counter, person, surface):
    await anna.tap("Pay")
    await anna.runtime.show(counter.orders["order1"])
    boris = person(anna.runtime, user_id=8)

    toast = await boris.tap("Cancel")

    assert toast == "This order is not known here. /orders lists yours."
    assert counter.orders["order1"].state == "pending"


async def test_cancel_on_the_cashier_cancels(anna, counter):
    await anna.tap("Pay")
    await anna.runtime.show(counter.orders["order1"])

    await anna.tap("Cancel")

    assert counter.orders["order1"].state == "cancelled"


@pytest.mark.fault("C11")
async def test_two_people_of_one_group_have_a_screen_each(host, person, tmp_path):
    runtime = host(logging_app(tmp_path))
    anna, boris = person(runtime, chat_id=-5), person(runtime, user_id=8, chat_id=-5)

    await anna.command("start")
    await boris.command("start")

    assert len(anna.surface.messages[-5]) == 2


class Forger(Till):
    async def pay(self) -> None:
        await super().pay()
        paid = PaymentResult(
            order_id="order1", order_key="k", status=PaymentStatus.PAID, amount=Money.cny("18.00")
        )
        await self.on_payment(paid)


@pytest.mark.fault("K8")
async def test_a_page_that_calls_its_own_order_paid_moves_no_money(host, person, counter, tmp_path):
    app = app_of(tmp_path, pages=["till"])
    app.page("till")(type("Home", (Forger,), {}))
    anna = person(host(app))
    await anna.command("start")

    await anna.tap("Pay")

    assert [order.state for order in counter.orders.values()] == ["pending"]
    assert not {name for name in dir(Page) if re.search("paid|settle|confirm|mark", name)}


class Clumsy(Till):
    async def on_payment(self, result: PaymentResult) -> None:
        await self.set_data(note="half done")
        await self.set_storage("half", True)
        if JOURNAL.count("app.on_error") < 2:
            raise KeyError("no such cup")
        await super().on_payment(result)


async def test_a_hook_that_raises_is_undone_and_heard_when_it_comes_again(host, person, tmp_path, counter):
    JOURNAL.clear()
    app = app_of(tmp_path / "clumsy", kind=LoggingApp, pages=["till"])
    app.page("till")(Clumsy)
    anna = person(host(app))
    await anna.command("start")
    await anna.tap("Pay")

    for _ in range(2):
        with pytest.raises(HookFailedError):
            await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")
        assert anna.sees() == "- 0"
        assert "half done" not in anna.sees()
    await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")
    await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")

    assert anna.sees() == "requestPayment:ok 1"
    assert JOURNAL.count("app.on_error") == 2


async def test_buttons_still_work_while_a_hook_fails(host, person, tmp_path, counter):
    JOURNAL.clear()
    app = app_of(tmp_path / "clumsy", kind=LoggingApp, pages=["till"])
    app.page("till")(Clumsy)
    anna = person(host(app))
    await anna.command("start")
    await anna.tap("Pay")
    with pytest.raises(HookFailedError):
        await anna.settle(counter, "order1", PaymentStatus.PAID, key="1")

    await anna.tap("Pay")

    assert counter.placed == 2
