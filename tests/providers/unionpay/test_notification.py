"""`backUrl` posts: what is believed, what is read, and that nothing else is."""

from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Created, Paid, Rejected, Verified
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet
from providers.unionpay import wire
from providers.unionpay.authority import Authority

LATTE = Money.cny("18.00")


async def scanned(stall, *faults):
    created = await stall.provider.create(stall.intent(LATTE), stall.call)
    assert isinstance(created, Created)
    for fault in faults:
        stall.faults.arm(fault)
    stall.pay(created.code, Wallet.BANK)
    return stall.courier.take()


def signed(stall, **fields):
    """A post that UnionPay itself signed, with some fields its own."""
    authority = Authority.kept_in(stall.drawer, stall.clock.now())
    whole = {
        "merId": stall.merchant["mer_id"],
        "orderId": "Latte20260701A1",
        "txnTime": "20260701120000",
        "txnType": "01",
        "txnSubType": "07",
        "queryId": "202607011200000000001",
        "respCode": "00",
        "txnAmt": "1800",
        "currencyCode": "156",
        **fields,
    }
    return HttpRequest("POST", "/notify", body=wire.encode_form(authority.leaf.sign(whole)))


def read(stall, request):
    return stall.provider.read_notification(request, stall.clock.now())


@pytest.mark.parametrize(
    "fault",
    [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK],
)
async def test_a_notification_with_a_spoilt_signature_is_rejected(stall, fault):
    [notification] = await scanned(stall, fault)

    assert isinstance(stall.read(notification), Rejected)


async def test_a_forged_twin_is_rejected_and_the_genuine_one_still_counts(stall):
    forged, genuine = await scanned(stall, Fault.NOTIFY_FORGED)

    assert isinstance(stall.read(forged), Rejected)
    assert stall.read(genuine).fact.state is Paid.PAID


async def test_a_notification_told_twice_has_one_key(stall):
    first, second = await scanned(stall, Fault.NOTIFY_TWICE)

    assert stall.read(first) == stall.read(second)


@pytest.mark.fault("A10", "A11")
async def test_an_old_notification_keeps_its_key_so_that_a_replay_is_told_by_it(stall):
    [notification] = await scanned(stall)
    fresh = stall.read(notification)
    stall.clock.advance(6 * 60)

    assert stall.read(notification) == fresh


async def test_a_notification_of_a_wrong_amount_tells_that_amount(stall):
    [notification] = await scanned(stall, Fault.WRONG_AMOUNT)

    assert stall.read(notification).fact.amount == Money.cny("18.01")


async def test_notifications_are_repeated_on_the_documented_schedule_until_200(stall):
    [notification] = await scanned(stall)

    assert notification.retry_after_s == (60, 120, 240, 300)
    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))
    assert stall.provider.reply(accepted=True).body == b"success"


@pytest.mark.fault("A14")
async def test_every_flipped_byte_is_rejected(stall):
    [notification] = await scanned(stall)
    body = notification.request.body

    for at in range(0, len(body), 61):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        verdict = read(stall, replace(notification.request, body=flipped))
        # A flip inside a percent escape can spell the same byte in another case; nothing else may pass.
        assert isinstance(verdict, Rejected) or wire.decode_form(flipped) == wire.decode_form(body)


@pytest.mark.fault("A15")
async def test_a_field_that_stands_twice_is_rejected(stall):
    [notification] = await scanned(stall)

    for extra in (b"&txnAmt=1", b"&txnAmt=1800", b"&%74xnAmt=1"):
        doubled = replace(notification.request, body=notification.request.body + extra)
        assert isinstance(read(stall, doubled), Rejected)


@pytest.mark.parametrize(
    "body",
    [b"", b"&", b"no pairs", b"a=%ff", b"\xff=1", b"=1", b"a b=1", b"x=1&" * 30_000, b"<xml></xml>", b"{}"],
)
def test_what_is_no_form_is_rejected(stall, body):
    assert isinstance(read(stall, HttpRequest("POST", "/notify", body=body)), Rejected)


def test_a_get_is_rejected(stall):
    request = replace(signed(stall), method="GET")

    assert isinstance(read(stall, request), Rejected)


def test_a_form_is_decoded_exactly_once(stall):
    authority = Authority.kept_in(stall.drawer, stall.clock.now())
    fields = authority.leaf.sign({"merId": "1", "orderId": "a%2Bb+c", "txnType": "76", "respCode": "00"})
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()

    assert wire.decode_form(body)["orderId"] == "a%2Bb+c"
    assert isinstance(read(stall, HttpRequest("POST", "/notify", body=body)), Verified)


def test_a_defective_success_is_a_success(stall):
    assert read(stall, signed(stall, respCode="A6")).fact.state is Paid.PAID


@pytest.mark.parametrize(
    ("sub_type", "code", "state"),
    [
        ("06", "64", Paid.FAILED),
        ("06", "05", Paid.PAYING),
        ("07", "64", Paid.UNPAID),
        ("07", "42", Paid.PAYING),
        ("07", "46", Paid.CLOSED),
    ],
)
def test_no_other_code_is_a_payment(stall, sub_type, code, state):
    verdict = read(stall, signed(stall, txnSubType=sub_type, respCode=code))

    assert verdict.fact.state is state


def test_another_outcome_of_the_same_order_has_another_key(stall):
    failed, done = (read(stall, signed(stall, respCode=code)) for code in ("64", "00"))

    assert failed.event_key != done.event_key


def test_an_event_this_house_does_not_use_is_verified_and_empty(stall):
    verdict = read(stall, signed(stall, txnType="02"))

    assert isinstance(verdict, Verified)
    assert verdict.fact is None


@pytest.mark.fault("A25")
@pytest.mark.parametrize(
    "fields",
    [
        {"txnAmt": ""},
        {"txnAmt": "-1"},
        {"txnAmt": "1e3"},
        {"txnAmt": "18.00"},
        {"txnAmt": "9" * 40},
        {"txnAmt": "١٨٠٠"},
        {"currencyCode": ""},
        {"currencyCode": "999"},
        {"respCode": ""},
        {"respCode": "000"},
        {"merId": ""},
        {"orderId": ""},
    ],
)
def test_a_signed_post_with_an_odd_field_is_rejected_not_a_crash(stall, fields):
    assert isinstance(read(stall, signed(stall, **fields)), Rejected)


@pytest.mark.fault("A17")
def test_another_currency_is_told_as_it_is(stall):
    assert read(stall, signed(stall, currencyCode="344")).fact.amount == Money(1800, "HKD")


def test_a_trace_time_in_the_new_year_belongs_to_the_new_year(stall):
    verdict = read(stall, signed(stall, txnTime="20251231235959", traceTime="0101000003"))

    assert verdict.fact.paid_at.isoformat() == "2025-12-31T16:00:03+00:00"


def test_a_broken_trace_time_is_no_time(stall):
    assert read(stall, signed(stall, traceTime="9999")).fact.paid_at is None


def test_a_return_that_names_no_currency_is_in_yuan_and_names_its_payment(stall):
    verdict = read(stall, signed(stall, txnType="04", txnSubType="00", currencyCode="", reqReserved="Latte1"))

    assert (verdict.fact.amount, verdict.fact.attempt_number) == (LATTE, "Latte1")
