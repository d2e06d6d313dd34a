"""Orders that a payer scans or opens: what is sent, what is believed, how they end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from providers.cmpay import messages, plugin, wire
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


async def opened(stall, **more):
    intent = stall.intent(LATTE, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    return intent, created


def sent(stall, at=-1, codec="gbk"):
    return wire.decode_form(stall.transport.requests[at].body, codec)


async def test_an_order_is_sent_as_the_table_says_and_its_code_is_china_mobiles(stall):
    intent, created = await opened(stall)

    fields = sent(stall)
    assert tuple(fields) == (*messages.field_orders("", "2.0.0")[messages.MERCHANT_CODE], "hmac")
    assert (fields["type"], fields["amount"], fields["currency"]) == ("CASDirectPayConfirm", "1800", "00")
    assert (fields["orderId"], fields["requestId"]) == (intent.number, intent.number)
    assert (fields["orderDate"], fields["period"], fields["periodUnit"]) == ("20260701", "30", "00")
    assert (fields["productName"], fields["callbackUrl"]) == ("拿铁 Latte", "https://shop.example/")
    assert stall.transport.requests[0].url.endswith("/ips/cmpayService")
    assert created.code.startswith("https://p.10086.cn/info/wap/qrcodepay/downloadclient.html?SESSIONID=")
    assert created.code.startswith(plugin.info.code_prefixes)
    assert created.usable_until == intent.expires_at


async def test_a_page_is_a_link_of_china_mobile_and_can_be_paid(stall):
    intent, created = await opened(stall, way=Way.LINK)

    bill = stall.pay(created.link, Wallet.CMPAY)

    assert created.code is None
    assert created.link.startswith("https://ipos.10086.cn/ips/FormTrans3?sessionId=")
    assert (bill.amount, bill.number, sent(stall, 0)["type"]) == (LATTE, intent.number, "WAPDirectPayConfirm")


@pytest.mark.parametrize("query_type", ["OrderQueryByYPOS", "OrderQuery", "OrderQueryCPS"])
async def test_each_query_message_tells_unpaid_then_paid(query_type):
    stall = Stall(plugin, overrides={"query_type": query_type})
    intent, created = await opened(stall)

    before = await stall.provider.query(stall.ref(intent), stall.call)
    stall.pay(created.code, Wallet.CMPAY)
    after = await stall.provider.query(stall.ref(intent), stall.call)

    assert (before.state, before.amount, before.paid_at) == (Paid.UNPAID, LATTE, None)
    assert (after.state, after.amount, after.merchant) == (Paid.PAID, LATTE, stall.settings.merchant)
    assert after.paid_at == stall.clock.now()
    assert after.wallet is Wallet.CMPAY
    assert stall.purses.left[Wallet.CMPAY] == 100_000_00 - 1800


@pytest.mark.parametrize("character_set", ["00", "01", "02"])
async def test_every_charset_carries_chinese_and_the_hmac_stays_the_same_text(character_set):
    stall = Stall(plugin, overrides={"character_set": character_set})
    _, created = await opened(stall)

    bill = stall.gateway.recognise(created.code)
    stall.pay(created.code, Wallet.CMPAY)
    [verdict] = stall.read_post()

    assert bill.title == "拿铁 Latte"
    assert verdict.fact.state is Paid.PAID


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("☕️ latte", "?? latte"),
        ("拿铁" * 40, "拿铁" * 12 + "拿"),
        ("a\nb\x00", "ab"),
        ("\n", "Latte20260701A1"),
        ("a&b=c+d%25", "a&b=c+d%25"),
    ],
)
async def test_a_title_is_sent_as_it_is_signed_whatever_it_holds(stall, title, shown):
    _, created = await opened(stall, title=title)

    assert stall.gateway.recognise(created.code).title == shown
    assert len(shown.encode("gbk")) <= 50


async def test_a_query_of_an_order_that_never_came_finds_nothing(stall):
    intent = stall.intent(LATTE)

    assert await stall.provider.query(stall.ref(intent), stall.call) == NotFound("D22201")


async def test_another_day_is_another_order(stall):
    intent, _ = await opened(stall)
    ref = replace(stall.ref(intent), created_at=intent.created_at - timedelta(days=1))

    assert isinstance(await stall.provider.query(ref, stall.call), NotFound)


async def test_an_order_sent_twice_is_unknown_and_the_first_code_still_pays(stall):
    intent, created = await opened(stall)

    again = await stall.provider.create(intent, stall.call)
    stall.pay(created.code, Wallet.CMPAY)

    assert isinstance(again, Unknown)
    assert len(stall.purses.moves) == 1


async def test_fifty_at_once_open_one_order(stall):
    intent = stall.intent(LATTE)

    answers = await asyncio.gather(*(stall.provider.create(intent, stall.call) for _ in range(50)))

    assert sum(isinstance(answer, Created) for answer in answers) == 1
    assert sum(isinstance(answer, Unknown) for answer in answers) == 49


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.HTTP_500_BEFORE, Fault.HTTP_500_AFTER, Fault.TRUNCATED,
        Fault.GARBAGE, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY,
    ],
)  # fmt: skip
async def test_every_odd_answer_is_unknown_for_every_verb(stall, fault):
    intent, _ = await opened(stall)
    ref = stall.ref(intent)
    refund = stall.refund(ref, LATTE)
    calls = (
        lambda: stall.provider.create(stall.intent(LATTE, "Latte20260701A2"), stall.call),
        lambda: stall.provider.query(ref, stall.call),
        lambda: stall.provider.close(ref, stall.call),
        lambda: stall.provider.refund(refund, stall.call),
        lambda: stall.provider.query_refund(stall.refund_ref(refund), stall.call),
    )

    for call in calls:
        stall.faults.arm(fault)
        assert isinstance(await call(), Unknown)
        stall.faults.clear()


async def test_a_wrong_amount_of_a_query_is_told_as_it_is(stall):
    intent, created = await opened(stall)
    stall.pay(created.code, Wallet.CMPAY)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    seen = await stall.provider.query(stall.ref(intent), stall.call)

    assert (seen.state, seen.amount) == (Paid.PAID, Money.cny("18.01"))


async def test_a_refused_connection_is_not_sent(stall):
    stall.transport.refuse()

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), NotSent)


async def test_an_order_that_may_be_cancelled_closes_at_once_and_cannot_be_paid(stall):
    intent, created = await opened(stall)

    closed = await stall.provider.close(stall.ref(intent), stall.call)

    assert isinstance(closed, Closed)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.CLOSED
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.CMPAY)


async def test_an_order_that_may_not_be_cancelled_closes_when_its_time_is_over():
    stall = Stall(plugin, overrides={"cancel_online_orders": False})
    intent, _ = await opened(stall)

    early = await stall.provider.close(stall.ref(intent), stall.call)
    stall.clock.advance(30 * 60)
    late = await stall.provider.close(stall.ref(intent), stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(late, Closed)
    assert all(sent(stall, at)["type"] != "CloudTxnCancel" for at in range(len(stall.transport.requests)))


async def test_an_order_that_never_came_closes_after_its_expiry_and_grace_only(stall):
    ref = stall.ref(stall.intent(LATTE))

    early = await stall.provider.close(ref, stall.call)
    stall.clock.advance(30 * 60 + 119)
    nearly = await stall.provider.close(ref, stall.call)
    stall.clock.advance(1)
    late = await stall.provider.close(ref, stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(nearly, Unknown)
    assert isinstance(late, Closed)


async def test_where_a_query_cannot_tell_waiting_from_closed_time_does_after_a_grace():
    stall = Stall(plugin, overrides={"query_type": "OrderQuery", "cancel_online_orders": False})
    intent, _ = await opened(stall)

    stall.clock.advance(30 * 60)
    waiting = await stall.provider.query(stall.ref(intent), stall.call)
    stall.clock.advance(120)
    over = await stall.provider.query(stall.ref(intent), stall.call)

    assert (waiting.state, over.state) == (Paid.UNPAID, Paid.CLOSED)


async def test_a_paid_order_is_not_closed(stall):
    intent, created = await opened(stall)
    stall.pay(created.code, Wallet.CMPAY)

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), AlreadyPaid)


async def test_a_code_dies_with_its_period_and_is_paid_once(stall):
    _, created = await opened(stall)
    _, other = await opened(stall, number="Latte20260701A2")
    stall.pay(other.code, Wallet.CMPAY)
    stall.clock.advance(30 * 60)

    for code in (created.code, other.code):
        with pytest.raises(BillGone):
            stall.gateway.recognise(code)
    assert len(stall.purses.moves) == 1


async def test_another_wallet_or_an_empty_one_pays_nothing_and_the_order_stays_open(stall):
    intent, created = await opened(stall)
    stall.purses.left[Wallet.CMPAY] = 1799

    for wallet in (Wallet.WECHAT, Wallet.CMPAY):
        with pytest.raises(PurseRefused):
            stall.pay(created.code, wallet)

    assert stall.purses.moves == stall.courier.take() == []
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.UNPAID


@pytest.mark.parametrize("code", ["", "https://p.10086.cn/", "https://p.10086.cn/d?p=00", "wxp://f2f0"])
def test_a_code_that_is_not_its_own_is_not_recognised(stall, code):
    assert stall.gateway.recognise(code) is None


async def test_a_killed_institution_goes_on_from_its_drawer(stall):
    intent, created = await opened(stall)

    stall.restart_gateway()
    stall.pay(created.code, Wallet.CMPAY)

    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


async def test_a_notification_address_that_is_too_long_is_not_sent(stall):
    answer = await stall.provider.create(stall.intent(LATTE, notify_url="https://" + "x" * 93), stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.MISCONFIGURED
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    ("seconds", "period"), [(59, "1"), (60, "1"), (119, "1"), (1800, "30"), (10**6, "999")]
)
async def test_a_period_is_whole_minutes_of_three_digits(stall, seconds, period):
    await opened(stall, expires_at=stall.clock.now() + timedelta(seconds=seconds))

    assert sent(stall)["period"] == period


async def test_an_unknown_way_is_declined_unsent(stall):
    answer = await stall.provider.create(stall.intent(LATTE, way=Way.IN_APP), stall.call)

    assert isinstance(answer, Declined)
    assert stall.transport.requests == []
