"""A toy institution, a toy shop that it notifies, and a bot that sells one thing: what the sandbox is tested with."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.runtime.picture import qr_png
from providers.sdk.contract import ProviderInfo, ProviderPlugin, ProviderSettings, Way
from providers.sdk.gateway import Bill, BillGone, Fault, GatewayContext, Notification
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet


class ToyGateway:
    """Sells over `POST /orders`, echoes everything else. Its codes are `<prefix><number>`."""

    def __init__(self, prefix: str, context: GatewayContext) -> None:
        self._prefix, self._context = prefix, context
        if context.drawer.get("key") is None:
            context.drawer.put("key", {"text": context.random.text(16)})

    def merchant(self, base_url: str) -> Mapping[str, str]:
        return {"base_url": base_url, "key": str(self._context.drawer.get("key")["text"])}

    async def handle(self, request: HttpRequest) -> HttpReply:
        if request.target != "/orders":
            seen = {
                "target": request.target,
                "seal": request.headers.get("X-Seal"),
                "body": request.body.hex(),
            }
            return HttpReply(200, Headers.of({"Content-Type": "application/json"}), json.dumps(seen).encode())
        order = json.loads(request.body)
        self._context.drawer.put(f"order/{order['number']}", {**order, "paid": False})
        return HttpReply(201, body=(self._prefix + order["number"]).encode())

    def recognise(self, code: str) -> Bill | None:
        order = self._context.drawer.get(f"order/{code.removeprefix(self._prefix)}")
        if not code.startswith(self._prefix) or order is None:
            return None
        if order["paid"]:
            raise BillGone("This bill has been paid.")
        amount = Money(order["amount"], "CNY")
        return Bill(
            id=order["number"],
            payee=order["payee"],
            amount=amount,
            title=order["title"],
            number=order["number"],
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        bill = self.recognise(self._prefix + bill_id)
        if bill is None:
            raise BillGone("There is no such bill.")
        self._context.purses.charge(wallet, bill.amount, bill.title)
        order = self._context.drawer.get(f"order/{bill_id}")
        self._context.drawer.put(f"order/{bill_id}", {**order, "paid": True})
        if self._context.faults.take(Fault.WRONG_AMOUNT):
            raise BillGone("The toy breaks in the middle.")
        said, forged = (self._notification(order, seal) for seal in ("genuine", "forged"))
        self._context.courier.post(said, forged=forged)

    def acknowledged(self, reply: HttpReply) -> bool:
        return reply.body == b"got it"

    def _notification(self, order, seal):
        body = json.dumps({"number": order["number"], "seal": seal}).encode()
        headers = Headers.of({"Content-Type": "application/json", "X-Seal": seal})
        request = HttpRequest("POST", order["notify_url"], headers, body)
        return Notification(request=request, retry_after_s=(15, 30), key=order["number"])


class ToySettings(ProviderSettings):
    base_url: str = ""
    key: str = ""


def toy_plugin(
    name: str = "toybank",
    title: str = "Toy Bank",
    prefix: str = "toy://",
    wallets: frozenset[Wallet] = frozenset(),
) -> ProviderPlugin:
    info = ProviderInfo(
        id=name,
        name_en=title,
        name_zh="玩具银行",
        wallets=wallets or frozenset({Wallet.BANK, Wallet.QUICKPASS}),
        ways=frozenset({Way.MERCHANT_CODE}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**6,
        expires_after_min_s=60,
        expires_after_max_s=7200,
        refund_window=timedelta(days=30),
    )
    return ProviderPlugin(
        info=info,
        settings=ToySettings,
        build=lambda _settings, _keys: None,
        gateway=lambda context: ToyGateway(prefix, context),
    )


@dataclass
class ToyShop:
    """The merchant's web app: takes notifications and shows one-code pages."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)  # spent first; then it acknowledges
    pages: dict[str, web.Response] = field(default_factory=dict)
    visitors: list[str] = field(default_factory=list)
    come: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    @contextlib.asynccontextmanager
    async def open(self):
        app = web.Application()
        app.router.add_post("/notify", self._notify)
        app.router.add_get("/p/{token}", self._page)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    async def hears(self, count, within_s=5.0):
        """Wait until that many notifications have come."""
        async with asyncio.timeout(within_s):
            while len(self.heard) < count:
                await self.come.wait()
                self.come.clear()
        return self.heard

    async def _notify(self, request):
        told = await request.json()
        self.heard.append((told["number"], told["seal"]))
        self.come.set()
        status, text = self.answers.pop(0) if self.answers else (200, "got it")
        return web.Response(status=status, text=text)

    async def _page(self, request):
        self.visitors.append(request.headers["User-Agent"])
        made = self.pages[request.match_info["token"]]
        return web.Response(text=made.text, status=made.status, headers=made.headers)


class ToyBot:
    """Sells a latte over the raw Bot API: a menu, a code as a picture, a receipt when it is told to write one."""

    def __init__(self, sandbox, sell) -> None:
        self._api = f"{sandbox.url}/bot{sandbox.bot_token}"
        self._sell = sell  # () -> the text of a code to pay
        self._chat_id = 0

    @contextlib.asynccontextmanager
    async def running(self):
        async with aiohttp.ClientSession() as self._http:
            task = asyncio.create_task(self._run())
            try:
                yield self
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def receipt(self, text):
        await self._call("sendMessage", chat_id=self._chat_id, text=text, parse_mode="HTML")

    async def _call(self, method, **fields):
        async with self._http.post(f"{self._api}/{method}", json=fields) as reply:
            return (await reply.json())["result"]

    async def _run(self):
        offset = 0
        for _ in itertools.count():
            for update in await self._call("getUpdates", offset=offset, timeout=20):
                offset = update["update_id"] + 1
                await self._take(update)

    async def _take(self, update):
        if "message" in update:
            self._chat_id = update["message"]["chat"]["id"]
            rows = [
                [{"text": "☕ Latte · ¥18.00", "callback_data": "latte", "style": "primary"}],
                [{"text": "🍵 Tea", "callback_data": "tea"}, {"text": "Help", "url": "https://example.com/"}],
            ]
            text = (
                "<b>Moongate Coffee</b>\nWhat would you like today?\n<i>All beans are roasted on Mondays.</i>"
            )
            await self._call("sendMessage", chat_id=self._chat_id, text=text, parse_mode="HTML",
                             reply_markup={"inline_keyboard": rows})  # fmt: skip
        elif update["callback_query"]["data"] == "latte":
            await self._bring(update["callback_query"]["id"])
        else:
            query = update["callback_query"]["id"]
            await self._call("answerCallbackQuery", callback_query_id=query, text="Tea is out today")

    async def _bring(self, query):
        form = aiohttp.FormData()
        form.add_field("chat_id", str(self._chat_id))
        form.add_field("caption", "Latte, to be paid within 15 minutes.\nScan with any wallet:")
        form.add_field("photo", qr_png(await self._sell()), filename="code.png")
        rows = [
            [{"text": "Cloud QuickPass", "callback_data": "tea"}, {"text": "Bank", "callback_data": "tea"}]
        ]
        form.add_field("reply_markup", json.dumps({"inline_keyboard": rows}))
        async with self._http.post(f"{self._api}/sendPhoto", data=form) as reply:
            assert reply.status == 200, await reply.text()
        await self._call("answerCallbackQuery", callback_query_id=query)
