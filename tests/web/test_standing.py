"""The page behind a standing code, in front of the real till."""

import re

import pytest

from bot.orders.order import OrderState
from bot.orders.standing import StandingDraft
from bot.web import build_web
from providers.sdk.money import Money
from tests.orders.shop import PRICE, USER, Shop

QUICKPASS = "Mozilla/5.0 (Linux; Android 14) UnionPay/1.0 CloudPay"
TELEPHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile"
PREVIEW = "TelegramBot (like TwitterBot)"


@pytest.fixture
async def shop(tmp_path):
    shop = await Shop.opened(f"sqlite:///{tmp_path}/book.db")
    yield shop
    await shop.check_books()
    await shop.close()


@pytest.fixture
async def door(shop, serving):
    async with serving(build_web(shop.checkout, shop.clock, checks={})) as browser:
        yield browser


async def code_of(shop, amount=PRICE, **more):
    fields = {
        "app_id": "cashier", "page": "pages/codes/codes", "chat_id": USER, "user_id": USER, "language": "en",
        "code_key": "k", "title": "Noodles <b>", "amount": amount,
    }  # fmt: skip
    return await shop.checkout.stand(StandingDraft(**{**fields, **more}))


async def orders(shop):
    return await shop.checkout.orders_of(USER, 100)


def nonce_in(text):
    return re.search(r'name="nonce" value="([0-9A-Za-z]{22})"', text)[1]


async def send(door, code, agent=TELEPHONE, **form):
    page = await door.get(f"/s/{code.token}", agent)
    return await door.post(f"/s/{code.token}", data={"nonce": nonce_in(page.text), **form})


@pytest.mark.parametrize("agent", [TELEPHONE, PREVIEW])
async def test_reading_the_page_orders_nothing(shop, door, agent):
    page = await door.get(f"/s/{(await code_of(shop)).token}", agent)

    assert page.status == 200
    assert "¥18.00" in page.text
    assert "Noodles &lt;b&gt;" in page.text
    assert await orders(shop) == ()


async def test_a_tap_leads_to_the_one_code_page_of_a_new_order(shop, door):
    answer = await send(door, await code_of(shop))

    [order] = await orders(shop)
    assert answer.status == 303
    assert answer.headers["Location"] == f"../p/{order.link_token}"
    assert (order.amount, order.page, order.state) == (PRICE, "pages/codes/codes", OrderState.PENDING)


async def test_a_form_sent_twice_is_one_order(shop, door):
    code = await code_of(shop)
    page = await door.get(f"/s/{code.token}", TELEPHONE)
    form = {"nonce": nonce_in(page.text)}

    first = await door.post(f"/s/{code.token}", data=form)
    second = await door.post(f"/s/{code.token}", data=form)

    assert first.headers["Location"] == second.headers["Location"]
    assert len(await orders(shop)) == 1


async def test_a_wallet_that_scans_a_code_with_an_amount_goes_straight_on(shop, door):
    answer = await door.get(f"/s/{(await code_of(shop)).token}", QUICKPASS)

    [order] = await orders(shop)
    assert answer.headers["Location"] == f"../p/{order.link_token}"


async def test_without_an_amount_the_payer_enters_it(shop, door):
    code = await code_of(shop, None)
    asked = await door.get(f"/s/{code.token}", QUICKPASS)

    await send(door, code, amount="３．２")

    [order] = await orders(shop)
    assert 'inputmode="decimal"' in asked.text
    assert order.amount == Money.cny("3.20")


@pytest.mark.parametrize("amount", ["", "0", "-1", "1,000", "1.005", "1e9", "99999999", "x" * 200])
async def test_what_is_no_amount_is_asked_for_again(shop, door, amount):
    answer = await send(door, await code_of(shop, None), amount=amount)

    assert answer.status == 422
    assert "Please enter an amount" in answer.text
    assert await orders(shop) == ()


async def test_a_printed_amount_cannot_be_changed_by_the_form(shop, door):
    await send(door, await code_of(shop), amount="0.01")

    [order] = await orders(shop)
    assert order.amount == PRICE


@pytest.mark.parametrize("nonce", ["", "short", "x" * 22 + "y", "x" * 21 + "é"])
async def test_a_form_that_is_not_ours_orders_nothing(shop, door, nonce):
    code = await code_of(shop)

    answer = await door.post(f"/s/{code.token}", data={"nonce": nonce})

    assert answer.status == 200
    assert await orders(shop) == ()


@pytest.mark.parametrize("token", ["x" * 22, "short", "../p", "x" * 5000])
async def test_a_token_that_is_none_leads_nowhere(door, token):
    answer = await door.get(f"/s/{token}", TELEPHONE)

    assert answer.status in {400, 404}


async def test_a_closed_code_leads_nowhere_and_can_be_opened_again(shop, door):
    code = await code_of(shop)

    await shop.checkout.unstand("cashier", USER, "k")
    closed = await door.get(f"/s/{code.token}", TELEPHONE)
    again = await code_of(shop)

    assert closed.status == 404
    assert again.token == code.token
    assert (await door.get(f"/s/{code.token}", TELEPHONE)).status == 200


async def test_the_page_runs_nothing_and_loads_nothing(shop, door):
    page = await door.get(f"/s/{(await code_of(shop)).token}", TELEPHONE)

    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in page.text + policy
    assert str(USER) not in page.text
    assert page.headers["Cache-Control"] == "no-store"


async def test_the_page_speaks_the_visitor_s_language(shop, door):
    code = await code_of(shop, language="zh-hans")

    assert "去付款" in (await door.get(f"/s/{code.token}", TELEPHONE)).text
