"""Questions are asked now and answered later, by another tap, in another process; and links lead back in."""

import pytest

from bot.runtime.picture import qr_png
from miniprograms.sdk import App, Button, Options, Page, PageData, View
from tests.fakes.programs import app_of
from tests.fakes.surface import text_of

SHOWN: list[Options] = []


class Asking(App):
    async def on_show(self, options: Options) -> None:
        SHOWN.append(options)


class Home(Page):
    class Data(PageData):
        said: str = "-"

    def render(self) -> View:
        ways = ("modal", "alert", "sheet", "scan", "link", "long_link", "toast", "who", "other")
        return View(self.data.said, [Button(way, getattr(self, way)) for way in ways])

    async def on_load(self, query: dict[str, str]) -> None:
        await self.set_data(said=str(query or "-")[:40])

    async def modal(self) -> None:
        await self.show_modal("Sure?", "It is gone then.", confirm="Yes", cancel="No", then=self.answered)

    async def alert(self) -> None:
        await self.show_modal("Done", cancel=None)

    async def sheet(self) -> None:
        await self.show_action_sheet(["small", "large"], then=self.chosen)

    async def scan(self) -> None:
        await self.scan_code(then=self.scanned)

    async def answered(self, confirm: bool) -> None:
        await self.set_data(said=f"confirm {confirm}")

    async def chosen(self, tap_index: int | None) -> None:
        await self.set_data(said=f"chose {tap_index}")

    async def scanned(self, result: str | None) -> None:
        await self.set_data(said=f"scanned {result}")

    async def link(self) -> None:
        await self.set_data(said=await self.short_link("home", sku=1))

    async def long_link(self) -> None:
        await self.set_data(said=await self.short_link("home", note="好" * 20))

    async def toast(self) -> None:
        await self.show_toast("hello")

    async def who(self) -> None:
        await self.set_data(said=self.open_id)

    async def other(self) -> None:
        await self.navigate_to_mini_program("com.example.other", "home", extra_data={"a": 1}, x=2)


@pytest.fixture
def programs(tmp_path):
    SHOWN.clear()
    one = app_of(tmp_path / "1", kind=Asking, navigateToMiniProgramAppIdList=["com.example.other"])
    two = app_of(tmp_path / "2", kind=Asking, app_id="com.example.other")
    for app in (one, two):
        app.page("home")(type("Start", (Home,), {}))
    return one, two


@pytest.fixture
async def anna(host, person, programs):
    anna = person(host(*programs))
    await anna.command("start")
    return anna


async def test_a_dialog_lies_over_the_page_until_it_is_answered(anna):
    await anna.tap("modal")
    assert anna.sees() == "Sure?\n\nIt is gone then."
    assert anna.labels() == ["No", "Yes"]

    await anna.tap("Yes")

    assert anna.sees() == "confirm True"


async def test_a_dialog_is_answered_in_another_process(anna, host, programs):
    await anna.tap("modal")
    anna.runtime = host(*programs)

    await anna.tap("No")

    assert anna.sees() == "confirm False"


async def test_the_page_under_a_dialog_cannot_be_tapped(anna):
    under = anna.finger("toast")
    await anna.tap("modal")

    toast = await anna.send(anna.again(under))

    assert toast.startswith("That button is out of date")
    assert anna.labels() == ["No", "Yes"]


async def test_a_dialog_is_answered_once(anna):
    await anna.tap("modal")
    yes = anna.finger("Yes")
    await anna.send(yes)
    await anna.tap("modal")

    assert (await anna.send(anna.again(yes))).startswith("That button is out of date")


async def test_an_alert_has_one_button_and_calls_nobody(anna):
    await anna.tap("alert")
    assert anna.labels() == ["OK"]

    await anna.tap("OK")

    assert anna.sees() == "-"


async def test_a_sheet_tells_the_index_and_none_when_it_is_left(anna):
    await anna.tap("sheet")
    await anna.tap("large")
    assert anna.sees() == "chose 1"

    await anna.tap("sheet")
    await anna.tap("Cancel")

    assert anna.sees() == "chose None"


async def test_a_picture_of_a_code_answers_a_scan(anna, surface):
    surface.pictures["photo"] = qr_png("a code")
    await anna.tap("scan")

    await anna.photo("photo")

    assert anna.sees() == "scanned a code"


async def test_a_picture_without_a_code_is_said_so(anna, surface):
    surface.pictures["photo"] = b"no picture"

    await anna.photo("photo")

    assert anna.sees() == "-\n\nNo code was found in this picture."


async def test_a_picture_that_cannot_be_fetched_may_be_sent_again(anna):
    await anna.command("start")

    await anna.photo("gone")

    assert "Please send it again." in anna.sees()


async def test_a_small_query_stands_in_the_link_itself(anna, host, programs):
    await anna.tap("link")
    address = anna.sees()
    start = address.removeprefix("https://t.me/moongate_bot?start=")
    assert start.startswith("i")
    assert len(start) <= 64

    await anna.command("start", start)

    assert anna.sees() == "{'sku': '1'}"
    assert (SHOWN[-1].scene, SHOWN[-1].path) == (1194, "home")


@pytest.mark.fault("J6")
async def test_a_long_query_stands_in_the_table(anna):
    await anna.tap("long_link")
    start = anna.sees().removeprefix("https://t.me/moongate_bot?start=")
    assert start.startswith("s")
    assert len(start) <= 64

    await anna.command("start", start)

    assert anna.sees().startswith("{'note': '好")


async def test_a_code_of_our_own_link_opens_the_page(anna, surface):
    await anna.tap("link")
    surface.pictures["photo"] = qr_png(anna.sees())

    await anna.photo("photo")

    assert anna.sees() == "{'sku': '1'}"
    assert SHOWN[-1].scene == 1047


@pytest.mark.fault("J6")
@pytest.mark.parametrize("start", ["snobody", "i!!", "iAAAA", "x", "i" * 64, "iY29tLmdvbmUgaG9tZQ"])
async def test_a_link_that_leads_nowhere_says_so_and_opens_home(anna, start):
    await anna.command("start", start)

    assert anna.sees() == "-\n\nThis link is out of date."


async def test_a_toast_is_a_notice_over_the_chat(anna):
    assert await anna.tap("toast") == "hello"


async def test_each_program_knows_a_person_by_another_name(anna):
    await anna.tap("who")
    first = anna.sees()
    await anna.command("apps")
    await anna.tap("com.example.other")
    await anna.tap("who")

    assert first != anna.sees()
    assert len(first) == 28
    assert first != "7"


async def test_one_program_opens_another_that_its_manifest_names(anna):
    await anna.tap("other")

    assert anna.sees() == "{'x': '2'}"
    assert (SHOWN[-1].scene, SHOWN[-1].referrer, SHOWN[-1].extra_data) == (1037, "com.example.shop", {"a": 1})
    assert await anna.tap("other") == "Something went wrong here. Nothing was changed."


async def test_words_nobody_asked_for_get_a_hint(anna):
    await anna.write("hello?")

    assert anna.sees() == "-\n\nPlease use the buttons."


async def test_a_group_s_own_talk_is_let_pass(anna, person, surface):
    carl = person(anna.runtime, user_id=7, chat_id=-5)
    await carl.command("start")
    before = list(surface.calls)

    await carl.write("shall we have lunch?")
    await carl.photo("holiday")

    assert surface.calls == before


async def test_help_and_unknown_commands_say_what_there_is(anna):
    for command in ("help", "wobble"):
        await anna.command(command)

        assert "/orders" in anna.sees()


async def test_the_house_speaks_the_person_s_language(anna, person):
    bo = person(anna.runtime, user_id=9, chat_id=9, language="zh-hans")

    await bo.command("apps")

    assert bo.sees() == "请选择小程序："


async def test_one_live_screen_stands_in_the_chat(anna, surface):
    await anna.write("one")
    await anna.write("two")
    await anna.command("start")

    assert [text_of(screen) for screen in surface.messages[7].values()] == ["-"]
