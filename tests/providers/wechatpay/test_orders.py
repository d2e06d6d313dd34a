import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")


async def test_a_native_order_gives_a_code_for_two_hours_or_until_the_order_ends(stall) -> None:
    short = await stall.provider.create(stall.intent(PRICE), stall.call)
    day = stall.clock.now() + timedelta(days=1)
    long = await stall.provider.create(stall.intent(PRICE, "Latte20260701A2", expires_at=day), stall.call)

    assert short.code.startswith("weixin://wxpay/bizpayurl?pr=")
    assert short.usable_until == stall.clock.now() + timedelta(minutes=30)
    assert long.usable_until == stall.clock.now() + timedelta(hours=2)


async def test_the_request_carries_the_order_in_wechat_pays_words(stall) -> None:
    await stall.provider.create(stall.intent(PRICE), stall.call)

    [request] = stall.transport.requests
    assert (request.method, request.url) == ("POST", "https://institution.test/v3/pay/transactions/native")
    assert request.headers.get("Wechatpay-Serial") == stall.merchant["public_key_id"]
    assert request.headers.get("Accept") == "application/json"
    assert request.headers.get("User-Agent")
    assert json.loads(request.body) == {
        "appid": stall.merchant["appid"],
        "mchid": stall.merchant["mchid"],
        "description": "拿铁 Latte",
        "out_trade_no": "Latte20260701A1",
        "time_expire": "2026-07-01T12:30:00+08:00",
        "notify_url": "https://shop.example/notify/provider/main",
        "amount": {"total": 1800, "currency": "CNY"},
    }


async def test_a_long_title_is_cut_between_characters(stall) -> None:
    created = await stall.provider.create(stall.intent(PRICE, title="拿铁" * 60), stall.call)

    assert isinstance(created, Created)
    assert json.loads(stall.transport.requests[0].body)["description"] == "拿铁" * 21


async def test_an_order_is_unpaid_then_paid(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    before = await stall.provider.query(ref, stall.call)

    stall.pay(created.code, Wallet.WECHAT)
    after = await stall.provider.query(ref, stall.call)

    assert (before.state, before.amount, before.merchant) == (Paid.UNPAID, PRICE, stall.merchant["mchid"])
    assert (after.state, after.amount, after.number) == (Paid.PAID, PRICE, ref.number)
    assert after.wallet is Wallet.WECHAT
    assert after.paid_at == stall.clock.now()
    assert after.provider_ref.startswith("4200")
    assert stall.purses.moves == [(Wallet.WECHAT, -1800, ref.number)]


async def test_a_payment_by_another_wallet_names_no_wallet(stall, opened) -> None:
    _, ref, created = await opened(PRICE)

    stall.pay(created.code, Wallet.QUICKPASS)

    paid = await stall.provider.query(ref, stall.call)
    assert (paid.state, paid.wallet, paid.payer) == (Paid.PAID, None, "")


async def test_a_number_that_was_never_sent_is_not_found(stall) -> None:
    found = await stall.provider.query(stall.ref(stall.intent(PRICE)), stall.call)

    assert found == NotFound("ORDER_NOT_EXIST")


async def test_the_same_order_again_gives_a_fresh_code_and_both_codes_pay_it(stall, opened) -> None:
    intent, ref, first = await opened(PRICE)

    second = await stall.provider.create(intent, stall.call)

    assert second.code != first.code
    stall.pay(first.code, Wallet.WECHAT)
    with pytest.raises(BillGone, match="already paid"):
        stall.pay(second.code, Wallet.WECHAT)
    assert len(stall.purses.moves) == 1
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


@pytest.mark.parametrize("change", [{"amount": Money.cny("18.01")}, {"title": "Mocha"}])
async def test_a_number_with_other_parameters_is_a_conflict(stall, opened, change) -> None:
    await opened(PRICE)

    again = await stall.provider.create(stall.intent(change.pop("amount", PRICE), **change), stall.call)

    assert isinstance(again, Declined)
    assert (again.reason, again.code) == (DeclineReason.CONFLICT, "OUT_TRADE_NO_USED")


async def test_creating_a_paid_order_again_answers_with_the_payment(stall, opened) -> None:
    intent, _, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)

    again = await stall.provider.create(intent, stall.call)

    assert isinstance(again, Snapshot)
    assert again.state is Paid.PAID


async def test_a_closed_order_cannot_be_created_or_paid_again(stall, opened) -> None:
    intent, ref, created = await opened(PRICE)

    closed = await stall.provider.close(ref, stall.call)

    assert closed == Closed()
    assert (await stall.provider.query(ref, stall.call)).state is Paid.CLOSED
    assert await stall.provider.close(ref, stall.call) == Closed()
    again = await stall.provider.create(intent, stall.call)
    assert isinstance(again, Declined)
    assert again.reason is DeclineReason.WINDOW
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.WECHAT)
    assert stall.purses.moves == []


async def test_closing_a_paid_order_says_so(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)

    assert await stall.provider.close(ref, stall.call) == AlreadyPaid(code="SUCCESS")


async def test_closing_what_never_arrived_is_closed_unless_a_code_was_shown(stall, opened) -> None:
    never = stall.ref(stall.intent(PRICE))
    shown = stall.ref(stall.intent(PRICE), Created(code="weixin://x", memo={"prepay": "native"}))

    assert await stall.provider.close(never, stall.call) == Closed(code="ORDER_NOT_EXIST")
    assert isinstance(await stall.provider.close(shown, stall.call), Unknown)


async def test_the_end_of_an_order_ends_its_code_but_leaves_it_open(stall, opened) -> None:
    _, ref, created = await opened(PRICE)

    stall.clock.advance(30 * 60)

    with pytest.raises(BillGone):
        stall.gateway.recognise(created.code)
    assert (await stall.provider.query(ref, stall.call)).state is Paid.UNPAID
    assert await stall.provider.close(ref, stall.call) == Closed()


async def test_an_order_that_ends_within_a_minute_is_refused(stall) -> None:
    soon = stall.clock.now() + timedelta(seconds=59)

    refused = await stall.provider.create(stall.intent(PRICE, expires_at=soon), stall.call)

    assert isinstance(refused, Declined)
    assert refused.code == "PARAM_ERROR"


async def test_a_wallet_without_the_money_changes_nothing(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    stall.purses.left[Wallet.WECHAT] = 1799

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.WECHAT)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.UNPAID
    assert stall.courier.sent == []


async def test_a_code_of_someone_else_is_not_recognised(stall) -> None:
    for code in (
        "https://qr.95516.com/1",
        "weixin://wxpay/bizpayurl?pr=unknown",
        "",
        "{",
        '{"package": 1}',
        "[]",
    ):
        assert stall.gateway.recognise(code) is None


async def test_a_connection_that_does_not_open_is_not_sent(stall) -> None:
    intent = stall.intent(PRICE)
    ref = stall.ref(intent)

    for verb, argument in (
        (stall.provider.create, intent),
        (stall.provider.query, ref),
        (stall.provider.close, ref),
    ):
        stall.transport.refuse()
        assert isinstance(await verb(argument, stall.call), NotSent)
    assert stall.transport.requests == []


async def test_a_query_that_cannot_be_sent_after_a_refusal_leaves_the_call_unknown(stall, opened) -> None:
    intent, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)

    class OneAnswer:
        def __init__(self) -> None:
            self.answered = False

        async def send(self, request):
            if self.answered:
                stall.transport.refuse()
            self.answered = True
            return await stall.transport.send(request)

    for verb, argument in ((stall.provider.create, intent), (stall.provider.close, ref)):
        call = type(stall.call)(OneAnswer(), stall.clock, stall.random)
        assert isinstance(await verb(argument, call), Unknown)


@pytest.mark.parametrize("way", [Way.LINK, Way.INVOICE])
async def test_a_way_that_is_not_offered_is_declined_unsent(stall, way) -> None:
    declined = await stall.provider.create(stall.intent(PRICE, way=way), stall.call)

    assert declined.reason is DeclineReason.MISCONFIGURED
    assert stall.transport.requests == []


async def test_a_wrong_merchant_key_is_misconfigured_for_prepay_and_unknown_for_the_rest(
    stall, stall_with
) -> None:
    other = stall_with(serial_no="00AA")
    intent = other.intent(PRICE)

    created = await other.provider.create(intent, other.call)

    assert isinstance(created, Declined)
    assert (created.reason, created.code) == (DeclineReason.MISCONFIGURED, "SIGN_ERROR")
    ref = other.ref(intent)
    assert isinstance(await other.provider.query(ref, other.call), Unknown)
    assert isinstance(await other.provider.close(ref, other.call), Unknown)
    assert isinstance(await other.provider.refund(other.refund(ref, PRICE), other.call), Unknown)


async def test_a_clock_five_minutes_off_is_refused_by_wechat_pay(stall) -> None:
    class Late:
        def now(self) -> datetime:
            return stall.clock.now() - timedelta(minutes=5)

    call = type(stall.call)(stall.transport, Late(), stall.random)

    created = await stall.provider.create(stall.intent(PRICE), call)

    assert isinstance(created, Declined)
    assert created.code == "SIGN_ERROR"


@pytest.mark.parametrize("change", [{"mchid": "1900000109"}, {"appid": "wx0000000000000000"}])
async def test_another_merchants_names_are_misconfigured(stall_with, change) -> None:
    other = stall_with(**change)

    created = await other.provider.create(other.intent(PRICE), other.call)

    assert isinstance(created, Declined)
    assert created.reason is DeclineReason.MISCONFIGURED


async def test_sixteen_orders_at_once_are_sixteen_orders(stall) -> None:
    intents = [stall.intent(Money(100 + n, "CNY"), f"Parallel{n:04d}") for n in range(16)]

    created = await asyncio.gather(*(stall.provider.create(intent, stall.call) for intent in intents))
    for one in created:
        stall.pay(one.code, Wallet.WECHAT)
    found = await asyncio.gather(*(stall.provider.query(stall.ref(one), stall.call) for one in intents))

    assert len({one.code for one in created}) == 16
    assert [one.amount.minor for one in found] == [100 + n for n in range(16)]
    assert all(one.state is Paid.PAID for one in found)


async def test_the_same_order_sixteen_times_at_once_is_one_order(stall) -> None:
    intent = stall.intent(PRICE)

    created = await asyncio.gather(*(stall.provider.create(intent, stall.call) for _ in range(16)))
    for one in created[1:]:
        assert stall.gateway.recognise(one.code).number == intent.number
    stall.pay(created[0].code, Wallet.WECHAT)

    for one in created[1:]:
        with pytest.raises(BillGone):
            stall.gateway.recognise(one.code)
    assert len(stall.purses.moves) == 1


async def test_a_killed_institution_goes_on_from_its_drawer(stall, opened) -> None:
    _, ref, created = await opened(PRICE)

    stall.restart_gateway()
    stall.pay(created.code, Wallet.WECHAT)
    stall.restart_gateway()

    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID
    assert dict(stall.gateway.merchant("https://institution.test")) == stall.merchant


async def test_a_wrong_amount_in_an_answer_is_shown_to_the_host_as_it_came(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    found = await stall.provider.query(ref, stall.call)

    assert found.amount == Money(1801, "CNY")


@pytest.mark.fault("E6")
async def test_times_are_read_in_utc(stall, opened) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)

    found = await stall.provider.query(ref, stall.call)

    assert found.paid_at == datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
