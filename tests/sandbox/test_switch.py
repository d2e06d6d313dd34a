"""A wallet's money finds the owner of a foreign code, or hears why not."""

from dataclasses import replace
from datetime import date

import pytest

from bot.sandbox.switch import NotCleared, clearing, takers
from providers.alipay import plugin as alipay
from providers.sdk.codes import Issuer
from providers.sdk.interconnection import Clearing
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin as unionpay
from providers.wechatpay import plugin as wechatpay
from tests.sandbox.toy import toy_plugin

TODAY = date(2026, 7, 1)
CONNECTED = toy_plugin("wechatpay", "WeChat Pay", "weixin://wxpay/bizpayurl?pr=", frozenset({Wallet.WECHAT}))
CONNECTED = replace(CONNECTED, info=replace(CONNECTED.info, issuer=Issuer.WECHAT))


def test_the_day_decides() -> None:
    with pytest.raises(NotCleared, match=r"since 2020-01, and it is 2019-12-31\. What works: WeChat Pay;"):
        clearing(Wallet.QUICKPASS, wechatpay.info, date(2019, 12, 31))

    assert clearing(Wallet.QUICKPASS, wechatpay.info, date(2020, 1, 1)) is Clearing.UNIONPAY
    assert clearing(Wallet.BESTPAY, wechatpay.info, TODAY) is Clearing.NETSUNION
    assert clearing(Wallet.BANK, unionpay.info, TODAY) is Clearing.OWN


@pytest.mark.parametrize(
    ("wallet", "info", "why"),
    [
        (Wallet.ALIPAY, wechatpay.info, "There is a wall: Alipay does not pay WeChat Pay codes."),
        (Wallet.WECHAT, alipay.info, "There is a wall: WeChat Pay does not pay Alipay codes."),
        (Wallet.UNICOMPAY, unionpay.info, "said but not confirmed"),
        (Wallet.CMPAY, wechatpay.info, "Nobody has published that China Mobile Hebao pays WeChat Pay codes."),
        (Wallet.CMPAY, alipay.info, "Nobody has published that China Mobile Hebao pays Alipay codes."),
    ],
)
def test_a_refusal_says_whose_code_it_is_which_wallet_why_not_and_what_works(wallet, info, why) -> None:
    with pytest.raises(NotCleared) as refusal:
        clearing(wallet, info, TODAY)

    said = str(refusal.value)
    assert said.startswith(f"{said.split(' can', 1)[0]} can't pay this code of {info.name_en}. ")
    assert why in said
    assert "What works: " in said
    assert "one code" in said


def test_an_institutions_own_wallets_are_its_first_takers() -> None:
    assert takers(alipay.info, TODAY) == (Wallet.ALIPAY, Wallet.QUICKPASS, Wallet.BANK)
    assert takers(alipay.info, date(2021, 12, 1)) == (Wallet.ALIPAY,)


async def test_a_cleared_payment_debits_the_payers_wallet_and_the_owner_notifies(open_sandbox, shop) -> None:
    async with open_sandbox([toy_plugin(), CONNECTED]) as person:
        code = await person.order(shop, provider="wechatpay")

        told = await person.post("/sandbox/wallets/bestpay/scan", code=code)
        await person.post("/sandbox/wallets/bestpay/pay", bill=told["bill"])

        assert (told["scheme"], told["provider"], told["clearing"]) == ("wechat", "wechatpay", "netsunion")
        assert await shop.hears(1) == [("A1", "genuine")]
        assert person.sandbox.purses.balance(Wallet.BESTPAY) == 98_200
        assert person.sandbox.purses.balance(Wallet.WECHAT) == 100_000
