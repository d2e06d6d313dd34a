"""A session meets another version of its program: nobody is locked out, storage and orders stay."""

import pytest

from miniprograms.sdk import Button, Money, Page, PageData, PaymentStatus, View
from tests.fakes.programs import JOURNAL, app_of, logging_app


async def test_a_page_that_was_renamed_lands_on_on_page_not_found(host, person, tmp_path, counter, store):
    class Shop(Page):
        def render(self) -> View:
            return View("shop", [Button("pay", self.pay)])

        async def pay(self) -> None:
            await self.set_storage("cart", ["latte"])
            await self.request_payment(Money.cny("1.00"), "Latte", order_key="one")

    old = app_of(tmp_path / "old", pages=["shop"])
    old.page("shop")(Shop)
    anna = person(host(old))
    await anna.command("start")
    await anna.tap("pay")
    stale = anna.finger("pay")
    anna.runtime = host(logging_app(tmp_path / "new", version={"name": "2", "code": 2}))

    toast = await anna.send(anna.again(stale))

    assert toast == "That button is out of date. This is the page as it is now."
    assert JOURNAL == ["app.on_page_not_found shop", "a.on_load", "a.on_show", "a.on_ready"]
    assert anna.sees() == "page a"
    assert await store.read(7, "com.example.shop", "cart") == b'["latte"]'
    await anna.settle(counter, "order1", PaymentStatus.PAID)
    assert JOURNAL[-1] == "app.on_payment paid"


async def test_start_works_after_every_page_was_renamed(host, person, tmp_path):
    anna = person(host(logging_app(tmp_path / "old", pages=["tab1", "tab2", "x"])))
    await anna.command("start")
    await anna.tap("switch_tab tab2")
    anna.runtime = host(logging_app(tmp_path / "new", pages=["tab1", "y", "tab2"]))

    await anna.command("start")

    assert anna.sees() == "page tab2"


async def test_data_is_migrated_once_by_the_version_s_code(host, person, tmp_path):
    seen = []

    class Old(Page):
        class Data(PageData):
            cups: int = 3

        def render(self) -> View:
            return View(f"{self.data.cups}", [Button("more", self.more)])

        async def more(self) -> None:
            await self.set_data(cups=self.data.cups + 1)

    class New(Page):
        class Data(PageData):
            mugs: int = 0

            @classmethod
            def migrate(cls, code, old):
                seen.append(code)
                return {"mugs": old["cups"] * 10}

        def render(self) -> View:
            return View(f"{self.data.mugs} mugs", [Button("more", self.more)])

        async def more(self) -> None:
            await self.set_data(mugs=self.data.mugs + 1)

    first, second = app_of(tmp_path / "1"), app_of(tmp_path / "2", version={"name": "2", "code": 2})
    first.page("home")(Old)
    second.page("home")(New)
    anna = person(host(first))
    await anna.command("start")
    await anna.tap("more")
    anna.runtime = host(second)

    await anna.tap("more")
    await anna.tap("more")

    assert anna.sees() == "42 mugs"
    assert seen == [1]


async def test_a_method_a_deploy_took_away_is_told_and_undone(host, person, tmp_path):
    class Old(Page):
        def render(self) -> View:
            return View("old", [Button("go", self.go)])

        async def go(self) -> None:
            pass

    class New(Page):
        def render(self) -> View:
            return View("new")

    first, second = app_of(tmp_path / "1"), app_of(tmp_path / "2")
    first.page("home")(Old)
    second.page("home")(New)
    anna = person(host(first))
    await anna.command("start")
    anna.runtime = host(second)

    toast = await anna.tap("go")

    assert toast == "Something went wrong here. Nothing was changed."
    assert anna.sees() == "new"


@pytest.mark.fault("K16")
async def test_a_program_that_was_removed_leaves_the_list(host, person, tmp_path):
    anna = person(host(logging_app(tmp_path)))
    await anna.command("start")
    tap = anna.finger("navigate_to b")
    anna.runtime = host()

    await anna.send(tap)

    assert anna.sees() == "No mini program is installed."


async def test_a_session_of_an_unknown_make_starts_afresh(host, person, tmp_path, redis, prefix):
    anna = person(host(logging_app(tmp_path)))
    await anna.command("start")
    await redis.hset(f"{prefix}:{{u7}}:s:7", "body", b'{"v": 99}')

    await anna.command("start")

    assert anna.sees() == "page a"
