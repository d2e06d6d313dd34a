"""What an operator reads about an order."""

from dataclasses import replace

import pytest

from bot.orders import story
from bot.orders.audit import CauseKind
from bot.orders.order import OrderState
from bot.orders.rows import newest_of, trail
from bot.orders.table import AttemptEvent, OrderEvent, RefundEvent
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


async def story_of(shop, order):
    entries = await shop.book.read(lambda one: trail(one, order.id))
    return "\n".join(story.told(await shop.look(order), entries))


@pytest.mark.parametrize(
    ("events", "words"),
    [(OrderEvent, story._OF_ORDER), (AttemptEvent, story._OF_ATTEMPT), (RefundEvent, story._OF_REFUND)],
)
def test_every_event_has_its_words(events, words):
    assert [event for event in events if event not in words] == []
    assert set(story._WHOSE_WORD) == set(CauseKind)


async def test_a_payment_and_its_refund_are_told_in_order_with_whose_word_it_was(shop):
    order = await shop.paid_order(Wallet.BANK)
    await shop.checkout.refund(order.id, Money.cny("6"), "冷了", "operator:li")

    told = await story_of(shop, order)

    places = [told.index(words) for words in (
        "The order was placed", "is being sent to the institution", "is open at the institution",
        "The institution told us (inbox:1)", "The order is paid [pending → paid]", "Refund 1 was reserved",
        "An operator's word (operator:li)", "is done: the money is back", "is partly refunded",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "2026-07-01 12:00:00" in told
    assert "冷了" in told
    assert order.link_token not in told
    assert str(order.attempts[0].code) not in told


@pytest.mark.fault("M2", "M3")
async def test_what_others_wrote_cannot_move_the_terminal(shop):
    order = await shop.place()

    row = story.row(replace(order, title="a\x1b[2Jb\u202ec"))

    assert "\x1b" not in row
    assert "\u202e" not in row


async def test_orders_are_listed_by_state_and_person_newest_first(shop):
    paid = await shop.paid_order(Wallet.BANK)
    shop.clock.advance(1)
    open_one = await shop.place("cart-2")
    shop.clock.advance(1)
    stranger = await shop.place("cart-3", user_id=1)

    async def ids(user=None, state=None):
        return [order.id for order in await shop.book.read(lambda one: newest_of(one, user, 10, state))]

    assert await ids() == [stranger.id, open_one.id, paid.id]
    assert await ids(state=OrderState.PAID) == [paid.id]
    assert await ids(user=1) == [stranger.id]
