"""Payers' codes between a page and the till: a page holds a slip, and the slip is worth little."""

import pytest

from bot.orders.health import Reading, Sign
from miniprograms.sdk import ApiError, Button, Money, Page, PageData, ScopeError, View, Wallet
from tests.fakes.programs import app_of

ALIPAY = "287654321098765432"
AMBIGUOUS = "100498904982440770"


class Counter(Page):
    """Takes a code and charges it, or what was taken before."""

    class Data(PageData):
        slip: str = ""
        said: str = ""

    data: Data

    def render(self) -> View:
        return View(
            f"counter {self.data.said}",
            [Button("Take", self.take), Button("Charge", self.charge), Button("As Hebao", self.as_hebao)],
        )

    async def take(self):
        await self.take_payer_code(then=self.taken)

    async def taken(self, code):
        if code is None:
            await self.set_data(said="nothing")
        else:
            names = ",".join(wallet.value for wallet in code.wallets)
            await self.set_data(slip=code.slip, said=f"{names} {code.ambiguous}")

    async def charge(self, wallet=None):
        try:
            await self.charge_payer_code(
                Money.cny("5.00"), "Plums", code=self.data.slip, order_key="k", wallet=wallet
            )
        except ApiError as error:
            await self.set_data(said=error.err_msg)

    async def as_hebao(self):
        await self.charge(Wallet.CMPAY)


def counter_app(folder, app_id="com.example.shop", scope="scope.collect"):
    app = app_of(folder, app_id=app_id, permission={scope: {"desc": "to be paid"}})
    app.page("home")(type("Counter", (Counter,), {"__module__": __name__}))
    return app


@pytest.fixture
def counter(chat, tmp_path):
    return chat.open(counter_app(tmp_path / "one"))


def test_a_page_never_has_the_digits(counter):
    counter.tap("Take").send(ALIPAY)

    counter.see("counter alipay False")
    assert ALIPAY not in counter.screen


@pytest.mark.parametrize(
    "text", ["hello", "12345", "https://qr.alipay.com/bax1", "28" * 40, "1804" + "0" * 14]
)
def test_what_is_no_payer_code_of_ours_is_asked_for_again(counter, text):
    counter.tap("Take").send(text)

    counter.see("Photograph the customer's payment code").tap("Cancel").see("counter nothing")


def test_full_width_digits_are_digits(counter):
    counter.tap("Take").send("".join(chr(ord(digit) + 0xFEE0) for digit in ALIPAY))

    counter.see("counter alipay")


def test_a_code_that_may_be_of_two_wallets_says_so(counter):
    counter.tap("Take").send(AMBIGUOUS)

    counter.see("counter wechat,cmpay True")


def test_a_slip_is_worth_nothing_after_a_minute(counter):
    counter.tap("Take").send(ALIPAY).advance(seconds=61)

    counter.tap("Charge").see("chargePayerCode:fail code expired")
    assert not counter.orders


def test_a_slip_is_worth_nothing_after_a_restart(counter):
    counter.tap("Take").send(ALIPAY).restart_host()

    counter.tap("Charge").see("chargePayerCode:fail code expired")


def test_a_slip_is_used_once(counter):
    counter.tap("Take").send(ALIPAY).tap("Charge")

    counter.tap("Charge").see("chargePayerCode:fail code expired")
    assert len(counter.orders) == 1


def test_another_person_s_slip_is_worth_nothing(world, tmp_path):
    app = counter_app(tmp_path / "one")
    ann, bob = world.person("Ann").open(app), world.person("Bob").open(app)
    ann.tap("Take").send(ALIPAY)
    [slip] = world.runtime._pocket._kept

    assert world.runtime._pocket.look(slip, "com.example.shop", ann.user_id)
    assert world.runtime._pocket.look(slip, "com.example.shop", bob.user_id) is None
    assert world.runtime._pocket.look(slip, "com.example.other", ann.user_id) is None


def test_a_wallet_that_nobody_charges_is_refused_before_anything_is_ordered(counter, world):
    refused = Reading(Sign.REFUSED, "it refuses our account", opening=True)
    world.checkout.till.accounts["alipay", "main"].pulse.hear(refused, world.clock.now())

    counter.tap("Take").send(ALIPAY).tap("Charge")

    counter.see("chargePayerCode:fail no account")
    assert not counter.orders


def test_without_the_permission_nothing_is_taken(chat, tmp_path):
    chat.open(counter_app(tmp_path / "bare", scope="scope.payment"))

    with pytest.raises(ScopeError, match=r'"scope.collect"'):
        chat.tap("Take")
    chat.tap("Charge").see("chargePayerCode:fail auth deny")
