import asyncio
import json

import pytest
from redis.exceptions import ConnectionError as RedisGone

from bot.web import Tally, build_metrics, build_web, health


async def well():
    return True


async def gone():
    raise RedisGone("redis://:canary@host")


async def hanging():
    await asyncio.sleep(3600)


async def test_alive_is_said_without_asking_any_store(till, serving):
    async with serving(build_web(till, None, checks={"redis": gone})) as browser:
        answer = await browser.get("/healthz")

    assert (answer.status, answer.text) == (200, "ok\n")


async def test_ready_when_every_store_answers(till, serving):
    async with serving(build_web(till, None, checks={"redis": well, "sql": well})) as browser:
        answer = await browser.get("/readyz")

    assert answer.status == 200
    assert json.loads(answer.body) == {"redis": "ok", "sql": "ok"}


@pytest.mark.parametrize("check", [gone, hanging])
async def test_not_ready_when_a_store_fails_or_hangs_and_no_detail_leaks(till, serving, monkeypatch, check):
    monkeypatch.setattr(health, "_ANSWER_WITHIN_S", 0.1)
    async with serving(build_web(till, None, checks={"redis": check, "sql": well})) as browser:
        answer = await browser.get("/readyz")

    assert answer.status == 503
    assert json.loads(answer.body) == {"redis": "no answer", "sql": "ok"}


async def test_the_till_s_numbers_are_read_where_they_are_served(till, serving):
    tally = Tally()
    tally.count("notification_rejected", "wechatpay")
    tally.alert("Paid twice.", "o1")
    wanted = 'moongate_till_events_total{event="notification_rejected",provider="wechatpay"} 1.0'

    async with serving(build_web(till, None, checks={}, metrics=tally.registry)) as browser:
        assert wanted in (await browser.get("/metrics")).text
    async with serving(build_metrics(tally.registry)) as browser:
        assert "moongate_till_alerts_total 1.0" in (await browser.get("/metrics")).text


@pytest.mark.fault("N11")
async def test_numbers_given_a_port_of_their_own_are_not_on_this_one(till, serving):
    async with serving(build_web(till, None, checks={})) as browser:
        assert (await browser.get("/metrics")).status == 404


async def test_the_messenger_s_route_is_served_beside_ours(till, serving):
    from aiohttp import web

    async def hook(_request):
        return web.Response(text="taken")

    async with serving(build_web(till, None, checks={}, routes=[web.post("/telegram", hook)])) as browser:
        assert (await browser.post("/telegram")).text == "taken"
