"""Dead after any commit, call or message, a purchase ends right. `make chaos` does the same to whole processes."""

import contextlib

import pytest

from tests.orders.conftest import BOTH_STORES
from tests.orders.crash import Fuse, Killed, check, purchase, recover, wire
from tests.orders.shop import ListTeller, Shop

ENOUGH = 400


def blow():
    raise Killed


@pytest.mark.fault("F1", "F2", "F3", "F4", "F5", "F6", "F9", "F10")
async def test_a_purchase_that_dies_at_any_step_ends_right(tmp_path, fresh_file):
    for points in range(0, ENOUGH, 3):
        path = tmp_path / f"book{points}.db"
        path.write_bytes(fresh_file.read_bytes())
        if not await dies_and_ends_right(f"sqlite:///{path}", points):
            break
    else:
        pytest.fail("The purchase never came to its end.")


@pytest.mark.parametrize("empty_url", BOTH_STORES[1:], indirect=True)
@pytest.mark.parametrize("points", [3, 8, 14, 21, 29, 38])
async def test_likewise_on_postgresql(store_url, points):
    assert await dies_and_ends_right(store_url, points)


async def dies_and_ends_right(url, points):
    """False when it had ended before the fuse did."""
    shop = await Shop.opened(url)
    fuse = Fuse(points, blow)
    send = shop.stalls["plainpay"].transport.send
    told = shop.teller.told
    wire(shop, fuse)
    with contextlib.suppress(Killed):
        await purchase(shop)
    shop.stalls["plainpay"].transport.send = send
    shop.teller = ListTeller()
    await shop.restart()
    await recover(shop)
    await check(shop)
    told = [(key, result.status) for key, result in (*told, *shop.teller.told) if result.paid]
    assert len(set(told)) == 1, told
    await shop.close()
    return fuse.lit
