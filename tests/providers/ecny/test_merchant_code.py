"""D_NATIVE: a code the payer scans, from its making to its end."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from providers.ecny import plugin
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
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet

LATTE = Money.cny("18.00")
SPOILT = [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY]
LOST = [Fault.TIMEOUT_AFTER, Fault.HTTP_500_AFTER, Fault.TRUNCATED, Fault.GARBAGE]


async def opened(stall, number="Latte20260701A1", **more):
    intent = stall.intent(LATTE, number, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    return created, stall.ref(intent, created)


def sent(stall, at=-1):
    return json.loads(stall.transport.requests[at].body)


async def test_an_order_is_sent_as_huifu_documents_it(stall):
    await opened(stall)

    assert stall.transport.requests[0].url.endswith("/v3/trade/payment/jspay")
    assert sent(stall)["data"] == {
        "req_date": "20260701",
        "req_seq_id": "Latte20260701A1",
        "huifu_id": "6666000108854952",
        "goods_desc": "拿铁 Latte",
        "trade_type": "D_NATIVE",
        "trans_amt": "18.00",
        "time_expire": "20260701123000",
        "notify_url": "https://shop.example/notify/provider/main",
        "risk_check_data": '{"ip_addr":"127.0.0.1"}',
    }


async def test_what_a_contract_adds_is_sent_as_json_in_text():
    stall = Stall(
        plugin,
        overrides={
            "digital_bank_no": "C1",
            "terminal_device_data": '{"device_type": "4"}',
            "api_version": "v2",
        },
    )

    await opened(stall)

    assert stall.transport.requests[0].url.endswith("/v2/trade/payment/jspay")
    assert sent(stall)["data"]["dc_data"] == '{"digital_bank_no":"C1"}'
    assert sent(stall)["data"]["terminal_device_data"] == '{"device_type":"4"}'


async def test_a_long_title_is_cut_to_127_characters(stall):
    await opened(stall, title="铁" * 300)

    assert sent(stall)["data"]["goods_desc"] == "铁" * 127


async def test_a_code_is_unguessable_and_lives_as_long_as_the_attempt(stall):
    first, ref = await opened(stall)
    second, _ = await opened(stall, "Latte20260701A2")

    assert first.code.startswith("ecny-sandbox://pay/")
    assert len(first.code) - len("ecny-sandbox://pay/") == 32
    assert first.code != second.code
    assert first.usable_until == ref.expires_at
    assert first.provider_ref != second.provider_ref


async def test_an_open_order_is_unpaid_and_a_scanned_one_paid(stall):
    created, ref = await opened(stall)
    before = await stall.provider.query(ref, stall.call)
    stall.pay(created.code, Wallet.ECNY)

    after = await stall.provider.query(ref, stall.call)

    assert (before.state, before.code) == (Paid.UNPAID, "P")
    assert (after.state, after.code, after.amount) == (Paid.PAID, "S", LATTE)
    assert (after.number, after.merchant) == (ref.number, stall.settings.merchant)
    assert after.provider_ref == created.provider_ref
    assert after.paid_at == stall.clock.now()
    assert stall.purses.moves == [(Wallet.ECNY, -1800, "Moongate 数字人民币测试商户 Latte20260701A1")]


async def test_the_bill_shows_payee_title_and_amount(stall):
    created, ref = await opened(stall)

    bill = stall.gateway.recognise(created.code)

    assert (bill.amount, bill.title, bill.number) == (LATTE, "拿铁 Latte", ref.number)
    assert bill.payee


@pytest.mark.parametrize("code", ["", "ecny-sandbox://pay/", "ecny-sandbox://pay/nobody", "weixin://wxpay/x"])
def test_a_code_of_nobodys_is_not_recognised(stall, code):
    assert stall.gateway.recognise(code) is None


async def test_another_wallet_cannot_pay_it(stall):
    created, _ = await opened(stall)

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.WECHAT)

    assert stall.purses.moves == []


async def test_a_paid_code_cannot_be_paid_again(stall):
    created, _ = await opened(stall)
    bill = stall.pay(created.code, Wallet.ECNY)

    with pytest.raises(BillGone):
        stall.gateway.settle(bill.id, Wallet.ECNY)

    assert len(stall.purses.moves) == 1


async def test_an_expired_code_cannot_be_paid_and_the_order_is_closed(stall):
    created, ref = await opened(stall)
    stall.clock.advance(30 * 60)

    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ECNY)
    seen = await stall.provider.query(ref, stall.call)

    assert (seen.state, seen.code) == (Paid.CLOSED, "F")


async def test_an_unknown_number_is_not_found(stall):
    answer = await stall.provider.query(stall.ref(stall.intent(LATTE)), stall.call)

    assert answer == NotFound("23000001")


# Closing.


async def test_no_order_is_closed_in_its_first_minute(stall):
    created, ref = await opened(stall)

    early = await stall.provider.close(ref, stall.call)
    stall.pay(created.code, Wallet.ECNY)

    assert isinstance(early, Unknown)
    assert isinstance(await stall.provider.close(ref, stall.call), AlreadyPaid)


async def test_a_closed_order_is_closed_for_good(stall):
    created, ref = await opened(stall)
    stall.clock.advance(60)

    first = await stall.provider.close(ref, stall.call)
    again = await stall.provider.close(ref, stall.call)

    assert isinstance(first, Closed)
    assert isinstance(again, Closed)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ECNY)
    assert (await stall.provider.query(ref, stall.call)).state is Paid.CLOSED


async def test_every_closing_has_a_number_of_its_own(stall):
    _, ref = await opened(stall)
    await stall.provider.close(ref, stall.call)
    await stall.provider.close(ref, stall.call)

    numbers = {
        json.loads(request.body)["data"]["req_seq_id"]
        for request in stall.transport.requests
        if request.url.endswith("/v2/trade/payment/scanpay/close")
    }

    assert len(numbers) == 2
    assert all(number.startswith(f"{ref.number}C") for number in numbers)


async def test_without_the_close_call_an_order_ends_by_its_expiry_and_a_grace():
    stall = Stall(plugin, overrides={"send_close": False, "close_grace_s": 60})
    _, ref = await opened(stall)
    stall.clock.advance(120)

    open_still = await stall.provider.close(ref, stall.call)
    stall.clock.advance(30 * 60)
    over = await stall.provider.close(ref, stall.call)

    assert isinstance(open_still, Unknown)
    assert isinstance(over, Closed)
    assert not any("close" in request.url for request in stall.transport.requests)


async def test_in_process_after_expiry_and_grace_is_closed_and_before_it_is_not(stall):
    _, ref = await opened(stall)
    record = stall.drawer.get(f"trade/20260701-{ref.number}")
    stall.drawer.put(f"trade/20260701-{ref.number}", {**record, "expires": "20260702000000"})
    stall.clock.advance(30 * 60 + 299)

    before = await stall.provider.query(ref, stall.call)
    stall.clock.advance(1)
    after = await stall.provider.query(ref, stall.call)

    assert (before.state, before.code) == (Paid.UNPAID, "P")
    assert (after.state, after.code) == (Paid.CLOSED, "P")


async def test_closing_what_was_never_sent_waits_for_its_expiry(stall):
    ref = stall.ref(stall.intent(LATTE))

    early = await stall.provider.close(ref, stall.call)
    stall.clock.advance(36 * 60)

    assert isinstance(early, Unknown)
    assert isinstance(await stall.provider.close(ref, stall.call), Closed)


async def test_a_payment_and_a_closing_at_once_never_both_happen(stall):
    created, ref = await opened(stall)
    stall.clock.advance(60)
    stall.faults.arm(Fault.TIMEOUT_AFTER)

    lost = await stall.provider.close(ref, stall.call)

    assert isinstance(lost, Unknown)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.ECNY)
    assert isinstance(await stall.provider.close(ref, stall.call), Closed)


# Days: the Beijing day is half of an order's name.


async def test_the_day_of_an_order_is_the_beijing_day_of_its_birth():
    stall = Stall(plugin, start=datetime(2026, 6, 30, 16, 30, tzinfo=UTC))
    created, ref = await opened(stall)
    stall.pay(created.code, Wallet.ECNY)
    stall.clock.advance(24 * 3600)

    seen = await stall.provider.query(ref, stall.call)

    assert sent(stall, 0)["data"]["req_date"] == "20260701"
    assert sent(stall)["data"]["org_req_date"] == "20260701"
    assert seen.state is Paid.PAID


async def test_an_attempt_made_before_midnight_is_not_sent_after_it():
    stall = Stall(plugin, start=datetime(2026, 7, 1, 15, 59, 59, tzinfo=UTC))
    intent = stall.intent(LATTE)
    stall.clock.advance(1)

    answer = await stall.provider.create(intent, stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.WINDOW
    assert stall.transport.requests == []


# What goes wrong.


@pytest.mark.parametrize("fault", [*LOST, *SPOILT])
async def test_an_answer_that_cannot_be_believed_is_unknown_and_the_order_is_there(stall, fault):
    stall.faults.arm(fault)
    intent = stall.intent(LATTE)

    answer = await stall.provider.create(intent, stall.call)

    assert isinstance(answer, Unknown)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.UNPAID


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE])
async def test_an_order_that_got_lost_is_unknown_and_not_found(stall, fault):
    stall.faults.arm(fault)
    intent = stall.intent(LATTE)

    answer = await stall.provider.create(intent, stall.call)

    assert isinstance(answer, Unknown)
    assert isinstance(await stall.provider.query(stall.ref(intent), stall.call), NotFound)


@pytest.mark.parametrize("fault", [*LOST, *SPOILT])
async def test_no_spoilt_answer_to_a_query_says_anything(stall, fault):
    created, ref = await opened(stall)
    stall.pay(created.code, Wallet.ECNY)
    stall.faults.arm(fault)

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)


async def test_a_connection_that_never_opened_is_not_sent(stall):
    stall.transport.refuse()

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), NotSent)


async def test_an_order_accepted_with_another_amount_is_unknown(stall):
    stall.faults.arm(Fault.WRONG_AMOUNT)

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), Unknown)


async def test_a_query_tells_the_amount_that_was_paid_even_a_wrong_one(stall):
    created, ref = await opened(stall)
    stall.pay(created.code, Wallet.ECNY)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    assert (await stall.provider.query(ref, stall.call)).amount == Money.cny("18.01")


async def test_the_same_number_twice_is_one_order(stall):
    intent = stall.intent(LATTE)

    answers = await asyncio.gather(*(stall.provider.create(intent, stall.call) for _ in range(20)))

    assert sum(isinstance(answer, Created) for answer in answers) == 1
    assert sum(isinstance(answer, Unknown) for answer in answers) == 19


async def test_the_same_number_after_it_was_paid_says_paid(stall):
    created, _ = await opened(stall)
    stall.pay(created.code, Wallet.ECNY)

    again = await stall.provider.create(stall.intent(LATTE), stall.call)

    assert again.state is Paid.PAID


async def test_an_order_that_is_too_late_is_declined(stall):
    intent = stall.intent(LATTE, expires_at=stall.clock.now())

    answer = await stall.provider.create(intent, stall.call)

    assert (answer.reason, answer.code) == (DeclineReason.WINDOW, "10000000")


async def test_a_merchant_that_huifu_does_not_know_is_misconfigured():
    stall = Stall(plugin, overrides={"huifu_id": "6666000000000000"})

    answer = await stall.provider.create(stall.intent(LATTE), stall.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.MISCONFIGURED, "22000002")


async def test_a_way_that_e_cny_does_not_have_is_declined_unsent(stall):
    answer = await stall.provider.create(stall.intent(LATTE, way=Way.INVOICE), stall.call)

    assert isinstance(answer, Declined)
    assert stall.transport.requests == []


async def test_a_killed_institution_goes_on_where_it_was(stall):
    created, ref = await opened(stall)
    stall.restart_gateway()

    stall.pay(created.code, Wallet.ECNY)
    stall.restart_gateway()

    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID
    assert timedelta(0) == stall.clock.now() - (await stall.provider.query(ref, stall.call)).paid_at
