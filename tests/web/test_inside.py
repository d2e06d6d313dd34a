"""Paying inside WeChat: the institution says who came, and nobody is given what was opened for another."""

import json

import pytest
from pydantic import SecretStr

from bot.runtime.signboard import Signboard
from bot.sandbox.wallet_app import USER_AGENTS
from bot.web import build_web
from bot.web.passes import Passes
from providers.sdk.gateway import Fault
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.shop import Shop

BASE = "https://pay.example.org"
WECHAT = USER_AGENTS[Wallet.WECHAT]


@pytest.fixture
async def shop(tmp_path):
    shop = await Shop.opened(f"sqlite:///{tmp_path}/book.db")
    shop.also(wechatpay)
    yield shop
    await shop.check_books()
    await shop.close()


@pytest.fixture
async def door(shop, serving):
    passes = Passes(SecretStr("a secret of the host, thirty-two characters"), shop.clock, shop.random)
    app = build_web(shop.checkout, shop.clock, checks={}, signboard=Signboard(base_url=BASE), passes=passes)
    async with serving(app) as browser:
        yield browser


class WebView:
    """WeChat's web view of one person: it keeps cookies, and is let through by its institution."""

    def __init__(self, shop, door):
        self.shop, self.door = shop, door
        self.cookies = {}

    async def get(self, address):
        """One step; the cookies that come are kept."""
        path = address.removeprefix(BASE).partition("#")[0]
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.door.get(path, WECHAT, headers={"Cookie": kept} if kept else {})
        for line in answer.headers.getall("Set-Cookie", []):
            assert "HttpOnly" in line
            assert "Secure" in line
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def asks_who_is_there(self, address):
        """Off to the institution; where it sends back to."""
        away = (await self.get(address)).headers["Location"]
        assert not away.startswith(BASE)
        request = HttpRequest("GET", away.partition("#")[0], Headers((("User-Agent", WECHAT),)))
        reply = await self.shop.stalls["wechatpay"].gateway.handle(request)
        return reply.headers.get("Location")

    async def comes_in(self, address):
        """To the page with what the bridge needs."""
        back = await self.get(await self.asks_who_is_there(address))
        assert (back.status, back.headers["Location"]) == (303, address)
        return await self.get(address)


@pytest.fixture
def view(shop, door):
    return lambda: WebView(shop, door)


def link(order):
    return f"{BASE}/p/{order.link_token}"


async def opened(shop, order):
    return [attempt for attempt in (await shop.look(order)).attempts if attempt.called_at]


async def test_the_page_holds_what_the_bridge_needs_and_it_is_paid(shop, view):
    order = await shop.place()

    page = await view().comes_in(link(order))

    [attempt] = await opened(shop, order)
    given = json.loads(page.code.replace("&#34;", '"'))
    assert given == dict(attempt.in_app)
    shop.stalls["wechatpay"].pay(json.dumps(given), Wallet.WECHAT)
    await shop.deliver()
    assert shop.teller.results == ["paid"]


async def test_the_same_web_view_keeps_its_attempt_however_often_it_looks(shop, view):
    order, anna = await shop.place(), view()
    first = await anna.comes_in(link(order))

    again = await anna.get(link(order))

    assert again.code == first.code
    assert len(await opened(shop, order)) == 1


async def test_another_person_is_asked_anew_and_never_shown_the_first_one_s(shop, view):
    order = await shop.place()
    first = await view().comes_in(link(order))

    second = await view().comes_in(link(order))

    assert second.code != first.code
    usable = [one for one in await opened(shop, order) if one.usable(shop.clock.now())]
    assert len(usable) == 1


@pytest.mark.parametrize("spoil", ["cookie", "state", "account", "time"])
async def test_a_return_that_is_not_of_this_web_view_opens_nothing_for_anybody(shop, view, spoil):
    order, anna = await shop.place(), view()
    back = await anna.asks_who_is_there(link(order))
    match spoil:
        case "cookie":
            anna.cookies.clear()
        case "state":
            back = back.replace("state=", "state=x")
        case "account":
            back = back.replace("/main?", "/other?")
        case "time":
            shop.clock.advance(601)

    answer = await anna.get(back)

    assert answer.headers["Location"] == f"{link(order)}?way=code"
    assert await opened(shop, order) == []
    assert (await anna.get(answer.headers["Location"])).code.startswith("weixin://wxpay/")


async def test_a_return_of_another_order_s_page_opens_nothing(shop, view):
    one, two, anna = await shop.place("one"), await shop.place("two"), view()
    back = await anna.asks_who_is_there(link(one))

    await anna.get(back.replace(one.link_token, two.link_token))

    assert await opened(shop, two) == []


async def test_a_return_is_good_once(shop, view):
    order, anna = await shop.place(), view()
    back = await anna.asks_who_is_there(link(order))
    await anna.get(back)
    anna.cookies.pop("attempt")

    assert (await anna.get(back)).headers["Location"].endswith("?way=code")
    assert len(await opened(shop, order)) == 1


async def test_an_openid_is_kept_nowhere(shop, view):
    order = await shop.place()
    page = await view().comes_in(link(order))
    openid = shop.stalls["wechatpay"].gateway._reception.openid

    assert openid not in repr((await shop.look(order)).attempts) + page.text


@pytest.mark.fault("B3")
async def test_an_attempt_whose_answer_was_lost_is_asked_about_and_never_sent_again(shop, view):
    order, anna = await shop.place(), view()
    back = await anna.asks_who_is_there(link(order))
    shop.stalls["wechatpay"].faults.arm(Fault.TIMEOUT_AFTER, spare=1)  # the openid's answer comes

    page = await anna.get(back)
    await shop.pass_time(300)

    assert "do not pay again" in page.text or "请勿重复付款" in page.text
    sent = [one for one in shop.stalls["wechatpay"].transport.requests if one.path.endswith("/jsapi")]
    assert len(sent) == 1
    assert not (await shop.look(order)).paid
