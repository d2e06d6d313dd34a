"""A person pays invoices in Stars through the JSON interface."""

import asyncio

USER = "/sandbox/users/7"
INVOICE = {
    "title": "Club",
    "description": "A month",
    "payload": "Order1",
    "currency": "XTR",
    "prices": [{"label": "Club", "amount": 5}],
}


async def bot(person, method, **params):
    url = f"{person.sandbox.url}/bot{person.sandbox.bot_token}/{method}"
    async with person.http.post(url, json=params) as reply:
        answer = await reply.json()
        assert answer["ok"], answer
        return answer["result"]


async def agree(person, **verdict):
    """The bot answers the next pre-checkout."""
    for _ in range(20):
        for update in await bot(person, "getUpdates", timeout=1):
            await bot(person, "getUpdates", offset=update["update_id"] + 1)
            if "pre_checkout_query" in update:
                query_id = update["pre_checkout_query"]["id"]
                return await bot(person, "answerPreCheckoutQuery", pre_checkout_query_id=query_id, **verdict)
    raise AssertionError("No pre-checkout came.")


async def test_a_link_is_paid_from_the_person_s_stars(person):
    link = await bot(person, "createInvoiceLink", **INVOICE)
    paid, _ = await asyncio.gather(person.post(f"{USER}/pay", link=link), agree(person, ok=True))
    chat = await person.get(f"{USER}/chat")

    assert (paid["status"], paid["amount_minor"], paid["currency"]) == ("paid", 5, "XTR")
    assert await person.get(f"{USER}/stars") == {"stars": paid["stars_left"]} == {"stars": 995}
    assert [message["text"] for message in chat["messages"]] == ["You have paid ★5."]


async def test_an_invoice_in_the_chat_is_paid_by_its_number(person):
    await person.post(f"{USER}/send", text="/start")
    sent = await bot(person, "sendInvoice", chat_id=7, start_parameter="x", **INVOICE)
    number = sent["message_id"]
    await asyncio.gather(person.post(f"{USER}/pay", message_id=number), agree(person, ok=True))

    assert await person.refused(f"{USER}/pay", message_id=number) == (422, "This invoice is already paid.")


async def test_what_the_bot_says_against_it_is_the_refusal(person):
    link = await bot(person, "createInvoiceLink", **INVOICE)
    refused, _ = await asyncio.gather(
        person.refused(f"{USER}/pay", link=link), agree(person, ok=False, error_message="Sold out")
    )

    assert refused == (422, "Sold out")
    assert await person.refused(f"{USER}/pay", link="https://t.me/$x") == (
        422,
        "This is no invoice of this bot.",
    )


async def test_a_payment_names_one_invoice(person):
    both = {"link": "https://t.me/$x", "message_id": 1}

    assert await person.refused(f"{USER}/pay") == (400, "give either link or message_id.")
    assert await person.refused(f"{USER}/pay", **both) == (400, "give either link or message_id.")
