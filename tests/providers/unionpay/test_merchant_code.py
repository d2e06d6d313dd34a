"""A QR code of ACP, from its application to its refund, against the simulated institution."""

import asyncio

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
    Verified,
)
from providers.sdk.testing import Stall
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin, wire

LATTE = Money.cny("18.00")


async def opened(stall, **more):
    intent = stall.intent(LATTE, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created), created
    return intent, created, stall.ref(intent, created)


async def paid(stall):
    intent, created, ref = await opened(stall)
    stall.pay(created.code, Wallet.QUICKPASS)
    [verdict] = stall.read_post()
    return intent, ref, verdict.fact


async def test_a_code_is_a_unionpay_link_with_32_digits(stall):
    _, created, _ = await opened(stall)

    prefix, digits = created.code.rsplit("/", 1)
    assert prefix == "https://qr.95516.com/00010001"
    assert len(digits) == 32
    assert digits.startswith("62")
    assert digits.isdecimal()


async def test_the_application_carries_the_attempts_own_birth_time_in_beijing(stall):
    intent, _, _ = await opened(stall)

    sent = wire.decode_form(stall.transport.requests[0].body)

    assert stall.transport.requests[0].url.endswith("/gateway/api/backTransReq.do")
    assert sent["txnTime"] == "20260701120000"
    assert sent["payTimeout"] == "20260701123000"
    assert sent["orderId"] == intent.number
    assert (sent["txnType"], sent["txnSubType"], sent["txnAmt"]) == ("01", "07", "1800")


async def test_an_unscanned_code_is_unpaid(stall):
    _, _, ref = await opened(stall)

    seen = await stall.provider.query(ref, stall.call)

    assert isinstance(seen, Snapshot)
    assert (seen.state, seen.amount, seen.provider_ref) == (Paid.UNPAID, LATTE, "")


@pytest.mark.parametrize("wallet", [Wallet.QUICKPASS, Wallet.BANK])
async def test_a_scanned_code_is_paid_in_notification_and_query_alike(stall, wallet):
    intent, created, ref = await opened(stall)

    stall.pay(created.code, wallet)
    [verdict] = stall.read_post()
    seen = await stall.provider.query(ref, stall.call)

    assert isinstance(verdict, Verified)
    assert isinstance(verdict.fact, Snapshot)
    assert verdict.fact.state is seen.state is Paid.PAID
    assert verdict.fact.amount == seen.amount == LATTE
    assert verdict.fact.number == seen.number == intent.number
    assert verdict.fact.merchant == seen.merchant == stall.merchant["mer_id"]
    assert verdict.fact.provider_ref == seen.provider_ref
    assert verdict.fact.paid_at == seen.paid_at == stall.clock.now()
    assert stall.purses.moves == [(wallet, -1800, stall.purses.moves[0][2])]


async def test_other_wallets_cannot_pay_the_code_and_nothing_moves(stall):
    _, created, ref = await opened(stall)

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.WECHAT)

    seen = await stall.provider.query(ref, stall.call)
    assert seen.state is Paid.UNPAID
    assert stall.purses.moves == []
    assert stall.read_post() == []


async def test_a_paid_code_cannot_be_paid_again(stall):
    _, created, _ = await opened(stall)
    stall.pay(created.code, Wallet.BANK)

    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.BANK)

    assert len(stall.purses.moves) == 1


async def test_a_foreign_or_invented_code_is_not_recognised(stall):
    assert stall.gateway.recognise("weixin://wxpay/bizpayurl?pr=abc") is None
    assert stall.gateway.recognise("https://qr.95516.com/00010001/62" + "1" * 30) is None


async def test_a_query_with_another_time_finds_nothing(stall):
    intent, _, ref = await opened(stall)
    stall.clock.advance(1)
    later = stall.ref(stall.intent(LATTE, intent.number))

    assert ref.created_at != later.created_at
    assert await stall.provider.query(later, stall.call) == NotFound("34")


async def test_which_codes_mean_no_such_order_is_a_setting():
    stall = Stall(plugin, overrides={"unknown_order_codes": "99"})
    ref = stall.ref(stall.intent(LATTE))

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)


async def test_queries_go_where_the_setting_says():
    stall = Stall(plugin, overrides={"query_path": "backTransReq.do"})
    _, _, ref = await opened(stall)

    seen = await stall.provider.query(ref, stall.call)

    assert seen.state is Paid.UNPAID
    assert stall.transport.requests[-1].url.endswith("/gateway/api/backTransReq.do")


async def test_the_same_application_again_gets_the_same_code(stall):
    intent, created, _ = await opened(stall)

    assert await stall.provider.create(intent, stall.call) == created


async def test_the_same_number_with_another_amount_is_a_conflict(stall):
    intent, _, _ = await opened(stall)

    again = await stall.provider.create(stall.intent(Money.cny("18.01"), intent.number), stall.call)

    assert isinstance(again, Declined)
    assert again.reason is DeclineReason.CONFLICT


async def test_an_unscanned_code_dies_at_its_time_and_is_closed(stall):
    _, created, ref = await opened(stall)
    stall.clock.advance(30 * 60 + 120)

    seen = await stall.provider.query(ref, stall.call)

    assert seen.state is Paid.CLOSED
    assert isinstance(await stall.provider.close(ref, stall.call), Closed)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.BANK)


async def test_closing_a_paid_code_says_it_was_paid_and_reverses_nothing(stall):
    _, ref, _ = await paid(stall)

    assert isinstance(await stall.provider.close(ref, stall.call), AlreadyPaid)

    assert len(stall.purses.moves) == 1
    assert [wire.decode_form(sent.body)["txnType"] for sent in stall.transport.requests] == ["01", "00"]


async def test_closing_an_unscanned_code_reverses_it_where_the_contract_allows(stall):
    _, created, ref = await opened(stall)

    assert isinstance(await stall.provider.close(ref, stall.call), Closed)

    assert (await stall.provider.query(ref, stall.call)).state is Paid.CLOSED
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.BANK)
    reversal = wire.decode_form(stall.transport.requests[2].body)
    assert (reversal["txnType"], reversal["txnSubType"]) == ("99", "01")
    assert (reversal["orderId"], reversal["txnTime"]) == (ref.number, "20260701120000")


async def test_by_default_an_unscanned_code_is_left_to_die_and_never_called_closed_before():
    stall = Stall(plugin, overrides={"reverse_merchant_codes": False})
    _, _, ref = await opened(stall)

    early = await stall.provider.close(ref, stall.call)
    stall.clock.advance(30 * 60)
    in_grace = await stall.provider.close(ref, stall.call)
    stall.clock.advance(120)
    late = await stall.provider.close(ref, stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(in_grace, Unknown)  # somebody may have scanned it in its last second
    assert isinstance(late, Closed)
    assert all(wire.decode_form(sent.body)["txnType"] != "99" for sent in stall.transport.requests)


async def test_a_payer_who_is_faster_than_the_reversal_has_paid(stall):
    _, created, ref = await opened(stall)
    send = stall.transport.send

    async def send_after_the_payer(request):
        if wire.decode_form(request.body)["txnType"] == "99":
            stall.pay(created.code, Wallet.BANK)
        return await send(request)

    stall.transport.send = send_after_the_payer

    assert isinstance(await stall.provider.close(ref, stall.call), AlreadyPaid)
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


async def test_fifty_codes_at_once_are_fifty_orders(stall):
    intents = [stall.intent(LATTE, f"Parallel{index:04d}") for index in range(50)]

    created = await asyncio.gather(*(stall.provider.create(intent, stall.call) for intent in intents))

    assert len({one.code for one in created}) == 50


async def test_a_restarted_institution_goes_on_where_it_was(stall):
    _, created, ref = await opened(stall)

    stall.restart_gateway()
    stall.pay(created.code, Wallet.BANK)

    assert [verdict.fact.state for verdict in stall.read_post()] == [Paid.PAID]
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


async def test_a_connection_that_never_opened_is_not_sent(stall):
    stall.transport.refuse()

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), NotSent)


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE])
async def test_a_fault_before_the_effect_is_unknown_and_leaves_nothing(stall, fault):
    stall.faults.arm(fault)
    intent = stall.intent(LATTE)

    answer = await stall.provider.create(intent, stall.call)

    assert isinstance(answer, Unknown)
    assert isinstance(await stall.provider.query(stall.ref(intent), stall.call), NotFound)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_AFTER,
        Fault.HTTP_500_AFTER,
        Fault.TRUNCATED,
        Fault.GARBAGE,
        Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE,
        Fault.UNKNOWN_KEY,
        Fault.STALE_CLOCK,
    ],
)
@pytest.mark.parametrize("verb", ["create", "query", "close", "refund", "query_refund"])
async def test_a_spoilt_answer_is_unknown_for_every_verb(stall, fault, verb):
    intent, ref, _ = await paid(stall)
    refund = stall.refund(ref, LATTE)
    await stall.provider.refund(refund, stall.call)
    fresh = stall.refund(ref, Money.cny("1.00"), "Refund0000002")
    asked = {"create": intent, "refund": fresh, "query_refund": stall.refund_ref(refund)}.get(verb, ref)
    stall.faults.clear()
    stall.faults.arm(fault)

    answer = await getattr(stall.provider, verb)(asked, stall.call)

    assert isinstance(answer, Unknown)


async def test_a_lost_answer_to_an_application_is_healed_by_sending_it_again(stall):
    stall.faults.arm(Fault.TIMEOUT_AFTER)
    intent = stall.intent(LATTE)

    first = await stall.provider.create(intent, stall.call)
    second = await stall.provider.create(intent, stall.call)

    assert isinstance(first, Unknown)
    assert isinstance(second, Created)


@pytest.mark.fault("B13")
async def test_a_wrong_amount_in_a_query_is_told_as_it_is(stall):
    _, ref, _ = await paid(stall)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    seen = await stall.provider.query(ref, stall.call)

    assert seen.amount == Money.cny("18.01")


async def test_a_pre_order_gives_the_tn_for_the_app(stall):
    intent = stall.intent(LATTE, way=Way.IN_APP)

    created = await stall.provider.create(intent, stall.call)

    assert isinstance(created, Created)
    assert created.code is None
    assert len(created.in_app["tn"]) == 21
    stall.pay(created.in_app["tn"], Wallet.QUICKPASS)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


@pytest.mark.fault("B20")
async def test_an_answer_about_another_order_is_unknown(stall):
    _, _, ref = await opened(stall)
    other = stall.intent(LATTE, "Other20260701")
    await stall.provider.create(other, stall.call)
    await stall.provider.query(stall.ref(other), stall.call)
    recorded = stall.transport.replies[-1]

    async def replay(request):
        return recorded

    stall.transport.send = replay

    assert isinstance(await stall.provider.query(ref, stall.call), Unknown)
