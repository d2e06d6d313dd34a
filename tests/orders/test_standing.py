"""Standing codes in the book, on both stores."""

import asyncio

import pytest

from bot.orders.checkout import OrderRefusedError, Refused, Why
from bot.orders.order import Order, OrderState
from bot.orders.standing import OPEN_MAX, StandingDraft
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import PRICE, USER

NONCE = "n" * 22


def draft(**more):
    fields = {
        "app_id": "cashier", "page": "pages/codes/codes", "chat_id": USER, "user_id": USER, "language": "zh",
        "code_key": "k", "title": "面", "amount": PRICE,
    }  # fmt: skip
    return StandingDraft(**{**fields, **more})


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_a_code_outlives_the_host_and_every_scan_is_an_order(shop):
    code = await shop.checkout.stand(draft())
    await shop.restart()

    first = await shop.checkout.standing.order(code.token, None, NONCE)
    second = await shop.checkout.standing.order(code.token, None, "m" * 22)

    assert (first.amount, first.user_id, first.page) == (PRICE, USER, "pages/codes/codes")
    assert first.id != second.id
    assert (await shop.checkout.stand(draft())).token == code.token


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_a_scan_sent_twice_at_once_is_one_order(shop):
    code = await shop.checkout.stand(draft())

    answers = await asyncio.gather(*(shop.checkout.standing.order(code.token, None, NONCE) for _ in range(4)))

    assert len({answer.id for answer in answers}) == 1


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_thirty_orders_of_a_code_may_be_open_and_paid_ones_make_room(shop):
    code = await shop.checkout.stand(draft(amount=None))
    for number in range(OPEN_MAX):
        last = await shop.checkout.standing.order(code.token, PRICE, f"{number:022d}")

    full = await shop.checkout.standing.order(code.token, PRICE, NONCE)
    again = await shop.checkout.standing.order(code.token, PRICE, f"{number:022d}")
    shop.pay(await shop.open(last, Wallet.BANK))
    await shop.deliver()
    room = await shop.checkout.standing.order(code.token, PRICE, NONCE)

    assert isinstance(full, Refused)
    assert full.why is Why.CHECKING
    assert again.id == last.id
    assert isinstance(room, Order)


async def test_what_is_printed_never_changes(shop):
    await shop.checkout.stand(draft())

    for changed in ({"amount": Money.cny("1.00")}, {"amount": None}, {"title": "饭"}):
        with pytest.raises(OrderRefusedError):
            await shop.checkout.stand(draft(**changed))


async def test_a_form_cannot_change_the_amount_of_an_order_it_has_made(shop):
    code = await shop.checkout.stand(draft(amount=None))
    await shop.checkout.standing.order(code.token, PRICE, NONCE)

    answer = await shop.checkout.standing.order(code.token, Money.cny("0.01"), NONCE)

    assert answer.why is Why.WRONG_AMOUNT


async def test_another_s_code_of_the_same_key_is_another_code(shop):
    mine, theirs = await shop.checkout.stand(draft()), await shop.checkout.stand(draft(user_id=USER + 1))

    await shop.checkout.unstand("cashier", USER + 1, "k")

    assert mine.token != theirs.token
    assert await shop.checkout.standing.find(mine.token) is not None
    assert await shop.checkout.standing.find(theirs.token) is None


async def test_an_order_of_a_closed_code_can_still_be_paid(shop):
    code = await shop.checkout.stand(draft())
    order = await shop.checkout.standing.order(code.token, None, NONCE)

    await shop.checkout.unstand("cashier", USER, "k")
    shop.pay(await shop.open(order, Wallet.BANK))
    await shop.deliver()

    assert (await shop.look(order)).state is OrderState.PAID
