"""A person writes, taps and reads, over the scripted calls of the sandbox."""

import asyncio
import json
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.orders.order import Attempt, AttemptState, Order, OrderState, Refund, RefundState
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.sandbox.toy import ToyBot

NOON = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(name="bot")
async def _bot(person, shop):
    async def sell():
        return await person.order(shop)

    async with ToyBot(person.sandbox, sell).running() as bot:
        yield bot


async def newest(person, user_id=7, after=0):
    """The bot's next message."""
    async with asyncio.timeout(5):
        while True:
            messages = (await person.get(f"/sandbox/users/{user_id}/chat?after={after}"))["messages"]
            if messages and messages[-1]["from_bot"]:
                return messages[-1]
            await asyncio.sleep(0.02)


async def test_a_chat_nobody_wrote_in_is_empty(person):
    told = await person.get("/sandbox/users/7/chat")

    assert told == {
        "messages": [], "action": None, "commands": [], "input": {"keys": [], "placeholder": "", "reply_to": None},
    }  # fmt: skip


async def test_what_a_person_writes_is_in_the_chat_and_reaches_the_bot(person, bot):
    sent = await person.post("/sandbox/users/7/send", text="/start")

    answer = await newest(person, after=sent["message_id"])
    assert answer["text"].startswith("Moongate Coffee")
    assert [[button["label"] for button in row] for row in answer["buttons"]] == [
        ["☕ Latte · ¥18.00"],
        ["🍵 Tea", "Help"],
    ]
    assert answer["buttons"][1][1] == {"label": "Help", "url": "https://example.com/"}
    assert answer["photo"] is None
    assert answer["edited"] is False


async def test_a_tap_by_label_finds_the_code_to_pay(person, bot, shop):
    await person.post("/sandbox/users/7/send", text="/start")
    menu = await newest(person)

    tapped = await person.post("/sandbox/users/7/tap", label="latte")

    assert (tapped["answered"], tapped["toast"]) == (True, "")
    offer = await newest(person, after=menu["message_id"])
    assert offer["photo"]["qr_text"] == "toy://A1"
    async with person.http.get(person.sandbox.url + offer["photo"]["url"]) as reply:
        assert reply.content_type == "image/jpeg"
        assert (await reply.read()).startswith(b"\xff\xd8")
    assert await person.pay(offer["photo"]["qr_text"]) == {"status": "paid"}


async def test_a_tap_by_place_hears_the_toast_and_a_link_asks_nobody(person, bot):
    await person.post("/sandbox/users/7/send", text="/start")
    menu = (await newest(person))["message_id"]

    tea = await person.post("/sandbox/users/7/tap", message_id=menu, row=1, col=0)
    link = await person.post("/sandbox/users/7/tap", label="Help")

    assert (tea["answered"], tea["toast"]) == (True, "Tea is out today")
    assert (link["answered"], link["url"]) == (False, "https://example.com/")


async def test_an_exact_label_wins_over_one_that_holds_it(person, bot):
    await person.post("/sandbox/users/7/send", text="/start")
    menu = (await newest(person))["message_id"]
    api, chat = f"{person.sandbox.url}/bot{person.sandbox.bot_token}", {"chat_id": 7, "text": "Later"}
    rows = [[{"text": "Help me", "url": "https://example.com/later"}]]
    await person.http.post(f"{api}/sendMessage", json={**chat, "reply_markup": {"inline_keyboard": rows}})

    exact = await person.post("/sandbox/users/7/tap", label="Help")
    part = await person.post("/sandbox/users/7/tap", label="help m")

    assert menu
    assert (exact["url"], part["url"]) == ("https://example.com/", "https://example.com/later")


async def test_a_button_that_is_not_there_is_404_and_says_what_is(person, bot):
    await person.post("/sandbox/users/7/send", text="/start")
    await newest(person)

    status, error = await person.refused("/sandbox/users/7/tap", label="Champagne")
    assert status == 404
    assert "“☕ Latte · ¥18.00”, “🍵 Tea”, “Help”" in error

    assert (await person.refused("/sandbox/users/7/tap", message_id=999))[0] == 404
    assert (await person.refused("/sandbox/users/8/tap", label="Help"))[1].endswith("send /start.")


async def test_a_key_at_the_bottom_is_pressed_by_its_label(person):
    await person.post("/sandbox/users/7/send", text="/start")
    api = f"{person.sandbox.url}/bot{person.sandbox.bot_token}"
    markup = {"keyboard": [["Yes", "No"]], "one_time_keyboard": True}
    await person.http.post(f"{api}/sendMessage", json={"chat_id": 7, "text": "Sure?", "reply_markup": markup})
    assert (await person.get("/sandbox/users/7/chat"))["input"]["keys"] == [["Yes", "No"]]

    assert (await person.post("/sandbox/users/7/tap", label="Yes"))["answered"]

    told = await person.get("/sandbox/users/7/chat")
    assert (told["messages"][-1]["text"], told["messages"][-1]["from_bot"]) == ("Yes", False)
    assert told["input"]["keys"] == []


async def test_a_code_is_sent_as_a_photo(person):
    sent = await person.post("/sandbox/users/7/send", qr="130000000000000000")

    [message] = (await person.get("/sandbox/users/7/chat"))["messages"]
    assert message["message_id"] == sent["message_id"]
    assert message["photo"]["qr_text"] == "130000000000000000"


async def test_the_bot_learns_the_persons_language_and_name(person):
    await person.post("/sandbox/users/7/send", text="你好", language="zh-hans", name="小林")
    await person.post("/sandbox/users/7/send", text="again")

    async with person.http.get(f"{person.sandbox.url}/bot{person.sandbox.bot_token}/getUpdates") as reply:
        updates = (await reply.json())["result"]
    assert [update["message"]["from"]["language_code"] for update in updates] == ["zh-hans", "zh-hans"]
    assert updates[1]["message"]["from"]["first_name"] == "小林"


async def test_people_meet_in_a_group(person):
    await person.post("/sandbox/users/7/send", text="Hello", chat_id=-100500)
    await person.post("/sandbox/users/8/send", text="Hi", chat_id=-100500)

    told = await person.get("/sandbox/users/7/chat?chat_id=-100500")

    assert [message["text"] for message in told["messages"]] == ["Hello", "Hi"]
    assert (await person.get("/sandbox/users/7/chat"))["messages"] == []


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("send", {}, "give either text or qr."),
        ("send", {"text": "a", "qr": "b"}, "give either text or qr."),
        ("send", {"text": ""}, "text: String should have at least 1 character."),
        ("send", {"words": "a"}, "words: Extra inputs are not permitted; give either text or qr."),
        ("send", {"text": "a", "chat_id": 8}, "Chat 8 is another person's private chat"),
        ("tap", {}, "give a label, or message_id with row and col."),
    ],
)
async def test_a_call_of_the_wrong_form_is_400(person, path, body, error):
    status, said = await person.refused(f"/sandbox/users/7/{path}", **body)

    assert status == 400
    assert error.split(";")[0] in said


async def test_a_body_that_is_no_json_and_a_person_that_is_no_number_are_400(person):
    async with person.http.post(f"{person.sandbox.url}/sandbox/users/7/send", data=b"{") as reply:
        assert reply.status == 400
        assert "JSON" in (await reply.json())["error"]
    for who in ("me", "0", "-1", "9" * 30, "７"):
        assert (await person.refused(f"/sandbox/users/{who}/send", text="a"))[0] == 400
    assert (await person.ask("GET", "/sandbox/users/7/chat?after=x"))[0] == 400


async def test_the_clock_is_moved_and_stays_moved_over_a_restart(open_sandbox):
    async with open_sandbox() as person:
        told = await person.post("/sandbox/clock", advance_s=960)
        assert told["ahead_s"] == 960
        assert (await person.refused("/sandbox/clock", advance_s=-1))[0] == 400

    async with open_sandbox() as person:
        assert (await person.get("/sandbox/clock"))["ahead_s"] == 960


async def test_orders_are_shown_with_attempts_and_refunds(person):
    amount = Money.cny("18.00")
    attempt = Attempt(
        number="N1", order_id="O1", provider="toybank", account="default", wallet=Wallet.BANK, way=Way.MERCHANT_CODE,
        amount=amount, state=AttemptState.PAID, created_at=NOON, expires_at=NOON,
    )  # fmt: skip
    refund = Refund(
        number="R1", order_id="O1", attempt_number="N1", amount=Money.cny("5.00"), reason="cold", actor="shop",
        state=RefundState.DONE, created_at=NOON,
    )  # fmt: skip
    order = Order(
        id="O1", app_id="coffee", page="menu", chat_id=7, user_id=7, language="en", order_key="k", amount=amount,
        title="Latte", state=OrderState.PARTLY_REFUNDED, version=3, created_at=NOON, expires_at=NOON,
        link_token="secret-token", attempts=(attempt,), refunds=(refund,),
    )  # fmt: skip

    async def all_orders(limit):
        return (order,)[:limit]

    async def reset():
        return None

    person.sandbox.join(all_orders, reset)
    told = await person.get("/sandbox/orders")

    [seen] = told["orders"]
    assert (seen["id"], seen["state"], seen["amount_minor"], seen["currency"]) == (
        "O1",
        "partly_refunded",
        1800,
        "CNY",
    )
    assert seen["attempts"][0]["state"] == "paid"
    assert seen["refunds"][0]["amount_minor"] == 500
    assert "secret-token" not in json.dumps(told)


async def test_a_reset_makes_a_fresh_world_and_keeps_what_is_connected(open_sandbox, shop):
    async with open_sandbox() as person:
        asked = []

        async def orders(_limit):
            return ()

        async def reset():
            asked.append("reset")

        person.sandbox.join(orders, reset)
        merchant = dict(person.sandbox.merchants["toybank"])
        code = await person.order(shop)
        await person.post("/sandbox/users/7/send", text="Hello", language="zh")
        await person.pay(code, "notify_late")

        assert await person.post("/sandbox/reset") == {"ok": True}

        assert asked == ["reset"]
        assert (await person.get("/sandbox/users/7/chat"))["messages"] == []
        assert person.sandbox.purses.balance(Wallet.BANK) == 100_000
        assert (await person.refused("/sandbox/wallets/bank/scan", code=code))[0] == 422
        person.sandbox.clock.advance(3600)
        await asyncio.sleep(0.1)
        assert shop.heard == []
        await person.pay(await person.order(shop))
        await shop.hears(1)

    async with open_sandbox() as person:
        assert person.sandbox.merchants["toybank"] == merchant


async def test_bot_api_faults_are_armed(person):
    url = f"{person.sandbox.url}/bot{person.sandbox.bot_token}/getMe"
    await person.post("/sandbox/faults", method="getMe", retry_after=3)
    await person.post("/sandbox/faults", method="*", code=502)

    async def status():
        async with person.http.get(url) as reply:
            return reply.status

    assert [await status() for _ in range(3)] == [429, 502, 200]


async def test_institution_faults_are_armed_cleared_and_refused_where_there_is_none(person):
    await person.post("/sandbox/faults", provider="toybank", fault="http_500_before", times=5)
    await person.post("/sandbox/faults", clear=True)

    async with person.http.get(f"{person.sandbox.institutions.get('toybank').base_url}/any") as reply:
        assert reply.status == 200
    assert (await person.refused("/sandbox/faults", provider="x", fault="garbage"))[0] == 404
    assert (await person.refused("/sandbox/faults", provider="toybank"))[0] == 400


async def test_a_killed_sandbox_still_has_the_chat_and_the_unpaid_bill(open_sandbox, shop):
    async with open_sandbox() as person:
        code = await person.order(shop)
        bill = (await person.post("/sandbox/wallets/bank/scan", code=code))["bill"]
        await person.post("/sandbox/users/7/send", text="Hello")

    async with open_sandbox() as person:
        [message] = (await person.get("/sandbox/users/7/chat"))["messages"]
        assert message["text"] == "Hello"
        assert await person.post("/sandbox/wallets/bank/pay", bill=bill) == {"status": "paid"}
        assert await shop.hears(1) == [("A1", "genuine")]


async def test_open_pages_hear_what_has_changed(person, shop):
    async with person.http.get(f"{person.sandbox.url}/sandbox/events") as stream:
        assert stream.content_type == "text/event-stream"
        await person.post("/sandbox/users/7/send", text="Hello")
        heard = await _until(stream, "event: chat")
        assert heard
        await person.pay(await person.order(shop))
        assert await _until(stream, "event: wallets")
        await person.post("/sandbox/clock", advance_s=1)
        assert await _until(stream, "event: clock")
        await person.post("/sandbox/reset")
        assert await _until(stream, "event: reset")


async def test_the_description_names_every_call_and_resolves(person):
    description = await person.get("/sandbox/openapi.json")

    described = {(method.upper(), path) for path, calls in description["paths"].items() for method in calls}
    served = {
        (route.method, route.resource.canonical)
        for route in person.sandbox._runner.app.router.routes()
        if route.method in {"GET", "POST"} and route.resource.canonical.startswith("/sandbox/")
    }
    not_calls = {"/sandbox/events", "/sandbox/openapi.json", "/sandbox/qr", "/sandbox/files/{file_id}"}
    assert described == {(method, path) for method, path in served if path not in not_calls}
    assert len(described) == 19
    for calls in description["paths"].values():
        for call in calls.values():
            assert call["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "object"


async def test_another_web_site_cannot_use_the_sandbox(person):
    body = {"text": "Hello"}
    url = f"{person.sandbox.url}/sandbox/users/7/send"

    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:8080"}, {"Origin": "null"}):
        async with person.http.post(url, json=body, headers=headers) as reply:
            assert reply.status == 403

    async with person.http.post(url, json=body, headers={"Origin": person.sandbox.url}) as reply:
        assert reply.status == 200


async def _until(stream: aiohttp.ClientResponse, line: str) -> bool:
    async with asyncio.timeout(5):
        while True:
            if (await stream.content.readline()).decode().strip() == line:
                return True
