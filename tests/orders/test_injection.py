"""Other people's words go through the book and come back as they were; none of them is ever an instruction."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.orders.order import OrderState
from bot.runtime.cashier import cashier_screen
from miniprograms.sdk.payment import PaymentRequest
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.fakes.surface import text_of

NASTY = [
    "'; DROP TABLE orders; --",
    '" OR "1"="1',
    "%s %(x)s {0} {settings.host_secret} ${IFS} {{7*7}}",
    "return redis.call('FLUSHALL')",
    "\\' \\\" \\n \\x00",
    "moongate:{7:7}:session",
    "a\r\nSET x y\r\n",
]


@pytest.mark.fault("M5")
@pytest.mark.parametrize("words", NASTY)
async def test_a_title_or_key_full_of_commands_is_stored_as_it_is(shop, words):
    request = PaymentRequest(amount=Money.cny("18.00"), title=words, order_key=words)
    [order] = await shop.checkout.place([shop.draft(request=request)])
    opened = await shop.open(order, Wallet.BANK)
    shop.pay(opened)
    await shop.deliver()
    await shop.checkout.refund(order.id, Money.cny("1.00"), words, words, refund_key=words)

    found = await shop.look(order)

    assert (found.title, found.order_key) == (words, words)
    assert found.state is OrderState.PARTLY_REFUNDED
    assert (found.refunds[0].reason, found.refunds[0].refund_key) == (words, words)
    assert len(await shop.checkout.orders_of(None)) == 1


@pytest.mark.fault("M5")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
)
async def test_two_keys_are_one_order_only_when_they_are_the_same_text(shop, key):
    request = PaymentRequest(amount=Money.cny("18.00"), title="x", order_key=key)

    first = await shop.checkout.place([shop.draft(request=request)])
    again = await shop.checkout.place([shop.draft(request=request)])

    assert first[0].id == again[0].id
    assert again[0].order_key == key


@pytest.mark.fault("M4")
async def test_braces_and_percent_signs_in_a_title_are_shown_and_not_filled_in(shop):
    words = NASTY[2]
    request = PaymentRequest(amount=Money.cny("18.00"), title=words, order_key="k")
    [order] = await shop.checkout.place([shop.draft(request=request)])

    screen = cashier_screen(order, (), None, "en")

    assert words in text_of(screen)
