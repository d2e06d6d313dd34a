"""From a page's `request_refund` to its `on_refund`: the wish goes to the book with the turn, the word comes back once."""

import pytest

from bot.orders.word import Word
from miniprograms.sdk import Button, Money, Page, PageData, RefundResult, RefundStatus, View
from tests.fakes.programs import JOURNAL, LoggingApp, app_of

SCOPES = {"scope.payment": {"desc": "to pay"}, "scope.refund": {"desc": "to give back"}}


class Counter(Page):
    class Data(PageData):
        note: str = "-"
        heard: int = 0

    data: Data

    def render(self) -> View:
        return View(
            f"{self.data.note} {self.data.heard}",
            [
                Button("Pay", self.pay),
                Button("Back", self.back),
                Button("Steal", self.steal),
                Button("Leave", self.leave),
            ],
        )

    async def pay(self) -> None:
        await self.request_payment(Money.cny("18.00"), "Latte", order_key="cart")

    async def back(self) -> None:
        await self.request_refund(order_key="cart", reason="cold", refund_key="back")
        await self.set_data(note="asked")

    async def steal(self) -> None:
        await self.set_data(note="stolen")
        await self.request_refund(order_key="theirs", reason="mine", refund_key="back")

    async def leave(self) -> None:
        await self.redirect_to("other")

    async def on_refund(self, result: RefundResult) -> None:
        await self.set_data(note=result.err_msg, heard=self.data.heard + 1)


class Other(Page):
    def render(self) -> View:
        return View("other")


class ListeningApp(LoggingApp):
    async def on_refund(self, result: RefundResult) -> None:
        JOURNAL.append(f"app.on_refund {result.status}")


def shop_of(folder, scopes):
    app = app_of(folder, kind=ListeningApp, pages=["till", "other"], permission=scopes)
    app.page("till")(type("Home", (Counter,), {}))
    app.page("other")(type("Else", (Other,), {}))
    return app


@pytest.fixture
def shop(tmp_path):
    JOURNAL.clear()
    return shop_of(tmp_path, SCOPES)


@pytest.fixture
async def anna(host, person, shop):
    anna = person(host(shop))
    await anna.command("start")
    await anna.tap("Pay")
    return anna


async def tell(anna, counter, status=RefundStatus.DONE, key="1", page="till"):
    order = counter.orders["order1"]
    result = RefundResult(
        order_id=order.id, order_key="cart", refund_key="back", status=status, amount=order.amount
    )
    await anna.runtime.tell_refund(key, order, Word(page=page, chat_id=order.chat_id, result=result))


async def test_the_wish_reaches_the_book_with_who_asked_and_where(anna, counter):
    await anna.tap("Back")

    [draft] = counter.refunds
    assert (draft.app_id, draft.page, draft.user_id, draft.chat_id) == ("com.example.shop", "till", 7, 7)
    assert (draft.request.order_key, draft.request.amount, draft.request.reason) == ("cart", None, "cold")
    assert draft.event_key.startswith("u")
    assert anna.sees() == "asked 0"


async def test_the_page_hears_it_once_also_in_another_process(anna, counter, host, shop):
    await anna.tap("Back")

    await tell(anna, counter)
    anna.runtime = host(shop)
    await tell(anna, counter)

    assert anna.sees() == "requestRefund:ok 1"


async def test_the_app_hears_it_when_the_page_is_closed_or_the_app_asked(anna, counter):
    await anna.tap("Leave")

    await tell(anna, counter)
    await tell(anna, counter, RefundStatus.PENDING, key="2", page="")

    assert JOURNAL[-2:] == ["app.on_refund done", "app.on_refund pending"]


@pytest.mark.fault("D14")
async def test_a_turn_that_reaches_for_another_s_order_has_never_been(anna, counter):
    toast = await anna.tap("Steal")

    assert toast == "Something went wrong here. Nothing was changed."
    assert (anna.sees(), counter.refunds, JOURNAL[-1]) == ("- 0", [], "app.on_error")


async def test_a_refund_needs_the_permission(host, person, tmp_path, counter):
    app = shop_of(tmp_path / "bare", {"scope.payment": SCOPES["scope.payment"]})
    anna = person(host(app))
    await anna.command("start")
    await anna.tap("Pay")

    assert await anna.tap("Back") == "Something went wrong here. Nothing was changed."
    assert counter.refunds == []


@pytest.mark.parametrize(
    "wish",
    [
        {"amount": Money.cny("0")},
        {"reason": " "},
        {"reason": "x" * 81},
        {"refund_key": ""},
        {"order_key": "x" * 65},
    ],
)
async def test_a_wish_that_makes_no_sense_is_the_authors_mistake(host, person, tmp_path, counter, wish):
    class Odd(Counter):
        async def back(self) -> None:
            fields = {"order_key": "cart", "reason": "cold", "refund_key": "back", **wish}
            await self.request_refund(**fields)

    app = app_of(tmp_path / "odd", pages=["till"], permission=SCOPES)
    app.page("till")(Odd)
    anna = person(host(app))
    await anna.command("start")
    await anna.tap("Pay")

    assert await anna.tap("Back") == "Something went wrong here. Nothing was changed."
    assert counter.refunds == []
