"""`notifyUrl` posts: what is believed, what is read, and that nothing else is."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from providers.cmpay import messages, plugin, signing, wire
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Verified
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

LATTE = Money.cny("18.00")
DIGITS = "100498904982440770"


async def scanned(stall, *faults, way=Way.MERCHANT_CODE):
    for fault in faults:
        stall.faults.arm(fault)
    stall.purses.show(DIGITS, Wallet.CMPAY)
    intent = stall.intent(LATTE, way=way, payer_code=DIGITS if way is Way.PAYER_CODE else None)
    created = await stall.provider.create(intent, stall.call)
    if way is Way.MERCHANT_CODE:
        stall.pay(created.code, Wallet.CMPAY)
    return stall.courier.take()


def post(stall, kind=messages.NOTIFY_ONLINE, *, codec="gbk", **fields):
    """A post that China Mobile itself signed, with some fields its own."""
    order = messages.field_orders("", "2.0.0")[kind]
    known = {
        "merchantId": stall.merchant["merchant_id"],
        "payNo": "202607010000000001",
        "returnCode": "000000",
        "message": "SUCCESS",
        "signType": "MD5",
        "amount": "1800",
        "orderId": "Latte20260701A1",
        "payDate": "20260701120000",
        "status": "SUCCESS",
        "orderDate": "20260701",
    }
    if kind == messages.NOTIFY_ONLINE:
        known |= {"type": "OfflineNotify", "version": "2.0.0"}
    whole = {name: (known | fields).get(name, "") for name in order if name in known | fields}
    body = wire.encode_form(signing.signed(whole, order, stall.merchant["sign_key"]), codec)
    return HttpRequest("POST", "/notify", body=body)


def read(stall, request):
    return stall.provider.read_notification(request, stall.clock.now())


@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.PAYER_CODE])
async def test_a_payment_is_told_with_all_that_the_host_compares(stall, way):
    [notification] = await scanned(stall, way=way)

    fact = stall.read(notification).fact

    assert (fact.number, fact.merchant, fact.amount) == ("Latte20260701A1", stall.settings.merchant, LATTE)
    assert (fact.state, fact.wallet) == (Paid.PAID, Wallet.CMPAY)
    assert fact.provider_ref == "Latte20260701A1"


async def test_the_pay_type_is_sent_and_not_signed(stall):
    [notification] = await scanned(stall)
    body = notification.request.body

    other = replace(notification.request, body=body.replace(b"payType=IPOS", b"payType=PORT"))

    assert b"payType=IPOS" in body
    assert read(stall, other) == stall.read(notification)


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_a_notification_with_a_spoilt_signature_is_rejected(stall, fault):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    stall.faults.arm(fault)
    stall.pay(created.code, Wallet.CMPAY)

    assert isinstance(stall.read_post()[0], Rejected)


@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.PAYER_CODE])
async def test_a_forged_twin_is_rejected_and_the_genuine_one_still_counts(stall, way):
    forged, genuine = await scanned(stall, Fault.NOTIFY_FORGED, way=way)

    assert isinstance(stall.read(forged), Rejected)
    assert stall.read(genuine).fact.state is Paid.PAID


async def test_a_replay_a_repeat_and_the_page_return_have_one_key(stall):
    first, second = await scanned(stall, Fault.NOTIFY_TWICE)
    fresh = stall.read(first)
    stall.clock.advance(24 * 3600)

    assert stall.read(first) == stall.read(second) == fresh
    assert read(stall, post(stall, type="PageNotify")).event_key == fresh.event_key


async def test_notifications_are_repeated_on_the_published_schedule_until_success(stall):
    [notification] = await scanned(stall)
    minutes = [seconds // 60 for seconds in notification.retry_after_s]

    assert minutes == [1, 5, 10, 60, 120, 360, 900]
    assert stall.provider.reply(accepted=True).body == b"SUCCESS"
    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))
    assert not stall.gateway.acknowledged(HttpReply(200, body=b"SUCCESS "[:6]))
    assert not stall.gateway.acknowledged(HttpReply(500, body=b"SUCCESS"))


async def test_a_wrong_amount_is_told_as_it_is(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    stall.faults.arm(Fault.WRONG_AMOUNT)
    stall.pay(created.code, Wallet.CMPAY)

    assert stall.read_post()[0].fact.amount == Money.cny("18.01")


async def test_every_flipped_byte_is_rejected(stall):
    [notification] = await scanned(stall)
    body = notification.request.body

    for at in range(0, len(body), 7):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        verdict = read(stall, replace(notification.request, body=flipped))
        unsigned = dict(parse_qsl(flipped.decode("latin-1"))) | {"payType": ""}
        # A flip in payType, or in how an octet is escaped, changes nothing that is signed.
        same = {name: v for name, v in unsigned.items() if v} == {
            name: v for name, v in parse_qsl(body.decode("latin-1")) if name != "payType"
        }
        assert isinstance(verdict, Rejected) or same or b"payType" not in flipped


async def test_a_field_that_stands_twice_is_rejected(stall):
    [notification] = await scanned(stall)

    for extra in (b"&amount=1", b"&amount=1800", b"&hmac=0"):
        doubled = replace(notification.request, body=notification.request.body + extra)
        assert isinstance(read(stall, doubled), Rejected)


@pytest.mark.parametrize(
    "body",
    [b"", b"&", b"no pairs", b"a=%ff", b"\xff=1", b"=1", b"a b=1", b"x=1&" * 30_000, b"<xml></xml>", b"{}"],
)
def test_what_is_no_form_is_rejected(stall, body):
    assert isinstance(read(stall, HttpRequest("POST", "/notify", body=body)), Rejected)


def test_a_get_is_rejected(stall):
    assert isinstance(read(stall, replace(post(stall), method="GET")), Rejected)


@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
def test_the_charset_of_a_post_is_found_by_its_hmac(stall, codec):
    verdict = read(stall, post(stall, codec=codec, reserved1="保留数据1", message="成功"))

    assert verdict.fact.message == "成功"


@pytest.mark.parametrize(
    ("kind", "fields", "state"),
    [
        (messages.NOTIFY_ONLINE, {"status": "FAILED"}, Paid.UNPAID),
        (messages.NOTIFY_COUNTER, {"status": "FAILED"}, Paid.FAILED),
        (messages.NOTIFY_ONLINE, {"returnCode": "D22208"}, Paid.UNPAID),
        (messages.NOTIFY_ONLINE, {"returnCode": "MCG00000"}, Paid.PAID),
    ],
)
def test_only_success_is_a_payment(stall, kind, fields, state):
    assert read(stall, post(stall, kind, **fields)).fact.state is state


def test_another_outcome_of_the_same_order_has_another_key(stall):
    failed, done = (read(stall, post(stall, status=status)) for status in ("FAILED", "SUCCESS"))

    assert failed.event_key != done.event_key


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": ""},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "18.00"},
        {"amount": "01800"},
        {"amount": "9" * 40},
        {"amount": "١٨٠٠"},
        {"status": ""},
        {"status": "PENDING"},
        {"orderId": ""},
        {"orderId": "x y"},
        {"payNo": ""},
        {"merchantId": ""},
        {"signType": "RSA"},
        {"version": "3.0.0"},
        {"type": "WAPDirectPayConfirm"},
    ],
)
def test_a_signed_post_with_an_odd_field_is_rejected_not_a_crash(stall, fields):
    assert isinstance(read(stall, post(stall, codec="utf-8", **fields)), Rejected)


def test_values_cut_at_another_place_have_the_same_hmac_and_are_still_rejected(stall):
    honest = {"version": "2.0.0", "amount": "1800", "amtItem": "CNY_AMT=1800"}
    recut = ({"version": "2.0.", "amount": "01800"}, {"amount": "18", "amtItem": "00CNY_AMT=1800"})

    assert read(stall, post(stall, **honest)).fact.amount == LATTE
    bodies = [dict(parse_qsl(post(stall, **{**honest, **cut}).body.decode())) for cut in recut]
    assert {body["hmac"] for body in bodies} == {dict(parse_qsl(post(stall, **honest).body.decode()))["hmac"]}
    assert isinstance(read(stall, post(stall, **{**honest, **recut[0]})), Rejected)
    assert isinstance(read(stall, post(stall, **{**honest, **recut[1]})), Rejected)


def test_the_order_of_a_notification_may_come_from_the_settings(stall):
    row = ",".join(sorted(messages.field_orders("", "2.0.0")[messages.NOTIFY_ONLINE]))
    other = Stall(plugin, overrides={"field_orders": f"OfflineNotify={row}"})
    assert isinstance(read(other, post(other)), Rejected)

    order = tuple(row.split(","))
    fields = dict(parse_qsl(post(other).body.decode()))
    body = wire.encode_form(signing.signed(fields, order, other.merchant["sign_key"]), "gbk")

    assert isinstance(read(other, HttpRequest("POST", "/notify", body=body)), Verified)
