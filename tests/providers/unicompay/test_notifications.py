"""`serverCallUrl` posts: what is believed, what is read, in the form that the settings give it."""

from dataclasses import replace

import pytest

from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Verified
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.unicompay import plugin, signing, wire

LATTE = Money.cny("18.00")


async def scanned(stall, *faults):
    created = await stall.provider.create(stall.intent(LATTE), stall.call)
    for fault in faults:
        stall.faults.arm(fault)
    stall.pay(created.code, Wallet.UNICOMPAY)
    return stall.courier.take()


def post(stall, **fields):
    """A post that China Unicom itself signed, with some fields its own."""
    whole = {
        "merNo": stall.merchant["mer_no"],
        "orderNo": "Latte20260701A1",
        "amount": "1800",
        "transRst": "1",
        "payJnlno": "20260701120000000001",
        "payTime": "20260701120000",
        **fields,
    }
    body = wire.encode_form(signing.signed(whole, stall.merchant["sign_key"], "MD5"))
    return HttpRequest("POST", "/notify", body=body)


def read(stall, request):
    return stall.provider.read_notification(request, stall.clock.now())


async def test_a_payment_is_told_with_all_that_the_host_compares(stall):
    [notification] = await scanned(stall)

    fact = stall.read(notification).fact

    assert (fact.number, fact.merchant, fact.amount) == ("Latte20260701A1", stall.settings.merchant, LATTE)
    assert (fact.state, fact.wallet, fact.paid_at) == (Paid.PAID, Wallet.UNICOMPAY, stall.clock.now())
    assert fact.provider_ref


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_a_notification_with_a_spoilt_signature_is_rejected(stall, fault):
    [notification] = await scanned(stall, fault)

    assert isinstance(stall.read(notification), Rejected)


async def test_a_forged_twin_is_rejected_and_the_genuine_one_still_counts(stall):
    forged, genuine = await scanned(stall, Fault.NOTIFY_FORGED)

    assert isinstance(stall.read(forged), Rejected)
    assert stall.read(genuine).fact.state is Paid.PAID


async def test_a_replay_and_a_repeat_have_one_key(stall):
    first, second = await scanned(stall, Fault.NOTIFY_TWICE)
    fresh = stall.read(first)
    stall.clock.advance(24 * 3600)

    assert stall.read(first) == stall.read(second) == fresh


async def test_a_wrong_amount_is_told_as_it_is(stall):
    [notification] = await scanned(stall, Fault.WRONG_AMOUNT)

    assert stall.read(notification).fact.amount == Money.cny("18.01")


async def test_every_flipped_byte_is_rejected(stall):
    [notification] = await scanned(stall)
    body = notification.request.body

    for at in range(0, len(body), 7):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert isinstance(read(stall, replace(notification.request, body=flipped)), Rejected)


@pytest.mark.parametrize(
    ("result", "state"), [("1", Paid.PAID), ("2", Paid.UNPAID), ("ILLEGAL_MERCHANT_NO", None), ("0", None)]
)
def test_a_result_that_nobody_explained_is_kept_and_states_nothing(stall, result, state):
    verdict = read(stall, post(stall, transRst=result))

    assert isinstance(verdict, Verified)
    assert (verdict.fact.state if verdict.fact else None) is state


def test_another_outcome_has_another_key(stall):
    failed, done = (read(stall, post(stall, transRst=result)) for result in "21")

    assert failed.event_key != done.event_key


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": ""},
        {"amount": "-1"},
        {"amount": "18.00"},
        {"amount": "9" * 40},
        {"amount": "١٨٠٠"},
        {"orderNo": ""},
        {"merNo": ""},
        {"transRst": ""},
        {"errDis": "x|amount=1"},
    ],
)
def test_a_signed_post_with_an_odd_field_is_rejected_not_a_crash(stall, fields):
    assert isinstance(read(stall, post(stall, **fields)), Rejected)


@pytest.mark.parametrize(
    "body",
    [b"", b"&", b"no pairs", b"a=%ff", b"\xff=1", b"=1", b"a b=1", b"x=1&" * 30_000, b"{}", b"a=1&a=1"],
)
def test_what_is_no_form_is_rejected(stall, body):
    assert isinstance(read(stall, HttpRequest("POST", "/notify", body=body)), Rejected)


def test_a_get_is_rejected(stall):
    assert isinstance(read(stall, replace(post(stall), method="GET")), Rejected)


def test_the_names_of_the_fields_may_come_from_the_settings():
    names = "merchant=shop; number=orderid; amount=paybalance; result=payresult; reference=payfloodid; paid_at=resptime"
    stall = Stall(plugin, overrides={"notification_fields": names, "notification_paid_results": "ok"})
    told = {"shop": "301100710007122", "orderid": "Latte1", "paybalance": "200", "payresult": "ok"}

    verdict = read(stall, post(stall, **told, payfloodid="7", resptime="20260701120000"))

    assert (verdict.fact.number, verdict.fact.amount, verdict.fact.provider_ref) == (
        "Latte1",
        Money.cny("2.00"),
        "7",
    )
    assert verdict.event_key == "Latte1-7-ok"


def test_the_signed_fields_and_their_order_may_come_from_the_settings():
    order = "payJnlno,orderNo,transRst,amount,merNo"
    stall = Stall(plugin, overrides={"notification_order": order})
    fields = dict(wire.decode_form(post(stall, unsigned="x").body))
    assert isinstance(read(stall, post(stall)), Rejected)

    text = signing.source_text(fields, order.split(","))
    fields["signMsg"] = signing.signature(text, stall.merchant["sign_key"], "MD5").upper()
    verdict = read(stall, HttpRequest("POST", "/notify", body=wire.encode_form(fields)))

    assert verdict.fact.state is Paid.PAID


def test_the_acknowledgement_is_the_word_of_the_settings(stall):
    other = Stall(plugin, overrides={"notification_reply": "SUCCESS"})

    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))
    assert not stall.gateway.acknowledged(HttpReply(500, body=b"success"))
    assert other.provider.reply(accepted=True).body == b"SUCCESS"


def test_a_transcript_is_scrubbed(stall):
    kept = b"orderNo=1&mobileNo=13800000000&bankAcountNo=6222&bankAcountName=%E5%BC%A0&amount=1"

    assert stall.provider.scrub(kept) == (
        b"orderNo=1&mobileNo=***&bankAcountNo=***&bankAcountName=***&amount=1"
    )
