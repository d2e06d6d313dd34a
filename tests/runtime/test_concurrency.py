"""Fifty taps are fifty, wherever they are handled; one tap is one, however often it comes."""

import asyncio

from tests.fakes.programs import Counting, app_of


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
