"""What is shown once an order is paid, refunded or has ended."""

from dataclasses import replace

import pytest

from bot.orders.order import AttemptState, OrderState, RefundState
from bot.runtime.receipts import moment_text
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.runtime.paper import (
    ATTEMPT,
    ID,
    NOON,
    PAID_ATTEMPT,
    REFUND,
    draw,
    ended,
    keys,
    said,
)


def test_the_receipt_names_amount_title_wallet_time_and_number():
    order = ended(OrderState.PAID, attempts=(PAID_ATTEMPT,), paid_at=NOON)

    screen = draw(order)

    assert said(screen).splitlines() == [
        "✅ Paid ¥18.00",
        "Latte",
        "WeChat Pay · 2026-07-01 04:02 UTC",
        f"Order number {ID}",
    ]
    assert [key.copy for key in keys(screen)] == [ID]
    assert screen.picture is None


def test_the_receipt_names_the_wallet_that_really_paid():
    paid = replace(PAID_ATTEMPT, wallet=Wallet.QUICKPASS, paid_wallet=Wallet.BANK)

    assert "Bank app" in said(draw(ended(OrderState.PAID, attempts=(paid,))))


def test_a_wallet_that_the_institution_does_not_name_is_not_guessed():
    """WeChat Pay names its own payer; when it names none, somebody else's wallet has scanned its code."""
    paid = replace(PAID_ATTEMPT, wallet=Wallet.WECHAT, paid_wallet=None)

    assert "With a code of WeChat Pay" in said(draw(ended(OrderState.PAID, attempts=(paid,))))
    assert "通过微信支付的收款码" in said(draw(ended(OrderState.PAID, attempts=(paid,)), language="zh"))


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        (OrderState.PAID, "✅ Paid ¥18.00"),
        (OrderState.PAID_LATE, "✅ Paid ¥18.00"),
        (OrderState.PARTLY_REFUNDED, "↩️ Paid ¥18.00, ¥5.00 refunded"),
        (OrderState.REFUNDED, "↩️ Refunded ¥5.00"),
    ],
)
def test_the_headline_says_what_became_of_the_money(state, headline):
    order = ended(state, attempts=(PAID_ATTEMPT,), refunds=(REFUND,))

    assert said(draw(order)).splitlines()[0] == headline


def test_a_refund_says_where_it_stands():
    on_its_way = replace(REFUND, state=RefundState.UNKNOWN)
    stuck = replace(REFUND, state=RefundState.FAILED)
    order = ended(OrderState.PAID, attempts=(PAID_ATTEMPT,), refunds=(REFUND, on_its_way, stuck))

    text = said(draw(order))

    assert "¥5.00 refunded · 2026-07-01 05:00 UTC" in text
    assert "A refund of ¥5.00 is on its way." in text
    assert "A refund of ¥5.00 did not go through." in text


def test_a_second_payment_is_told_and_its_return_does_not_count_against_the_first():
    second = replace(PAID_ATTEMPT, number="B1B2C3", state=AttemptState.OVERPAID)
    back = replace(REFUND, attempt_number="B1B2C3", amount=Money.cny("18.00"))
    order = ended(OrderState.PARTLY_REFUNDED, attempts=(PAID_ATTEMPT, second), refunds=(REFUND, back))

    text = said(draw(order))

    assert text.startswith("↩️ Paid ¥18.00, ¥5.00 refunded")
    assert "A second payment of ¥18.00 arrived" in text


def test_a_late_payment_is_a_receipt_that_says_it_was_late():
    text = said(draw(ended(OrderState.PAID_LATE, attempts=(PAID_ATTEMPT,))))

    assert text.startswith("✅ Paid")
    assert "after the order had ended" in text


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (OrderState.EXPIRED, "expired"),
        (OrderState.CANCELLED, "cancelled"),
        (OrderState.FAILED, "cannot be paid"),
    ],
)
def test_an_order_that_ended_never_claims_that_nobody_paid(state, word):
    text = said(draw(ended(state)))

    assert word in text
    assert "If you have paid all the same, the payment counts" in text


def test_a_payment_in_doubt_asks_not_to_pay_again():
    text = said(draw(ended(OrderState.NEEDS_REVIEW, attempts=(ATTEMPT,))))

    assert "please do not pay again" in text
    assert ID in text


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("attempt", [None, *AttemptState])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_order_has_a_screen_that_telegram_takes(state, attempt, language):
    order = ended(state, title="拿铁" * 500)
    if attempt is not None:
        order = replace(order, attempts=(replace(ATTEMPT, state=attempt),))

    screen = draw(order, language=language)

    assert 0 < len(said(screen)) <= 1024
    assert all(len(key.data.encode()) <= 64 for key in keys(screen))
    assert all(bool(key.data) + bool(key.url) + bool(key.copy) == 1 for key in keys(screen))
    assert screen == draw(order, language=language)


def test_a_screen_of_an_unpaid_order_never_says_paid_with_a_tick():
    for state in set(OrderState) - {OrderState.PAID, OrderState.PAID_LATE}:
        assert "✅" not in said(draw(ended(state)))


def test_moments_carry_their_zone():
    assert moment_text(NOON, "en") == "2026-07-01 04:00 UTC"
    assert moment_text(NOON, "zh-CN") == "北京时间 2026-07-01 12:00"
