"""A sandbox with a toy institution, a toy shop, and a person who speaks JSON."""

import contextlib
from dataclasses import dataclass

import aiohttp
import pytest

from bot.sandbox.sandbox import Sandbox
from tests.sandbox.toy import ToyShop, toy_plugin


@dataclass
class Person:
    """Calls the person's side."""

    http: aiohttp.ClientSession
    sandbox: Sandbox

    async def ask(self, method, path, body=None, **headers):
        async with self.http.request(method, self.sandbox.url + path, json=body, headers=headers) as reply:
            return reply.status, await reply.json()

    async def get(self, path):
        status, told = await self.ask("GET", path)
        assert status == 200, told
        return told

    async def post(self, path, **body):
        status, told = await self.ask("POST", path, body)
        assert status == 200, told
        return told

    async def refused(self, path, **body):
        status, told = await self.ask("POST", path, body)
        assert list(told) == ["error"], told
        return status, told["error"]

    async def order(self, shop, number="A1", amount=1800, provider="toybank"):
        """What a merchant's server does: it opens an order at the institution and gets a code."""
        order = {
            "number": number,
            "amount": amount,
            "title": "Latte",
            "payee": "Toy Coffee",
            "notify_url": f"{shop.url}/notify",
        }
        url = self.sandbox.institutions.get(provider).base_url
        async with self.http.post(f"{url}/orders", json=order) as reply:
            assert reply.status == 201
            return await reply.text()

    async def pay(self, code, *faults, wallet="bank"):
        bill = await self.post(f"/sandbox/wallets/{wallet}/scan", code=code)
        return await self.post(f"/sandbox/wallets/{wallet}/pay", bill=bill["bill"], faults=list(faults))


@pytest.fixture(name="shop")
async def _shop():
    async with ToyShop().open() as shop:
        yield shop


@pytest.fixture(name="open_sandbox")
def _open_sandbox(tmp_path, shop):
    """Opens sandboxes on the same folder: the second one is the first after a kill."""

    @contextlib.asynccontextmanager
    async def open_sandbox(plugins=None, port=0):
        sandbox = Sandbox(plugins or [toy_plugin()], tmp_path, port=port, host_url=shop.url)
        try:
            await sandbox.start()
            async with aiohttp.ClientSession() as http:
                yield Person(http, sandbox)
        finally:
            await sandbox.close()

    return open_sandbox


@pytest.fixture(name="person")
async def _person(open_sandbox):
    async with open_sandbox() as person:
        yield person
