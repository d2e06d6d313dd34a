"""What a page may ask about money out, and what it is refused; in a world of its own."""

import pytest

from bot.orders.answers import PayoutRefusedError
from miniprograms.sdk import (
    AuthorError,
    Button,
    Field,
    Money,
    Page,
    PageData,
    PaymentResult,
    PayoutResult,
    ScopeError,
    View,
)
from miniprograms.sdk.testing import PlayError
from tests.fakes.programs import app_of

SCOPES = {"scope.payment": {"desc": "to pay"}, "scope.payout": {"desc": "to hand on"}}


class Till(Page):
    class Data(PageData):
        order_id: str = ""
        claim_id: str = ""
        note: str = "-"
        heard: list[str] = Field(default_factory=list)

    data: Data

    def render(self) -> View:
        names = (
            "pay",
            "offer",
            "too_much",
            "nothing",
            "long",
            "nowhere",
            "back",
            "room",
            "look",
            "strangers",
        )
        said = f"{self.data.note} {','.join(self.data.heard)}"
        return View(said, [Button(name, getattr(self, name)) for name in names])

    async def pay(self) -> None:
        await self.request_payment(Money.cny("18.00"), "Gift", order_key="gift")

    async def on_payment(self, result: PaymentResult) -> None:
        await self.set_data(order_id=result.order_id)

    async def ask(self, yuan: str = "18.00", title: str = "for you", **more: str) -> None:
        await self.request_payout(self.data.order_id, Money.cny(yuan), title, payout_key="gift", **more)

    async def offer(self) -> None:
        await self.ask()

    async def too_much(self) -> None:
        await self.ask("18.01")

    async def nothing(self) -> None:
        await self.ask("0")

    async def long(self) -> None:
        await self.ask(title="x" * 65)

    async def nowhere(self) -> None:
        await self.ask(page="pages/nowhere")

    async def strangers(self) -> None:
        await self.set_data(note="stolen")
        await self.request_payout("order-of-another", Money.cny("1"), "mine", payout_key="k")

    async def back(self) -> None:
        await self.withdraw_payout(self.data.claim_id)

    async def room(self) -> None:
        await self.set_data(note=f"room {await self.payout_room('CNY')}")

    async def look(self) -> None:
        claim = await self.read_claim(self.data.claim_id)
        seen = f"{claim.status} {claim.mine} {bool(claim.link)} {len(claim.wallets)}" if claim else "none"
        await self.set_data(note=seen)

    async def on_payout(self, result: PayoutResult) -> None:
        await self.set_data(claim_id=result.claim_id, heard=[*self.data.heard, result.status.value])


def shop_of(folder, scopes=SCOPES):
    app = app_of(folder, pages=["till"], permission=scopes)
    app.page("till")(type("Counter", (Till,), {}))
    return app


@pytest.fixture(name="till")
def _till(chat, tmp_path):
    chat.open(shop_of(tmp_path / "shop")).tap("pay")
    chat.wallets["alipay"].approve()
    return chat


def test_an_offer_is_heard_and_can_be_looked_at(till):
    till.tap("offer").see("open")

    till.tap("look").see("open True True 2")


def test_the_room_of_a_day_shrinks_with_what_is_offered(till):
    till.tap("room").see("room ¥2000.00").tap("offer")

    till.tap("room").see("room ¥2000.00")  # the day's limit is further off than that of one offer


def test_however_often_it_is_asked_for_it_is_one_offer(till):
    till.tap("offer").tap("offer", twice=True)

    assert {result.claim_id for result in till.payouts} == {till.payouts[0].claim_id}
    till.tap("back").see("returned")
    assert till.orders[0].state == "refunded"


@pytest.mark.parametrize("what", ["nothing", "long", "nowhere"])
def test_an_offer_that_makes_no_sense_is_the_author_s_mistake(till, what):
    with pytest.raises(AuthorError):
        till.tap(what)

    assert till.payouts == ()


@pytest.mark.parametrize("what", ["too_much", "strangers"])
def test_an_offer_of_what_is_not_there_undoes_the_turn(till, what):
    with pytest.raises(PayoutRefusedError):
        till.tap(what)

    till.not_see("stolen")
    assert till.payouts == ()


def test_money_out_needs_the_permission(chat, tmp_path):
    chat.open(shop_of(tmp_path / "bare", {"scope.payment": SCOPES["scope.payment"]})).tap("pay")
    chat.wallets["alipay"].approve()

    with pytest.raises(ScopeError, match=r"scope\.payout"):
        chat.tap("offer")


def test_a_wallet_says_why_it_cannot_claim(till):
    with pytest.raises(PlayError, match="no claim link"):
        till.wallets["wechat"].claim("https://example.com/")
