"""A real redis-server killed, emptied, filled up, demoted and promoted while people pay. No money hangs on it."""

import pytest
from structlog.testing import capture_logs

from providers.sdk.wallets import Wallet
from tests.proof.guest import until
from tests.proof.house import becomes
from tests.proof.proxy import Line
from tests.proof.servers import RedisServer

RECEIPT = "✅"
PATIENCE = "kept and happens by itself"


@pytest.fixture
async def host(world, redis_server):
    async with world.host(redis_url=redis_server.url) as host:
        yield host


async def charged(world):
    return [move.minor for move in world.sandbox.purses.history(Wallet.WECHAT) if move.minor < 0]


async def with_a_latte(world):
    guest = world.guest()
    await guest.send("/start")
    await guest.tap("Coffee")
    await guest.tap("Latte")
    await guest.see_button("Checkout ¥18.00")
    return guest


@pytest.mark.fault("G3", "G13")
async def test_killed_in_mid_purchase_and_started_again_it_has_the_form_and_the_purchase_ends_right(
    world, host, redis_server
):
    guest = await with_a_latte(world)
    redis_server.kill()
    await redis_server.start()
    await guest.tap("Checkout")
    await guest.tap("Pay")
    code = await guest.shown_code()
    redis_server.kill()

    await guest.pay("wechat", code)
    [order] = await host.checkout.orders_of(None)
    await becomes(host, order.id, "paid")
    await guest.see(RECEIPT)
    await redis_server.start()

    await guest.see("Your coffee is on its way")
    assert await guest.count(RECEIPT) == 1
    assert await charged(world) == [-1800]


@pytest.mark.fault("G3", "G8", "G11")
@pytest.mark.parametrize("how", ["restarted empty", "flushed"])
async def test_a_redis_that_lost_everything_costs_the_form_and_nothing_else(world, host, redis_server, how):
    guest = await with_a_latte(world)
    await guest.tap("Checkout")
    await guest.tap("Pay")
    code = await guest.shown_code()
    if how == "flushed":
        async with redis_server.client() as client:
            await client.flushall()
    else:
        redis_server.kill()
        for file in (redis_server.folder / "appendonlydir").iterdir():
            file.unlink()
        await redis_server.start()

    await guest.pay("wechat", code)

    await guest.see(RECEIPT)
    await guest.send("/orders")
    await guest.see("Your orders")
    await guest.send("/start " + await _link(host))
    await guest.see_button("Checkout ¥18.00")  # the deep link brings a latte of its own
    [order] = await host.checkout.orders_of(None)
    assert order.state == "paid"
    assert await charged(world) == [-1800]


async def _link(host):
    from bot.runtime.links import Links

    links = Links(None, lambda start: start)
    return await links.make("com.moongate.coffee", "pages/menu/menu", {"sku": "latte"})


@pytest.mark.fault("G4")
async def test_while_it_loads_people_wait_and_then_have_their_form(world, host, redis_server):
    guest = await with_a_latte(world)
    async with redis_server.client() as client:
        await client.mset({f"filler{number}": "x" for number in range(300)})
        await client.bgrewriteaof()
        await until("the file to be rewritten", _rewritten(client))
    redis_server.kill()
    redis_server.options = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    await redis_server.start(wait=False)

    await guest.tap("Latte")

    await guest.see_button("Checkout ¥36.00")


@pytest.mark.fault("G5", "G6")
async def test_a_full_redis_takes_no_form_while_money_is_taken_and_the_operator_is_told(world, redis_server):
    with capture_logs() as logs:
        async with world.host(redis_url=redis_server.url) as host, redis_server.client() as client:
            guest = world.guest()
            code = await guest.order_coffee()
            await client.config_set("maxmemory", 1)
            await client.config_set("maxmemory-policy", "allkeys-lru")
            await client.config_set("maxmemory-policy", "noeviction")
            await guest.pay("wechat", code)
            await guest.see(RECEIPT)
            await guest.send("/start")
            await guest.see(PATIENCE)
            world.sandbox.clock.advance(20)
            await until("the alert", _said(logs, "nearly full"))
            await client.config_set("maxmemory-policy", "allkeys-lru")
            await client.config_set("maxmemory", 0)
            world.sandbox.clock.advance(20)
            await until("the alert", _said(logs, "may throw sessions away"))

            await guest.see("Choose a mini program:")
            [order] = await host.checkout.orders_of(None)

    assert order.state == "paid"


@pytest.mark.fault("G7", "G8")
async def test_a_failover_to_a_replica_that_missed_the_last_writes_loses_no_order_and_makes_no_second(
    world, redis_server, tmp_path
):
    replica = RedisServer(tmp_path / "replica", "--replicaof", f"127.0.0.1 {redis_server.port}")
    await replica.start()
    async with (
        Line(("127.0.0.1", redis_server.port)) as line,
        replica.client() as second,
        redis_server.client() as first,
        world.host(redis_url=f"redis://127.0.0.1:{line.port}/0") as host,
    ):
        guest = await with_a_latte(world)
        await guest.tap("Checkout")
        await guest.see_button("Pay")
        await until("the replica to have it", _keys(second, 1))
        await second.replicaof("NO", "ONE")
        await guest.tap("Pay")  # the promoted one has not heard of it
        code = await guest.shown_code()
        line.far_end = ("127.0.0.1", replica.port)
        await first.replicaof("127.0.0.1", str(replica.port))  # connections that stand meet READONLY

        await guest.tap("Pay")
        await guest.pay("wechat", code)
        await guest.see(RECEIPT)

        [order] = await host.checkout.orders_of(None)
        assert order.state == "paid"
        assert await charged(world) == [-1800]
    replica.kill()


def _said(logs, words):
    async def look():
        return any(words in entry["event"] for entry in logs)

    return look


def _rewritten(client):
    async def look():
        return not (await client.info("persistence"))["aof_rewrite_in_progress"]

    return look


def _keys(client, most):
    async def look():
        return await client.dbsize() >= most

    return look
