"""The page behind the one code, by hand, in a whole house: an unknown phone looks on while a wallet pays."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.wallet_app import USER_AGENTS
from providers.sdk.wallets import Wallet
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


BRIDGE = """
window.asked = [];
window.WeixinJSBridge = { invoke: (name, given, answer) => { window.asked.push([name, JSON.stringify(given)]); } };
"""


def test_inside_wechat_the_payer_is_asked_by_wechat_s_own_bridge(house: House, chromium: Any) -> None:
    anna = Person(house.url, 7303)
    code = anna.order_coffee()
    context = chromium.new_context(user_agent=USER_AGENTS[Wallet.WECHAT], locale="en-GB", **PHONE)
    context.add_init_script(BRIDGE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)

    page.goto(code)

    assert page.url.partition("#")[0] == code
    page.wait_for_function("window.asked.length === 1")
    [[name, given]] = page.evaluate("window.asked")
    assert name == "getBrandWCPayRequest"
    page.get_by_role("button", name="Pay with WeChat Pay").click()
    assert page.evaluate("window.asked.length") == 2
    page.reload()
    page.wait_for_function("window.asked.length === 1")
    assert page.evaluate("window.asked")[0][1] == given  # the same web view, the same attempt
    assert anna.pay("wechat", anna.scan("wechat", given)["bill"]) == "paid"
    page.get_by_text("Paid. You can go back to the chat.").wait_for()
    assert complaints == []
    [attempts] = [order["attempts"] for order in anna.orders() if order["user_id"] == anna.user_id]
    assert [(one["way"], one["state"]) for one in attempts] == [("in_app", "paid")]
    context.close()
    anna.close()


def test_inside_wechat_without_a_bridge_there_is_a_code_to_scan(house: House, chromium: Any) -> None:
    anna = Person(house.url, 7304)
    code = anna.order_coffee()
    context = chromium.new_context(
        user_agent=USER_AGENTS[Wallet.WECHAT], java_script_enabled=False, locale="en-GB", **PHONE
    )
    page = context.new_page()
    page.goto(code)

    page.get_by_role("link", name="Show a code instead").click()

    page.get_by_role("img", name="Scan with WeChat Pay").wait_for()
    context.close()
    anna.close()
