"""Raw notifications at rest: unreadable without the host's secret, and gone when their time is over."""

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.orders.checkout import Checkout
from bot.orders.inbox import raw
from bot.orders.schema import inbox
from bot.orders.sealing import Seal, SealError, is_sealed
from bot.orders.worker import Worker
from providers.sdk.testing import FixedRandom
from tests.orders.conftest import BOTH_STORES
from tests.orders.test_notifications import paid_plainly

SECRET = SecretStr("a secret of the host, thirty-two characters")
DAY_S = 86400


def seal(secret=SECRET, seed="seal"):
    return Seal(secret, FixedRandom(seed))


@pytest.fixture
def sealing(shop):
    shop.checkout = Checkout(
        shop.book, shop.accounts(), clock=shop.clock, random=shop.random, watch=shop.watch, seal=seal()
    )
    shop.worker = Worker(shop.checkout, shop.teller)


async def stored(shop):
    [row] = await shop.book.read(lambda one: one.execute(select(inbox)))
    return row


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_what_is_stored_tells_nothing_and_opens_with_the_secret(shop, sealing):
    _, notification = await paid_plainly(shop)

    await shop.receive("plainpay", notification)

    row = await stored(shop)
    assert is_sealed(row.body)
    assert notification.request.body not in row.body
    assert (row.url, row.headers) == ("", [])
    assert await shop.book.read(lambda one: raw(one, row.id, seal(seed="another"))) == notification.request


async def test_a_sealed_notification_pays_and_its_repeat_is_recognised(shop, sealing):
    _, notification = await paid_plainly(shop)

    for _ in range(2):
        await shop.receive("plainpay", notification)
    await shop.worker.drain()

    assert shop.teller.results == ["paid"]
    await stored(shop)


async def test_another_secret_or_a_changed_byte_opens_nothing(shop, sealing):
    _, notification = await paid_plainly(shop)
    closed = seal().close(notification.request)

    with pytest.raises(SealError, match="another HOST_SECRET"):
        seal(SecretStr("some other secret of thirty-two characters")).open(closed)
    with pytest.raises(SealError):
        seal().open(closed[:-1] + bytes([closed[-1] ^ 1]))
    assert seal(seed="one").close(notification.request) != closed


async def test_what_was_stored_before_there_was_a_seal_is_read_as_it_is(shop):
    _, notification = await paid_plainly(shop)

    await shop.receive("plainpay", notification)

    row = await stored(shop)
    assert row.body == notification.request.body
    found = await shop.book.read(lambda one: raw(one, row.id, seal()))
    assert (found.body, found.url) == (notification.request.body, notification.request.url)


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_after_its_time_the_bytes_are_gone_and_the_event_is_still_known(shop, sealing):
    _, notification = await paid_plainly(shop)
    await shop.receive("plainpay", notification)
    await shop.worker.drain()
    key = (await stored(shop)).event_key

    shop.clock.advance(399 * DAY_S)
    await shop.worker.sweep()
    assert (await stored(shop)).body
    shop.clock.advance(2 * DAY_S)
    await shop.worker.sweep()

    row = await stored(shop)
    assert (row.body, row.headers, row.url, row.event_key) == (b"", [], "", key)
    assert await shop.book.read(lambda one: raw(one, row.id, seal())) is None
