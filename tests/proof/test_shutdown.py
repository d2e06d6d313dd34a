"""Told to stop with a hundred payments in flight, a house ends in time; what it had not done, it does afterwards."""

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing

import aiohttp
import pytest

from bot.app import Outside, build_accounts
from bot.catalogue import read_catalogue
from bot.machine import MachineRandom
from bot.orders.book import open_book
from bot.orders.checkout import Checkout, Opened
from bot.orders.order import Draft
from bot.sandbox.shapes import Send
from bot.settings import AccountName, Settings
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.proof.invariants import check
from tests.proof.stores import sqlite_stores
from tests.proof.town import PROGRAMS, USER, found_town, open_town

PEOPLE = 100
ENDS_WITHIN_S = 25.0  # two drains of ten seconds, and what a busy machine adds


async def opened_orders(town, catalogue):
    """A code for everybody, as an earlier house has shown them."""
    settings = Settings.model_validate(town.plan().settings)
    merchants = {
        AccountName(name): catalogue.plugins[name].settings.model_validate(values)
        for name, values in town.sandbox.merchants.items()
    }
    outside = Outside(clock=town.sandbox.clock, random=MachineRandom(), merchants=merchants)
    [program] = [one for one in catalogue.programs if one.name in PROGRAMS]
    book = await open_book(town.url)
    async with aiohttp.ClientSession() as client:
        accounts = build_accounts(settings, catalogue.plugins, outside, client)
        checkout = Checkout(book, accounts, clock=outside.clock, random=outside.random)
        drafts = [draft(program.app.manifest.app_id, USER + n) for n in range(PEOPLE)]
        orders = await checkout.place(drafts)
        answers = [await checkout.open(order.id, Wallet.WECHAT) for order in orders]
    await book.close()
    assert all(isinstance(answer, Opened) for answer in answers), answers
    return answers


def draft(app_id, user_id):
    request = PaymentRequest(amount=Money.cny("1.00"), title="Latte", order_key=f"cart-{user_id}")
    return Draft(
        app_id=app_id,
        page="pages/menu/menu",
        chat_id=user_id,
        user_id=user_id,
        language="en",
        request=request,
    )


async def everybody_at_once(town, answers):
    """They write, their wallets pay, and the house has only just begun to hear of it."""
    codes = [answer.attempt.code for answer in answers]
    bills = [await town.sandbox.wallets.scan(Wallet.WECHAT, code) for code in codes]
    await asyncio.gather(*(town.sandbox.chat.send(USER + n, Send(text="/start")) for n in range(PEOPLE)))
    for bill in bills:
        town.sandbox.wallets.pay(Wallet.WECHAT, bill.key)
    for _ in range(2000):
        await asyncio.sleep(0.005)
        if heard_of(town):
            return
    raise AssertionError("No notification arrived.")


def heard_of(town):
    """How many notifications the house has stored; asked of the file itself, which is quick."""
    with closing(sqlite3.connect(town.url.removeprefix("sqlite:///"))) as book:
        return book.execute("SELECT count(*) FROM inbox").fetchone()[0]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.fault("F13", "B18")
async def test_a_hundred_payments_in_flight_survive_a_polite_end(tmp_path):
    founded, folder, catalogue = tmp_path / "founded", tmp_path / "town", read_catalogue()
    founded.mkdir()
    folder.mkdir()
    await found_town(founded, catalogue)
    stores = await sqlite_stores(tmp_path)
    async with open_town(folder, founded, catalogue, await stores.fresh(folder)) as town:
        answers = await opened_orders(town, catalogue)
        assert await town.set_out()

        await everybody_at_once(town, answers)
        began = time.monotonic()
        status = await town.stop()
        took_s = time.monotonic() - began
        stopped = await town.look()

        assert status == 0, town.words()[-3000:]
        assert took_s < ENDS_WITHIN_S
        assert not all(order.paid for order in stopped.orders), (
            "it had done everything before it was told to stop"
        )
        check(stopped)
        assert await town.set_out()
        world = await town.calm_down()

        check(world.after(stopped))
        assert Counter(order.state for order in world.orders) == {"paid": PEOPLE}
        assert len(world.charges) == PEOPLE
        assert Counter(letter.state for letter in world.outbox if letter.status == "paid") == {"sent": PEOPLE}
        assert all(town.text(USER + n).count("✅ Paid") == 1 for n in range(PEOPLE))
