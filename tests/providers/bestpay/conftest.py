import pytest

from providers.bestpay import plugin, wire
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet

DIGITS = "515665002854886972"
LATTE = Money.cny("18.00")


class Counterfoil:
    """One attempt as a test follows it."""

    def __init__(self, stall, intent, answer):
        self.intent, self.answer = intent, answer
        self.ref = stall.ref(intent, answer if isinstance(answer, Created) else None)


class Shop:
    """A stall, and what the tests of BestPay do with one."""

    def __init__(self, **overrides):
        self.stall = Stall(plugin, overrides=overrides)

    def __getattr__(self, name):
        return getattr(self.stall, name)

    async def open(self, way=Way.MERCHANT_CODE, **more):
        intent = self.stall.intent(LATTE, way=way, **more)
        return Counterfoil(self.stall, intent, await self.provider.create(intent, self.call))

    async def paid(self, way=Way.MERCHANT_CODE, **more):
        foil = await self.open(way, **more)
        self.stall.pay(foil.answer.code or foil.answer.link, Wallet.BESTPAY)
        return foil

    async def taken(self, **more):
        """A payer code, charged at once unless a fault says otherwise."""
        self.purses.show(DIGITS, Wallet.BESTPAY)
        return await self.open(Way.PAYER_CODE, payer_code=more.pop("payer_code", DIGITS), **more)

    async def query(self, foil):
        return await self.provider.query(foil.ref, self.call)

    async def close(self, foil):
        return await self.provider.close(foil.ref, self.call)

    async def refund(self, foil, minor=1800, **more):
        request = self.stall.refund(foil.ref, Money(minor, "CNY"), **more)
        return request, await self.provider.refund(request, self.call)

    async def query_refund(self, request):
        return await self.provider.query_refund(self.stall.refund_ref(request), self.call)

    def sent(self, index=-1):
        """A request's own fields: of the form, or of the envelope's content."""
        body = self.transport.requests[index].body
        if not body.startswith(b"{"):
            return wire.decode_form(body)
        return wire.decode_json(wire.word(wire.decode_json(body), "bizContent").encode())

    def asked_path(self, index=-1):
        """The MAPI path that a request names."""
        return wire.word(wire.decode_json(self.transport.requests[index].body), "path")


class Scripted:
    """A network that gives these bodies in turn, the last one for ever."""

    def __init__(self, *bodies, status=200):
        self.bodies, self.status, self.requests = list(bodies), status, []

    async def send(self, request):
        self.requests.append(request)
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return HttpReply(self.status, body=body)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def shop_with():
    return Shop


@pytest.fixture
def scripted():
    return Scripted
