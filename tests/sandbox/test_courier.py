"""Notifications on their way from the institutions to the host."""

import asyncio

import pytest

from bot.sandbox.courier import Desk, PostOffice
from bot.sandbox.records import SandboxRecords
from providers.sdk.gateway import Fault, FaultBox, Notification
from providers.sdk.transport import Headers, HttpRequest


async def settle():
    """Let tasks that have nothing to wait for come to rest."""
    await asyncio.sleep(0.1)


async def test_a_payment_is_notified_once(person, shop):
    await person.pay(await person.order(shop))

    assert await shop.hears(1) == [("A1", "genuine")]
    person.sandbox.clock.advance(3600)
    await settle()
    assert len(shop.heard) == 1


async def test_it_is_repeated_by_the_schedule_until_it_is_acknowledged(person, shop):
    shop.answers += [(500, "no"), (200, "what?")]

    await person.pay(await person.order(shop))
    await shop.hears(1)
    await settle()
    assert len(shop.heard) == 1
    person.sandbox.clock.advance(15)
    await shop.hears(2)
    await settle()
    person.sandbox.clock.advance(30)

    await shop.hears(3)
    await settle()
    person.sandbox.clock.advance(3600)
    await settle()
    assert len(shop.heard) == 3


async def test_the_institution_gives_up_after_its_last_try(person, shop):
    shop.answers += [(500, "no")] * 9

    await person.pay(await person.order(shop))
    for tries in (1, 2, 3):
        await shop.hears(tries)
        await settle()
        person.sandbox.clock.advance(100)
    await settle()

    assert len(shop.heard) == 3


async def test_a_lost_one_never_comes(person, shop):
    await person.pay(await person.order(shop), "notify_lost")

    person.sandbox.clock.advance(3600)
    await settle()
    assert shop.heard == []


async def test_a_late_one_comes_after_two_minutes(person, shop):
    await person.pay(await person.order(shop), "notify_late")

    person.sandbox.clock.advance(115)
    await settle()
    assert shop.heard == []
    person.sandbox.clock.advance(6)
    assert await shop.hears(1) == [("A1", "genuine")]


async def test_one_can_come_twice(person, shop):
    await person.pay(await person.order(shop), "notify_twice")

    assert await shop.hears(2) == [("A1", "genuine")] * 2


async def test_a_forged_one_comes_before_the_genuine_one(person, shop):
    await person.pay(await person.order(shop), "notify_forged")

    assert await shop.hears(2) == [("A1", "forged"), ("A1", "genuine")]


async def test_a_later_one_overtakes_it(person, shop):
    await person.pay(await person.order(shop), "notify_reordered")
    await settle()
    assert shop.heard == []

    await person.pay(await person.order(shop, "A2"))

    assert await shop.hears(2) == [("A2", "genuine"), ("A1", "genuine")]


async def test_an_overtaken_one_comes_at_last_even_if_none_overtakes_it(person, shop):
    await person.pay(await person.order(shop), "notify_reordered")

    person.sandbox.clock.advance(121)

    assert await shop.hears(1) == [("A1", "genuine")]


async def test_faults_are_spent_by_one_payment(person, shop):
    await person.pay(await person.order(shop), "notify_twice")
    await shop.hears(2)

    await person.pay(await person.order(shop, "A2"))
    await shop.hears(3)
    await settle()

    assert len(shop.heard) == 3


async def test_what_a_killed_sandbox_has_not_delivered_comes_after_the_restart(open_sandbox, shop):
    async with open_sandbox() as person:
        await person.pay(await person.order(shop), "notify_late")
        await settle()
    assert shop.heard == []

    async with open_sandbox() as person:
        person.sandbox.clock.advance(121)
        assert await shop.hears(1) == [("A1", "genuine")]
        await settle()

    async with open_sandbox() as person:
        person.sandbox.clock.advance(3600)
        await settle()
    assert len(shop.heard) == 1


async def test_the_tries_that_are_left_are_remembered(open_sandbox, shop):
    shop.answers += [(500, "no")] * 9
    async with open_sandbox() as person:
        await person.pay(await person.order(shop))
        await shop.hears(1)
        await settle()

    for tries in (2, 3):
        async with open_sandbox() as person:
            person.sandbox.clock.advance(31)
            await shop.hears(tries)
            await settle()

    async with open_sandbox() as person:
        person.sandbox.clock.advance(3600)
        await settle()
    assert len(shop.heard) == 3


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/notify", "https://example.com/notify", "http://localhost.example.com/", "nonsense"],
)
async def test_nothing_is_posted_beyond_this_machine(person, tmp_path, url, caplog):
    with SandboxRecords(tmp_path / "other.db") as records:
        office = PostOffice(records.room("post"), person.sandbox.clock)
        request = HttpRequest("POST", url, Headers(), b"secret")

        Desk(office, "toybank", FaultBox()).post(Notification(request=request, retry_after_s=(), key="A1"))

        assert list(records.room("post").scan("")) == []
    assert "this machine only" in caplog.text
    assert "secret" not in caplog.text


async def test_bytes_that_are_no_text_are_carried_unchanged(tmp_path, person):
    with SandboxRecords(tmp_path / "other.db") as records:
        office = PostOffice(records.room("post"), person.sandbox.clock)
        faults = FaultBox()
        faults.arm(Fault.NOTIFY_LATE)
        request = HttpRequest("POST", "http://127.0.0.1:9/", Headers.of({"X": "é"}), "金额".encode("gbk"))

        Desk(office, "toybank", faults).post(Notification(request=request, retry_after_s=(), key="A1"))

        [parcel] = office._waiting()
        assert parcel.letter.body == "金额".encode("gbk")
        await office.close()


class Resigning:
    """An institution that signs every repeat with the time at which it is sent."""

    def acknowledged(self, reply):
        return reply.body == b"got it"

    def signed_again(self, request):
        return HttpRequest(
            request.method, request.url, request.headers, request.body.replace(b"first", b"again")
        )


async def test_a_repeat_is_signed_when_it_is_sent(person, shop, tmp_path):
    shop.answers += [(500, "no"), (500, "no")]
    with SandboxRecords(tmp_path / "other.db") as records:
        office = PostOffice(records.room("post"), person.sandbox.clock)
        office.serve("toybank", Resigning())
        await office.open()
        request = HttpRequest(
            "POST", f"{person.sandbox.host_url}/notify", Headers(), b'{"number": "A1", "seal": "first"}'
        )

        Desk(office, "toybank", FaultBox()).post(
            Notification(request=request, retry_after_s=(15, 30), key="A1")
        )
        await shop.hears(1)
        await settle()
        person.sandbox.clock.advance(15)
        await shop.hears(2)
        await settle()
        person.sandbox.clock.advance(30)

        assert [seal for _, seal in await shop.hears(3)] == ["first", "again", "again"]
        await office.close()
