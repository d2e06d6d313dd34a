"""The web app in front of the real till, a real provider and its simulated institution."""

from urllib.parse import urlsplit

import pytest

from bot.web import build_web
from tests.orders.shop import Shop

ACCOUNT = "main"
QUICKPASS = "Mozilla/5.0 (Linux; Android 14) UnionPay/1.0 CloudPay"


@pytest.fixture
async def shop(tmp_path):
    shop = await Shop.opened(f"sqlite:///{tmp_path}/book.db")
    yield shop
    await shop.check_books()
    await shop.close()


@pytest.fixture
async def door(shop, serving):
    app = build_web(shop.checkout, shop.clock, checks={})
    async with serving(app) as browser:
        yield browser


async def post(door, notification):
    """As the institution does it, to our path."""
    request = notification.request
    headers = dict(request.headers.lines)
    return await door.post(f"/notify/unionpay/{ACCOUNT}", data=request.body, headers=headers)


async def test_a_link_is_scanned_paid_notified_and_shows_paid(shop, door):
    order = await shop.place()
    path = f"/p/{order.link_token}"

    scanned = await door.get(path, QUICKPASS)
    code = scanned.headers["Location"]
    shop.stalls["unionpay"].pay(code, min(shop.stalls["unionpay"].plugin.info.wallets))
    [notification] = shop.post()
    answer = await post(door, notification)
    await shop.worker.drain()

    assert urlsplit(code).hostname == "qr.95516.com"
    assert answer.status == 200
    assert shop.teller.results == ["paid"]
    assert 'data-state="paid"' in (await door.get(path, QUICKPASS)).text


async def test_scanning_twice_shows_the_same_code(shop, door):
    order = await shop.place()

    codes = {(await door.get(f"/p/{order.link_token}", QUICKPASS)).headers["Location"] for _ in range(3)}

    assert len(codes) == 1
    assert len((await shop.look(order)).attempts) == 1


async def test_two_people_with_two_wallets_are_not_both_charged(shop, door):
    order = await shop.place()
    path = f"/p/{order.link_token}"
    first = (await door.get(path, QUICKPASS)).headers["Location"]

    chosen = await door.post(path, data={"wallet": "bank"})
    page = await door.get(path + chosen.headers.get("Location", ""))

    order = await shop.look(order)
    usable = [attempt for attempt in order.attempts if attempt.usable(shop.clock.now())]
    assert len(usable) <= 1
    assert page.status == 200
    assert first


async def test_a_stranger_s_notification_changes_nothing(shop, door):
    order = await shop.place()
    await door.get(f"/p/{order.link_token}", QUICKPASS)

    forged = await door.post(f"/notify/unionpay/{ACCOUNT}", data=b"orderId=1&respCode=00&signature=AAAA")
    nobody = await door.post("/notify/nobody/main", data=b"{}")
    await shop.worker.drain()

    assert forged.status >= 400
    assert nobody.status >= 400
    assert not (await shop.look(order)).paid


@pytest.mark.fault("M12")
async def test_two_orders_are_reached_by_their_own_links_alone(shop, door):
    latte, mocha = await shop.place("one"), await shop.place("two")
    assert latte.link_token != mocha.link_token

    for odd in (
        latte.id,
        latte.link_token.swapcase(),
        latte.link_token[:-1],
        latte.link_token + "A",
        mocha.id,
    ):
        for answer in (await door.get(f"/p/{odd}", QUICKPASS), await door.get(f"/p/{odd}/state")):
            assert answer.status == 404

    assert not (await shop.look(latte)).attempts[0].called_at
    assert (await door.get(f"/p/{latte.link_token}", QUICKPASS)).status == 303
    assert not (await shop.look(mocha)).attempts[0].called_at


async def test_an_expired_link_offers_nothing(shop, door):
    order = await shop.place()
    await shop.pass_time(3600)

    answer = await door.get(f"/p/{order.link_token}", QUICKPASS)

    assert 'data-state="expired"' in answer.text
    assert answer.code is None
