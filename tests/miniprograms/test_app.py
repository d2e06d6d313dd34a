"""Registering pages, typed data, and what is refused before anybody opens the program."""

import pytest

from miniprograms import sdk
from miniprograms.sdk import AuthorError, DataError, Field, Page, PageData, View
from miniprograms.sdk.limits import SET_DATA_BYTES_MAX
from miniprograms.sdk.route import read_url, write_url
from tests.fakes.programs import app_of


class Cup(Page):
    class Data(PageData):
        size: int = Field(0, ge=0)
        names: list[str] = Field(default_factory=list)


def test_the_front_door_is_sorted_and_complete():
    assert sdk.__all__ == sorted(sdk.__all__)
    assert all(hasattr(sdk, name) for name in sdk.__all__)


def test_a_route_the_manifest_does_not_name_is_refused(tmp_path):
    with pytest.raises(AuthorError, match=r"@app\.page\('shop'\): app\.json does not name this route"):
        app_of(tmp_path).page("shop")(Cup)


def test_a_route_is_given_once(tmp_path):
    app = app_of(tmp_path)
    app.page("home")(Cup)

    with pytest.raises(AuthorError, match="Cup already has this route"):
        app.page("home")(Cup)


def test_a_page_without_a_class_is_named(tmp_path):
    with pytest.raises(AuthorError, match=r"app\.json names shop"):
        app_of(tmp_path, pages=["shop"]).check_complete()


def test_data_without_a_default_is_refused(tmp_path):
    class Needy(Page):
        class Data(PageData):
            size: int

    with pytest.raises(AuthorError, match="needs a default"):
        app_of(tmp_path).page("home")(Needy)


def test_a_render_that_waits_is_refused(tmp_path):
    class Slow(Page):
        async def render(self) -> View:
            return View("late")

    with pytest.raises(AuthorError, match="make it a plain def"):
        app_of(tmp_path).page("home")(Slow)


def test_a_page_outside_a_turn_says_so():
    with pytest.raises(AuthorError, match="Cup is not in a turn"):
        _ = Cup(None, {}, Cup.Data()).language


async def test_set_data_checks_types_and_names_the_page():
    page = Cup(None, {}, Cup.Data())

    await page.set_data(size="3")

    assert page.data.size == 3
    with pytest.raises(DataError, match=r"Data\.size: Input should be a valid integer"):
        await page.set_data(size="many")
    with pytest.raises(DataError, match="Data has no field 'shape'; it has: size, names"):
        await page.set_data(shape=1)


async def test_data_changes_through_set_data_alone():
    page = Cup(None, {}, Cup.Data())

    with pytest.raises(ValueError, match="frozen"):
        page.data.size = 3


async def test_more_than_a_megabyte_cannot_be_set_at_a_time():
    page = Cup(None, {}, Cup.Data())

    with pytest.raises(DataError, match=f"{SET_DATA_BYTES_MAX} can be set"):
        await page.set_data(names=["x" * SET_DATA_BYTES_MAX])


def test_a_query_is_text_as_it_is_in_an_address():
    assert read_url("/pages/pay/pay?total=3&x=", {"n": 4, "ok": True}) == (
        "pages/pay/pay",
        {"total": "3", "x": "", "n": "4", "ok": "true"},
    )
    assert read_url(write_url("a/b", {"k": "ä &"})) == ("a/b", {"k": "ä &"})


def test_a_query_beyond_a_link_s_length_is_refused():
    with pytest.raises(AuthorError, match="longer than 1024 characters"):
        read_url("a", {"k": "x" * 1024})
