"""Routes run their hooks in WeChat's order, and are refused in WeChat's words (reference: WeChat, page routing)."""

import pytest

from bot.runtime.session import Frame, Program
from bot.runtime.stack import take
from miniprograms.sdk import NavigationError
from miniprograms.sdk.limits import STACK_MAX
from miniprograms.sdk.route import Api, Move
from tests.fakes.programs import JOURNAL, logging_app

COLD = ["app.on_launch", "app.on_show", "a.on_load", "a.on_show", "a.on_ready"]
# (the taps before, the tap, the hooks of that tap)
ORDERS = [
    ([], "navigate_to b", ["a.on_hide", "b.on_load", "b.on_show", "b.on_ready"]),
    ([], "redirect_to b", ["a.on_unload", "b.on_load", "b.on_show", "b.on_ready"]),
    (["navigate_to b"], "back", ["b.on_unload", "a.on_show"]),
    (["navigate_to b", "navigate_to c"], "far back", ["c.on_unload", "b.on_unload", "a.on_show"]),
    (
        ["navigate_to b"],
        "re_launch c",
        ["b.on_unload", "a.on_unload", "c.on_load", "c.on_show", "c.on_ready"],
    ),
    (["navigate_to b"], "redirect_to c", ["b.on_unload", "c.on_load", "c.on_show", "c.on_ready"]),
    (
        ["re_launch tab1"],
        "switch_tab tab2",
        ["tab1.on_hide", "tab2.on_load", "tab2.on_show", "tab2.on_ready"],
    ),
    (["re_launch tab1", "switch_tab tab2"], "switch_tab tab1", ["tab2.on_hide", "tab1.on_show"]),
    (["re_launch tab1", "navigate_to c"], "switch_tab tab1", ["c.on_unload", "tab1.on_show"]),
    (
        ["re_launch tab1", "navigate_to c"],
        "switch_tab tab2",
        ["c.on_unload", "tab2.on_load", "tab2.on_show", "tab2.on_ready"],
    ),
    (["re_launch tab1"], "switch_tab tab1", []),
    (
        ["re_launch tab1", "switch_tab tab2"],
        "re_launch b",
        ["tab2.on_unload", "tab1.on_unload", "b.on_load", "b.on_show", "b.on_ready"],
    ),
    (
        ["navigate_to b"],
        "switch_tab tab1",
        ["b.on_unload", "a.on_unload", "tab1.on_load", "tab1.on_show", "tab1.on_ready"],
    ),
]


@pytest.fixture
async def anna(host, person, tmp_path):
    anna = person(host(logging_app(tmp_path)))
    await anna.command("start")
    return anna


async def test_a_cold_start_launches_shows_loads_and_is_ready(anna):
    assert COLD == JOURNAL


@pytest.mark.parametrize(("before", "tap", "hooks"), ORDERS, ids=lambda value: str(value)[:40])
async def test_a_route_runs_these_hooks(anna, before, tap, hooks):
    for label in before:
        await anna.tap(label)
    JOURNAL.clear()

    await anna.tap(tap)

    assert hooks == JOURNAL


async def test_a_start_while_in_front_runs_no_hook(anna):
    JOURNAL.clear()

    await anna.command("start")

    assert JOURNAL == []


async def test_the_list_of_programs_hides_and_a_return_shows(anna):
    JOURNAL.clear()

    await anna.command("apps")
    await anna.command("start")

    assert JOURNAL == ["a.on_hide", "app.on_hide", "app.on_show", "a.on_show"]


async def test_a_link_to_a_page_relaunches_there(anna):
    JOURNAL.clear()

    await anna.command("start", "iY29tLmV4YW1wbGUuc2hvcCBiP3g9MQ")  # com.example.shop b?x=1

    assert JOURNAL == ["app.on_show", "a.on_unload", "b.on_load", "b.on_show", "b.on_ready"]


REFUSALS = [
    (Move(api=Api.NAVIGATE_TO, route="tab1"), "navigateTo:fail can not navigateTo a tabbar page"),
    (Move(api=Api.REDIRECT_TO, route="tab1"), "redirectTo:fail can not redirectTo a tabbar page"),
    (Move(api=Api.SWITCH_TAB, route="b"), "switchTab:fail can not switch to no-tabBar page"),
    (Move(api=Api.NAVIGATE_TO, route="x"), 'navigateTo:fail page "x" is not found'),
    (Move(api=Api.RE_LAUNCH, route="x"), 'reLaunch:fail page "x" is not found'),
    (Move(api=Api.NAVIGATE_BACK), "navigateBack:fail cannot navigate back at first page"),
]


@pytest.mark.parametrize(("move", "words"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_refused_route_says_so_in_wechat_s_words_and_changes_nothing(tmp_path, move, words):
    program = Program(code=1, frames=[Frame(1, "a", {}, 1)])

    with pytest.raises(NavigationError) as refusal:
        take(program, logging_app(tmp_path).manifest, move, lambda route, query: Frame(2, route, query, 1))

    assert refusal.value.err_msg == words
    assert [frame.id for frame in program.frames] == [1]


async def test_ten_pages_fit_and_an_eleventh_does_not(anna):
    for _ in range(STACK_MAX - 1):
        await anna.tap("navigate_to b")
    JOURNAL.clear()

    toast = await anna.tap("navigate_to b")

    assert toast == "Something went wrong here. Nothing was changed."
    assert JOURNAL == ["app.on_error"]
    program = Program(code=1, frames=[Frame(number, "a", {}, 1) for number in range(STACK_MAX)])
    with pytest.raises(NavigationError) as refusal:
        take(
            program,
            anna.runtime._player.programs["com.example.shop"].manifest,
            Move(api=Api.NAVIGATE_TO, route="b"),
            lambda route, query: Frame(99, route, query, 1),
        )
    assert refusal.value.err_msg == "navigateTo:fail webview count limit exceed"
    JOURNAL.clear()
    await anna.tap("redirect_to c")
    assert JOURNAL == ["b.on_unload", "c.on_load", "c.on_show", "c.on_ready"]


async def test_a_page_that_is_not_first_has_a_way_back_and_tabs_a_bar(anna):
    await anna.tap("switch_tab tab1")

    assert "• tab1 •" in anna.labels()
    assert "tab2" in anna.labels()
