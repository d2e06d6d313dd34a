"""Accounts that are out of order, in a hurry or over their limit: the tap goes elsewhere."""

import pytest

from bot.orders.checkout import Refused, Why
from bot.orders.health import Reading, Sign
from bot.orders.order import OrderState
from bot.orders.ports import Terms
from providers.sdk.results import Unknown
from providers.sdk.transport import Headers, HttpReply
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.shop import PRICE, USER


async def test_an_account_that_is_not_reached_is_routed_around_within_the_tap(shop):
    order = await shop.place()
    shop.stalls["plainpay"].transport.refuse(1)

    opened = await shop.open(order, Wallet.BANK)

    assert opened.attempt.provider == "unionpay"
    assert [attempt.number for attempt in opened.order.attempts] == [opened.attempt.number]
    shop.pay(opened)
    await shop.deliver()
    assert shop.teller.results == ["paid"]


async def test_the_same_code_stays_when_another_account_has_become_better(shop):
    opened = await shop.opened_order(Wallet.BANK)
    account = shop.checkout.till.accounts["plainpay", "main"]
    account.pulse.hear(Reading(Sign.BUSY, "it asks for patience", rest_s=60), shop.clock.now())

    again = await shop.open(opened.order, Wallet.BANK)

    assert again.attempt == opened.attempt
    assert "plainpay" not in {offer.provider for offer in shop.checkout.offers(opened.order)}


@pytest.mark.fault("B7")
async def test_an_account_that_does_not_answer_is_left_alone_and_then_tried_once(shop, monkeypatch):
    provider = shop.stalls["plainpay"].provider
    create, left = provider.create, [Unknown("no answer")] * 3

    async def silent_create(*arguments):
        return left.pop() if left else await create(*arguments)

    monkeypatch.setattr(provider, "create", silent_create)
    for n in range(3):
        await shop.checkout.open((await shop.place(f"cart-{n}")).id, Wallet.BANK, user_id=USER)

    around = await shop.open(await shop.place("cart-4"), Wallet.BANK)
    shop.clock.advance(31)
    order = await shop.place("cart-5")
    ailing = shop.checkout.offers(order)

    assert around.attempt.provider == "unionpay"
    assert "account_down" in shop.watch.counts
    assert [offer.provider for offer in ailing if offer.wallet is Wallet.BANK][-1] == "plainpay"


@pytest.mark.fault("B7")
@pytest.mark.parametrize(("status", "rests"), [(429, True), (503, True), (500, False)])
async def test_an_institution_that_asks_for_patience_gets_it(shop, monkeypatch, status, rests):
    order = await shop.place()
    transport = shop.stalls["plainpay"].transport

    async def send(_):
        return HttpReply(status, Headers.of({"Retry-After": "40"}), b"")

    monkeypatch.setattr(transport, "send", send)
    await shop.checkout.open(order.id, Wallet.BANK, user_id=USER)
    monkeypatch.undo()

    providers = {offer.provider for offer in shop.checkout.offers(order)}
    assert ("plainpay" not in providers) is rests
    shop.clock.advance(41)
    assert "plainpay" in {offer.provider for offer in shop.checkout.offers(order)}


async def test_an_account_over_its_day_is_routed_around_until_midnight_in_beijing(shop):
    shop.terms["plainpay"] = Terms(daily_max_minor=2 * PRICE.minor)
    shop.open_door()
    for n in range(2):
        opened = await shop.open(await shop.place(f"cart-{n}"), Wallet.BANK)
        assert opened.attempt.provider == "plainpay"
        shop.pay(opened)
        await shop.deliver()
        shop.clock.advance(3)

    third = await shop.open(await shop.place("cart-3"), Wallet.BANK)
    reasons = [refusal.reason for refusal in shop.checkout.refusals(third.order)]
    shop.clock.advance(24 * 3600)
    fourth = await shop.open(await shop.place("cart-4"), Wallet.BANK)

    assert third.attempt.provider == "unionpay"
    assert any("¥0.00" in reason and "today" in reason for reason in reasons)
    assert fourth.attempt.provider == "plainpay"


@pytest.fixture(name="cleared")
async def _cleared(shop):
    """A shop whose accounts of UnionPay's are asked for patience, with a WeChat account beside them."""
    shop.also(wechatpay)
    for name in ("unionpay", "plainpay"):
        pulse = shop.checkout.till.accounts[name, "main"].pulse
        pulse.hear(Reading(Sign.BUSY, "it asks for 900 s of patience", rest_s=900), shop.clock.now())
    return shop


async def test_cloud_quickpass_is_led_to_a_wechat_code_while_its_own_network_rests(cleared):
    opened = await cleared.open(await cleared.place(), Wallet.QUICKPASS)

    cleared.pay(opened)
    await cleared.deliver()
    await cleared.checkout.refund(opened.order.id, PRICE, "cold", "operator:li")
    await cleared.deliver()

    assert opened.attempt.code.startswith("weixin://")
    order = await cleared.look(opened.order)
    [attempt] = order.attempts
    assert (attempt.provider, attempt.wallet, attempt.paid_wallet) == (
        "wechatpay",
        Wallet.QUICKPASS,
        Wallet.QUICKPASS,
    )
    assert order.state is OrderState.REFUNDED
    moves = [(wallet, minor) for wallet, minor, _ in cleared.stalls["wechatpay"].purses.moves]
    assert moves == [(Wallet.QUICKPASS, -PRICE.minor), (Wallet.QUICKPASS, PRICE.minor)]


@pytest.mark.parametrize(("used", "known"), [(Wallet.WECHAT, Wallet.WECHAT), (Wallet.BANK, None)])
async def test_whoever_scans_a_code_that_was_made_for_wechat_is_named_by_the_institution_or_not_at_all(
    cleared, used, known
):
    opened = await cleared.open(await cleared.place(), Wallet.WECHAT)

    cleared.pay(opened, used)
    await cleared.deliver()

    assert [attempt.paid_wallet for attempt in (await cleared.look(opened.order)).attempts] == [known]


async def test_a_wallet_behind_the_wall_is_refused_with_the_reason(cleared):
    answer = await cleared.checkout.open((await cleared.place()).id, Wallet.ALIPAY, user_id=USER)

    assert isinstance(answer, Refused)
    assert answer.why is Why.NO_OFFER
    assert "There is a wall: Alipay does not pay WeChat Pay codes." in answer.detail
