"""The page itself: what is served, and a payment clicked through it."""

import re

import pytest

from tests.sandbox.toy import ToyBot

ARGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("path", ["/", "/sandbox.css", "/sandbox.js", "/sandbox.svg"])
async def test_the_page_is_served_with_a_policy_that_lets_no_third_party_in(person, path):
    async with person.http.get(person.sandbox.url + path) as reply:
        text = await reply.text()

    assert reply.status == 200
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"https?://[\w.]+", text.replace("http://www.w3.org/2000/svg", "")) == []


async def test_english_and_chinese_have_the_same_words(person):
    async with person.http.get(person.sandbox.url + "/sandbox.js") as reply:
        script = await reply.text()
    async with person.http.get(person.sandbox.url + "/") as reply:
        page = await reply.text()

    english, chinese = (
        set(re.findall(r"(\w+): \"", re.search(rf"\n  {tongue}: {{(.*?)\n  }}", script, re.DOTALL)[1]))
        for tongue in ("en", "zh")
    )
    assert english == chinese
    assert set(re.findall(r"data-t(?:-label|-placeholder)?=\"(\w+)\"", page)) <= english
    assert set(re.findall(r"\bt\(\"(\w+)\"\)", script)) <= english


async def test_a_code_is_drawn_for_the_payer_code(person):
    async with person.http.get(person.sandbox.url + "/sandbox/qr?text=130000000000000000") as reply:
        assert reply.content_type == "image/png"
        assert (await reply.read()).startswith(b"\x89PNG")
    assert (await person.ask("GET", "/sandbox/qr"))[0] == 400


@pytest.fixture(name="browser")
async def _browser():
    playwright = pytest.importorskip("playwright.async_api")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield browser
        await browser.close()


@pytest.fixture(name="open_page")
async def _open_page(browser, person, shop):
    """Opens pages, and fails when one of them complains on its console."""
    complaints = []

    async def open_page(**how):
        page = await browser.new_page(locale="en-GB", reduced_motion="reduce", **how)
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(person.sandbox.url)
        return page

    async def sell():
        return await person.order(shop)

    async with ToyBot(person.sandbox, sell).running() as bot:
        open_page.bot = bot
        yield open_page
    assert complaints == []


async def pay(page):
    await page.get_by_role("button", name="Walk in").click()
    await page.get_by_role("button", name="Latte").click()
    await page.get_by_role("button", name="Scan this code").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cloud QuickPass").click()
    await page.get_by_role("button", name="Confirm payment").click()
    await page.get_by_text("Paid", exact=True).wait_for()


@pytest.mark.browser
@pytest.mark.parametrize("how", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desk", "phone"])
async def test_a_person_pays_by_clicking_the_code_and_sees_the_receipt_without_reloading(
    open_page, person, shop, how
):
    page = await open_page(**how)

    await pay(page)

    await shop.hears(1)
    await open_page.bot.receipt("Paid ¥18.00. Thank you!")
    await page.get_by_text("Thank you!").wait_for()
    await page.get_by_role("dialog").wait_for(state="hidden")
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    if how is PHONE:
        await page.get_by_role("button", name="Wallets").click()
    assert "¥982.00" in await page.locator("#wallets").inner_text()

    await person.post("/sandbox/reset")
    await page.get_by_text("¥982.00").wait_for(state="hidden")
    assert await page.locator("#messages li").count() == 0


@pytest.mark.browser
async def test_everything_can_be_done_from_the_keyboard(open_page, shop):
    page = await open_page()
    await page.get_by_role("button", name="Walk in").wait_for()

    await page.locator("#words").focus()
    await page.keyboard.type("/start")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Latte").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Scan this code").focus()
    await page.keyboard.press("Enter")
    await page.locator("#sheet button.pick", has_text="Bank app").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Confirm payment").wait_for()
    await page.keyboard.press("Enter")

    assert await shop.hears(1) == [("A1", "genuine")]


@pytest.mark.browser
async def test_the_page_speaks_chinese_and_so_does_the_person(open_page, person):
    page = await open_page()
    await page.get_by_role("button", name="切换到中文").click()

    await page.get_by_role("button", name="走进去").click()
    await page.get_by_role("button", name="Latte").wait_for()

    assert await page.get_by_role("heading", name="银行 App").count() == 1
    assert person.sandbox.chat.people.get(1001).language == "zh-hans"


@pytest.mark.browser
async def test_an_open_page_finds_the_sandbox_again_after_a_restart(browser, open_sandbox):
    page = await browser.new_page(locale="en-GB")
    async with open_sandbox() as person:
        url = person.sandbox.url
        await page.goto(url)
        await page.get_by_role("button", name="Walk in").wait_for()
    await page.get_by_text("The sandbox is away").wait_for()

    async with open_sandbox(port=int(url.rsplit(":", 1)[1])) as person:
        await person.post("/sandbox/users/1001/send", text="Back again")

        await page.get_by_text("Back again").wait_for()
        await page.get_by_text("The sandbox is away").wait_for(state="hidden")
    await page.close()
