"""The seat: one owner at a time, two round trips a turn, nothing written by who has lost it."""

import asyncio

import pytest

from bot.runtime import SessionStore
from bot.runtime import store as store_module
from bot.runtime.errors import BusyError
from bot.runtime.events import Seat
from bot.runtime.store import Saved, Write
from tests.fakes.machine import FakeRandom
from tests.fakes.programs import Counting, app_of

SEAT = Seat(5, 7)


async def test_who_comes_second_waits_and_then_sees_what_was_saved(store):
    first = await store.take(SEAT)
    second = asyncio.create_task(store.take(SEAT))
    await asyncio.sleep(0.05)
    assert not second.done()

    assert await store.save(first, b"one", last=3, writes=[]) is Saved.DONE

    taken = await second
    assert (taken.body, taken.seq, taken.last) == (b"one", 1, 3)


@pytest.mark.fault("C10")
async def test_who_has_lost_the_seat_writes_nothing(redis, prefix):
    slow = SessionStore(redis, FakeRandom("slow"), prefix=prefix, lock_lives_s=0.02)
    late = await slow.take(SEAT)
    await asyncio.sleep(0.05)
    other = SessionStore(redis, FakeRandom("other"), prefix=prefix)
    held = await other.take(SEAT)

    saved = await slow.save(late, b"late", last=0, writes=[Write("put", "shop", "k", b"1")])

    assert saved is Saved.SEAT_LOST
    assert await other.save(held, b"held", last=0, writes=[]) is Saved.DONE
    assert await other.read(7, "shop", "k") is None


@pytest.mark.fault("G8")
async def test_a_session_that_changed_meanwhile_is_not_overwritten(store, redis, prefix):
    taken = await store.take(SEAT)
    await redis.hset(f"{prefix}:{{u7}}:s:5", "seq", 9)

    assert await store.save(taken, b"mine", last=0, writes=[]) is Saved.CHANGED
    assert (await store.take(SEAT)).body is None


async def test_a_seat_that_stays_locked_is_given_up_in_the_end(store, monkeypatch):
    monkeypatch.setattr(store_module, "_WAIT_S_MAX", 0.05)
    await store.take(SEAT)

    with pytest.raises(BusyError):
        await store.take(SEAT)


async def test_the_seat_of_a_process_that_died_comes_free(redis, prefix):
    dead = SessionStore(redis, FakeRandom("dead"), prefix=prefix, lock_lives_s=0.05)
    await dead.take(SEAT)

    taken = await SessionStore(redis, FakeRandom("alive"), prefix=prefix).take(SEAT)

    assert taken.seq == 0


@pytest.mark.fault("G13")
async def test_a_server_that_forgot_the_scripts_is_told_them_again(store, redis):
    await store.release(await store.take(SEAT))
    await redis.script_flush()

    taken = await store.take(SEAT)

    assert await store.save(taken, b"x", last=0, writes=[]) is Saved.DONE


async def test_a_tap_costs_two_round_trips(host, person, tmp_path, redis, monkeypatch):
    app = app_of(tmp_path)
    app.page("home")(Counting)
    anna = person(host(app))
    await anna.command("start")
    calls = []
    execute = redis.execute_command
    monkeypatch.setattr(
        redis, "execute_command", lambda *args, **more: calls.append(args[0]) or execute(*args, **more)
    )

    await anna.tap("more")

    assert calls == ["EVALSHA", "EVALSHA"]


async def test_all_keys_of_a_turn_share_a_slot_of_a_cluster(store, redis, prefix):
    taken = await store.take(SEAT, mark="o1")
    writes = [Write("put", "shop", "k", b"1"), Write("mark", "o1", value=b"60")]
    await store.save(taken, b"x", last=0, writes=writes)

    keys = [key.decode() async for key in redis.scan_iter(f"{prefix}:*")]

    assert len(keys) == 3
    assert all(":{u7}:" in key for key in keys)


@pytest.mark.fault("G11")
async def test_nothing_is_written_outside_the_prefix_and_a_strangers_keys_are_left_alone(
    store, redis, prefix
):
    strangers = {f"{prefix}", f"not{prefix}:{{u7}}:s", "{u7}:s"}
    for key in strangers:
        await redis.set(key, "theirs")
    before = {key async for key in redis.scan_iter("*")}

    taken = await store.take(SEAT, mark="o1")
    await store.save(
        taken, b"x", last=0, writes=[Write("put", "a:b}{c", "k", b"1"), Write("clear", "a:b}{c")]
    )

    new = {key async for key in redis.scan_iter("*")} - before
    assert all(key.startswith(f"{prefix}:".encode()) for key in new)
    assert {await redis.get(key) for key in strangers} == {b"theirs"}


async def test_a_mark_is_seen_by_the_next_one(store):
    await store.save(await store.take(SEAT, "o1"), b"x", last=0, writes=[Write("mark", "o1", value=b"60")])

    assert (await store.take(SEAT, "o1")).marked
