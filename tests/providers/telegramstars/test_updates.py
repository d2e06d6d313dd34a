"""Updates that the host hands over: sealed, read, told apart."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from providers.sdk.errors import SignatureError
from providers.sdk.handover import SEAL, check_seal, handed_over
from providers.sdk.money import Money
from providers.sdk.results import Paid, Rejected, Snapshot, Verified
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet
from tests.providers.telegramstars.test_invoices import FIVE, opened

TOKEN = SecretStr("7000000001:AAtoken")
PAID = {
    "currency": "XTR",
    "total_amount": 5,
    "invoice_payload": "Order20260701A1",
    "telegram_payment_charge_id": "stx1",
    "provider_payment_charge_id": "",
}
ANN = {"id": 7001, "is_bot": False, "first_name": "Ann"}


def update(kind="successful_payment", **more):
    message = {"message_id": 3, "date": 1_782_878_400, "from": ANN, "chat": {"id": 7001, "type": "private"}}
    return {"update_id": 55, "message": {**message, kind: {**PAID, **more}}}


def told(stall, value, token=None):
    """What the provider makes of an update that the host hands over."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    request = handed_over(
        stall.settings.bot_token if token is None else token, "/notify/telegramstars/main", body
    )
    return stall.provider.read_notification(request, stall.clock.now())


def test_a_payment_is_read_from_its_service_message(stall):
    verdict = told(stall, update())

    assert isinstance(verdict, Verified)
    assert verdict.event_key == "paid:stx1"
    fact = verdict.fact
    assert (fact.number, fact.amount, fact.state) == ("Order20260701A1", FIVE, Paid.PAID)
    assert (fact.provider_ref, fact.payer, fact.wallet) == ("stx1", "7001", Wallet.TELEGRAM)
    assert fact.merchant == stall.settings.merchant
    assert fact.paid_at.timestamp() == 1_782_878_400


def test_a_refund_is_read_and_is_another_event(stall):
    verdict = told(stall, update("refunded_payment"))

    assert verdict.event_key == "refunded:stx1"
    assert verdict.fact.state is Paid.REFUNDED


def test_the_first_month_of_a_subscription_is_the_order_and_the_later_ones_are_not(stall):
    first = told(stall, update(is_recurring=True, is_first_recurring=True))
    later = told(stall, update(is_recurring=True, telegram_payment_charge_id="stx2"))

    assert first.fact.state is Paid.PAID
    assert (later.fact, later.event, later.event_key) == (None, "stars.renewed", "renewed:stx2")


def test_a_payment_in_another_currency_is_kept_and_says_nothing_of_stars(stall):
    verdict = told(stall, update(currency="USD"))

    assert (verdict.fact, verdict.event_key) == (None, "update:55")


@pytest.mark.parametrize(
    "change",
    [{"total_amount": "5x"}, {"total_amount": 5.0}, {"total_amount": -5}, {"telegram_payment_charge_id": ""},
     {"telegram_payment_charge_id": 7}, {"invoice_payload": None}],
)  # fmt: skip
def test_a_payment_that_is_not_as_documented_is_not_believed(stall, change):
    assert isinstance(told(stall, update(**change)), Rejected)


@pytest.mark.parametrize(
    "value", [b"", b"[]", b"{", b"{}", b'{"message":{}}', b'{"message":{"text":"hi"}}', b"[" * 5000, b"\xff"]
)
def test_what_is_no_payment_is_not_believed(stall, value):
    assert isinstance(told(stall, value), Rejected)


def test_a_stranger_s_seal_is_not_believed(stall):
    assert isinstance(told(stall, update(), token=TOKEN), Rejected)
    assert isinstance(told(stall, update(), token=SecretStr("")), Rejected)


def test_an_update_without_a_seal_is_not_believed(stall):
    request = HttpRequest("POST", "/notify/telegramstars/main", Headers(), json.dumps(update()).encode())

    assert isinstance(stall.provider.read_notification(request, stall.clock.now()), Rejected)


def test_an_update_is_handed_over_by_post(stall):
    genuine = handed_over(stall.settings.bot_token, "/x", json.dumps(update()).encode())

    assert isinstance(
        stall.provider.read_notification(replace(genuine, method="GET"), stall.clock.now()), Rejected
    )


def test_a_seal_is_not_the_token_and_not_of_another_body():
    request = handed_over(TOKEN, "/x", b"{}")

    check_seal(TOKEN, request)
    assert "AAtoken" not in repr(request)
    for forged in (
        replace(request, body=b"{ }"),
        replace(request, headers=Headers.of({SEAL: request.headers.get(SEAL).upper()})),
        replace(request, headers=Headers.of({SEAL: "月"})),
    ):
        with pytest.raises(SignatureError):
            check_seal(TOKEN, forged)


async def test_the_post_says_what_the_ledger_says(stall):
    _, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)

    [verdict] = stall.read_post()

    assert verdict.fact == await stall.provider.query(ref, stall.call)
    assert isinstance(verdict.fact, Snapshot)


async def test_the_token_and_the_payer_are_scrubbed_and_our_number_is_not(stall):
    intent, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)
    await stall.provider.query(ref, stall.call)
    await stall.provider.refund(stall.refund(ref, FIVE), stall.call)
    requests = [f"{one.method} {one.url}\r\n\r\n".encode() + one.body for one in stall.transport.requests]
    replies = [one.body for one in stall.transport.replies]
    post = [
        f"{SEAL}: {one.request.headers.get(SEAL)}\r\n".encode() + one.request.body
        for one in stall.courier.sent
    ]

    clean = b"\n".join(stall.provider.scrub(text) for text in (*requests, *replies, *post))

    assert stall.settings.bot_token.get_secret_value().encode() not in clean
    assert b"7001" not in clean
    assert b'"Lin"' not in clean
    assert intent.number.encode() in clean


def test_accepted_is_200_and_everything_else_comes_again(stall):
    assert stall.gateway.acknowledged(stall.provider.reply(accepted=True))
    assert not stall.gateway.acknowledged(stall.provider.reply(accepted=False))


def test_money_of_an_update_is_whole_stars(stall):
    assert told(stall, update(total_amount=10_000)).fact.amount == Money(10_000, "XTR")
