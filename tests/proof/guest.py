"""Somebody in the chat of a sandbox, and their wallets, by the person's calls over HTTP. For tests and benches alike."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
PATIENCE_S = 30.0
_STEP_S = 0.05


async def until(what: str, look: Callable[[], Awaitable[T | None]], within_s: float = PATIENCE_S) -> T:
    """Look until there is something to see."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        if seen := await look():
            return seen
        await asyncio.sleep(_STEP_S)
    raise AssertionError(f"Waited {within_s:g} s in vain for {what}.")


class RefusedError(Exception):
    """The sandbox says why not."""


@dataclass(frozen=True, slots=True)
class Guest:
    """`client` has the sandbox's address as its base."""

    client: aiohttp.ClientSession
    user_id: int
    patience_s: float = PATIENCE_S

    async def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        async with self.client.request(method, path, json=body or None) as reply:
            answer: dict[str, Any] = await reply.json()
            if reply.status != 200:
                raise RefusedError(f"{method} {path}: {reply.status} {answer.get('error')}")
            return answer

    async def send(self, text: str) -> None:
        await self.call("POST", f"/sandbox/users/{self.user_id}/send", text=text)

    async def chat(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.call("GET", f"/sandbox/users/{self.user_id}/chat"))[
            "messages"
        ]
        return messages

    async def tap(self, label: str) -> str:
        """Tap as soon as there is such a button; the toast."""

        async def attempt() -> dict[str, Any] | None:
            try:
                return await self.call("POST", f"/sandbox/users/{self.user_id}/tap", label=label)
            except RefusedError:
                return None

        answer = await until(f"a button {label!r}", attempt, self.patience_s)
        return str(answer.get("toast") or "")

    async def see(self, words: str) -> dict[str, Any]:
        """Wait for a message of the bot with these words."""

        async def look() -> dict[str, Any] | None:
            return next((one for one in await self.chat() if one["from_bot"] and words in one["text"]), None)

        return await until(f"{words!r} in the chat of {self.user_id}", look, self.patience_s)

    async def see_button(self, label: str) -> None:
        """Wait for a button whose label starts so."""

        async def look() -> bool:
            labels = [key["label"] for one in await self.chat() for row in one["buttons"] for key in row]
            return any(each.startswith(label) for each in labels)

        await until(f"a button {label!r}", look, self.patience_s)

    async def count(self, words: str) -> int:
        return sum(words in message["text"] for message in await self.chat())

    async def shown_code(self) -> str:
        """The text of the newest code in the chat."""

        async def look() -> str | None:
            shown = [
                one["photo"]["qr_text"] for one in await self.chat() if (one["photo"] or {}).get("qr_text")
            ]
            return shown[-1] if shown else None

        return await until("a code in the chat", look, self.patience_s)

    async def order_coffee(self) -> str:
        """From `/start` to the code on the screen."""
        await self.send("/start")
        for label in ("Coffee", "Latte", "Checkout", "Pay"):
            await self.tap(label)
        return await self.shown_code()

    async def scan(self, wallet: str, code: str) -> str:
        return str((await self.call("POST", f"/sandbox/wallets/{wallet}/scan", code=code))["bill"])

    async def pay(self, wallet: str, code: str, *faults: str) -> None:
        bill = await self.scan(wallet, code)
        await self.call("POST", f"/sandbox/wallets/{wallet}/pay", bill=bill, faults=list(faults))
