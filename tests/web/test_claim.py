"""The claim page over HTTP: whoever holds the link, in a wallet's own web view, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from bot.orders.order import Payout, PayoutState
from bot.sandbox.wallet_app import USER_AGENTS
from bot.web.claim import Claims
from bot.web.listen import listen
from bot.web.passes import LIVES_S, Passes
from providers.alipay import plugin as alipay
from providers.sdk.testing import FixedRandom
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.payouts import offered
from tests.orders.shop import Shop

WEB = "https://pay.example"
PHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36"
WECHAT, ALIPAY = USER_AGENTS[Wallet.WECHAT], USER_AGENTS[Wallet.ALIPAY]
CONFIRM = '<meta name="payout-confirm" content='
SEE_OTHER = 303


@dataclass
class Visitor:
    """A browser that follows nothing by itself and keeps its cookies."""

    base: URL
    session: aiohttp.ClientSession
    cookies: dict[str, str] = field(default_factory=dict)

    async def go(self, path: str, agent: str, method: str = "GET") -> tuple[int, str, str]:
        """Status, where it leads, and the text."""
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"User-Agent": agent, "Accept-Language": "en", **({"Cookie": kept} if kept else {})}
        url = URL(str(self.base) + path.removeprefix(WEB), encoded=True)
        async with self.session.request(method, url, headers=headers, allow_redirects=False) as answer:
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            self.last = answer.headers
            return answer.status, answer.headers.get("Location", ""), await answer.text()


@pytest.fixture(name="shop")
async def _shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = await Shop.opened(f"sqlite:///{tmp_path}/book.db")
    shop.also(alipay)
    shop.also(wechatpay)
    yield shop
    await shop.close()


@asynccontextmanager
async def open_page(shop: Shop) -> AsyncIterator[Visitor]:
    passes = Passes(SecretStr("s" * 40), shop.clock, FixedRandom("visits"))
    app = web.Application()
    app.add_routes(Claims(shop.checkout, shop.clock, passes, WEB).routes())
    async with listen(app, "127.0.0.1", 0) as listener, aiohttp.ClientSession() as session:
        yield Visitor(URL(f"http://127.0.0.1:{listener.port}"), session)


@pytest.fixture(name="offer")
async def _offer(shop: Shop) -> Payout:
    return (await offered(shop))[1]


@pytest.fixture(name="visitor")
async def _visitor(shop: Shop) -> AsyncIterator[Visitor]:
    async with open_page(shop) as visitor:
        yield visitor


async def consent(shop: Shop, where: str, agent: str) -> str:
    """The institution's page in that wallet: where it sends the visitor back to."""
    stall = shop.stalls["alipay" if "AlipayClient" in agent else "wechatpay"]
    target = urlsplit(where)._replace(scheme="", netloc="", fragment="").geturl()
    reply = await stall.gateway.handle(HttpRequest("GET", target, Headers.of({"User-Agent": agent})))
    return reply.headers.get("Location") or ""


async def claim(shop: Shop, visitor: Visitor, payout: Payout, agent: str = ALIPAY) -> tuple[int, str, str]:
    _, where, _ = await visitor.go(f"/c/{payout.claim_token}", agent, "POST")
    return await visitor.go(await consent(shop, where, agent), agent)


async def state(shop: Shop, payout: Payout) -> PayoutState:
    order = await shop.checkout.find(payout.order_id)
    assert order is not None
    return order.payouts[-1].state


@pytest.mark.parametrize(
    ("agent", "state_after"), [(ALIPAY, PayoutState.DONE), (WECHAT, PayoutState.AWAITS_PAYEE)]
)
async def test_a_wallet_claims_through_its_own_institution(shop, visitor, offer, agent, state_after):
    status, where, _ = await claim(shop, visitor, offer, agent)

    assert (status, where) == (SEE_OTHER, f"{WEB}/c/{offer.claim_token}")
    assert await state(shop, offer) is state_after
    page = (await visitor.go(f"/c/{offer.claim_token}", agent))[2]
    assert (CONFIRM in page) == (agent == WECHAT)


async def test_reading_claims_nothing(shop, visitor, offer):
    for agent in (PHONE, ALIPAY, WECHAT):
        status, _, text = await visitor.go(f"/c/{offer.claim_token}", agent)
        assert status == 200
        assert "¥18.00" in text
        assert "for you" in text

    assert await state(shop, offer) is PayoutState.OFFERED


async def test_a_browser_that_is_no_wallet_is_shown_a_code_and_the_wallets(visitor, offer):
    _, _, text = await visitor.go(f"/c/{offer.claim_token}", PHONE)

    assert "data:image/png" in text
    assert "WeChat" in text
    assert "Alipay" in text
    assert "<form" not in text


async def test_a_wallet_without_payouts_gets_no_button_and_leaves_for_nowhere(shop, visitor, offer):
    agent = USER_AGENTS[Wallet.ECNY]

    _, _, text = await visitor.go(f"/c/{offer.claim_token}", agent)
    status, where, _ = await visitor.go(f"/c/{offer.claim_token}", agent, "POST")

    assert "<form" not in text
    assert (status, where) == (SEE_OTHER, f"{WEB}/c/{offer.claim_token}")


async def test_what_wechat_needs_is_shown_in_wechat_alone(shop, visitor, offer):
    await claim(shop, visitor, offer, WECHAT)

    for agent in (PHONE, ALIPAY):
        assert CONFIRM not in (await visitor.go(f"/c/{offer.claim_token}", agent))[2]


async def test_a_return_without_the_cookie_of_its_visit_claims_nothing(shop, visitor, offer):
    _, where, _ = await visitor.go(f"/c/{offer.claim_token}", ALIPAY, "POST")
    back = await consent(shop, where, ALIPAY)
    visitor.cookies.clear()

    _, where, _ = await visitor.go(back, ALIPAY)

    assert where.endswith("?why=visit")
    assert await state(shop, offer) is PayoutState.OFFERED


async def test_a_state_holds_for_its_own_claim_and_account_and_for_a_while(shop, visitor, offer):
    passes = Passes(SecretStr("s" * 40), shop.clock, FixedRandom("more"))
    state, nonce = passes.begin("tokenA", "alipay/main")

    assert passes.holds(state, nonce, "tokenA", "alipay/main")
    for wrong in (
        (state, nonce, "tokenB", "alipay/main"),
        (state, nonce, "tokenA", "wechatpay/main"),
        (state, "another", "tokenA", "alipay/main"),
        (state[:-1] + "x", nonce, "tokenA", "alipay/main"),
        ("", "", "tokenA", "alipay/main"),
    ):
        assert not passes.holds(*wrong)
    assert not Passes(SecretStr("t" * 40), shop.clock, FixedRandom("x")).holds(
        state, nonce, "tokenA", "alipay/main"
    )
    shop.clock.advance(LIVES_S + 1)
    assert not passes.holds(state, nonce, "tokenA", "alipay/main")


async def test_the_institutions_code_is_worth_one_claim(shop, visitor, offer):
    _, where, _ = await visitor.go(f"/c/{offer.claim_token}", ALIPAY, "POST")
    back = await consent(shop, where, ALIPAY)
    await visitor.go(back, ALIPAY)

    status, where, _ = await visitor.go(back, ALIPAY)

    assert (status, where.partition("?")[2]) == (SEE_OTHER, "why=visitor")
    order = await shop.checkout.find(offer.order_id)
    assert len(order.payouts) == 1


async def test_the_second_wallet_is_told_that_it_is_gone(shop, visitor, offer):
    await claim(shop, visitor, offer, ALIPAY)

    _, where, _ = await visitor.go(f"/c/{offer.claim_token}", WECHAT, "POST")
    _, _, text = await visitor.go(f"/c/{offer.claim_token}", WECHAT)

    assert where == f"{WEB}/c/{offer.claim_token}"
    assert "Received" in text
    assert "<form" not in text


@pytest.mark.parametrize("path", ["/c/" + "x" * 22, "/c/short", "/c/" + "x" * 22 + "/state"])
async def test_a_link_to_nothing_is_the_same_for_every_reason(visitor, offer, path):
    status, _, text = await visitor.go(path, PHONE)

    assert status == 404
    assert "¥" not in text


async def test_nothing_of_the_page_is_kept_framed_or_fetched_from_elsewhere(visitor, offer):
    await visitor.go(f"/c/{offer.claim_token}", PHONE)

    assert visitor.last["Cache-Control"] == "no-store"
    assert "default-src 'none'" in visitor.last["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in visitor.last["Content-Security-Policy"]


async def test_the_cookie_is_no_script_s_and_no_other_claim_s(visitor, offer):
    await visitor.go(f"/c/{offer.claim_token}", ALIPAY, "POST")

    cookie = visitor.last["Set-Cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=Lax", f"Path=/c/{offer.claim_token}"):
        assert part in cookie


async def test_the_state_goes_out_in_letters_and_digits_that_every_institution_takes(visitor, offer):
    _, where, _ = await visitor.go(f"/c/{offer.claim_token}", ALIPAY, "POST")

    state = dict(parse_qsl(urlsplit(where).query))["state"]
    assert state.isalnum()
    assert len(state) <= 100


async def test_the_state_of_the_offer_can_be_asked(shop, visitor, offer):
    before = await visitor.go(f"/c/{offer.claim_token}/state", PHONE)
    await claim(shop, visitor, offer)
    after = await visitor.go(f"/c/{offer.claim_token}/state", PHONE)

    assert (before[2], after[2]) == ('{"state": "open"}', '{"state": "received"}')
