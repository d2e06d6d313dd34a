"""A counter with Alipay on it: the steps that many tests begin with."""

from providers.alipay import plugin
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.results import Created
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet

LATTE = Money.cny("18.00")
PUBLIC_KEY_MODE = {"app_cert": "", "alipay_cert": "", "root_cert": ""}
PAYER_CODE = "281234567890123456"


class Counter(Stall):
    """A stall of Alipay."""

    def __init__(self, **overrides):
        super().__init__(plugin, overrides=overrides)

    async def opened(self, **more):
        intent = self.intent(LATTE, **more)
        created = await self.provider.create(intent, self.call)
        assert isinstance(created, Created), created
        return intent, created, self.ref(intent, created)

    async def paid(self, **more):
        intent, created, ref = await self.opened(**more)
        self.pay(created.code, Wallet.ALIPAY)
        self.courier.take()
        return intent, ref

    def shown(self, number="Latte20260701A1", code=PAYER_CODE, amount=LATTE):
        """An attempt by the code that Alipay's wallet shows now."""
        self.purses.show(code, Wallet.ALIPAY)
        return self.intent(amount, number, way=Way.PAYER_CODE, payer_code=code)

    def signed(self, method, document):
        """The institution itself signs this answer, whatever it says."""
        return self.gateway._institution.reply(method, document, certified=True)

    def answer_with(self, method, document):
        """From now on every call gets this answer."""

        async def send(request):
            del request
            return self.signed(method, document)

        self.transport.send = send
