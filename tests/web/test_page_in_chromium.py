"""The one-code page in Debian's Chromium, as a phone of every wallet and of nobody's shows it, keeping pictures."""

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from bot.orders.order import OrderState
from bot.runtime.signboard import Signboard
from bot.sandbox.wallet_app import USER_AGENTS
from bot.web import build_web, listen
from providers.sdk.wallets import Wallet
from tests.web.conftest import CODES, ORDER, TOKEN, StillClock, Till

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
SHOTS = Path(__file__).parents[1] / "screenshots"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}
NOBODY = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
LED_AWAY = {
    Wallet.ALIPAY: "https://qr.alipay.com/bax0001",
    Wallet.QUICKPASS: "https://qr.95516.com/00010000/6200001",
    Wallet.BANK: "https://qr.95516.com/00010000/6200001",
}
ALL_CODES = {
    **CODES,
    Wallet.BESTPAY: "https://mapi.bestpay.com.cn/x?c=1",
    Wallet.UNICOMPAY: "https://epay.10010.com/x?c=1",
    Wallet.ECNY: "https://ecny.example/x?c=1",
}
STAYS = sorted({*USER_AGENTS} - {*LED_AWAY})
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])

pytestmark = [
    pytest.mark.slow, pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]  # fmt: skip


class House:
    """The web app in a thread of its own, before a till that a test may turn as it likes."""

    def __init__(self) -> None:
        self.till = Till(codes=ALL_CODES)
        self.base = ""
        self._loop = asyncio.new_event_loop()
        self._ready, self._done = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))

    async def _serve(self) -> None:
        board = Signboard(base_url="https://pay.example.org", name="MOON TEA")
        app = build_web(self.till, StillClock(), checks={}, signboard=board)
        async with listen(app, "127.0.0.1", 0) as listener:
            self.base = f"http://127.0.0.1:{listener.port}"
            self._ready.set()
            await self._done.wait()

    @property
    def link(self) -> str:
        return f"{self.base}/p/{TOKEN}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()
        self._loop.close()


@dataclass
class Watched:
    """A page, and everything it asked for or complained of."""

    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def elsewhere(self, base: str) -> list[str]:
        return [url for url in self.asked if not url.startswith((base, "data:"))]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    with House() as house:
        yield house


@pytest.fixture
def house(served: House) -> House:
    served.till.order, served.till.answer = ORDER, None
    served.till.opened.clear()
    return served


@pytest.fixture
def phone(chromium: Any) -> Iterator[Any]:
    contexts = []

    def take(agent: str = NOBODY, *, scripts: bool = True, locale: str = "en-GB", **more: Any) -> Watched:
        context = chromium.new_context(
            **{**PHONE, "user_agent": agent, "java_script_enabled": scripts, "locale": locale, **more}
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        watched = Watched(context.new_page())
        watched.page.on("request", lambda request: watched.asked.append(request.url))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on(
            "console",
            lambda line: watched.complaints.append(line.text) if line.type in {"error", "warning"} else None,
        )
        return watched

    yield take
    for context in contexts:
        context.close()


def look_over(watched: Watched, base: str, answer: Any) -> None:
    """What must be true of every page of ours."""
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    width = watched.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1] == 390
    for thing in watched.page.locator("button, a").all():
        box = thing.bounding_box()
        assert box["height"] >= 44, thing.inner_text()
        assert box["width"] >= 44, thing.inner_text()
    assert watched.elsewhere(base) == []
    assert watched.complaints == []


@SCRIPTS
def test_an_unknown_visitor_is_offered_every_wallet(house: House, phone: Any, scripts: bool) -> None:
    anna = phone(scripts=scripts)

    answer = anna.page.goto(house.link)

    assert anna.page.get_by_role("button").count() == len(ALL_CODES)
    assert house.till.opened == []
    look_over(anna, house.base, answer)


@SCRIPTS
@pytest.mark.parametrize("wallet", STAYS)
def test_a_wallet_that_scans_its_code_is_shown_it(
    house: House, phone: Any, wallet: Wallet, scripts: bool
) -> None:
    anna = phone(USER_AGENTS[wallet], scripts=scripts)

    answer = anna.page.goto(house.link)

    assert house.till.opened == [("o1", wallet)]
    assert anna.page.locator(".code img").is_visible()
    assert anna.page.get_by_text("Press and hold").is_visible()
    look_over(anna, house.base, answer)


@SCRIPTS
@pytest.mark.parametrize("wallet", LED_AWAY)
def test_a_wallet_that_opens_its_code_is_led_to_its_institution_and_nowhere_else(
    house: House, phone: Any, wallet: Wallet, scripts: bool
) -> None:
    anna = phone(USER_AGENTS[wallet], scripts=scripts)

    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):  # the institution is not here
        anna.page.goto(house.link)

    assert anna.elsewhere(house.base) == [LED_AWAY[wallet]]


@SCRIPTS
def test_a_tap_shows_the_wallet_s_code_and_keeps_the_others_in_reach(
    house: House, phone: Any, scripts: bool
) -> None:
    anna = phone(scripts=scripts)
    anna.page.goto(house.link)

    with anna.page.expect_navigation() as gone:
        anna.page.get_by_role("button", name="Alipay").click()

    assert urlsplit(anna.page.url).query == "wallet=alipay"
    assert anna.page.get_by_role("img", name="Scan with Alipay").is_visible()
    look_over(anna, house.base, gone.value)
    assert anna.page.get_by_role("button").count() == len(ALL_CODES) - 1


@SCRIPTS
def test_who_looks_on_sees_by_itself_that_another_wallet_has_paid(
    house: House, phone: Any, scripts: bool
) -> None:
    anna = phone(scripts=scripts)
    anna.page.goto(house.link)

    house.till.order = replace(ORDER, state=OrderState.PAID)

    anna.page.get_by_text("Paid. You can go back to the chat.").wait_for()
    assert anna.page.get_by_role("button").count() == 0
    assert anna.complaints == []


def test_the_time_runs_down_while_one_looks(house: House, phone: Any) -> None:
    anna = phone()
    anna.page.goto(house.link)
    before = anna.page.locator("#left").inner_text()

    anna.page.wait_for_function(
        "before => document.getElementById('left').textContent !== before", arg=before
    )

    assert before == "15:00"
    assert float(anna.page.locator("#ring").get_attribute("stroke-dashoffset")) > 0


@SCRIPTS
def test_the_other_language_is_one_tap_away_and_stays(house: House, phone: Any, scripts: bool) -> None:
    anna = phone(scripts=scripts)
    anna.page.goto(house.link)

    anna.page.get_by_role("link", name="中文").click()
    anna.page.get_by_role("button", name="支付宝").click()

    assert anna.page.get_by_text("用支付宝扫码付款").is_visible()
    assert anna.page.get_by_role("link", name="English").is_visible()


@SCRIPTS
@pytest.mark.parametrize("name", ["Show the code to scan", "EMVCo code"])
def test_the_one_code_can_be_shown_to_another_phone(
    house: House, phone: Any, scripts: bool, name: str
) -> None:
    anna = phone(scripts=scripts)
    anna.page.goto(house.link)

    with anna.page.expect_navigation() as gone:
        anna.page.get_by_role("link", name=name).click()

    assert anna.page.get_by_role("img", name=name).is_visible()
    look_over(anna, house.base, gone.value)


def test_a_title_of_one_endless_word_stays_inside_the_gate(house: House, phone: Any) -> None:
    house.till.order = replace(ORDER, title="Latte" * 60)
    anna = phone()

    answer = anna.page.goto(house.link)

    assert anna.page.locator(".title").bounding_box()["height"] < 60
    look_over(anna, house.base, answer)


@SCRIPTS
def test_a_link_that_leads_nowhere_shows_nothing_of_anybody(house: House, phone: Any, scripts: bool) -> None:
    anna = phone(scripts=scripts)

    answer = anna.page.goto(house.link[:-1] + "x")

    assert answer.status == 404
    assert anna.page.get_by_text("This link leads to no order.").is_visible()
    anna.complaints.clear()  # Chromium itself reports the 404
    look_over(anna, house.base, answer)


STATES = {
    "open": OrderState.PENDING,
    "paid": OrderState.PAID,
    "expired": OrderState.EXPIRED,
    "checking": OrderState.NEEDS_REVIEW,
}


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-GB"), ("dark", "zh-CN")])
def test_pictures_are_kept_by_day_and_by_night(house: House, phone: Any, scheme: str, locale: str) -> None:
    anna = phone(color_scheme=scheme, locale=locale)

    def keep(name: str) -> None:
        assert anna.page.screenshot(path=SHOTS / f"onecode-{name}-{scheme}.actual.png", full_page=True)

    for name, state in STATES.items():
        house.till.order = replace(ORDER, state=state, title="Latte ×2")
        anna.page.goto(house.link)
        keep(name)
    house.till.order = replace(ORDER, title="Latte ×2")
    anna.page.goto(f"{house.link}?show=link")
    keep("sign")
    anna.page.locator("button.alipay").click()
    anna.page.locator(".code img").wait_for()
    keep("shown")
