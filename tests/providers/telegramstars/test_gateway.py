"""The simulated Telegram refuses what Telegram refuses; settings say what is wrong with them."""

import json

import pytest
from pydantic import ValidationError

from providers.sdk.transport import HttpRequest
from providers.telegramstars import plugin

INVOICE = {
    "title": "Club",
    "description": "A month",
    "payload": "Order1",
    "provider_token": "",
    "currency": "XTR",
    "prices": [{"label": "Club", "amount": 5}],
}


@pytest.fixture(name="call")
def _call(stall):
    async def call(method, body, token=None):
        token = token or stall.settings.bot_token.get_secret_value()
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = await stall.gateway.handle(HttpRequest("POST", f"/bot{token}/{method}", body=octets))
        answer = json.loads(reply.body)
        assert reply.status == answer.get("error_code", 200)
        return answer

    return call


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "too long"),
        ({"title": "x" * 33}, "too long"),
        ({"description": "x" * 256}, "too long"),
        ({"payload": "月" * 43}, "INVOICE_PAYLOAD_INVALID"),
        ({"currency": "CNY"}, "PAYMENT_PROVIDER_INVALID"),
        ({"provider_token": "1:TEST"}, "STARS_INVOICE_INVALID"),
        ({"prices": []}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 1}] * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "a", "amount": 10_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": ["5"]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"subscription_period": 3600}, "2592000"),
    ],
)
async def test_an_invoice_outside_the_limits_is_refused(call, change, words):
    answer = await call("createInvoiceLink", {**INVOICE, **change})

    assert answer["error_code"] == 400
    assert words in answer["description"]


async def test_another_token_and_another_method_are_refused(call):
    assert (await call("createInvoiceLink", INVOICE, token="1:x"))["error_code"] == 401
    assert (await call("sendMessage", INVOICE))["error_code"] == 404
    assert (await call("createInvoiceLink", b"{"))["error_code"] == 400
    assert (await call("getStarTransactions", {"offset": "x"}))["error_code"] == 400


async def test_the_balance_is_what_came_less_what_went_back(call, stall):
    answer = await call("createInvoiceLink", INVOICE)
    bill = stall.gateway.recognise(answer["result"])
    stall.gateway.settle(bill.id, min(plugin.info.wallets))
    before = (await call("getMyStarBalance", {}))["result"]
    [line] = (await call("getStarTransactions", {}))["result"]["transactions"]
    refund = {"user_id": line["source"]["user"]["id"], "telegram_payment_charge_id": line["id"]}
    first, again = await call("refundStarPayment", refund), await call("refundStarPayment", refund)

    assert before == {"amount": 5}
    assert first["result"] is True
    assert again["description"] == "Bad Request: CHARGE_ALREADY_REFUNDED"
    assert (await call("getMyStarBalance", {}))["result"] == {"amount": 0}


@pytest.mark.parametrize("token", ["", "token", "12", ":AA", "12:", "12:AA BB"])
def test_a_token_that_is_none_is_named_and_not_shown(token):
    with pytest.raises(ValidationError) as refused:
        plugin.settings(bot_token=token)

    assert "bot_token" in str(refused.value)
    assert not token or f"'{token}'" not in str(refused.value)


def test_the_merchant_is_the_number_of_the_bot():
    assert plugin.settings(bot_token="42:AAx").merchant == "42"
    assert plugin.settings(bot_token="42:AAx", bot_id="43").merchant == "43"
