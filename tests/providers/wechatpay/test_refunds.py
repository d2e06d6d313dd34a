import json
from datetime import timedelta

import pytest

from providers.sdk.money import Money
from providers.sdk.results import (
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    RefundSnapshot,
    Returned,
    Unknown,
    Verified,
)
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")
START = 100_000_00


@pytest.fixture
async def paid(stall, opened):
    """A paid order, its notification taken from the bag."""
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    stall.courier.take()
    return ref


async def test_a_refund_goes_back_to_the_wallet_that_paid_and_is_told(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.BESTPAY)
    stall.courier.take()
    request = stall.refund(ref, Money.cny("5.00"))

    done = await stall.provider.refund(request, stall.call)

    assert isinstance(done, RefundSnapshot)
    assert (done.number, done.attempt_number) == (request.number, ref.number)
    assert (done.amount, done.state) == (Money.cny("5.00"), Returned.DONE)
    assert stall.purses.left[Wallet.BESTPAY] == START - 1800 + 500
    [told] = stall.read_post()
    assert isinstance(told, Verified)
    assert told.event == "REFUND.SUCCESS"
    assert told.fact == done
    assert (await stall.provider.query(ref, stall.call)).state is Paid.REFUNDED


async def test_the_request_names_refund_and_total(stall, paid) -> None:
    await stall.provider.refund(stall.refund(paid, Money.cny("5.00")), stall.call)

    assert json.loads(stall.transport.requests[-1].body) == {
        "out_trade_no": paid.number,
        "out_refund_no": "Refund20260701A1",
        "reason": "冷了 cold",
        "notify_url": "https://shop.example/notify/provider/main",
        "amount": {"refund": 500, "total": 1800, "currency": "CNY"},
    }


async def test_the_same_refund_again_returns_once(stall, paid) -> None:
    request = stall.refund(paid, PRICE)

    first = await stall.provider.refund(request, stall.call)
    second = await stall.provider.refund(request, stall.call)

    assert first == second
    assert stall.purses.left[Wallet.WECHAT] == START
    assert len(stall.courier.take()) == 1


async def test_the_same_refund_number_with_another_amount_is_a_conflict(stall, paid) -> None:
    await stall.provider.refund(stall.refund(paid, Money(500, "CNY")), stall.call)

    again = await stall.provider.refund(stall.refund(paid, Money(501, "CNY")), stall.call)

    assert isinstance(again, Declined)
    assert again.reason is DeclineReason.CONFLICT


async def test_more_than_was_paid_cannot_go_back(stall, paid) -> None:
    first = await stall.provider.refund(stall.refund(paid, Money.cny("10.00"), "Refund0001"), stall.call)
    over = await stall.provider.refund(stall.refund(paid, Money.cny("8.01"), "Refund0002"), stall.call)
    rest = await stall.provider.refund(stall.refund(paid, Money.cny("8.00"), "Refund0003"), stall.call)

    assert first.state is rest.state is Returned.DONE
    assert isinstance(over, Declined)
    assert stall.purses.left[Wallet.WECHAT] == START


async def test_fifty_parts_of_a_fen_go_back_and_no_more(stall, paid) -> None:
    for n in range(50):
        part = await stall.provider.refund(stall.refund(paid, Money(1, "CNY"), f"Refund{n:04d}"), stall.call)
        assert part.state is Returned.DONE

    one_more = await stall.provider.refund(stall.refund(paid, Money(1, "CNY"), "Refund9999"), stall.call)

    assert isinstance(one_more, Declined)
    assert one_more.reason is DeclineReason.LIMIT
    assert stall.purses.left[Wallet.WECHAT] == START - 1800 + 50


async def test_a_refund_under_way_is_pending_until_it_is_through(stall, paid) -> None:
    stall.gateway.let_refunds_take(60)
    request = stall.refund(paid, PRICE)

    sent = await stall.provider.refund(request, stall.call)
    stall.clock.advance(59)
    waiting = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert sent.state is waiting.state is Returned.PENDING
    assert stall.purses.left[Wallet.WECHAT] == START - 1800
    assert stall.courier.take() == []

    stall.clock.advance(1)
    done = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert done.state is Returned.DONE
    assert done.done_at == stall.clock.now()
    assert stall.purses.left[Wallet.WECHAT] == START
    [told] = stall.read_post()
    assert told.fact.state is Returned.DONE


async def test_any_call_finishes_a_refund_whose_time_has_come(stall, paid) -> None:
    stall.gateway.let_refunds_take(60)
    await stall.provider.refund(stall.refund(paid, PRICE), stall.call)
    stall.clock.advance(60)
    stall.restart_gateway()

    await stall.provider.query(paid, stall.call)

    assert stall.purses.left[Wallet.WECHAT] == START
    assert len(stall.courier.take()) == 1


async def test_an_order_that_was_not_paid_is_not_refunded(stall, opened) -> None:
    _, ref, _ = await opened(PRICE)

    refused = await stall.provider.refund(stall.refund(ref, PRICE), stall.call)

    assert isinstance(refused, Declined)
    assert stall.purses.moves == []


async def test_a_total_that_is_not_the_orders_is_refused(stall, opened) -> None:
    intent, _, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    other = stall.ref(stall.intent(Money.cny("20.00"), intent.number))

    refused = await stall.provider.refund(stall.refund(other, Money.cny("5.00")), stall.call)

    assert isinstance(refused, Declined)
    assert refused.reason is DeclineReason.CONFLICT


async def test_an_order_nobody_knows_is_refused(stall) -> None:
    ref = stall.ref(stall.intent(PRICE))

    refused = await stall.provider.refund(stall.refund(ref, PRICE), stall.call)

    assert isinstance(refused, Declined)
    assert refused.code == "RESOURCE_NOT_EXISTS"
    request = stall.refund(ref, PRICE)
    assert await stall.provider.query_refund(stall.refund_ref(request), stall.call) == NotFound(
        "RESOURCE_NOT_EXISTS"
    )


async def test_after_a_year_the_window_is_closed(stall, paid) -> None:
    stall.clock.advance(timedelta(days=366).total_seconds())

    refused = await stall.provider.refund(stall.refund(paid, PRICE), stall.call)

    assert isinstance(refused, Declined)
    assert refused.reason is DeclineReason.WINDOW


async def test_an_empty_merchant_account_says_balance_and_the_same_number_works_later(stall, paid) -> None:
    ledger = stall.gateway._ledger
    funds = ledger.funds
    ledger.move_funds(-funds)
    request = stall.refund(paid, PRICE)

    refused = await stall.provider.refund(request, stall.call)
    ledger.move_funds(funds)
    done = await stall.provider.refund(request, stall.call)

    assert isinstance(refused, Declined)
    assert (refused.reason, refused.code) == (DeclineReason.BALANCE, "NOT_ENOUGH")
    assert done.state is Returned.DONE


async def test_an_abnormal_refund_is_not_final(stall, paid) -> None:
    request = stall.refund(paid, PRICE)
    await stall.provider.refund(request, stall.call)
    record = stall.gateway._ledger.refund(request.number)
    record.state = "ABNORMAL"
    stall.gateway._ledger.save(record)

    found = await stall.provider.query_refund(stall.refund_ref(request), stall.call)

    assert (found.state, found.code) == (Returned.PENDING, "ABNORMAL")


async def test_a_refund_word_nobody_knows_is_unknown(stall, paid) -> None:
    request = stall.refund(paid, PRICE)
    await stall.provider.refund(request, stall.call)
    record = stall.gateway._ledger.refund(request.number)
    record.state = "TELEPORTED"
    stall.gateway._ledger.save(record)

    assert isinstance(await stall.provider.query_refund(stall.refund_ref(request), stall.call), Unknown)
