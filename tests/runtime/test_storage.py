"""What a program keeps of a person: through restarts, apart from other programs, within WeChat's limits."""

import pytest

from bot.runtime.events import Seat
from bot.runtime.locker import Locker
from miniprograms.sdk import StorageError
from miniprograms.sdk.limits import STORAGE_BYTES_MAX, STORAGE_KEY_BYTES_MAX


@pytest.fixture
def locker(store):
    return lambda app_id="shop", user_id=7: Locker(store, user_id, app_id, [])


async def commit(store, locker):
    taken = await store.take(Seat(locker.user_id, locker.user_id))
    assert await store.save(taken, b"{}", last=0, writes=locker.writes) == 1


async def test_a_value_is_read_back_in_the_same_turn_and_in_the_next(store, locker):
    first = locker()
    await first.write("cart", {"latte": 2})
    assert await first.read("cart") == {"latte": 2}
    await commit(store, first)

    assert await locker().read("cart") == {"latte": 2}


async def test_nothing_is_kept_of_a_turn_that_is_not_saved(locker):
    await locker().write("cart", 1)

    assert await locker().read("cart") is None


@pytest.mark.fault("K6")
async def test_programs_and_people_do_not_see_each_other(store, locker):
    mine = locker()
    await mine.write("cart", 1)
    await commit(store, mine)

    assert await locker("other").read("cart") is None
    assert await locker(user_id=8).read("cart") is None


@pytest.mark.fault("G12", "K5")
async def test_a_megabyte_fits_under_a_key_and_a_byte_more_does_not(locker):
    here = locker()
    await here.write("k", "x" * (STORAGE_KEY_BYTES_MAX - 3))

    with pytest.raises(StorageError) as refusal:
        await here.write("k", "x" * (STORAGE_KEY_BYTES_MAX - 2))

    assert refusal.value.err_msg.startswith("setStorage:fail")
    assert (await here.info()).current_bytes == STORAGE_KEY_BYTES_MAX


@pytest.mark.fault("K5")
async def test_ten_megabytes_fit_over_turns_and_more_does_not(store, locker):
    for number in range(10):
        here = locker()
        await here.write(str(number), "x" * (STORAGE_KEY_BYTES_MAX - 3))
        await commit(store, here)
    full = locker()
    assert (await full.info()).current_bytes == STORAGE_BYTES_MAX

    with pytest.raises(StorageError) as refusal:
        await full.write("more", 1)

    assert "exceed" in refusal.value.err_msg
    await full.remove("3")
    await full.write("more", 1)
    await commit(store, full)
    info = await locker().info()
    assert info.keys == ("0", "1", "2", "4", "5", "6", "7", "8", "9", "more")
    assert info.current_bytes == 9 * STORAGE_KEY_BYTES_MAX + len("more1")


async def test_a_value_that_is_replaced_counts_once(store, locker):
    for value in ("aaaa", "bb", "cccccc"):
        here = locker()
        await here.write("k", value)
        await here.write("k", value)
        await commit(store, here)

    assert (await locker().info()).current_bytes == len('k"cccccc"')


async def test_clear_forgets_everything_but_what_comes_after(store, locker):
    here = locker()
    await here.write("a", 1)
    await here.write("b", 1)
    await commit(store, here)
    again = locker()

    await again.clear()
    await again.write("c", 1)
    await commit(store, again)

    assert (await locker().info()).keys == ("c",)
    assert (await locker().info()).current_bytes == 2
