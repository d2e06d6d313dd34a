"""A full disk, a read-only book, no file left to open: red health, no acknowledgement, nothing lost, and all well again."""

import asyncio
import os
import resource
import shutil
import sqlite3
from contextlib import closing

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from bot.catalogue import read_catalogue
from bot.orders.book import Book
from bot.sandbox.sandbox import RECORDS
from providers.sdk.wallets import Wallet
from tests.orders.shop import Shop
from tests.proof.invariants import check
from tests.proof.life import Coffee, Person
from tests.proof.stores import sqlite_stores
from tests.proof.street import post_on_file
from tests.proof.town import found_town, open_town
from tests.proof.world import read_book

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def town(tmp_path):
    founded, folder, catalogue = tmp_path / "founded", tmp_path / "town", read_catalogue()
    founded.mkdir()
    folder.mkdir()
    await found_town(founded, catalogue)
    url = await (await sqlite_stores(tmp_path)).fresh(folder)
    async with open_town(folder, founded, catalogue, url) as town:
        assert await town.set_out()
        yield town


class Patient(Coffee):
    """Scans, and does not pay yet."""

    bill = ""

    async def pay(self, town, code):
        self.bill = (await town.sandbox.wallets.scan(Wallet.WECHAT, code)).key
        self.paid = True


async def health(town):
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as web,
            web.get(f"http://127.0.0.1:{town.web_port}/readyz") as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None  # it does not even answer


async def wait_until(what, within_s=60):
    for _ in range(within_s * 10):
        if await what():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("Waited in vain.")


async def code_is_shown(town):
    story = Patient()
    person = Person(town, story)

    async def shown():
        await person.step()
        return story.bill

    await wait_until(shown)
    return story.bill


def wal_bytes(town):
    return (town.folder / "book.db-wal").stat().st_size


@pytest.mark.slow
@pytest.mark.fault("F14", "H2", "A26")
async def test_a_full_disk_is_seen_and_survived(town):
    bill = await code_is_shown(town)

    soft, hard = resource.prlimit(town.house.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(town.house.pid, resource.RLIMIT_FSIZE, (wal_bytes(town), hard))
    town.sandbox.wallets.pay(Wallet.WECHAT, bill)

    async def is_red():
        return await health(town) == 503

    await wait_until(is_red)
    assert (await read_book(town.url)).inbox == ()
    assert post_on_file(town.folder / RECORDS), "it was acknowledged, and is stored nowhere"
    resource.prlimit(town.house.pid, resource.RLIMIT_FSIZE, (soft, hard))
    await recovers(town)


@pytest.mark.slow
@pytest.mark.fault("F14")
async def test_a_house_that_can_open_no_file_is_seen_and_survives(town):
    bill = await code_is_shown(town)
    soft, hard = resource.prlimit(town.house.pid, resource.RLIMIT_NOFILE)

    resource.prlimit(town.house.pid, resource.RLIMIT_NOFILE, (3, hard))
    town.sandbox.wallets.pay(Wallet.WECHAT, bill)

    async def is_red():
        return await health(town) != 200

    await wait_until(is_red)
    resource.prlimit(town.house.pid, resource.RLIMIT_NOFILE, (soft, hard))
    await recovers(town)


async def recovers(town):
    async def is_green():
        return await health(town) == 200

    await wait_until(is_green)
    assert town.house.is_alive()
    world = await town.calm_down()
    check(world)
    assert [order.state for order in world.orders] == ["paid"]
    assert "✅ Paid" in town.text()


@pytest.mark.fault("H3")
async def test_a_book_on_a_read_only_disk_acknowledges_nothing(tmp_path):
    path = tmp_path / "book.db"
    shop = await Shop.opened(f"sqlite:///{path}")
    shop.pay(await shop.opened_order(Wallet.BANK))
    [notification] = shop.post("plainpay")
    writable = shop.book

    shop.book = Book(create_async_engine(f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true"))
    shop.open_door()
    reply = await shop.receive("plainpay", notification)
    with pytest.raises(Exception, match="readonly"):
        await shop.book.check()
    await shop.book.close()
    shop.book = writable
    shop.open_door()
    await shop.receive("plainpay", notification)
    await shop.worker.drain()

    assert reply.status == 503
    assert not shop.stalls["plainpay"].gateway.acknowledged(reply)
    assert [order.state for order in await shop.checkout.orders_of(None)] == ["paid"]
    await shop.check_books()
    await shop.close()


@pytest.mark.fault("H4")
@pytest.mark.parametrize("kept", [0, 1, 40, 4152, 0.3, 0.7, 0.95, None])
async def test_a_torn_or_missing_write_ahead_log_opens_at_its_last_commit(tmp_path, kept):
    shop = await Shop.opened(f"sqlite:///{tmp_path}/book.db")
    for n in range(3):
        shop.pay(await shop.open(await shop.place(f"cart-{n}"), Wallet.BANK))
        await shop.deliver()
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "book.db", copy)
    log = (tmp_path / "book.db-wal").read_bytes()
    await shop.close()

    if kept is not None:
        size = int(len(log) * kept) if isinstance(kept, float) else kept
        (tmp_path / "copy.db-wal").write_bytes(log[:size] + os.urandom(min(size, 64)))
    whole = await shop_of(copy)

    check(whole)
    with closing(sqlite3.connect(copy)) as book:
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def shop_of(path):
    shop = await Shop.opened(f"sqlite:///{path}")
    shop.hearsay = True
    world = await shop.world()
    await shop.close()
    return world
