"""Fifty taps are fifty, wherever they are handled; one tap is one, however often it comes."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.fakes.programs import Counting, app_of

ROOT = Path(__file__).resolve().parents[2]


async def counter_app(tmp_path):
    app = app_of(tmp_path)
    app.page("home")(type("Home", (Counting,), {}))
    return app


async def test_fifty_simultaneous_taps_of_one_person_count_fifty(host, person, tmp_path):
    anna = person(host(await counter_app(tmp_path)))
    await anna.command("start")
    first = anna.finger("more")

    await asyncio.gather(*(anna.runtime.handle(anna.again(first)) for _ in range(50)))

    assert anna.sees() == "count 50"


@pytest.mark.fault("C2", "C9")
async def test_fifty_taps_over_two_hosts_on_one_redis_count_fifty(host, person, tmp_path):
    app = await counter_app(tmp_path)
    anna, same = person(host(app)), person(host(app))
    await anna.command("start")
    first = anna.finger("more")

    await asyncio.gather(
        *((anna, same)[number % 2].runtime.handle(anna.again(first)) for number in range(50))
    )

    await same.command("start")
    assert same.sees() == "count 50"


async def test_taps_that_wait_are_drawn_together(host, person, surface, tmp_path):
    anna = person(host(await counter_app(tmp_path)))
    await anna.command("start")
    surface.draw_takes_s = 0.02
    first = anna.finger("more")

    await asyncio.gather(*(anna.runtime.handle(anna.again(first)) for _ in range(50)))

    assert anna.sees() == "count 50"
    assert len(surface.calls) < 10


@pytest.mark.fault("C9", "I4")
async def test_an_update_that_comes_twice_counts_once(host, person, tmp_path):
    app = await counter_app(tmp_path)
    anna, other = person(host(app)), host(app)
    await anna.command("start")
    tap = anna.finger("more")

    await anna.send(tap)
    await anna.send(tap)
    await other.handle(tap)

    assert anna.sees() == "count 1"
    assert len(anna.surface.answers[tap.origin.callback_id]) == 3


@pytest.mark.slow
async def test_fifty_taps_over_two_processes_count_fifty(host, person, tmp_path, redis_socket, prefix):
    anna = person(host(await counter_app(tmp_path / "here")))
    await anna.command("start")
    data = anna.finger("more").data

    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.runtime.tapper"),
            *(str(redis_socket), prefix, str(tmp_path / str(first)), data, str(first), "25"),
            cwd=ROOT,
        )
        for first in (1_000_000, 2_000_000)
    ]

    assert [await process.wait() for process in processes] == [0, 0]
    await anna.command("start")
    assert anna.sees() == "count 50"


async def test_a_late_draw_of_another_process_is_drawn_over(host, person, surface, tmp_path):
    app = await counter_app(tmp_path)
    anna, other = person(host(app)), person(host(app))
    other.runtime._studio.second_look_s = 0.05
    await anna.command("start")
    live, _ = surface.newest(7)
    await anna.tap("more")
    older = surface.newest(7)[1]
    await other.tap("more")
    surface.messages[7][live] = older

    await asyncio.sleep(0.2)

    assert anna.sees() == "count 2"


async def test_an_update_that_was_saved_and_not_drawn_is_drawn_when_it_comes_again(
    host, person, surface, tmp_path, monkeypatch
):
    anna = person(host(await counter_app(tmp_path)))
    await anna.command("start")
    tap = anna.finger("more")

    async def die(*args, **more):
        raise ConnectionError

    with monkeypatch.context() as dying:
        dying.setattr(surface, "draw", die)
        with pytest.raises(ConnectionError):
            await anna.send(tap)
    assert anna.sees() == "count 0"

    await anna.send(tap)

    assert anna.sees() == "count 1"
