import json
from datetime import timedelta

import pytest

from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, RefundSnapshot, Rejected, Returned, Snapshot, Verified
from providers.sdk.testing import NOTIFY_URL
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")


@pytest.fixture
async def paid(stall, opened):
    """A paid order, its notification in the bag."""
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    return ref


def resealed(stall, kind: str, document: dict, **envelope) -> HttpRequest:
    """A notification with another content, truly signed and sealed."""
    institution = stall.gateway._institution
    signer = stall.merchant["public_key_id"]
    body = json.loads(institution._event("EV-1", kind, document, stall.merchant["apiv3_key"]))
    raw = json.dumps({**body, **envelope}).encode()
    return HttpRequest("POST", "/notify", Headers.of(institution._seal(raw, signer)), raw)


async def test_a_payment_is_told_with_every_field_the_host_compares(stall, paid) -> None:
    [notification] = stall.courier.take()
    verdict = stall.read(notification)

    assert notification.request.url == NOTIFY_URL
    assert isinstance(verdict, Verified)
    assert verdict.event == "TRANSACTION.SUCCESS"
    assert verdict.event_key == notification.key
    assert isinstance(verdict.fact, Snapshot)
    assert verdict.fact.number == paid.number
    assert verdict.fact.merchant == stall.merchant["mchid"]
    assert verdict.fact.amount == PRICE
    assert verdict.fact.state is Paid.PAID


async def test_reading_twice_is_the_same_and_asks_nobody(stall, paid) -> None:
    [notification] = stall.courier.take()
    asked = len(stall.transport.requests)

    assert stall.read(notification) == stall.read(notification)
    assert len(stall.transport.requests) == asked


async def test_it_is_repeated_on_the_documented_schedule_until_acknowledged(stall, paid) -> None:
    [notification] = stall.courier.take()

    assert len(notification.retry_after_s) == 15
    assert timedelta(seconds=sum(notification.retry_after_s)) == timedelta(hours=24, minutes=4)
    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert stall.gateway.acknowledged(HttpReply(200, body=b"anything"))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))
    assert not stall.gateway.acknowledged(HttpReply(302))


def test_the_acknowledgements_are_in_wechat_pays_words(stall) -> None:
    yes, no = stall.provider.reply(accepted=True), stall.provider.reply(accepted=False)

    assert (yes.status, yes.body) == (204, b"")
    assert no.status >= 400
    assert json.loads(no.body)["code"] == "FAIL"


@pytest.mark.parametrize(
    "fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK]
)
async def test_a_notification_that_does_not_verify_is_rejected(stall, opened, fault) -> None:
    _, _, created = await opened(PRICE)
    stall.faults.arm(fault)
    stall.pay(created.code, Wallet.WECHAT)

    [verdict] = stall.read_post()

    assert isinstance(verdict, Rejected)
    assert not verdict.probe


@pytest.mark.fault("A24")
async def test_wechat_pays_own_probe_is_rejected_without_alarm(stall, opened) -> None:
    _, _, created = await opened(PRICE)
    stall.faults.arm(Fault.PROBE)
    stall.pay(created.code, Wallet.WECHAT)

    [notification] = stall.courier.take()

    assert notification.request.headers.get("Wechatpay-Signature").startswith("WECHATPAY/SIGNTEST/")
    assert stall.read(notification).probe


async def test_a_strangers_forgery_is_rejected_and_the_genuine_one_believed(stall, opened) -> None:
    _, _, created = await opened(PRICE)
    stall.faults.arm(Fault.NOTIFY_FORGED)
    stall.pay(created.code, Wallet.WECHAT)

    forged, genuine = stall.read_post()

    assert isinstance(forged, Rejected)
    assert isinstance(genuine, Verified)


@pytest.mark.fault("A10")
async def test_a_replay_after_five_minutes_is_rejected_and_a_repetition_signed_anew_is_not(
    stall, paid
) -> None:
    [notification] = stall.courier.take()
    stall.clock.advance(300)

    again = stall.gateway.signed_again(notification.request)

    assert isinstance(stall.read(notification), Rejected)
    verdict = stall.provider.read_notification(again, stall.clock.now())
    assert isinstance(verdict, Verified)
    assert verdict.event_key == notification.key


async def test_a_repetition_is_signed_with_the_key_of_the_first(stall_with) -> None:
    stall = stall_with(public_key="", public_key_id="")
    created = await stall.provider.create(stall.intent(PRICE), stall.call)
    stall.pay(created.code, Wallet.WECHAT)
    [notification] = stall.courier.take()

    again = stall.gateway.signed_again(notification.request)

    assert isinstance(stall.provider.read_notification(again, stall.clock.now()), Verified)


async def test_a_wrong_amount_reaches_the_host_as_it_was_signed(stall, opened) -> None:
    _, _, created = await opened(PRICE)
    stall.faults.arm(Fault.WRONG_AMOUNT)
    stall.pay(created.code, Wallet.WECHAT)

    [verdict] = stall.read_post()

    assert verdict.fact.amount == Money(1801, "CNY")


async def test_no_single_bit_of_the_body_can_change(stall, paid) -> None:
    [notification] = stall.courier.take()
    request, now = notification.request, stall.clock.now()

    for place in range(len(request.body) * 8):
        body = bytearray(request.body)
        body[place // 8] ^= 1 << place % 8
        flipped = HttpRequest("POST", request.url, request.headers, bytes(body))
        assert isinstance(stall.provider.read_notification(flipped, now), Rejected), place


@pytest.mark.parametrize(
    "name",
    [
        "Wechatpay-Signature",
        "Wechatpay-Serial",
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Signature-Type",
    ],
)
async def test_no_single_bit_of_a_signed_header_can_change(stall, paid, name) -> None:
    [notification] = stall.courier.take()
    request, now = notification.request, stall.clock.now()
    value = request.headers.get(name)

    for place in range(len(value) * 7):
        at = place // 7
        flipped = value[:at] + chr(ord(value[at]) ^ 1 << place % 7) + value[at + 1 :]
        lines = tuple((line, flipped if line == name else old) for line, old in request.headers.lines)
        spoilt = HttpRequest("POST", request.url, Headers(lines), request.body)
        assert isinstance(stall.provider.read_notification(spoilt, now), Rejected), (name, flipped)


@pytest.mark.fault("A14")
@pytest.mark.parametrize("change", [b" ", b"\n", b"\xef\xbb\xbf"])
async def test_the_bytes_are_verified_as_they_came(stall, paid, change) -> None:
    [notification] = stall.courier.take()
    request = notification.request

    for body in (request.body + change, change + request.body, json.dumps(json.loads(request.body)).encode()):
        changed = HttpRequest("POST", request.url, request.headers, body)
        assert isinstance(stall.provider.read_notification(changed, stall.clock.now()), Rejected)


@pytest.mark.fault("A15")
async def test_a_doubled_header_is_rejected(stall, paid) -> None:
    [notification] = stall.courier.take()
    request = notification.request
    doubled = Headers((*request.headers.lines, ("wechatpay-timestamp", "1")))

    verdict = stall.provider.read_notification(
        HttpRequest("POST", request.url, doubled, request.body), stall.clock.now()
    )

    assert isinstance(verdict, Rejected)


async def test_a_notification_of_another_merchants_apiv3_key_is_rejected(stall, stall_with, paid) -> None:
    [notification] = stall.courier.take()
    other = stall_with(apiv3_key="x" * 32)

    assert isinstance(other.provider.read_notification(notification.request, stall.clock.now()), Rejected)


@pytest.mark.fault("A25")
@pytest.mark.parametrize(
    "change",
    [
        {"appid": "wxsomeoneelse"},
        {"trade_state": "TELEPORTED"},
        {"amount": {"total": "1e3", "currency": "CNY"}},
        {"amount": {"total": 1800}},
        {"amount": {"total": -1800, "currency": "CNY"}},
        {"out_trade_no": None},
        {"mchid": 7},
    ],
)
async def test_a_sealed_document_of_another_form_is_rejected(stall, paid, change) -> None:
    trade = stall.gateway._ledger.trade(paid.number)
    document = {**stall.gateway._desk.document(trade), **change}

    verdict = stall.provider.read_notification(
        resealed(stall, "TRANSACTION.SUCCESS", document), stall.clock.now()
    )

    assert isinstance(verdict, Rejected)


@pytest.mark.parametrize(
    "envelope",
    [
        {"resource": None},
        {"resource": {}},
        {"resource": {"algorithm": "AEAD_SM4_GCM", "nonce": "", "ciphertext": ""}},
        {"id": None},
        {"event_type": 3},
    ],
)
async def test_an_envelope_of_another_form_is_rejected(stall, envelope) -> None:
    request = resealed(stall, "TRANSACTION.SUCCESS", {}, **envelope)

    assert isinstance(stall.provider.read_notification(request, stall.clock.now()), Rejected)


async def test_another_merchants_number_reaches_the_host_which_compares_it(stall, paid) -> None:
    document = {
        **stall.gateway._desk.document(stall.gateway._ledger.trade(paid.number)),
        "mchid": "1900000109",
    }

    verdict = stall.provider.read_notification(
        resealed(stall, "TRANSACTION.SUCCESS", document), stall.clock.now()
    )

    assert verdict.fact.merchant == "1900000109"


async def test_an_event_this_house_does_not_use_is_acknowledged_without_a_fact(stall) -> None:
    for kind in ("PAYSCORE.USER_OPEN_SERVICE", "SECURITY_ECHO.SUCCESS"):
        verdict = stall.provider.read_notification(resealed(stall, kind, {"a": 1}), stall.clock.now())
        assert verdict == Verified(event_key="EV-1", fact=None, event=kind)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUCCESS", Returned.DONE),
        ("PROCESSING", Returned.PENDING),
        ("ABNORMAL", Returned.PENDING),
        ("CLOSED", Returned.FAILED),
    ],
)
async def test_a_refunds_notification_calls_its_state_refund_status_and_names_no_currency(
    stall, word, state
) -> None:
    document = {
        "mchid": stall.merchant["mchid"],
        "out_trade_no": "Latte20260701A1",
        "out_refund_no": "Refund20260701A1",
        "refund_id": "50300000000000000000000000000",
        "refund_status": word,
        "amount": {"total": 1800, "refund": 500, "payer_total": 1800, "payer_refund": 500},
    }

    verdict = stall.provider.read_notification(resealed(stall, f"REFUND.{word}", document), stall.clock.now())

    assert isinstance(verdict.fact, RefundSnapshot)
    assert (verdict.fact.state, verdict.fact.amount) == (state, Money.cny("5.00"))
    foreign = resealed(stall, f"REFUND.{word}", {**document, "mchid": "1900000109"})
    assert isinstance(stall.provider.read_notification(foreign, stall.clock.now()), Rejected)


async def test_two_notifications_may_come_twice_late_or_in_the_other_order(stall, opened) -> None:
    _, _, first = await opened(PRICE, number="Order0001")
    _, _, second = await opened(PRICE, number="Order0002")
    stall.faults.arm(Fault.NOTIFY_TWICE)
    stall.pay(first.code, Wallet.WECHAT)
    stall.faults.arm(Fault.NOTIFY_REORDERED)
    stall.pay(second.code, Wallet.WECHAT)

    verdicts = stall.read_post()

    assert [verdict.fact.number for verdict in verdicts] == ["Order0002", "Order0001", "Order0001"]
    assert verdicts[1].event_key == verdicts[2].event_key != verdicts[0].event_key
