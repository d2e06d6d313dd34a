"""A view that no message can show is refused with the page's name, before anything is sent."""

import io

import pytest
from PIL import Image

from bot.runtime.drawing import read_token
from bot.runtime.scanner import read_code
from miniprograms.sdk import (
    Bold,
    Button,
    CopyButton,
    LinkButton,
    Page,
    PageData,
    Picture,
    QrCode,
    TextInput,
    View,
)
from tests.fakes.programs import app_of


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return out.getvalue()


PNG = png(8, 8)


class Canvas(Page):
    view: View

    class Data(PageData):
        said: str = ""

    def render(self) -> View:
        return self.make(self)

    async def go(self, **args: object) -> None:
        await self.set_data(said=repr(args))


@pytest.fixture
def drawn(host, person, tmp_path, logged):
    async def draw(make):
        app = app_of(tmp_path)
        app.page("home")(type("Home", (Canvas,), {"make": staticmethod(make)}))
        anna = person(host(app))
        await anna.command("start")
        return anna

    return draw


@pytest.mark.fault("K4")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda page: View("x" * 4097), "a text of 4097 characters; 4096 can be shown"),
        (lambda page: View("😀" * 2049), "a text of 4098 characters"),
        (lambda page: View("x" * 1025, picture=Picture(PNG)), "1024 can be shown"),
        (lambda page: View("hi", picture=Picture(b"png")), "picture: it is neither PNG nor JPEG"),
        (lambda page: View("hi", picture=Picture(b"")), "picture: 0 bytes"),
        (lambda page: View("hi", picture=Picture(PNG + bytes(2**21))), "1 to 2097152 can be shown"),
        (lambda page: View("hi", picture=Picture(png(5000, 1))), "5000 by 1 pixels"),
        (lambda page: View("hi", picture=Picture(png(210, 10))), "20 times the other"),
        (lambda page: View("hi", picture=QrCode("x" * 2049)), "picture: A code of 2049 bytes"),
        (lambda page: View(" "), "an empty text"),
        (lambda page: View("x", [[Button("b", page.go)] * 9]), "9 buttons in a row; 8 fit"),
        (lambda page: View("x", [[Button("b", page.go)] * 8] * 13), "more than 100 buttons"),
        (lambda page: View("x", [Button(" ", page.go)]), "a button without a label"),
        (lambda page: View("x", [Button("b", page.go, what=object())]), "Not a JSON value"),
        (
            lambda page: View("x", [Button("b", lambda: None)]),
            "a handler must be a public method of this page",
        ),
        (lambda page: View("x", [Button("b", page._at_host)]), "a handler must be a public method"),
        (lambda page: View("x", [LinkButton("b", "javascript:alert(1)")]), "a link starts with https://"),
        (lambda page: View("x", [CopyButton("b", "x" * 257)]), "1 to 256 characters can be copied"),
        (lambda page: "text", "render() returned str, not a View"),
    ],
)
async def test_a_view_beyond_the_limits_names_page_and_limit(drawn, logged, make, words):
    anna = await drawn(make)

    assert anna.sees().startswith("Choose a mini program:")
    error = next(str(entry["exc_info"]) for entry in logged if entry["event"] == "turn_undone")
    assert error.startswith("home")
    assert words in error


async def test_the_largest_view_is_drawn(drawn):
    anna = await drawn(lambda page: View("x" * 4096, [[Button(str(n), page.go, n=n) for n in range(5)]] * 20))

    assert len(anna.labels()) == 100


async def test_any_json_argument_comes_back_as_it_was(drawn):
    arguments = {"deep": [1, {"a": None}], "text": "好" * 200}
    anna = await drawn(lambda page: View(page.data.said or "-", [Button("go", page.go, **arguments)]))

    await anna.tap("go")

    assert anna.sees() == repr(arguments)


async def test_every_token_fits_its_64_bytes_and_says_nothing(drawn, person, tmp_path):
    anna = await drawn(lambda page: View("x", [Button("go", page.go, secret="latte")]))
    anna.user_id = 2**52 - 1
    await anna.command("start")

    data = anna.finger("go").data

    assert len(data.encode()) <= 64
    assert "latte" not in data
    assert read_token(data).owner == 2**52 - 1


async def test_what_is_not_a_button_of_ours_is_drawn_as_it_is(drawn):
    anna = await drawn(
        lambda page: View(
            [Bold("Hi"), " there"],
            [LinkButton("site", "https://example.com"), CopyButton("copy", "42")],
            picture=Picture(PNG),
            text_input=TextInput(page.go, "your name"),
        )
    )

    screen = anna.screen()

    assert (screen.picture, screen.input_hint) == (PNG, "your name")
    assert screen.rows[0][0].url == "https://example.com"
    assert screen.rows[1][0].copy == "42"


async def test_a_code_picture_is_drawn_by_the_host(drawn):
    anna = await drawn(lambda page: View("scan me", picture=QrCode("https://example.com/s/1")))

    assert read_code(anna.screen().picture) == "https://example.com/s/1"


async def test_a_line_of_text_goes_to_the_page_that_asks_for_one(drawn):
    anna = await drawn(lambda page: View(page.data.said or "-", text_input=TextInput(page.go)))

    await anna.write("hello")

    assert anna.sees() == "{'text': 'hello'}"


async def test_a_page_that_does_not_change_is_not_drawn_again(drawn, surface):
    anna = await drawn(lambda page: View("same", [Button("go", page.go), Button("twin", page.go)]))
    await anna.tap("go")
    before = list(surface.calls)

    await anna.tap("go")

    assert surface.calls == before
