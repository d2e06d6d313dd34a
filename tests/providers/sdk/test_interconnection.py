from datetime import date

import pytest

from providers.sdk.codes import Issuer, Mark
from providers.sdk.interconnection import (
    AS_OF,
    CONNECTIONS,
    Clearing,
    Verdict,
    connection,
    may_pay,
    objection,
    payers,
)
from providers.sdk.wallets import Wallet


@pytest.mark.parametrize(
    ("wallet", "issuer", "day_before", "day", "clearing"),
    [
        (Wallet.QUICKPASS, Issuer.WECHAT, date(2019, 12, 31), date(2020, 1, 1), Clearing.UNIONPAY),
        (Wallet.BANK, Issuer.WECHAT, date(2019, 12, 31), date(2020, 1, 1), Clearing.UNIONPAY),
        (Wallet.QUICKPASS, Issuer.ALIPAY, date(2021, 12, 1), date(2021, 12, 2), Clearing.UNIONPAY),
        (Wallet.BANK, Issuer.ALIPAY, date(2021, 12, 1), date(2021, 12, 2), Clearing.UNIONPAY),
        (Wallet.BESTPAY, Issuer.WECHAT, date(2022, 12, 31), date(2023, 1, 1), Clearing.NETSUNION),
        (Wallet.ECNY, Issuer.AGGREGATED, date(2023, 5, 31), date(2023, 6, 1), Clearing.DIRECT),
    ],
)
def test_a_connection_opens_on_its_day(
    wallet: Wallet, issuer: Issuer, day_before: date, day: date, clearing: Clearing
) -> None:
    assert not may_pay(wallet, issuer, day_before)
    assert may_pay(wallet, issuer, day)
    assert connection(wallet, issuer).clearing is clearing


def test_the_wall_between_wechat_and_alipay_stands_on_both_sides() -> None:
    for wallet, issuer in ((Wallet.WECHAT, Issuer.ALIPAY), (Wallet.ALIPAY, Issuer.WECHAT)):
        row = connection(wallet, issuer)

        assert (row.verdict, row.mark) == (Verdict.CLOSED, Mark.CONFIRMED)
        assert not may_pay(wallet, issuer, AS_OF)


def test_every_wallet_but_stars_pays_codes_of_its_own_network() -> None:
    own = {row.wallet for row in CONNECTIONS if row.clearing is Clearing.OWN}

    assert own == set(Wallet) - {Wallet.TELEGRAM}
    assert all(may_pay(row.wallet, row.issuer, AS_OF) for row in CONNECTIONS if row.clearing is Clearing.OWN)


def test_what_is_unsure_or_not_in_the_table_is_not_relied_on() -> None:
    unsure = [row for row in CONNECTIONS if row.mark is Mark.UNSURE]

    assert {(row.wallet, row.issuer) for row in unsure} >= {
        (Wallet.CMPAY, Issuer.WECHAT),
        (Wallet.ECNY, Issuer.WECHAT),
        (Wallet.ECNY, Issuer.ALIPAY),
    }
    assert not any(row.may_pay(AS_OF) for row in unsure)
    assert connection(Wallet.CMPAY, Issuer.ALIPAY) is None
    assert not may_pay(Wallet.CMPAY, Issuer.ALIPAY, AS_OF)


@pytest.mark.parametrize(
    ("wallet", "issuer", "on", "why"),
    [
        (Wallet.WECHAT, Issuer.ALIPAY, AS_OF, "There is a wall"),
        (Wallet.QUICKPASS, Issuer.ALIPAY, date(2021, 12, 1), "since 2021-12-02, and it is 2021-12-01."),
        (Wallet.UNICOMPAY, Issuer.UNIONPAY, AS_OF, "said but not confirmed (09sw.cn/post/47)."),
        (Wallet.CMPAY, Issuer.WECHAT, AS_OF, "Nobody has published that China Mobile Hebao pays WeChat Pay"),
        (
            Wallet.ECNY,
            Issuer.BESTPAY,
            AS_OF,
            "Nobody has published that e-CNY pays China Telecom BestPay codes.",
        ),
    ],
)
def test_an_objection_says_in_words_why_not(wallet: Wallet, issuer: Issuer, on: date, why: str) -> None:
    assert why in (objection(wallet, issuer, on) or "")


def test_there_is_an_objection_exactly_where_a_wallet_may_not_pay() -> None:
    for wallet in Wallet:
        for issuer in Issuer:
            for on in (date(2019, 6, 1), date(2021, 12, 2), AS_OF):
                assert (objection(wallet, issuer, on) is None) is may_pay(wallet, issuer, on)


def test_the_payers_of_wechat_s_codes_grew_with_the_years() -> None:
    assert payers(Issuer.WECHAT, date(2019, 1, 1)) == (Wallet.WECHAT,)
    assert payers(Issuer.WECHAT, AS_OF) == (
        Wallet.WECHAT,
        Wallet.QUICKPASS,
        Wallet.BESTPAY,
        Wallet.UNICOMPAY,
        Wallet.BANK,
    )


def test_each_pair_stands_once_with_a_source_and_a_date_where_a_network_was_joined() -> None:
    pairs = [(row.wallet, row.issuer) for row in CONNECTIONS]
    joined = [
        row
        for row in CONNECTIONS
        if row.verdict is Verdict.OPEN and row.clearing not in {Clearing.OWN, Clearing.DIRECT}
    ]

    assert len(set(pairs)) == len(pairs)
    assert [row for row in CONNECTIONS if not row.source] == []
    assert [row for row in joined if not row.since] == []
    assert all(row.opens <= AS_OF for row in CONNECTIONS)
