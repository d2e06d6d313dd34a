"""A code of Alipay, from its making to its end, against the simulated institution."""

import json

import pytest

from providers.alipay import wire
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    Snapshot,
    Unknown,
    Verified,
)
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import LATTE, Counter


def sent(stall, place=-1):
    form = wire.decode_form(stall.transport.requests[place].body)
    return form, json.loads(form["biz_content"])


def methods(stall):
    return [
        wire.decode_form(one.body)["method"].removeprefix("alipay.trade.") for one in stall.transport.requests
    ]


async def test_a_code_is_one_of_alipays_and_cannot_be_guessed(either):
    _, created, _ = await either.opened()

    assert wire.CODE.fullmatch(created.code)
    assert created.code.startswith("https://qr.alipay.com/bax")
    assert len(created.code) >= len("https://qr.alipay.com/bax") + 20


@pytest.mark.fault("E6")
async def test_the_request_speaks_beijing_time_and_plain_decimals(stall):
    await stall.opened(title="50% / Latte")

    form, content = sent(stall)

    assert stall.transport.requests[0].url == "https://institution.test/gateway.do?charset=utf-8"
    assert (form["timestamp"], form["version"], form["sign_type"]) == ("2026-07-01 12:00:00", "1.0", "RSA2")
    assert form["notify_url"] == "https://shop.example/notify/provider/main"
    assert content["total_amount"] == "18.00"
    assert content["time_expire"] == "2026-07-01 12:30:00"
    assert content["subject"] == "50% ／ Latte"


@pytest.mark.parametrize(("minutes", "usable"), [(30, 30), (300, 120)])
async def test_a_code_is_usable_for_two_hours_at_most(stall, minutes, usable):
    now = stall.clock.now()
    until = now.replace(hour=now.hour + minutes // 60, minute=minutes % 60)

    _, created, _ = await stall.opened(expires_at=until)

    assert (created.usable_until - now).total_seconds() == usable * 60


@pytest.mark.fault("B11")
async def test_before_the_scan_alipay_knows_no_trade_and_that_is_no_failure(either):
    _, _, ref = await either.opened()

    assert await either.provider.query(ref, either.call) == NotFound("ACQ.TRADE_NOT_EXIST")


async def test_after_the_scan_the_trade_waits_for_its_payer(either):
    _, created, ref = await either.opened()

    either.gateway.recognise(created.code)

    seen = await either.provider.query(ref, either.call)
    assert (seen.state, seen.amount, seen.paid_at) == (Paid.UNPAID, LATTE, None)


async def test_a_scanned_code_is_paid_in_notification_and_query_alike(either):
    intent, created, ref = await either.opened()

    either.pay(created.code, Wallet.ALIPAY)
    [verdict] = either.read_post()
    seen = await either.provider.query(ref, either.call)

    assert isinstance(verdict, Verified)
    assert verdict.fact == seen
    assert seen.state is Paid.PAID
    assert (seen.number, seen.merchant, seen.amount) == (intent.number, either.merchant["app_id"], LATTE)
    assert (seen.paid_at, seen.wallet) == (either.clock.now(), Wallet.ALIPAY)
    assert seen.payer.startswith("2088")
    assert seen.payer not in repr(seen)
    assert either.purses.moves == [(Wallet.ALIPAY, -1800, intent.number)]


async def test_a_payment_by_another_wallet_names_no_wallet(stall):
    _, created, ref = await stall.opened()

    stall.pay(created.code, Wallet.QUICKPASS)

    assert (await stall.provider.query(ref, stall.call)).wallet is None


async def test_an_empty_purse_changes_nothing(stall):
    _, created, ref = await stall.opened()
    stall.purses.left[Wallet.ALIPAY] = 1799

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.ALIPAY)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.UNPAID
    assert stall.read_post() == []


async def test_a_paid_code_cannot_be_paid_again(stall):
    _, created, _ = await stall.opened()
    stall.pay(created.code, Wallet.ALIPAY)

    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ALIPAY)

    assert len(stall.purses.moves) == 1


async def test_foreign_codes_are_not_recognised(stall):
    await stall.opened()

    assert stall.gateway.recognise("https://qr.alipay.com/baxinvented") is None
    assert stall.gateway.recognise("weixin://wxpay/bizpayurl?pr=abc") is None


async def test_two_codes_of_one_order_lead_to_one_payment(stall):
    intent, first, _ = await stall.opened()
    second = await stall.provider.create(intent, stall.call)

    stall.pay(second.code, Wallet.ALIPAY)

    assert first.code != second.code
    with pytest.raises(BillGone):
        stall.pay(first.code, Wallet.ALIPAY)


async def test_the_same_number_with_another_amount_is_a_conflict(stall):
    intent, _, _ = await stall.opened()

    again = await stall.provider.create(stall.intent(Money.cny("18.01"), intent.number), stall.call)

    assert isinstance(again, Declined)
    assert again.reason is DeclineReason.CONFLICT


async def test_opening_a_paid_number_again_tells_that_it_is_paid(stall):
    intent, _ = await stall.paid()

    again = await stall.provider.create(intent, stall.call)

    assert isinstance(again, Snapshot)
    assert again.state is Paid.PAID


async def test_a_refused_repetition_is_never_called_unsent(stall):
    intent, _ = await stall.paid()
    send, calls = stall.transport.send, []

    async def send_once(request):
        calls.append(request)
        if len(calls) > 1:
            stall.transport.refuse()
        return await send(request)

    stall.transport.send = send_once

    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)


# Closing.


async def test_closing_a_scanned_code_closes_the_trade(either):
    _, created, ref = await either.opened()
    either.gateway.recognise(created.code)

    assert isinstance(await either.provider.close(ref, either.call), Closed)

    assert (await either.provider.query(ref, either.call)).state is Paid.CLOSED
    with pytest.raises(BillGone):
        either.pay(created.code, Wallet.ALIPAY)
    assert isinstance(await either.provider.close(ref, either.call), Closed)


async def test_closing_a_paid_code_says_it_was_paid_and_gives_nothing_back(either):
    _, ref = await either.paid()

    assert isinstance(await either.provider.close(ref, either.call), AlreadyPaid)

    assert len(either.purses.moves) == 1
    assert "cancel" not in methods(either)


async def test_by_default_an_unscanned_code_is_not_called_closed_before_its_end():
    stall = Counter(cancel_unscanned=False)
    _, created, ref = await stall.opened()

    early = await stall.provider.close(ref, stall.call)
    stall.clock.advance(30 * 60)
    in_grace = await stall.provider.close(ref, stall.call)
    stall.clock.advance(60)
    late = await stall.provider.close(ref, stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(in_grace, Unknown)
    assert isinstance(late, Closed)
    assert "cancel" not in methods(stall)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ALIPAY)


async def test_an_unscanned_code_can_be_paid_as_long_as_its_closing_is_unknown():
    stall = Counter(cancel_unscanned=False)
    _, created, ref = await stall.opened()
    assert isinstance(await stall.provider.close(ref, stall.call), Unknown)

    stall.pay(created.code, Wallet.ALIPAY)

    assert isinstance(await stall.provider.close(ref, stall.call), AlreadyPaid)


async def test_where_a_cancel_kills_codes_an_unscanned_one_is_cancelled(stall):
    _, created, ref = await stall.opened()

    assert isinstance(await stall.provider.close(ref, stall.call), Closed)

    assert methods(stall) == ["precreate", "close", "cancel"]
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ALIPAY)


async def test_a_code_that_never_reached_us_is_closed_at_once():
    stall = Counter(cancel_unscanned=False)
    stall.faults.arm(Fault.TIMEOUT_AFTER)
    intent = stall.intent(LATTE)
    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), Closed)


async def test_an_unpaid_trade_is_closed_by_its_own_time(stall):
    _, created, ref = await stall.opened()
    stall.gateway.recognise(created.code)

    stall.clock.advance(30 * 60)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.CLOSED


# Odd answers.
