"""The posts of Huifu: what is believed, what is read, and how they are acknowledged."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest

from providers.ecny import signing
from providers.ecny.seals import Seals
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Returned, Verified
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet

LATTE = Money.cny("18.00")


async def scanned(stall, *faults):
    created = await stall.provider.create(stall.intent(LATTE), stall.call)
    for fault in faults:
        stall.faults.arm(fault)
    stall.pay(created.code, Wallet.ECNY)
    return stall.courier.take()


def signed(stall, text=None, **fields):
    """A post that Huifu itself signed, with some fields its own; one that is None is left out."""
    whole = {
        "resp_code": "00000000",
        "huifu_id": stall.merchant["huifu_id"],
        "req_seq_id": "Latte20260701A1",
        "req_date": "20260701",
        "hf_seq_id": "0029000",
        "trans_type": "D_NATIVE",
        "trans_stat": "S",
        "trans_amt": "18.00",
        **fields,
    }
    text = signing.canonical(whole) if text is None else text
    signature = signing.signature_of(text, Seals.kept_in(stall.drawer).huifu)
    return HttpRequest("POST", "/notify", body=urlencode({"resp_data": text, "sign": signature}).encode())


def read(stall, request):
    return stall.provider.read_notification(request, stall.clock.now())


async def test_a_payment_is_told_with_number_merchant_and_amount(stall):
    [notification] = await scanned(stall)

    verdict = stall.read(notification)

    assert verdict.event == "D_NATIVE"
    assert (verdict.fact.state, verdict.fact.amount) == (Paid.PAID, LATTE)
    assert (verdict.fact.number, verdict.fact.merchant) == ("Latte20260701A1", stall.settings.merchant)
    assert (verdict.fact.wallet, verdict.fact.paid_at) == (Wallet.ECNY, stall.clock.now())


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_a_notification_with_a_spoilt_signature_is_rejected(stall, fault):
    [notification] = await scanned(stall, fault)

    assert isinstance(stall.read(notification), Rejected)


async def test_a_forged_twin_is_rejected_and_the_genuine_one_still_counts(stall):
    forged, genuine = await scanned(stall, Fault.NOTIFY_FORGED)

    assert isinstance(stall.read(forged), Rejected)
    assert stall.read(genuine).fact.state is Paid.PAID


async def test_a_notification_told_twice_has_one_key_however_late_it_comes(stall):
    first, second = await scanned(stall, Fault.NOTIFY_TWICE)
    told = stall.read(first)
    stall.clock.advance(24 * 3600)

    assert stall.read(second) == told


async def test_a_notification_of_a_wrong_amount_tells_that_amount(stall):
    [notification] = await scanned(stall, Fault.WRONG_AMOUNT)

    assert stall.read(notification).fact.amount == Money.cny("18.01")


async def test_the_acknowledgement_names_the_order_that_was_told_of(stall):
    [notification] = await scanned(stall)

    reply = stall.provider.reply(accepted=True, request=notification.request)

    assert (reply.status, reply.body) == (200, b"RECV_ORD_ID_Latte20260701A1")
    assert stall.gateway.acknowledged(reply)


async def test_no_other_answer_is_an_acknowledgement(stall):
    [notification] = await scanned(stall)
    reply = stall.provider.reply(accepted=True, request=notification.request)

    for other in (
        stall.provider.reply(accepted=False, request=notification.request),
        stall.provider.reply(accepted=True),
        replace(reply, status=500),
        replace(reply, body=b"success"),
        replace(reply, body=b"RECV_ORD_ID_Nobody"),
        replace(reply, body=b"Latte20260701A1"),
    ):
        assert not stall.gateway.acknowledged(other)


async def test_a_notification_is_repeated_three_times(stall):
    [notification] = await scanned(stall)

    assert len(notification.retry_after_s) == 3


async def test_every_flipped_byte_is_rejected(stall):
    [notification] = await scanned(stall)
    body = notification.request.body
    form = dict(parse_qsl(body.decode()))

    for at in range(0, len(body), 23):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        verdict = read(stall, replace(notification.request, body=flipped))
        if isinstance(verdict, Verified):  # flipped in what nobody signs
            changed = dict(parse_qsl(flipped.decode()))
            assert (changed["resp_data"], changed["sign"]) == (form["resp_data"], form["sign"])


async def test_a_field_that_stands_twice_is_rejected(stall):
    [notification] = await scanned(stall)

    for extra in (b"&resp_data=%7B%7D", b"&sign=", b"&%73ign=x"):
        doubled = replace(notification.request, body=notification.request.body + extra)
        assert isinstance(read(stall, doubled), Rejected)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"&",
        b"no pairs",
        b"resp_data=%ff&sign=",
        b"\xff=1",
        b"=1",
        b"x=1&" * 90_000,
        b"{}",
        b"resp_data={}&sign=AAAA",
    ],
)
def test_what_is_no_signed_form_is_rejected(stall, body):
    assert isinstance(read(stall, HttpRequest("POST", "/notify", body=body)), Rejected)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", '{"a":1', '{"req_seq_id":"A","req_seq_id":"B"}', "{}", '{"a":NaN}', "1" * 5000],
)
def test_signed_text_that_is_no_object_of_an_order_is_rejected(stall, text):
    assert isinstance(read(stall, signed(stall, text)), Rejected)


def test_a_get_is_rejected(stall):
    assert isinstance(read(stall, replace(signed(stall), method="GET")), Rejected)


def test_the_signature_covers_the_text_as_posted_and_no_other_spelling(stall):
    spelt = '{ "req_seq_id":"A", "huifu_id":"1", "trans_type":"D_NATIVE" }'
    genuine = signed(stall, spelt)
    compact = genuine.body.replace(b"%7B+", b"%7B").replace(b"+%7D", b"%7D")

    assert isinstance(read(stall, genuine), Verified)
    assert compact != genuine.body
    assert isinstance(read(stall, replace(genuine, body=compact)), Rejected)


@pytest.mark.parametrize(
    "fields",
    [
        {"trans_amt": None},
        {"trans_amt": 18},
        {"trans_amt": "-1.00"},
        {"trans_amt": "18.001"},
        {"trans_amt": "1e3"},
        {"trans_amt": "１８.00"},
        {"trans_amt": {"$gt": "0"}},
        {"trans_stat": "PAID"},
        {"trans_stat": ["S"]},
        {"huifu_id": None},
        {"req_seq_id": None},
        {"req_seq_id": 7},
        {"trans_type": 7},
    ],
)
def test_a_signed_post_with_an_odd_field_is_rejected_not_a_crash(stall, fields):
    assert isinstance(read(stall, signed(stall, **fields)), Rejected)


@pytest.mark.parametrize(
    ("kind", "word", "state"),
    [
        ("D_NATIVE", "S", Paid.PAID),
        ("D_NATIVE", "P", Paid.UNPAID),
        ("D_NATIVE", "F", Paid.CLOSED),
        ("D_MICROPAY", "P", Paid.PAYING),
        ("D_MICROPAY", "F", Paid.FAILED),
    ],
)
def test_only_s_is_a_payment(stall, kind, word, state):
    assert read(stall, signed(stall, trans_type=kind, trans_stat=word)).fact.state is state


def test_another_outcome_of_the_same_order_has_another_key(stall):
    failed, done = (read(stall, signed(stall, trans_stat=word)) for word in "FS")

    assert failed.event_key != done.event_key


@pytest.mark.parametrize(
    "fields", [{"trans_type": "T_NATIVE"}, {"trans_stat": None, "notify_type": 3}, {"trans_type": None}]
)
def test_an_event_this_house_does_not_use_is_verified_and_empty(stall, fields):
    verdict = read(stall, signed(stall, **fields))

    assert isinstance(verdict, Verified)
    assert verdict.fact is None


@pytest.mark.parametrize("original", [{"remark": "Latte1"}, {"org_req_seq_id": "Latte1"}])
def test_a_refund_names_its_payment_by_remark_or_original_number(stall, original):
    request = signed(stall, trans_type="TRANS_REFUND", ord_amt="8.00", trans_amt=None, **original)

    fact = read(stall, request).fact

    assert (fact.attempt_number, fact.amount, fact.state) == ("Latte1", Money.cny("8.00"), Returned.DONE)


def test_a_refund_that_names_no_payment_is_left_to_the_query(stall):
    verdict = read(stall, signed(stall, trans_type="TRANS_REFUND", ord_amt="8.00"))

    assert isinstance(verdict, Verified)
    assert verdict.fact is None


def test_a_second_key_of_huifu_is_believed_while_keys_change(stall):
    from providers.ecny.seals import public_text

    seals = Seals.kept_in(stall.drawer)
    keys = public_text(seals.stranger) + public_text(seals.huifu)
    provider = stall.plugin.build(stall.settings_with(public_key=keys), stall.keys)

    assert isinstance(provider.read_notification(signed(stall), stall.clock.now()), Verified)
