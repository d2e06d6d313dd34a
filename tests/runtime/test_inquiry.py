"""Codes that somebody sends while nobody has asked for one."""

import itertools

import pytest

from bot.runtime.picture import qr_png
from miniprograms.sdk import App, Button, Money, Page, PageData, TextInput, View
from tests.fakes.programs import app_of

ALIPAY = "https://qr.alipay.com/bax03431ljhokirwl38f00a7"
PAYER_CODE = "134567890123456789"


class Home(Page):
    class Data(PageData):
        said: str = "-"
        listens: bool = False

    def render(self) -> View:
        return View(
            self.data.said,
            [Button("pay", self.pay), Button("listen", self.listen), Button("ask", self.ask)],
            text_input=TextInput(self.heard, placeholder="Say it") if self.data.listens else None,
        )

    async def pay(self) -> None:
        await self.request_payment(Money.cny("18.00"), "Latte", order_key="k1")

    async def listen(self) -> None:
        await self.set_data(listens=True)

    async def heard(self, text: str) -> None:
        await self.set_data(said=f"heard {text}")

    async def ask(self) -> None:
        await self.scan_code(then=self.scanned)

    async def scanned(self, result: str | None) -> None:
        await self.set_data(said=f"scanned {result}")


@pytest.fixture
def program(tmp_path) -> App:
    app = app_of(tmp_path)
    app.page("home")(type("Start", (Home,), {}))
    return app


@pytest.fixture
async def anna(host, person, program):
    anna = person(host(program))
    await anna.command("start")
    return anna


@pytest.fixture
def show(surface):
    """Somebody sends a photo of that code."""
    numbers = itertools.count(1)

    async def send(person, text: str) -> None:
        name = f"photo{next(numbers)}"
        surface.pictures[name] = qr_png(text)
        await person.photo(name)

    return send


async def test_a_photo_and_the_text_of_a_code_are_answered_alike_and_the_page_comes_back(anna, show):
    await show(anna, ALIPAY)
    by_photo = anna.sees()
    await anna.tap("‹ Back")
    assert anna.sees() == "-"

    await anna.write(ALIPAY)

    assert anna.sees() == by_photo
    assert by_photo.startswith("🔎 Alipay")


async def test_a_page_that_waits_for_words_gets_them_also_when_they_are_a_code(anna):
    await anna.tap("listen")

    await anna.write(ALIPAY)

    assert anna.sees() == f"heard {ALIPAY}"


async def test_a_page_that_waits_for_a_code_gets_it(anna, show):
    await anna.tap("ask")

    await show(anna, PAYER_CODE)

    assert anna.sees() == f"scanned {PAYER_CODE}"


@pytest.mark.fault("M7")
async def test_a_payer_code_is_warned_of_and_is_in_no_message_no_session_and_no_log(
    anna, surface, logged, redis, prefix
):
    await anna.write("1345 6789 0123 4567 89")

    assert "Do not send it to anybody" in anna.sees()
    kept = [await redis.dump(key) or b"" for key in await redis.keys(f"*{prefix}*")]
    assert kept
    everything = f"{surface.messages} {logged} {kept}".replace(" ", "")
    assert "6789012345" not in everything


async def test_one_s_own_order_comes_down_as_it_stands(anna, counter, surface, show):
    await anna.tap("pay")
    order = counter.orders["order1"]

    await show(anna, f"https://pay.example.com/p/{order.link_token}")

    assert "Latte" in anna.sees()
    assert order.id in anna.sees()
    before = len(surface.messages[7])
    await anna.write(f"https://pay.example.com/p/{order.link_token}")
    assert len(surface.messages[7]) == before  # the newer one takes the place of the older


async def test_somebody_else_s_order_is_led_to_its_page_and_names_nobody(anna, person, counter, show):
    await anna.tap("pay")
    order = counter.orders["order1"]
    bo = person(anna.runtime, user_id=8, chat_id=8)

    await show(bo, f"https://pay.example.com/p/{order.link_token}")

    assert "Latte" in bo.sees()
    assert "¥18.00" in bo.sees()
    assert order.id not in bo.sees()
    [[opens], _] = bo.screen().rows
    assert opens.url == f"https://pay.example.com/p/{order.link_token}"


async def test_a_link_of_ours_that_leads_to_no_order_is_no_payment_code(anna):
    await anna.write("https://pay.example.com/p/tokenTOKENtoken9999999")

    assert "This is no payment code" in anna.sees()


@pytest.mark.parametrize("path", ["/s/tokenTOKENtoken0000001", "/c/tokenTOKENtoken0000001"])
async def test_another_link_of_the_house_is_led_to_its_page(anna, path):
    await anna.write(f"https://pay.example.com{path}")

    assert anna.sees().startswith("A link of this house.")
    assert anna.screen().rows[0][0].url == f"https://pay.example.com{path}"


@pytest.mark.parametrize(
    "odd",
    ["https://pay.example.com/s/short", "https://pay.example.com.evil.example/s/tokenTOKENtoken0000001"],
)
async def test_what_only_begins_like_the_house_is_no_link_of_it(anna, odd):
    await anna.write(odd)

    assert "This is no payment code" in anna.sees()


async def test_a_deep_link_that_is_written_opens_the_page(anna):
    await anna.command("apps")

    await anna.write("https://t.me/moongate_bot?start=iY29tLmV4YW1wbGUuc2hvcCBob21l")

    assert anna.sees() == "-"


async def test_a_trap_is_refused_and_not_repeated(anna):
    await anna.write("https://qr.аlipay.com/bax03431")

    assert "only look like" in anna.sees()
    assert "lipay.com" not in anna.sees()


async def test_with_no_page_in_front_the_way_on_is_the_list(anna):
    await anna.command("apps")

    await anna.write(ALIPAY)

    assert anna.labels() == ["Mini programs"]


async def test_in_a_group_people_may_show_each_other_codes(anna, person, surface, show):
    carl = person(anna.runtime, user_id=7, chat_id=-5)
    await carl.command("start")
    before = list(surface.calls)

    await carl.write(ALIPAY)
    await show(carl, ALIPAY)

    assert surface.calls == before
