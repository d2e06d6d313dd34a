"""A mini program sells for Stars: the sandbox's Telegram, the real host on it over HTTP, one process."""

import asyncio
import contextlib

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app import Outside, open_host
from bot.catalogue import Catalogue, Institution, Program
from bot.errors import NotReadyError
from bot.sandbox.clock import MachineRandom, SandboxClock
from bot.sandbox.house import open_sandbox
from bot.settings import AccountName, Settings
from miniprograms.sdk import Button, Page, PageData, PaymentResult, View
from providers.sdk.money import Money
from providers.telegramstars import plugin
from tests.fakes.programs import app_of
from tests.walk.house import free_port

ANN = 7001
PATIENCE = 300  # looks, a few dozen a second


class Door(Page):
    """Sells a month in the club, and says what became of it."""

    class Data(PageData):
        said: str = "closed"

    def render(self) -> View:
        return View(f"the door is {self.data.said}", [Button("Join", self.join), Button("Look", self.look)])

    async def join(self) -> None:
        await self.request_payment(Money(5, "XTR"), "A month in the club", order_key="june")

    async def look(self) -> None:
        await asyncio.sleep(self.slow_s)

    async def on_payment(self, result: PaymentResult) -> None:
        await self.set_data(said=f"{result.status}")

    slow_s = 0.0


def catalogue(folder):
    app = app_of(folder, app_id="com.example.club", pages=["door"])
    app.page("door")(Door)
    club = Program("club", app, "tests")
    return Catalogue((club,), (Institution("telegramstars", plugin, "tests"),), ())


class Walker:
    """Ann, who speaks JSON to the sandbox."""

    def __init__(self, http, url, host):
        self.http, self.url, self.host = http, url, host

    async def call(self, method, path, **body):
        async with self.http.request(method, self.url + path, json=body or None) as reply:
            return reply.status, await reply.json()

    async def post(self, what, **body):
        return await self.call("POST", f"/sandbox/users/{ANN}/{what}", **body)

    async def chat(self):
        _, told = await self.call("GET", f"/sandbox/users/{ANN}/chat")
        return told["messages"]

    async def see(self, words):
        """Wait for a message with these words."""
        for _ in range(PATIENCE):
            for message in reversed(await self.chat()):
                if words in message["text"]:
                    return message
            await asyncio.sleep(0.05)
        raise AssertionError(f"{words!r} is not in {[message['text'] for message in await self.chat()]}")

    async def tap(self, label):
        """Tap as soon as there is such a button."""
        for _ in range(PATIENCE):
            status, told = await self.post("tap", label=label)
            if status == 200:
                return told
            await asyncio.sleep(0.05)
        raise AssertionError(told)

    async def order(self):
        _, told = await self.call("GET", "/sandbox/orders")
        return told["orders"][-1]

    async def enter(self):
        await self.post("send", text="/start")
        await self.tap("com.example.club")

    async def invoice(self):
        """From /start to the link of the invoice."""
        await self.enter()
        await self.tap("Join")
        await self.see("Choose the wallet")
        await self.tap("Telegram Stars")
        return (await self.tap("Pay ★5"))["url"]

    async def stars(self):
        return (await self.call("GET", f"/sandbox/users/{ANN}/stars"))[1]["stars"]


@contextlib.asynccontextmanager
async def open_walk(folder):
    settings = Settings(sandbox_port=free_port(), web_port=free_port(), data_dir=folder / "data")
    async with (
        open_sandbox(settings, catalogue(folder / "club")) as (host, url),
        aiohttp.ClientSession() as http,
    ):
        running = asyncio.create_task(host.run())
        try:
            yield Walker(http, url, host)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


@pytest.fixture(name="ann")
async def _ann(tmp_path):
    async with open_walk(tmp_path) as walker:
        yield walker


async def test_a_link_in_the_chat_is_paid_and_the_page_hears_of_it(ann):
    link = await ann.invoice()
    status, paid = await ann.post("pay", link=link)
    receipt = await ann.see("Paid ★5")
    await ann.see("the door is paid")
    order = await ann.order()

    assert link.startswith("https://t.me/$")
    assert (status, paid["stars_left"]) == (200, 995)
    assert "★5" in receipt["text"]
    assert (order["state"], order["amount_minor"], order["currency"]) == ("paid", 5, "XTR")
    [attempt] = order["attempts"]
    assert (attempt["provider"], attempt["wallet"], attempt["way"]) == (
        "telegramstars",
        "telegram",
        "invoice",
    )


async def test_no_code_is_shown_for_what_nobody_can_scan(ann):
    await ann.enter()
    await ann.tap("Join")
    cashier = await ann.see("Choose the wallet")

    assert cashier["photo"] is None
    labels = [button["label"] for row in cashier["buttons"] for button in row]
    assert labels == ["Telegram Stars", "Cancel"]


async def test_a_link_is_paid_once_and_by_whoever_ordered(ann):
    link = await ann.invoice()
    stranger = await ann.call("POST", "/sandbox/users/7002/pay", link=link)
    first, second = await asyncio.gather(ann.post("pay", link=link), ann.post("pay", link=link))
    await ann.see("the door is paid")
    third = await ann.post("pay", link=link)

    assert stranger[0] == 422
    assert "not known here" in stranger[1]["error"]
    assert sorted([first[0], second[0]]) == [200, 422]
    assert third == (422, {"error": "This order is already paid. There is nothing more to do."})
    assert await ann.stars() == 995


async def test_a_cancelled_order_is_not_paid(ann):
    link = await ann.invoice()
    await ann.tap("Cancel")
    await ann.see("This order was cancelled")

    refused = await ann.post("pay", link=link)

    assert refused == (422, {"error": "This order was cancelled. Go back to the shop and order again."})
    assert await ann.stars() == 1000


async def test_an_expired_order_is_not_paid(ann):
    link = await ann.invoice()
    await ann.call("POST", "/sandbox/clock", advance_s=1000)

    status, told = await ann.post("pay", link=link)

    assert status == 422
    assert "expired" in told["error"] or "closed" in told["error"]
    await ann.see("This order has expired")
    assert await ann.stars() == 1000


async def test_a_page_that_is_at_work_holds_no_payment_up(ann, monkeypatch):
    monkeypatch.setattr(Door, "slow_s", 4.0)
    link = await ann.invoice()
    looking = asyncio.create_task(ann.tap("Look"))
    await asyncio.sleep(0.2)
    begun = asyncio.get_running_loop().time()
    status, _ = await ann.post("pay", link=link)

    assert status == 200
    assert asyncio.get_running_loop().time() - begun < 2
    await looking


async def test_an_operator_gives_the_stars_back(ann):
    await ann.post("pay", link=await ann.invoice())
    await ann.see("the door is paid")
    order_id = (await ann.order())["id"]

    part = await ann.host.checkout.refund(order_id, Money(2, "XTR"), "part", "operator")
    await ann.host.checkout.refund(order_id, Money(5, "XTR"), "sorry", "operator")
    await ann.see("★5 came back to you.")
    await ann.see("Refunded ★5")

    assert part.why == "not_refundable"
    assert await ann.stars() == 1000
    assert (await ann.order())["state"] == "refunded"


async def test_a_payment_whose_update_was_lost_is_found_in_the_ledger(ann):
    link = await ann.invoice()
    taken = ann.host.telegram._intake._invoices.hand_over

    async def deaf(update):
        return True  # confirmed, and thrown away

    ann.host.telegram._intake._invoices.hand_over = deaf
    assert (await ann.post("pay", link=link))[0] == 200
    ann.host.telegram._intake._invoices.hand_over = taken
    await ann.call("POST", "/sandbox/clock", advance_s=120)

    await ann.see("the door is paid")


async def test_a_payment_waits_at_telegram_until_the_book_has_it(ann, monkeypatch):
    link = await ann.invoice()
    receive, calls = ann.host.checkout.receive, []

    async def failing(*asked):
        calls.append(asked)
        if len(calls) < 3:
            raise OSError("The disk is full.")
        return await receive(*asked)

    monkeypatch.setattr(type(ann.host.checkout), "receive", lambda _, *asked: failing(*asked))
    assert (await ann.post("pay", link=link))[0] == 200

    await ann.see("the door is paid")
    assert len(calls) == 3


async def test_a_yes_that_telegram_did_not_hear_keeps_others_out_for_a_minute(ann, monkeypatch):
    monkeypatch.setattr("bot.sandbox.telegram.checkouts.ANSWER_WITHIN_S", 1.5)
    link = await ann.invoice()
    unheard = {"method": "answerPreCheckoutQuery", "code": 0, "times": 2}
    async with ann.http.post(f"{ann.url}/sandbox/faults", json=unheard) as reply:
        assert reply.status == 200

    first = await ann.post("pay", link=link)
    second = await ann.post("pay", link=link)
    await ann.call("POST", "/sandbox/clock", advance_s=61)
    third = await ann.post("pay", link=link)

    assert (first[0], second[0]) == (422, 422)
    assert "did not answer" in first[1]["error"]
    assert "try again in a moment" in second[1]["error"]
    assert third[0] == 200


async def test_another_bots_token_is_refused_before_anything_opens(tmp_path):
    settings = Settings(
        telegram_bot_token=SecretStr("1:host"), web_port=free_port(), data_dir=tmp_path / "data"
    )
    merchant = plugin.settings(bot_token="2:other")
    outside = Outside(
        clock=SandboxClock(),
        random=MachineRandom(),
        merchants={AccountName("telegramstars"): merchant},
        play_money=True,
    )

    with pytest.raises(NotReadyError, match="TELEGRAM_BOT_TOKEN"):
        async with open_host(settings, catalogue(tmp_path / "club"), outside):
            raise AssertionError("It was opened.")
