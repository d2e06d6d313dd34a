"""What happens when a page breaks: nothing is kept, the person is told, and everybody else goes on."""

import asyncio
from dataclasses import replace

import pytest

from bot.runtime.errors import StoreAwayError
from miniprograms.sdk import App, Button, Money, Page, PageData, TextInput, View
from tests.fakes.programs import Counting, app_of

UNDONE = "Something went wrong here. Nothing was changed."
STALE = "That button is out of date. This is the page as it is now."
HEARD: list[str] = []


class Telling(App):
    async def on_error(self, message: str) -> None:
        HEARD.append(message)


class Fragile(Page):
    class Data(PageData):
        count: int = 0
        broken: bool = False

    def render(self) -> View:
        if self.data.broken:
            raise RuntimeError("the view is broken")
        return View(
            f"count {self.data.count}",
            [
                Button(name, getattr(self, name))
                for name in ("more", "explode", "hang", "sulk", "unrender", "misset", "order", "circle")
            ],
        )

    async def more(self) -> None:
        await self.set_data(count=self.data.count + 1)

    async def explode(self) -> None:
        await self.set_data(count=99)
        await self.set_storage("kept", 1)
        await self.request_payment(Money.cny("1.00"), "Never", order_key="never")
        raise ValueError("boom")

    async def hang(self) -> None:
        await self.set_data(count=99)
        await asyncio.sleep(60)

    async def sulk(self) -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                continue
        await self.set_storage("kept", 1)

    async def unrender(self) -> None:
        await self.set_data(broken=True)

    async def misset(self) -> None:
        await self.set_data(count="many")

    async def order(self) -> None:
        await self.request_payment(Money.cny("1.00"), "A", order_key="one")
        await self.set_data(count=self.data.count + 1)

    async def circle(self) -> None:
        await self.redirect_to("loop")


class Loop(Page):
    def render(self) -> View:
        return View("loop")

    async def on_load(self, query: dict[str, str]) -> None:
        await self.redirect_to("loop")


@pytest.fixture
async def anna(host, person, tmp_path):
    HEARD.clear()
    app = app_of(tmp_path, kind=Telling, pages=["home", "loop"])
    app.page("home")(Fragile)
    app.page("loop")(Loop)
    anna = person(host(app, handler_within_s=0.2))
    await anna.command("start")
    await anna.tap("more")
    return anna


@pytest.mark.fault("K3")
@pytest.mark.parametrize("button", ["explode", "hang", "unrender", "misset", "circle"])
async def test_a_page_that_breaks_is_undone_and_the_person_told(anna, counter, store, button):
    toast = await anna.tap(button)

    assert toast == UNDONE
    assert anna.sees() == "count 1"
    assert len(HEARD) == 1
    assert counter.placed == 0
    assert await store.read(7, "com.example.shop", "kept") is None
    await anna.tap("more")
    assert anna.sees() == "count 2"


@pytest.mark.fault("K2")
async def test_a_method_that_ignores_the_deadline_cannot_write_after_it(anna, store):
    toast = await anna.tap("sulk")
    await asyncio.sleep(1)

    assert toast == UNDONE
    assert await store.read(7, "com.example.shop", "kept") is None
    await anna.tap("more")
    assert anna.sees() == "count 2"


async def test_the_trace_goes_to_on_error_and_not_to_the_person(anna):
    await anna.tap("explode")

    assert "ValueError: boom" in HEARD[0]
    assert "boom" not in anna.sees()


async def test_an_order_under_a_known_key_with_another_amount_is_the_author_s_error(anna, counter):
    await anna.tap("order")
    counter.orders["order1"] = replace(counter.orders["order1"], amount=Money.cny("2.00"))

    toast = await anna.tap("order")

    assert toast == UNDONE
    assert anna.sees() == "count 2"


class Unshowable(Page):
    def render(self) -> View:
        raise RuntimeError("always")


async def test_a_program_that_cannot_start_leaves_the_list(host, person, tmp_path):
    app = app_of(tmp_path)
    app.page("home")(Unshowable)
    anna = person(host(app))

    await anna.command("start")

    assert anna.sees() == f"Choose a mini program:\n\n{UNDONE}"
    assert anna.labels() == ["com.example.shop"]


async def test_a_page_that_can_no_longer_be_shown_is_no_dead_end(host, person, tmp_path):
    good, bad = app_of(tmp_path / "good"), app_of(tmp_path / "bad")
    good.page("home")(Counting)
    bad.page("home")(type("Home", (Unshowable,), {}))
    anna = person(host(good))
    await anna.command("start")
    await anna.tap("more")
    anna.runtime = host(bad)

    await anna.tap("more")

    assert "Your orders and what you have saved are safe" in anna.sees()
    assert anna.labels() == ["Start again", "Mini programs"]
    anna.runtime = host(good)
    await anna.tap("Start again")
    assert anna.sees() == "count 0"


@pytest.mark.fault("J3")
async def test_a_stale_button_is_answered_within_a_second_and_the_page_redrawn(anna):
    stale = anna.finger("more")
    await anna.command("apps")

    toast = await asyncio.wait_for(anna.send(anna.again(stale)), 1)

    assert toast == STALE
    assert anna.sees() == "Choose a mini program:"


@pytest.mark.fault("J2")
@pytest.mark.parametrize(
    "data", ["", "t", "tzz.abc.def", "nonsense", "t7.x", "h:open:nobody", "h:", "p:zz", "t7.a.b" * 9]
)
async def test_data_nobody_made_is_answered_and_does_nothing(anna, data):
    tap = anna.finger("more")
    forged = type(tap)(anna.again(tap).origin, data)

    await anna.send(forged)

    assert len(anna.surface.answers[forged.origin.callback_id]) == 1


@pytest.mark.fault("J1")
async def test_another_member_of_the_group_cannot_tap_my_buttons(anna, person):
    mine = anna.finger("more")
    boris = person(anna.runtime, user_id=8)

    toast = await boris.send(
        type(mine)(boris.origin(message_id=mine.origin.message_id, callback=True), mine.data)
    )

    assert toast == "This screen is somebody else's. /apps opens your own."
    assert anna.sees() == "count 1"


async def test_every_tap_is_answered_exactly_once(anna):
    for label in ("more", "explode", "hang", "more"):
        await anna.tap(label)

    assert {len(answers) for answers in anna.surface.answers.values()} == {1}


async def test_a_turn_without_a_tap_says_it_in_the_chat(host, person, tmp_path):
    class Home(Page):
        def render(self) -> View:
            return View("say", text_input=TextInput(self.said))

        async def said(self, text: str) -> None:
            raise ValueError(text)

    app = app_of(tmp_path)
    app.page("home")(Home)
    anna = person(host(app))
    await anna.command("start")

    await anna.write("hello")

    assert anna.sees() == f"say\n\n{UNDONE}"


@pytest.mark.fault("G2")
async def test_redis_being_away_is_not_the_page_s_fault(host, person, tmp_path, redis, prefix):
    app = app_of(tmp_path)
    app.page("home")(Counting)
    anna = person(host(app))
    await anna.command("start")
    await redis.set(f"{prefix}:{{u7}}:s:7", "not a session")

    with pytest.raises(StoreAwayError):
        await anna.tap("more")
