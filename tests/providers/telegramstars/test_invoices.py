"""Opening an invoice, asking about it, closing it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from providers.sdk.contract import Call, Way
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.handover import PASSED_AT
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
)
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet
from providers.telegramstars import plugin

FIVE = Money(5, "XTR")


async def opened(stall, **more):
    intent = stall.intent(FIVE, way=Way.INVOICE, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created), created
    return intent, created, stall.ref(intent, created)


def sent(stall, index=0):
    request = stall.transport.requests[index]
    return request.path.rpartition("/")[2], json.loads(request.body)


class Answering:
    """A Bot API that says one thing."""

    def __init__(self, status, body):
        self.reply = HttpReply(status, body=body if isinstance(body, bytes) else json.dumps(body).encode())

    async def send(self, request):
        return self.reply


def hearing(stall, status, body):
    return Call(Answering(status, body), stall.clock, stall.random)


def refusing(stall, code, description):
    return hearing(stall, code, {"ok": False, "error_code": code, "description": description})


async def test_an_invoice_link_is_made_with_our_number_as_its_payload(stall):
    intent, created, _ = await opened(stall)

    method, asked = sent(stall)
    assert method == "createInvoiceLink"
    assert asked == {
        "title": "拿铁 Latte",
        "description": "拿铁 Latte",
        "payload": intent.number,
        "provider_token": "",
        "currency": "XTR",
        "prices": [{"label": "拿铁 Latte", "amount": 5}],
    }
    assert created.link.startswith("https://t.me/$")
    assert created.code is None
    assert created.usable_until == intent.expires_at


async def test_a_messenger_that_shows_invoices_itself_always_gets_a_start_parameter(stall):
    intent, created, _ = await opened(stall)

    asked = json.loads(created.invoice["sendInvoice"])
    assert asked.pop("start_parameter") == intent.number
    assert asked == sent(stall)[1]


async def test_titles_are_cut_to_what_an_invoice_holds(stall):
    await opened(stall, title="A  month\nin the club " * 20)

    _, asked = sent(stall)
    assert len(asked["title"]) == len(asked["prices"][0]["label"]) == 32
    assert len(asked["description"]) == 255
    assert asked["title"] == "A month in the club A month in …"


async def test_the_subscription_flag_asks_for_thirty_days_and_for_no_message():
    stall = Stall(plugin, overrides={"subscription": True})
    _, created, _ = await opened(stall)

    assert sent(stall)[1]["subscription_period"] == 2_592_000
    assert created.invoice is None


async def test_the_test_environment_has_its_own_path():
    stall = Stall(plugin, overrides={"test_environment": True})
    await stall.provider.create(stall.intent(FIVE, way=Way.INVOICE), stall.call)

    token = stall.settings.bot_token.get_secret_value()
    assert stall.transport.requests[0].path == f"/bot{token}/test/createInvoiceLink"


@pytest.mark.parametrize("amount", [Money.cny("18.00"), Money(5, "USD")])
async def test_what_is_not_priced_in_stars_is_declined_unsent(stall, amount):
    answer = await stall.provider.create(stall.intent(amount, way=Way.INVOICE), stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.LIMIT
    assert stall.transport.requests == []


@pytest.mark.parametrize(
    ("code", "description", "reason"),
    [
        (400, "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID", DeclineReason.LIMIT),
        (400, "Bad Request: STARS_INVOICE_INVALID", DeclineReason.OTHER),
        (401, "Unauthorized", DeclineReason.MISCONFIGURED),
        (404, "Not Found", DeclineReason.MISCONFIGURED),
        (403, "Forbidden: bot is not allowed", DeclineReason.MISCONFIGURED),
    ],
)
async def test_telegrams_clear_no_is_definite(stall, code, description, reason):
    intent = stall.intent(FIVE, way=Way.INVOICE)
    answer = await stall.provider.create(intent, refusing(stall, code, description))

    assert answer == Declined(reason, str(code), description)


async def test_too_many_requests_were_not_looked_at_and_may_be_sent_again(stall):
    intent, _, ref = await opened(stall)
    busy = refusing(stall, 429, "Too Many Requests: retry after 7")

    assert isinstance(await stall.provider.create(intent, busy), NotSent)
    assert isinstance(await stall.provider.query(ref, busy), NotSent)
    assert isinstance(await stall.provider.close(ref, busy), NotSent)
    assert isinstance(await stall.provider.refund(stall.refund(ref, FIVE), busy), NotSent)
    assert isinstance(
        await stall.provider.query_refund(stall.refund_ref(stall.refund(ref, FIVE)), busy), NotSent
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"ok": True}),
        (200, {"ok": True, "result": "https://example.org/pay"}),
        (200, {"ok": True, "result": 5}),
        (200, {"ok": False, "error_code": 400, "description": "x"}),
        (400, {"ok": False, "error_code": 403, "description": "x"}),
        (400, {"ok": False}),
        (500, {"ok": False, "error_code": 500, "description": "Internal Server Error"}),
        (409, {"ok": False, "error_code": 409, "description": "Conflict"}),
        (200, {"ok": True, "result": {"transactions": [{"id": "x", "amount": 1.5}]}}),
        (200, {"ok": True, "result": {"transactions": "none"}}),
    ],
)
async def test_anything_odd_is_unknown(stall, status, body):
    intent, _, ref = await opened(stall)
    odd = hearing(stall, status, body)

    assert isinstance(await stall.provider.create(intent, odd), Unknown)
    assert isinstance(await stall.provider.query(ref, odd), Unknown)
    assert isinstance(await stall.provider.close(ref, odd), Unknown)


async def test_a_payment_is_found_in_the_ledger(stall):
    intent, created, ref = await opened(stall)
    assert await stall.provider.query(ref, stall.call) == NotFound()
    stall.clock.advance(20)
    stall.pay(created.link, Wallet.TELEGRAM)

    found = await stall.provider.query(ref, stall.call)

    assert isinstance(found, Snapshot)
    assert (found.number, found.merchant, found.amount) == (intent.number, stall.settings.merchant, FIVE)
    assert (found.state, found.wallet, found.paid_at) == (Paid.PAID, Wallet.TELEGRAM, stall.clock.now())
    assert found.provider_ref.startswith("stx")
    assert found.payer == "7001"


async def test_a_wrong_amount_is_told_as_it_is(stall):
    _, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    assert (await stall.provider.query(ref, stall.call)).amount == Money(4, "XTR")


async def test_nothing_is_sent_to_close_and_what_nobody_paid_is_closed(stall):
    _, _, ref = await opened(stall)

    answer = await stall.provider.close(ref, stall.call)

    assert answer == Closed(code="refused at pre-checkout")
    assert [request.path.rpartition("/")[2] for request in stall.transport.requests] == [
        "createInvoiceLink",
        "getStarTransactions",
    ]


async def test_what_is_paid_is_not_closed(stall):
    _, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)

    assert await stall.provider.close(ref, stall.call) == AlreadyPaid(code="paid")


async def test_a_payment_that_was_let_pass_may_be_on_its_way_for_a_minute(stall):
    _, _, ref = await opened(stall)
    passed = replace(ref, memo={PASSED_AT: stall.clock.now().isoformat()})

    stall.clock.advance(59)
    soon = await stall.provider.close(passed, stall.call)
    stall.clock.advance(2)
    later = await stall.provider.close(passed, stall.call)

    assert isinstance(soon, Unknown)
    assert isinstance(later, Closed)


async def test_an_invoice_that_was_made_twice_is_paid_once(stall):
    intent, first, _ = await opened(stall)
    second = await stall.provider.create(intent, stall.call)
    stall.pay(first.link, Wallet.TELEGRAM)

    with pytest.raises(BillGone):
        stall.pay(second.link, Wallet.TELEGRAM)
    assert stall.purses.moves == [(Wallet.TELEGRAM, -5, "拿铁 Latte")]


async def test_only_stars_pay_an_invoice_and_only_as_many_as_there_are(stall):
    _, created, _ = await opened(stall)

    with pytest.raises(PurseRefused):
        stall.pay(created.link, Wallet.WECHAT)
    stall.purses.left[Wallet.TELEGRAM] = 4
    with pytest.raises(PurseRefused):
        stall.pay(created.link, Wallet.TELEGRAM)
    assert stall.courier.take() == []


async def test_a_bill_shows_what_is_bought(stall):
    intent, created, _ = await opened(stall)

    bill = stall.gateway.recognise(created.link)

    assert (bill.amount, bill.title, bill.number) == (FIVE, "拿铁 Latte", intent.number)
    assert stall.gateway.recognise("https://t.me/$nothing") is None


async def test_an_order_from_long_ago_is_asked_about_from_its_own_day_on(stall):
    _, created, ref = await opened(stall)
    stall.pay(created.link, Wallet.TELEGRAM)
    late = replace(ref, created_at=ref.created_at + timedelta(days=1))

    assert await stall.provider.query(late, stall.call) == NotFound()
