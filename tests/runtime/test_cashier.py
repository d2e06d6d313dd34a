"""The screens of an order that waits to be paid, and the keys on them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.orders.answers import Why
from bot.orders.order import AttemptState, OrderState
from bot.orders.routing import Offer
from bot.runtime.cashier import (
    PaymentKey,
    Verb,
    cashier_screen,
    order_screen,
    orders_screen,
    read_key,
    refusal_text,
    wallet_screen,
    write_key,
)
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet, wallet_name
from tests.runtime.paper import (
    ATTEMPT,
    ID,
    LINK,
    NOON,
    OFFERS,
    ORDER,
    code_in,
    draw,
    keys,
    said,
    verbs,
    with_attempt,
)


def test_a_waiting_order_shows_the_one_code_what_it_costs_and_how_long_it_is_valid():
    screen = draw(ORDER)

    assert code_in(screen) == LINK
    assert "Latte" in said(screen)
    assert "¥18.00" in said(screen)
    assert "Valid for 15 minutes, until 2026-07-01 04:15 UTC." in said(screen)
    assert ID in said(screen)


STARS = replace(ORDER, amount=Money(5, "XTR"))
BY_INVOICE = [Offer(Wallet.TELEGRAM, "telegramstars", "main", Way.INVOICE, "")]


def test_an_order_that_only_the_messenger_collects_shows_no_code():
    screen = cashier_screen(STARS, BY_INVOICE, LINK, "en")

    assert screen.picture is None
    assert "Choose the wallet" in said(screen)
    assert verbs(screen) == [Wallet.TELEGRAM, Verb.CANCEL]
    assert not any(key.url for key in keys(screen))


@pytest.mark.parametrize(("language", "label"), [("en", "Pay ★5"), ("zh", "支付 ★5")])
def test_an_invoice_is_opened_by_a_button_with_its_price(language, label):
    link = "https://t.me/$abc"
    attempt = replace(
        ATTEMPT, way=Way.INVOICE, wallet=Wallet.TELEGRAM, amount=STARS.amount, code=None, link=link
    )
    screen = wallet_screen(STARS, attempt, language)

    assert screen.picture is None
    assert [(key.label, key.url) for key in keys(screen) if key.url] == [(label, link)]


def test_every_wallet_that_can_pay_has_one_button_and_the_payer_can_leave():
    screen = draw(ORDER)

    assert verbs(screen) == [Wallet.WECHAT, Wallet.QUICKPASS, Wallet.UNICOMPAY, Wallet.ECNY, Verb.CANCEL]
    assert [key.label for key in keys(screen)][:2] == ["WeChat Pay", "Cloud QuickPass"]
    assert all(key.primary for key in keys(screen) if key.data and read_key(key.data).verb in set(Wallet))


def test_short_names_share_a_row_and_long_ones_stand_alone():
    screen = draw(ORDER)

    assert [len(row) for row in screen.rows] == [2, 1, 1, 1, 1]


def test_a_public_one_code_can_also_be_opened_on_this_phone():
    assert [key.url for key in keys(draw(ORDER)) if key.url] == [LINK]
    assert [key.url for key in keys(draw(ORDER, code_text="http://127.0.0.1:8081/p/x")) if key.url] == []


def test_a_code_that_is_no_link_still_leads_to_the_page_on_this_phone():
    screen = order_screen(ORDER, OFFERS, "00020101…", "en", NOON, page_url=LINK)

    assert code_in(screen) == "00020101…"
    assert [key.url for key in keys(screen) if key.url] == [LINK]


def test_chinese_payers_read_chinese_and_beijing_time():
    screen = draw(ORDER, language="zh-hans")

    assert "15 分钟内有效，截止北京时间 2026-07-01 12:15。" in said(screen)
    assert keys(screen)[0].label == "微信支付"
    assert keys(screen)[-1].label == "取消"


def test_an_order_no_wallet_can_pay_says_so_and_shows_no_code():
    screen = draw(ORDER, offers=())

    assert screen.picture is None
    assert "No wallet can pay this order at the moment." in said(screen)
    assert verbs(screen) == [Verb.CANCEL]


def test_without_an_address_to_scan_the_wallets_are_still_offered():
    screen = draw(ORDER, code_text=None)

    assert screen.picture is None
    assert "Choose the wallet" in said(screen)
    assert Wallet.ECNY in verbs(screen)


def test_a_chosen_wallet_shows_the_institution_s_own_code():
    screen = draw(with_attempt())

    assert code_in(screen) == ATTEMPT.code
    assert "Scan this code with WeChat Pay." in said(screen)
    assert verbs(screen) == [Verb.CHOOSE, Verb.CANCEL]


def test_an_institution_s_page_is_opened_by_a_button_and_its_app_link_is_not():
    web = draw(with_attempt(code=None, link="https://institution.example/pay"))
    app = draw(with_attempt(code="x", link="weixin://app"))

    assert [key.url for key in keys(web) if key.url] == ["https://institution.example/pay"]
    assert web.picture is None
    assert [key.url for key in keys(app) if key.url] == []


def test_the_institution_s_own_expiry_is_shown_when_it_is_earlier():
    screen = draw(with_attempt(usable_until=NOON + timedelta(minutes=1)))

    assert "Valid for 1 minute, until 2026-07-01 04:01 UTC." in said(screen)


@pytest.mark.fault("L6")
def test_a_code_that_has_died_leads_back_to_the_one_code():
    order = with_attempt(usable_until=NOON + timedelta(minutes=1))

    assert code_in(draw(order, now=NOON + timedelta(minutes=2))) == LINK


def test_an_unanswered_wallet_is_being_asked_and_nobody_is_told_to_pay_again():
    screen = draw(with_attempt(state=AttemptState.UNKNOWN, code=None))

    assert "do not pay again" in said(screen)
    assert verbs(screen) == [Wallet.WECHAT, Verb.CHOOSE, Verb.CANCEL]


def test_a_declined_wallet_is_named_and_the_others_offered():
    screen = draw(with_attempt(state=AttemptState.DECLINED))

    assert "WeChat Pay did not accept the payment." in said(screen)
    assert code_in(screen) == LINK


def test_a_wallet_that_was_left_for_the_one_code_is_not_shown_any_more():
    assert code_in(draw(with_attempt(leaving=True))) == LINK
    assert code_in(draw(with_attempt(state=AttemptState.UNKNOWN, leaving=True))) == LINK


def test_an_order_that_is_being_closed_can_no_longer_be_paid_from_here():
    screen = draw(replace(with_attempt(), ending=OrderState.CANCELLED))

    assert screen.picture is None
    assert screen.rows == ()
    assert "the payment counts" in said(screen)


def test_orders_are_listed_with_a_button_each():
    second = replace(ORDER, id="1Zk3vQ9sX7bT1mL5", state=OrderState.PAID, title="Mocha")

    screen = orders_screen([ORDER, second], "en")

    assert "⏳ ¥18.00 · Latte · 2026-07-01 04:00 UTC" in said(screen)
    assert "✅ ¥18.00 · Mocha" in said(screen)
    assert [read_key(key.data) for key in keys(screen)] == [
        PaymentKey(ID, Verb.SHOW),
        PaymentKey("1Zk3vQ9sX7bT1mL5", Verb.SHOW),
    ]


def test_someone_without_orders_is_told_where_to_find_some():
    assert "/apps" in said(orders_screen([], "en"))


def test_a_long_list_of_orders_still_fits_a_message():
    order = replace(ORDER, title="拿铁" * 500)

    assert len(said(orders_screen([order] * 30, "zh"))) <= 4096


@settings(deadline=None)
@given(st.from_regex(r"[0-9A-Za-z]{6,32}", fullmatch=True), st.sampled_from([*Verb, *Wallet]))
def test_a_key_is_read_as_it_was_written_and_fits_a_button(order_id, verb):
    data = write_key(order_id, verb)

    assert len(data.encode()) <= 64
    assert read_key(data) == PaymentKey(order_id, verb)


@pytest.mark.fault("J2")
@pytest.mark.parametrize(
    "data",
    [
        "",
        "p",
        "p:",
        f"p:{ID}",
        f"p:{ID}:gold",
        f"p:{ID}:cancel:now",
        f"p:{ID}:cancel\n",
        f" p:{ID}:cancel",
        "p:short:cancel",
        "p:" + "a" * 33 + ":cancel",
        "p:０Zk3vQ9sX7:cancel",
        "v:token",
    ],
)
def test_invented_data_is_no_key(data):
    assert read_key(data) is None


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_upsets_the_reader_of_keys(data):
    assert read_key(data) is None or data.startswith("p:")


@pytest.mark.parametrize("why", Why)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_refusal_has_a_sentence_that_fits_a_toast(why, language):
    assert 0 < len(refusal_text(why, language)) <= 200


@pytest.mark.fault("J5")
def test_somebody_else_s_order_sounds_like_no_order():
    assert refusal_text(Why.NOT_YOURS, "en") == refusal_text(Why.UNKNOWN_ORDER, "en")


def test_every_wallet_has_a_name_on_its_button():
    every = tuple(Offer(wallet, "any", "main", Way.MERCHANT_CODE, "") for wallet in Wallet)

    labels = [key.label for key in keys(cashier_screen(ORDER, every, LINK, "en"))]

    assert {wallet_name(wallet, "en") for wallet in Wallet} <= set(labels)
