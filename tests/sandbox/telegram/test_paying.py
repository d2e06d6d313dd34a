import asyncio

import pytest

from bot.sandbox.telegram import PaymentRefused, Person

QUERY_GONE = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
INVOICE = {
    "title": "Club",
    "description": "A month in the club",
    "payload": "Order1",
    "provider_token": "",
    "currency": "XTR",
    "prices": [{"label": "Club", "amount": 5}],
}


async def next_of(bot, kind, **where):
    """The next update of that kind; everything before it is confirmed."""
    async with asyncio.timeout(5):
        while True:
            for update in await bot.result("getUpdates", timeout=1, **where):
                await bot.result("getUpdates", offset=update["update_id"] + 1)
                if kind in update:
                    return update[kind]


async def answered(bot, paying, *, ok=True, **more):
    """The bot's part of a payment; what the person is told."""
    query = await next_of(bot, "pre_checkout_query")
    await bot.result("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=ok, **more)
    return await paying


@pytest.fixture(name="paid")
async def _paid(bot, api, ann, chat):
    """Ann has paid five Stars for Order1."""
    link = await bot.result("createInvoiceLink", **INVOICE)
    return await answered(bot, asyncio.create_task(api.pay(ann, link)))


async def test_a_link_is_paid_when_the_bot_says_yes(bot, api, ann, chat):
    link = await bot.result("createInvoiceLink", **INVOICE)
    paying = asyncio.create_task(api.pay(ann, link))
    query = await next_of(bot, "pre_checkout_query")
    await bot.result("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    receipt = await paying
    message = await next_of(bot, "message")

    assert link.startswith("https://t.me/$")
    assert (query["currency"], query["total_amount"], query["invoice_payload"]) == ("XTR", 5, "Order1")
    assert query["from"]["id"] == ann.id
    assert (receipt.amount, receipt.left, api.stars(ann)) == (5, 995, 995)
    assert (message["chat"]["id"], message["from"]["id"]) == (ann.id, ann.id)
    assert message["successful_payment"] == {
        "currency": "XTR",
        "total_amount": 5,
        "invoice_payload": "Order1",
        "telegram_payment_charge_id": receipt.charge_id,
        "provider_payment_charge_id": "",
    }


async def test_a_bot_that_says_no_is_paid_nothing_and_its_words_are_read(bot, api, ann, chat):
    link = await bot.result("createInvoiceLink", **INVOICE)
    paying = asyncio.create_task(api.pay(ann, link))

    with pytest.raises(PaymentRefused, match="Sold out"):
        await answered(bot, paying, ok=False, error_message="Sold out")
    assert api.stars(ann) == 1000
    assert await bot.result("getStarTransactions") == {"transactions": []}


async def test_a_bot_that_says_nothing_for_ten_seconds_is_paid_nothing(bot, api, ann, chat, monkeypatch):
    monkeypatch.setattr("bot.sandbox.telegram.checkouts.ANSWER_WITHIN_S", 0.05)
    link = await bot.result("createInvoiceLink", **INVOICE)

    with pytest.raises(PaymentRefused, match="did not answer within"):
        await api.pay(ann, link)
    query = await next_of(bot, "pre_checkout_query")

    late = await bot.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    assert late == QUERY_GONE
    assert api.stars(ann) == 1000


async def test_ten_seconds_of_the_sandbox_clock_are_ten_seconds(bot, api, ann, chat, clock):
    link = await bot.result("createInvoiceLink", **INVOICE)
    paying = asyncio.create_task(api.pay(ann, link))
    query = await next_of(bot, "pre_checkout_query")
    clock.advance(11)

    late = await bot.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    assert late == QUERY_GONE
    paying.cancel()


async def test_a_pre_checkout_is_answered_once_and_a_no_needs_words(bot, api, ann, chat):
    link = await bot.result("createInvoiceLink", **INVOICE)
    paying = asyncio.create_task(api.pay(ann, link))
    query_id = (await next_of(bot, "pre_checkout_query"))["id"]

    mute = await bot.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=False)
    assert mute == (400, 'Bad Request: parameter "error_message" is required')
    await bot.result("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
    await paying
    again = await bot.refusal("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
    assert again == QUERY_GONE


async def test_a_bot_that_did_not_ask_for_pre_checkouts_hears_of_none(bot, api, ann, chat, monkeypatch):
    monkeypatch.setattr("bot.sandbox.telegram.checkouts.ANSWER_WITHIN_S", 0.05)
    await bot.result("getUpdates", allowed_updates=["message"])
    link = await bot.result("createInvoiceLink", **INVOICE)

    with pytest.raises(PaymentRefused):
        await api.pay(ann, link)
    assert not any("pre_checkout_query" in update for update in await bot.result("getUpdates"))


async def test_a_link_can_be_paid_again_and_by_anybody(bot, api, ann, chat):
    link = await bot.result("createInvoiceLink", **INVOICE)
    first = await answered(bot, asyncio.create_task(api.pay(ann, link)))
    second = await answered(bot, asyncio.create_task(api.pay(ann, link)))
    bo = Person(8, "Bo")
    third = await answered(bot, asyncio.create_task(api.pay(bo, link.replace("/$", "/invoice/"))))

    assert len({first.charge_id, second.charge_id, third.charge_id}) == 3
    assert (api.stars(ann), api.stars(bo)) == (990, 995)
    assert await bot.result("getMyStarBalance") == {"amount": 15}


async def test_nobody_pays_with_stars_they_do_not_have(bot, api, ann, chat):
    dear = {**INVOICE, "prices": [{"label": "Club", "amount": 1001}]}
    link = await bot.result("createInvoiceLink", **dear)

    with pytest.raises(PaymentRefused, match="★1000, which is less than ★1001"):
        await api.pay(ann, link)
    with pytest.raises(PaymentRefused, match="no invoice"):
        await api.pay(ann, "https://t.me/$nothing")


async def test_an_invoice_message_has_a_pay_button_and_is_paid_once(bot, api, ann, chat):
    sent = await bot.result("sendInvoice", chat_id=chat, start_parameter="Order1", **INVOICE)
    tapping = asyncio.create_task(api.tap(ann, chat, sent["message_id"], 0, 0))
    tap = await answered(bot, tapping)
    again = await api.tap(ann, chat, sent["message_id"], 0, 0)

    assert sent["invoice"] == {
        "title": "Club",
        "description": "A month in the club",
        "start_parameter": "Order1",
        "currency": "XTR",
        "total_amount": 5,
    }
    assert sent["reply_markup"]["inline_keyboard"] == [[{"text": "Pay ⭐️5", "pay": True}]]
    assert (tap.toast, again.toast, again.alert) == (
        "You have paid ★5.",
        "This invoice is already paid.",
        True,
    )
    assert [message.text for message in api.chat(chat)][1:] == [
        "Club\nA month in the club\n★5",
        "You have paid ★5.",
    ]


async def test_a_keyboard_under_an_invoice_begins_with_pay(bot, chat):
    other = {"inline_keyboard": [[{"text": "No", "callback_data": "no"}]]}
    own = {"inline_keyboard": [[{"text": "Give me 5", "pay": True}], [{"text": "No", "callback_data": "no"}]]}

    refused = await bot.refusal("sendInvoice", chat_id=chat, reply_markup=other, **INVOICE)
    empty = await bot.refusal("sendInvoice", chat_id=chat, reply_markup={"inline_keyboard": [[]]}, **INVOICE)
    sent = await bot.result("sendInvoice", chat_id=chat, reply_markup=own, **INVOICE)

    assert refused == empty == (400, "Bad Request: REPLY_MARKUP_BUY_EMPTY")
    assert sent["reply_markup"] == own


async def test_an_invoice_message_is_never_turned_into_something_else(bot, chat, post_form, png):
    sent = await bot.result("sendInvoice", chat_id=chat, **INVOICE)
    place = {"chat_id": chat, "message_id": sent["message_id"]}

    assert (await bot.refusal("editMessageText", text="x", **place))[0] == 400
    assert (await bot.refusal("editMessageCaption", caption="x", **place))[0] == 400
    media = await post_form(
        "editMessageMedia", {"p": png}, media='{"type":"photo","media":"attach://p"}', **place
    )
    assert media["error_code"] == 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, 'parameter "title" is required'),
        ({"title": "x" * 33}, "invoice title must be 1 to 32 characters long"),
        ({"description": "x" * 256}, "invoice description must be 1 to 255 characters long"),
        ({"payload": ""}, 'parameter "payload" is required'),
        ({"payload": "月" * 43}, "INVOICE_PAYLOAD_INVALID"),
        ({"currency": "CNY"}, "PAYMENT_PROVIDER_INVALID"),
        ({"provider_token": "1:TEST:2"}, "STARS_INVOICE_INVALID"),
        ({"max_tip_amount": 5, "suggested_tip_amounts": [1]}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 1}, {"label": "b", "amount": 1}]}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "a", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "a", "amount": 10_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        (
            {"prices": [{"label": "", "amount": 1}]},
            "can't parse labeled price: LabeledPrice label must be non-empty",
        ),
        ({"prices": [1]}, "can't parse labeled price: LabeledPrice must be an Object"),
        ({"prices": [{"label": "a"}]}, "can't parse labeled price: Can't find field \"amount\""),
        ({"prices": [{"amount": 1}]}, "can't parse labeled price: Can't find field \"label\""),
        ({"prices": []}, "there must be at least one price"),
        ({"prices": {}}, "expected an Array of labeled prices"),
        ({"prices": "["}, "can't parse prices JSON object"),
        ({"subscription_period": 86400}, "subscription period must be 2592000 seconds"),
    ],
)
async def test_an_invoice_outside_telegram_s_limits_is_refused(bot, chat, change, words):
    assert await bot.refusal("createInvoiceLink", **{**INVOICE, **change}) == (400, f"Bad Request: {words}")


async def test_a_start_parameter_has_the_alphabet_of_deep_links(bot, chat):
    refused = await bot.refusal("sendInvoice", chat_id=chat, start_parameter="a b", **INVOICE)

    assert refused == (400, "Bad Request: START_PARAM_INVALID")


async def test_a_payment_goes_back_once_and_stands_twice_in_the_transactions(bot, api, ann, paid):
    refund = {"user_id": ann.id, "telegram_payment_charge_id": paid.charge_id}
    assert await bot.result("refundStarPayment", **refund) is True
    again = await bot.refusal("refundStarPayment", **refund)
    [came, went] = (await bot.result("getStarTransactions"))["transactions"]
    updates = await bot.result("getUpdates")

    assert again == (400, "Bad Request: CHARGE_ALREADY_REFUNDED")
    assert came["id"] == went["id"] == paid.charge_id
    assert came["source"] == went["receiver"]
    assert (came["source"]["user"]["id"], came["source"]["invoice_payload"]) == (ann.id, "Order1")
    assert "receiver" not in came
    assert api.stars(ann) == 1000
    assert await bot.result("getMyStarBalance") == {"amount": 0}
    [told] = [u["message"] for u in updates if "refunded_payment" in u.get("message", {})]
    assert told["refunded_payment"]["telegram_payment_charge_id"] == paid.charge_id


@pytest.mark.parametrize("change", [{"user_id": 8}, {"telegram_payment_charge_id": "stx"}])
async def test_only_the_payer_s_own_charge_is_refunded(bot, ann, paid, change):
    refund = {"user_id": ann.id, "telegram_payment_charge_id": paid.charge_id, **change}

    assert await bot.refusal("refundStarPayment", **refund) == (400, "Bad Request: CHARGE_ID_INVALID")


async def test_transactions_are_paged_oldest_first(bot, api, ann, chat):
    for number in range(3):
        link = await bot.result("createInvoiceLink", **{**INVOICE, "payload": f"Order{number}"})
        await answered(bot, asyncio.create_task(api.pay(ann, link)))

    async def payloads(**page):
        found = await bot.result("getStarTransactions", **page)
        return [one["source"]["invoice_payload"] for one in found["transactions"]]

    assert await payloads(limit=2) == ["Order0", "Order1"]
    assert await payloads(offset=2, limit=2) == ["Order2"]
    assert await payloads(offset=3) == []


async def test_a_subscription_tells_until_when_it_runs(bot, api, ann, chat, clock):
    link = await bot.result("createInvoiceLink", subscription_period=2_592_000, **INVOICE)
    await answered(bot, asyncio.create_task(api.pay(ann, link)))
    paid = (await next_of(bot, "message"))["successful_payment"]
    [transaction] = (await bot.result("getStarTransactions"))["transactions"]

    assert paid["is_recurring"]
    assert paid["is_first_recurring"]
    assert abs(paid["subscription_expiration_date"] - clock.now().timestamp() - 2_592_000) < 10
    assert transaction["source"]["subscription_period"] == 2_592_000


async def test_money_and_invoices_survive_a_kill(new_api, ann):
    async with new_api() as (api, bot):
        await api.write(ann, ann.id, "/start")
        link = await bot.result("createInvoiceLink", **INVOICE)
        paid = await answered(bot, asyncio.create_task(api.pay(ann, link)))
        message = await bot.result("sendInvoice", chat_id=ann.id, **INVOICE)

    async with new_api() as (api, bot):
        assert api.stars(ann) == 995
        assert await bot.result("getMyStarBalance") == {"amount": 5}
        await answered(bot, asyncio.create_task(api.pay(ann, link)))
        await answered(bot, asyncio.create_task(api.tap(ann, ann.id, message["message_id"], 0, 0)))
        await bot.result("refundStarPayment", user_id=ann.id, telegram_payment_charge_id=paid.charge_id)
        assert len((await bot.result("getStarTransactions"))["transactions"]) == 4


async def test_a_reset_fills_the_purses_and_forgets_the_invoices(bot, api, ann, paid):
    link = await bot.result("createInvoiceLink", **INVOICE)
    paying = asyncio.create_task(api.pay(ann, link))
    await next_of(bot, "pre_checkout_query")
    api.reset()

    with pytest.raises(PaymentRefused, match="reset"):
        await paying
    with pytest.raises(PaymentRefused, match="no invoice"):
        await api.pay(ann, link)
    assert api.stars(ann) == 1000
    assert await bot.result("getStarTransactions") == {"transactions": []}
