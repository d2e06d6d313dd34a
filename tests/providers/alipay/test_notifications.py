"""Forms that Alipay posts: what is believed, what is read, and that nothing else is."""

from dataclasses import replace

import pytest

from providers.alipay import signing, wire
from providers.alipay.institution import _key
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Verified
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from tests.providers.alipay.counter import LATTE, Counter


async def scanned(stall, *faults):
    _, created, _ = await stall.opened()
    for fault in faults:
        stall.faults.arm(fault)
    stall.pay(created.code, Wallet.ALIPAY)
    return stall.courier.take()


def signed(stall, left_out=signing.UNSIGNED_IN_NOTIFICATIONS, **fields):
    """A form that Alipay itself signed, with some fields its own; None leaves one out."""
    form = {
        "notify_id": "2026070100222120000000000001",
        "notify_time": "2026-07-01 12:00:00",
        "app_id": stall.merchant["app_id"],
        "seller_id": stall.merchant["seller_id"],
        "out_trade_no": "Latte20260701A1",
        "trade_no": "2026070122001000000000000001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "18.00",
        "gmt_payment": "2026-07-01 12:00:00",
        "sign_type": "RSA2",
        **fields,
    }
    form = {name: value for name, value in form.items() if value is not None}
    key = _key(stall.gateway._institution.leaves[-1].key)
    form["sign"] = signing.sign(key, signing.signing_text(form, left_out))
    return HttpRequest("POST", "/notify", body=wire.encode_form(form))


def read(stall, request):
    return stall.provider.read_notification(request, stall.clock.now())


@pytest.mark.parametrize(
    "fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK]
)
async def test_a_notification_with_a_spoilt_seal_is_rejected(either, fault):
    [notification] = await scanned(either, fault)

    assert isinstance(either.read(notification), Rejected)


async def test_a_forged_twin_is_rejected_and_the_genuine_one_still_counts(either):
    forged, genuine = await scanned(either, Fault.NOTIFY_FORGED)

    assert isinstance(either.read(forged), Rejected)
    assert either.read(genuine).fact.state is Paid.PAID


@pytest.mark.fault("A11")
async def test_a_notification_told_twice_has_one_key(stall):
    first, second = await scanned(stall, Fault.NOTIFY_TWICE)

    assert stall.read(first) == stall.read(second)


@pytest.mark.fault("A10")
async def test_the_last_repetition_a_day_later_is_still_believed_and_a_replay_next_week_is_not(stall):
    [notification] = await scanned(stall)
    stall.clock.advance(sum(notification.retry_after_s))

    assert isinstance(stall.read(notification), Verified)

    stall.clock.advance(86400)
    assert isinstance(stall.read(notification), Rejected)


async def test_a_notification_from_the_future_is_rejected(stall):
    assert isinstance(read(stall, signed(stall, notify_time="2026-07-01 13:00:01")), Rejected)
    assert isinstance(read(stall, signed(stall, notify_time="2026-07-01 13:00:00")), Verified)


async def test_a_wrong_amount_is_told_as_it_is(stall):
    [notification] = await scanned(stall, Fault.WRONG_AMOUNT)

    assert stall.read(notification).fact.amount == Money.cny("18.01")


async def test_notifications_are_repeated_on_the_documented_schedule_until_success(stall):
    [notification] = await scanned(stall)

    assert notification.retry_after_s == (240, 600, 600, 3600, 7200, 21600, 54000)
    assert stall.provider.reply(accepted=True) == HttpReply(
        200, stall.provider.reply(accepted=True).headers, b"success"
    )
    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))
    assert not stall.gateway.acknowledged(HttpReply(200, body=b"<p>success</p>"))


async def test_every_flipped_byte_is_rejected(stall):
    [notification] = await scanned(stall)
    body = notification.request.body

    for at in range(0, len(body), 53):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert isinstance(read(stall, replace(notification.request, body=flipped)), Rejected), at


async def test_a_field_more_or_fewer_is_rejected(stall):
    [notification] = await scanned(stall)
    form = wire.decode_form(notification.request.body)

    for name in sorted(set(form) - {"sign_type"}):
        fewer = {one: value for one, value in form.items() if one != name}
        assert isinstance(read(stall, posted(fewer)), Rejected), name
    assert isinstance(read(stall, posted({**form, "credit_pay_mode": "x"})), Rejected)
    assert isinstance(read(stall, posted({**form, "sign_type": "RSA"})), Rejected)


def posted(form):
    return HttpRequest("POST", "/notify", body=wire.encode_form(form))


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", "/notify"),
        HttpRequest("POST", "/notify", body=b"\xff\xfe"),
        HttpRequest("POST", "/notify", body=b"{}"),
        HttpRequest("POST", "/notify", body=b"sign=&sign_type=RSA2"),
        HttpRequest("POST", "/notify", body=b"sign=%21%21&trade_status=TRADE_SUCCESS"),
    ],
)
def test_what_is_no_form_of_alipays_is_rejected_not_a_crash(stall, request_):
    assert isinstance(read(stall, request_), Rejected)


def test_only_posts_are_read(stall):
    assert isinstance(read(stall, replace(signed(stall), method="GET")), Rejected)


@pytest.mark.fault("A18")
def test_a_notification_for_another_application_is_rejected(stall):
    assert isinstance(read(stall, signed(stall, app_id="2021000000000000")), Rejected)


def test_money_for_another_seller_names_that_seller(stall):
    verdict = read(stall, signed(stall, seller_id="2088000000000001"))

    assert verdict.fact.merchant == "2088000000000001"


def test_without_a_seller_id_in_the_settings_the_application_is_enough():
    stall = Counter(seller_id="")

    assert read(stall, signed(stall, seller_id="2088000000000001")).fact.merchant == stall.merchant["app_id"]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"trade_status": "WAIT_BUYER_PAY", "gmt_payment": None}, Paid.UNPAID),
        ({"trade_status": "TRADE_FINISHED"}, Paid.PAID),
        ({"refund_fee": "0.00"}, Paid.PAID),
        ({"trade_status": "TRADE_CLOSED", "gmt_payment": None}, Paid.CLOSED),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "18.00"}, Paid.REFUNDED),
    ],
)
def test_every_status_has_its_meaning(stall, fields, state):
    verdict = read(stall, signed(stall, **fields))

    assert (verdict.fact.state, verdict.fact.amount) == (state, LATTE)


@pytest.mark.parametrize(
    "fields",
    [
        {"refund_fee": "5.00"},
        {"gmt_refund": "2026-07-01 12:00:00.123"},
        {"out_biz_no": "Refund1", "refund_fee": "18.00"},
        {"trade_status": "TRADE_FINISHED", "refund_fee": "5.00"},
    ],
)
def test_whatever_speaks_of_a_refund_is_no_payment(stall, fields):
    verdict = read(stall, signed(stall, **fields))

    assert isinstance(verdict, Verified)
    assert verdict.fact is None


def test_an_event_this_house_does_not_use_is_verified_and_empty(stall):
    request = signed(stall, trade_status=None, msg_method="alipay.fund.trans.order.changed")

    verdict = read(stall, request)

    assert (verdict.fact, verdict.event) == (None, "alipay.fund.trans.order.changed")


@pytest.mark.parametrize(
    "fields",
    [
        {"total_amount": None},
        {"total_amount": ""},
        {"total_amount": "18"},
        {"total_amount": "1e1"},
        {"total_amount": "١٨.٠٠"},
        {"out_trade_no": None},
        {"trade_status": "TRADE_MAYBE"},
        {"gmt_payment": "now"},
        {"notify_time": "now"},
        {"trans_currency": "???"},
        {"refund_fee": "much"},
    ],
)
def test_a_signed_form_with_an_odd_field_is_rejected_not_a_crash(stall, fields):
    verdict = read(stall, signed(stall, **fields))

    if fields.get("total_amount") == "18":
        assert verdict.fact.amount == LATTE
    else:
        assert isinstance(verdict, Rejected)


def test_events_without_an_id_are_told_apart_by_what_they_say(stall):
    paid = read(stall, signed(stall, notify_id=None))
    again = read(stall, signed(stall, notify_id=None, notify_time="2026-07-01 12:04:00"))
    finished = read(stall, signed(stall, notify_id=None, trade_status="TRADE_FINISHED"))

    assert paid.event_key == again.event_key
    assert paid.event_key != finished.event_key


def test_a_certificate_number_in_the_form_may_be_signed_or_not(stall):
    inside = signed(stall, alipay_cert_sn="ab")
    outside = signed(stall, signing.UNSIGNED_IN_NOTIFICATIONS | {"alipay_cert_sn"}, alipay_cert_sn="ab")

    assert isinstance(read(stall, inside), Verified)
    assert isinstance(read(stall, outside), Verified)


def test_a_form_signed_with_its_sign_type_is_rejected(stall):
    assert isinstance(read(stall, signed(stall, signing.UNSIGNED_IN_REQUESTS)), Rejected)
