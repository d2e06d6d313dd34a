"""The same purchase by hand: Debian's Chromium on the sandbox page, wide and on a phone, keeping pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.walk.house import House, open_house

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
SHOTS = Path(__file__).parents[1] / "screenshots"
WIDE = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}

pytestmark = [
    pytest.mark.slow, pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]  # fmt: skip


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.mark.parametrize(
    ("wallet", "screen", "locale"), [("WeChat Pay", WIDE, "en-GB"), ("Cloud QuickPass", PHONE, "en-GB")]
)
def test_a_coffee_is_bought_by_hand(
    house: House, wallet: str, screen: dict[str, object], locale: str
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        page = browser.new_page(locale=locale, reduced_motion="reduce", **screen)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{house.url}/?user={screen['viewport']['width']}")  # type: ignore[index]  # ours

        page.get_by_role("button", name="Walk in").click()
        for label in ("Coffee", "Latte", "Checkout", "Pay"):
            page.get_by_role("log").get_by_role("button", name=re.compile(label)).last.click()
        page.get_by_role("log").get_by_role(
            "button", name=re.compile("code|scan", re.IGNORECASE)
        ).last.click()
        page.get_by_role("dialog").get_by_role("button", name=re.compile(wallet)).click()
        page.get_by_role("dialog").get_by_role("button", name="Confirm payment").wait_for()
        page.screenshot(path=SHOTS / f"bill-{screen['viewport']['width']}.actual.png")  # type: ignore[index]  # ours
        page.get_by_role("dialog").get_by_role("button", name="Confirm payment").click()

        page.get_by_role("log").get_by_text("✅").first.wait_for()
        page.get_by_role("dialog").wait_for(state="hidden")
        page.screenshot(path=SHOTS / f"receipt-{screen['viewport']['width']}.actual.png")  # type: ignore[index]  # ours
        assert page.get_by_role("log").get_by_text("✅").count() == 1
        assert complaints == []
        browser.close()
