"""The page behind the one code, by hand, in a whole house: an unknown phone looks on while a wallet pays."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.walk.house import House, Person, open_house
from tests.walk.test_browser import ARGS, CHROMIUM, PHONE

pytestmark = [
    pytest.mark.slow, pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]  # fmt: skip


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.mark.parametrize(("scripts", "user_id"), [(True, 7301), (False, 7302)], ids=["scripts", "no-scripts"])
def test_the_first_wallet_wins_and_who_chose_another_sees_that_it_is_paid(
    house: House, chromium: Any, scripts: bool, user_id: int
) -> None:
    anna = Person(house.url, user_id)
    code = anna.order_coffee()
    page = chromium.new_page(java_script_enabled=scripts, locale="en-GB", **PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(code)
    page.get_by_role("button", name="WeChat Pay").click()
    page.get_by_role("img", name="Scan with WeChat Pay").wait_for()

    assert anna.pay("alipay", anna.scan("alipay", code)["bill"]) == "paid"

    page.get_by_text("Paid. You can go back to the chat.").wait_for()
    assert page.get_by_role("img").count() == 0
    assert page.get_by_role("button").count() == 0
    assert "Alipay" in anna.see("✅")["text"]
    assert [url for url in asked if not url.startswith((house.web_url, "data:"))] == []
    assert anna.refused("POST", "/sandbox/wallets/wechat/scan", code=code)[0] == 422
    page.close()
    anna.close()
