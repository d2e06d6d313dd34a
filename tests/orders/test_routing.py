from dataclasses import replace

from bot.orders.routing import Route, best_per_wallet, offers, refusals
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin as unionpay

PRICE = Money.cny("18.00")
WIDE = Route("unionpay", "main", unionpay.info)
NARROW = Route(
    "direct",
    "main",
    replace(
        unionpay.info,
        id="direct",
        name_en="Direct",
        wallets=frozenset({Wallet.QUICKPASS}),
        ways=frozenset({Way.LINK, Way.MERCHANT_CODE}),
        min_minor=100,
        max_minor=5000,
    ),
)


def test_the_institution_nearest_to_the_wallet_comes_first():
    ranked = offers(PRICE, [WIDE, NARROW], wallet=Wallet.QUICKPASS)

    assert [(offer.provider, offer.way) for offer in ranked] == [
        ("direct", Way.MERCHANT_CODE),
        ("direct", Way.LINK),
        ("unionpay", Way.MERCHANT_CODE),
    ]
    assert all(offer.reason for offer in ranked)


def test_each_wallet_gets_one_button():
    best = best_per_wallet(offers(PRICE, [WIDE, NARROW]))

    assert {offer.wallet: offer.provider for offer in best} == {
        Wallet.QUICKPASS: "direct",
        Wallet.BANK: "unionpay",
    }


def test_the_order_of_accounts_does_not_matter():
    assert offers(PRICE, [WIDE, NARROW]) == offers(PRICE, [NARROW, WIDE])


def test_limits_are_kept_to_the_fen():
    for minor, fits in ((99, False), (100, True), (5000, True), (5001, False)):
        assert bool(offers(Money(minor, "CNY"), [NARROW])) is fits


def test_another_currency_is_refused_with_the_reason():
    [refusal] = [one for one in refusals(Money(1800, "HKD"), [NARROW]) if one.provider]

    assert offers(Money(1800, "HKD"), [NARROW]) == ()
    assert "HKD" in refusal.reason


def test_an_account_that_is_down_is_not_offered():
    down = replace(WIDE, down="UnionPay is down: 11")

    assert offers(PRICE, [down]) == ()
    assert refusals(PRICE, [down])[0].reason == "UnionPay is down: 11"


def test_a_wallet_that_nobody_takes_is_named():
    found = refusals(PRICE, [WIDE], wallet=Wallet.ALIPAY)

    assert [one.wallet for one in found if one.wallet] == [Wallet.ALIPAY]
    assert all("Alipay" in one.reason for one in found)


def test_a_payer_code_is_never_offered_in_a_chat():
    only_payer_codes = replace(WIDE, info=replace(unionpay.info, ways=frozenset({Way.PAYER_CODE})))

    assert offers(PRICE, [only_payer_codes]) == ()
    assert offers(PRICE, [only_payer_codes], ways=[Way.PAYER_CODE]) != ()
