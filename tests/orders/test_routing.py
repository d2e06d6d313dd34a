from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.orders.routing import WAYS_IN_CHAT, Route, best_per_wallet, objection, offers, refusals
from providers.alipay import plugin as alipay
from providers.sdk.codes import Issuer
from providers.sdk.contract import Way
from providers.sdk.interconnection import Clearing, may_pay
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin as unionpay
from providers.wechatpay import plugin as wechatpay

PRICE = Money.cny("18.00")
DAY = date(2026, 7, 1)
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


def foreign(day: date, wallet: Wallet = Wallet.QUICKPASS) -> list[str]:
    routes = [
        Route("wechatpay", "main", wechatpay.info, on=day),
        Route("alipay", "main", alipay.info, on=day),
    ]
    return [f"{offer.provider} {offer.clearing}" for offer in offers(PRICE, routes, wallet=wallet)]


def test_a_wallet_pays_another_networks_code_since_the_day_they_were_connected():
    assert foreign(date(2019, 12, 31)) == []
    assert foreign(date(2021, 12, 1)) == ["wechatpay unionpay"]
    assert foreign(date(2021, 12, 2)) == ["alipay unionpay", "wechatpay unionpay"]
    assert foreign(date(2026, 7, 1), Wallet.BESTPAY) == ["wechatpay netsunion"]
    assert foreign(date(2026, 7, 1), Wallet.CMPAY) == []
    assert foreign(date(2026, 7, 1), Wallet.ECNY) == []


def test_the_wall_is_named_in_the_refusal():
    routes = [Route("wechatpay", "main", wechatpay.info, on=DAY)]

    [refusal] = refusals(PRICE, routes, wallet=Wallet.ALIPAY)

    assert "wall" in refusal.reason
    assert not refusal.passing


def test_a_direct_way_comes_before_a_cleared_one_and_the_cleared_one_stands_in_for_it():
    direct, cleared = (
        Route("unionpay", "main", unionpay.info),
        Route("wechatpay", "main", wechatpay.info, on=DAY),
    )

    both = offers(PRICE, [cleared, direct], wallet=Wallet.QUICKPASS)
    alone = offers(PRICE, [cleared, replace(direct, down="It is down.")], wallet=Wallet.QUICKPASS)

    assert [offer.provider for offer in both] == ["unionpay", "wechatpay"]
    assert [offer.provider for offer in alone] == ["wechatpay"]
    assert "through UnionPay" in alone[0].reason


def test_the_cheaper_of_two_accounts_comes_first():
    dear, cheap = replace(WIDE, account="dear", fee_bp=60), replace(WIDE, account="zz", fee_bp=38)

    assert offers(PRICE, [dear, cheap], wallet=Wallet.BANK)[0].account == "zz"


def test_over_a_limit_of_the_contract_another_account_is_led_to_with_the_reason():
    small, spent = (
        replace(WIDE, account="a", single_max_minor=1799),
        replace(WIDE, account="b", daily_left_minor=1799),
    )

    assert [offer.account for offer in offers(PRICE, [small, spent, WIDE], wallet=Wallet.BANK)] == ["main"]
    reasons = {
        one.account: (one.reason, one.passing) for one in refusals(PRICE, [small, spent, WIDE]) if one.account
    }
    assert "at once" in reasons["a"][0]
    assert not reasons["a"][1]
    assert "today" in reasons["b"][0]
    assert reasons["b"][1]


# --- the laws of the ranking, for any accounts

CODES = st.sets(st.sampled_from(Way), min_size=1).map(frozenset)


def infos():
    return st.builds(
        lambda wallets, ways, issuer, low, high: replace(
            unionpay.info, wallets=frozenset(wallets), ways=ways, issuer=issuer, min_minor=low, max_minor=high
        ),
        st.sets(st.sampled_from(Wallet), min_size=1),
        CODES,
        st.none() | st.sampled_from(Issuer),
        st.integers(1, 3000),
        st.integers(1000, 9000),
    )


ROUTES = st.lists(
    st.builds(
        Route,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["main", "two"]),
        infos(),
        down=st.sampled_from(["", "", "It is down."]),
        ailing=st.booleans(),
        fee_bp=st.sampled_from([0, 38, 60]),
        single_max_minor=st.sampled_from([0, 1000, 2000]),
        daily_left_minor=st.none() | st.integers(-10, 4000),
        on=st.none() | st.dates(date(2019, 1, 1), DAY),
    ),
    max_size=5,
    unique_by=lambda route: (route.provider, route.account),
)
AMOUNTS = st.integers(1, 10_000).map(lambda minor: Money(minor, "CNY"))
WAYS = st.sampled_from([WAYS_IN_CHAT, (Way.PAYER_CODE,), (Way.MERCHANT_CODE,), tuple(Way)])


@given(AMOUNTS, ROUTES, WAYS, st.randoms())
def test_the_same_accounts_in_any_order_give_the_same_ranking_and_no_offer_twice(
    amount, routes, ways, random
):
    ranked = offers(amount, routes, ways=ways)

    assert offers(amount, random.sample(routes, len(routes)), ways=ways) == ranked
    assert len({(one.wallet, one.provider, one.account, one.way) for one in ranked}) == len(ranked)


@given(AMOUNTS, ROUTES, WAYS)
def test_no_offer_goes_through_an_account_that_objects(amount, routes, ways):
    by_name = {(route.provider, route.account): route for route in routes}

    for offer in offers(amount, routes, ways=ways):
        route = by_name[offer.provider, offer.account]
        assert objection(amount, route) is None
        assert offer.way in set(ways) & route.info.ways
        if offer.wallet in route.info.wallets:
            assert offer.clearing is Clearing.OWN
        else:
            assert offer.way is Way.MERCHANT_CODE
            assert may_pay(offer.wallet, route.info.issuer, route.on)
        assert offer.reason.endswith(".")


@given(AMOUNTS, ROUTES, WAYS)
def test_every_wallet_is_offered_or_refused_with_the_reason_and_never_both(amount, routes, ways):
    offered = {offer.wallet for offer in offers(amount, routes, ways=ways)}
    refused = {one.wallet: one for one in refusals(amount, routes, ways=ways) if one.wallet}

    assert offered | set(refused) == set(Wallet)
    assert not offered & set(refused)
    assert all(len(one.reason) > 10 and one.reason.endswith(".") for one in refused.values())
    for wallet in Wallet:
        alone = offers(amount, routes, wallet=wallet, ways=ways)
        assert alone == tuple(offer for offer in offers(amount, routes, ways=ways) if offer.wallet is wallet)
        assert refused.get(wallet) == next(
            (one for one in refusals(amount, routes, wallet=wallet, ways=ways) if one.wallet), None
        )


@given(AMOUNTS, ROUTES)
def test_well_before_ailing_then_direct_before_cleared_then_cheaper_before_dearer(amount, routes):
    by_name = {(route.provider, route.account): route for route in routes}

    ranked = offers(amount, routes)

    keys = [
        (route.ailing, offer.clearing is not Clearing.OWN, route.fee_bp)
        for offer in ranked
        for route in [by_name[offer.provider, offer.account]]
    ]
    assert keys == sorted(keys)


@given(AMOUNTS, ROUTES)
def test_what_an_account_would_lose_by_falling_ill_others_keep(amount, routes):
    """Taking one account away takes its own offers and changes the order of nobody else's."""
    ranked = offers(amount, routes)

    for route in routes:
        down = [replace(one, down="Down.") if one == route else one for one in routes]
        name = (route.provider, route.account)
        kept = tuple(offer for offer in ranked if (offer.provider, offer.account) != name)
        assert offers(amount, down) == kept
