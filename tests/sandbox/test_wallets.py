"""A wallet scans and pays."""

import pytest
from aiohttp import web

from bot.sandbox.wallet_app import USER_AGENTS
from bot.web.visitors import wallet_of
from providers.sdk.wallets import Wallet
from tests.sandbox.toy import toy_plugin

WECHAT = toy_plugin("wechatpay", "WeChat Pay", "weixin://wxpay/bizpayurl?pr=", frozenset({Wallet.WECHAT}))


async def test_all_eight_wallets_are_there_whoever_is_installed(person):
    wallets = {wallet["id"]: wallet for wallet in (await person.get("/sandbox/wallets"))["wallets"]}

    assert set(wallets) == set(Wallet) - {Wallet.TELEGRAM}
    assert wallets["bank"]["name"] == "Bank app"
    assert wallets["bank"]["balance_minor"] == 100_000
    assert wallets["bank"]["payer_code"].startswith("6250105")
    assert wallets["bank"]["wallet_class"] == ""


async def test_a_wallet_is_topped_up(person):
    told = await person.post("/sandbox/wallets/bank/top_up", amount_minor=500)

    assert told["balance_minor"] == 100_500
    assert (await person.refused("/sandbox/wallets/bank/top_up", amount_minor=0))[0] == 400
    assert (await person.refused("/sandbox/wallets/bank/class", wallet_class="IV"))[0] == 422


async def test_a_scan_shows_the_bill(person, shop):
    told = await person.post("/sandbox/wallets/bank/scan", code=await person.order(shop))

    assert told == {
        "bill": "toybank:A1", "scheme": "toybank", "provider": "toybank", "clearing": "own", "payee": "Toy Coffee", "amount_minor": 1800,
        "currency": "CNY", "title": "Latte", "state": "unpaid",
    }  # fmt: skip


async def test_paying_moves_money_once(person, shop):
    code = await person.order(shop)
    bill = (await person.post("/sandbox/wallets/bank/scan", code=code))["bill"]

    assert await person.post("/sandbox/wallets/bank/pay", bill=bill) == {"status": "paid"}

    refusal = (422, "This bill has been paid.")
    assert await person.refused("/sandbox/wallets/bank/pay", bill=bill) == refusal
    assert await person.refused("/sandbox/wallets/bank/scan", code=code) == refusal
    assert person.sandbox.purses.balance(Wallet.BANK) == 98_200
    [move] = (await person.get("/sandbox/wallets/bank/history"))["moves"]
    assert (move["minor"], move["memo"]) == (-1800, "Latte")


async def test_a_wallet_without_enough_money_says_so_and_arms_nothing(person, shop):
    code = await person.order(shop, amount=100_001)
    bill = (await person.post("/sandbox/wallets/bank/scan", code=code))["bill"]

    status, error = await person.refused("/sandbox/wallets/bank/pay", bill=bill, faults=["notify_lost"])

    assert status == 422
    assert "less than ¥1000.01" in error
    await person.pay(await person.order(shop, "A2"))
    assert await shop.hears(1) == [("A2", "genuine")]


async def test_an_institution_that_breaks_in_the_middle_has_moved_nothing(person, shop):
    code = await person.order(shop)

    assert (await person.refused("/sandbox/wallets/bank/pay", bill="toybank:A1", faults=["wrong_amount"]))[
        0
    ] == 422

    assert person.sandbox.purses.balance(Wallet.BANK) == 100_000
    await person.pay(code)
    assert await shop.hears(1) == [("A1", "genuine")]


async def test_a_wallet_is_told_whose_code_it_cannot_pay(open_sandbox, shop):
    async with open_sandbox([toy_plugin(), WECHAT]) as person:
        code = await person.order(shop, provider="wechatpay")

        status, said = await person.refused("/sandbox/wallets/bank/scan", code=code)

        assert status == 422
        assert said.startswith("Bank app can't pay this code of WeChat Pay. No other network is connected")
        assert "What works: WeChat Pay;" in said
        assert await person.refused("/sandbox/wallets/bank/pay", bill="wechatpay:A1") == (status, said)
        told = await person.post("/sandbox/wallets/wechat/scan", code=code)
        assert (told["scheme"], told["provider"]) == ("wechat", "wechatpay")


async def test_a_code_that_nobody_issued_is_unknown(person):
    status, error = await person.refused("/sandbox/wallets/bank/scan", code="https://example.com/")

    assert (status, error) == (422, "Bank app does not know this code: no institution here has issued it.")


@pytest.mark.parametrize("bill", ["toybank:", "toybank", "nowhere:A1", ":", "toybank:none"])
async def test_a_bill_that_is_not_there_is_refused(person, bill):
    assert (await person.refused("/sandbox/wallets/bank/pay", bill=bill))[0] == 422


async def test_the_one_code_is_opened_as_the_wallets_own_web_view_does(person, shop):
    code = await person.order(shop)
    shop.pages["redirect"] = web.Response(status=303, headers={"Location": code})
    page = f'<meta charset="utf-8"><meta name="payment-code" content="{code}"><p>Pay</p>'
    shop.pages["page"] = web.Response(text=page, content_type="text/html")

    for token in ("redirect", "page"):
        told = await person.post("/sandbox/wallets/quickpass/scan", code=f"{shop.url}/p/{token}")
        assert told["bill"] == "toybank:A1"

    assert shop.visitors == [USER_AGENTS[Wallet.QUICKPASS]] * 2


async def test_a_page_without_a_code_is_refused_in_its_own_words(person, shop):
    text = '<p class="headline" role="status">This order has expired.</p>'
    shop.pages["over"] = web.Response(text=text, content_type="text/html")
    shop.pages["alert"] = web.Response(text=text + '<p role="alert">Choose another wallet.</p>')
    shop.pages["bare"] = web.Response(text="<p>Hello</p>")

    said = [
        (await person.refused("/sandbox/wallets/bank/scan", code=f"{shop.url}/p/{token}"))[1]
        for token in ("over", "alert", "bare")
    ]

    assert said[:2] == ["This order has expired.", "Choose another wallet."]
    assert "nothing to this wallet" in said[2]


async def test_a_link_in_circles_and_a_shop_that_is_away_are_refused(person, shop):
    shop.pages["round"] = web.Response(status=302, headers={"Location": f"{shop.url}/p/round"})

    status, error = await person.refused("/sandbox/wallets/bank/scan", code=f"{shop.url}/p/round")
    assert (status, error) == (422, "This link leads in circles.")

    person.sandbox.host_url = "http://127.0.0.1:9"
    status, error = await person.refused("/sandbox/wallets/bank/scan", code="http://127.0.0.1:9/p/away")
    assert (status, error) == (422, "The shop does not answer; try again in a moment.")


@pytest.mark.parametrize("wallet", list(USER_AGENTS))
def test_the_host_knows_every_wallet_by_its_user_agent(wallet):
    assert wallet_of(USER_AGENTS[wallet]) is wallet


async def test_a_wallet_that_is_not_there_is_404(person):
    status, said = await person.refused("/sandbox/wallets/telegram/scan", code="x")

    assert status == 404
    assert said.startswith("There is no such wallet here; there are wechat, alipay, quickpass")


async def test_an_unknown_fault_is_400(person):
    status, error = await person.refused(
        "/sandbox/wallets/bank/pay", bill="toybank:A1", faults=["earthquake"]
    )

    assert status == 400
    assert error.startswith("faults.0: Input should be 'timeout_before'")
