"""Notifications that were set aside: listed for a person, and worked off again when they say so."""

import pytest
from sqlalchemy import update

from bot.orders.inbox import retry, set_aside
from bot.orders.schema import InboxState, attempts
from tests.orders.test_notifications import paid_plainly


async def rename(shop, number, new):
    await shop.book.write(
        lambda one: one.execute(update(attempts).where(attempts.c.number == number).values(number=new))
    )


class TestSetAside:
    @pytest.fixture
    async def orphan(self, shop):
        """A verified notification of a number that is not in the book until `bring_back` is called."""
        opened, notification = await paid_plainly(shop)
        number = opened.attempt.number
        await rename(shop, number, "Missing")
        await shop.receive("plainpay", notification)
        await shop.worker.process_inbox()

        async def bring_back():
            await rename(shop, "Missing", number)

        yield bring_back
        await bring_back()

    @pytest.fixture
    async def listed(self, shop):
        return lambda: shop.book.read(lambda one: set_aside(one, 10))

    async def test_an_orphan_is_listed_and_applied_once_its_order_is_back(self, shop, orphan, listed):
        [shelved] = await listed()
        assert (shelved.state, shelved.tries) == (InboxState.ORPHAN, 0)
        assert "not in the book" in shelved.note
        await orphan()

        found = await shop.book.write(lambda one: retry(one, [shelved.id, 999], shop.clock.now()))
        await shop.worker.drain()

        assert found == [shelved.id]
        assert shop.teller.results == ["paid"]
        assert await listed() == []

    async def test_all_are_tried_again_and_an_orphan_stays_one(self, shop, orphan, listed):
        [before] = await listed()

        found = await shop.book.write(lambda one: retry(one, None, shop.clock.now()))
        await shop.worker.process_inbox()

        [after] = await listed()
        assert found == [before.id]
        assert (after.state, shop.teller.results) == (InboxState.ORPHAN, [])
