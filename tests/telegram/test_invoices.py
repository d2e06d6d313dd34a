"""Questions about payments are answered in time whatever else goes on; words of payments are stored, then confirmed."""

import asyncio
import json

import pytest
from aiogram.methods import CreateInvoiceLink, RefundStarPayment
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.orders.answers import Refused, Why
from bot.runtime.cashier import refusal_text
from bot.sandbox.telegram import PaymentRefused
from bot.telegram.intake import COMES_AGAIN_MAX
from bot.telegram.invoices import Collector
from providers.sdk.handover import check_seal
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply
from tests.telegram.chat import ANN, BO, TOKEN, until

INVOICE = {
    "title": "Club",
    "description": "A month",
    "payload": "Order1",
    "currency": "XTR",
    "prices": [{"label": "Club", "amount": 5}],
}


class Book:
    """Agrees to everything, takes everything, unless it is told otherwise."""

    def __init__(self):
        self.questions, self.requests = [], []
        self.refusal = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.statuses = []

    async def approve(self, question):
        self.questions.append(question)
        await self.gate.wait()
        if isinstance(self.refusal, Exception):
            raise self.refusal
        return self.refusal

    async def receive(self, provider_id, account, request):
        self.requests.append((provider_id, account, request))
        status = self.statuses.pop(0) if self.statuses else 200
        if isinstance(status, Exception):
            raise status
        return HttpReply(status)

    def collector(self):
        return Collector(provider_id="telegramstars", account="main", approver=self, receiver=self)


@pytest.fixture(name="book")
def _book():
    return Book()


async def handle(_):
    """Nothing to do."""


async def link_of(front):
    """The bot makes an invoice link."""
    return await front._bot(CreateInvoiceLink(**INVOICE))


async def refused(api, person, link):
    with pytest.raises(PaymentRefused) as refusal:
        await api.pay(person, link)
    return str(refusal.value)


async def test_a_payment_is_asked_about_answered_and_handed_over_under_a_seal(api, new_telegram, book):
    async with new_telegram(handle, collector=book.collector()) as front:
        receipt = await api.pay(ANN, await link_of(front))
        await until(lambda: book.requests)
        await until(lambda: api._world.updates.pending() == ())

    [question] = book.questions
    assert (question.number, question.amount, question.user_id) == ("Order1", Money(5, "XTR"), ANN.id)
    assert (question.provider_id, question.account) == ("telegramstars", "main")
    [(provider_id, account, request)] = book.requests
    assert (provider_id, account, request.path) == ("telegramstars", "main", "/notify/telegramstars/main")
    check_seal(SecretStr(TOKEN), request)
    paid = json.loads(request.body)["message"]["successful_payment"]
    assert paid["telegram_payment_charge_id"] == receipt.charge_id


async def test_a_refusal_is_read_by_the_payer_in_their_language(api, new_telegram, book):
    book.refusal = Refused(Why.ALREADY_PAID)
    async with new_telegram(handle, collector=book.collector()) as front:
        link = await link_of(front)

        assert await refused(api, ANN, link) == refusal_text(Why.ALREADY_PAID, "en")
        assert await refused(api, BO, link) == refusal_text(Why.ALREADY_PAID, "zh")
    assert book.requests == []


@pytest.mark.parametrize("mishap", [OSError("The disk is full."), TimeoutError(), ZeroDivisionError()])
async def test_on_any_doubt_the_answer_is_no(api, new_telegram, book, mishap):
    book.refusal = mishap
    async with new_telegram(handle, collector=book.collector()) as front:
        assert await refused(api, ANN, await link_of(front)) == "Busy at the moment. Please try again."


async def test_a_book_that_is_too_slow_is_a_no_in_time(api, new_telegram, book, monkeypatch):
    monkeypatch.setattr("bot.telegram.invoices._DECIDE_WITHIN_S", 0.05)
    book.gate.clear()
    async with new_telegram(handle, collector=book.collector()) as front:
        assert "Busy" in await refused(api, ANN, await link_of(front))


async def test_without_a_collector_every_payment_is_refused(api, new_telegram):
    async with new_telegram(handle) as front:
        assert "another one" in await refused(api, ANN, await link_of(front))


async def test_a_page_at_work_in_the_same_chat_holds_no_question_up(api, new_telegram, book):
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow(_):
        begun.set()
        await gate.wait()

    async with new_telegram(slow, collector=book.collector()) as front:
        await api.write(ANN, ANN.id, "a long job")
        await begun.wait()
        async with asyncio.timeout(5):
            await api.pay(ANN, await link_of(front))
            await until(lambda: book.requests)
        gate.set()


async def test_a_question_that_telegram_cannot_be_answered_is_let_go(api, new_telegram, book, monkeypatch):
    monkeypatch.setattr("bot.sandbox.telegram.checkouts.ANSWER_WITHIN_S", 0.3)
    api.fault("answerPreCheckoutQuery", code=400, times=1)
    async with new_telegram(handle, collector=book.collector()) as front:
        with capture_logs() as logs:
            assert "did not answer" in await refused(api, ANN, await link_of(front))
            await until(lambda: api._world.updates.pending() == ())

    assert "pre_checkout_not_answered" in [line["event"] for line in logs]


async def test_the_word_of_a_payment_comes_again_until_the_book_has_it(api, new_telegram, book):
    book.statuses = [503, OSError("The disk is full."), 500]
    async with new_telegram(handle, collector=book.collector()) as front:
        await api.pay(ANN, await link_of(front))
        await until(lambda: api._world.updates.pending() == ())

    bodies = {request.body for _, _, request in book.requests}
    assert (len(book.requests), len(bodies)) == (4, 1)


async def test_a_word_that_is_refused_for_ever_is_given_up_aloud(api, new_telegram, book):
    book.statuses = [500] * COMES_AGAIN_MAX
    async with new_telegram(handle, collector=book.collector()) as front:
        with capture_logs() as logs:
            await api.pay(ANN, await link_of(front))
            await until(lambda: api._world.updates.pending() == (), within_s=20)

    assert len(book.requests) == COMES_AGAIN_MAX
    assert "payment_given_up" in [line["event"] for line in logs]


async def test_a_refund_is_handed_over_too(api, new_telegram, book):
    async with new_telegram(handle, collector=book.collector()) as front:
        receipt = await api.pay(ANN, await link_of(front))
        await front._bot(RefundStarPayment(user_id=ANN.id, telegram_payment_charge_id=receipt.charge_id))
        await until(lambda: len(book.requests) == 2)

    assert "refunded_payment" in json.loads(book.requests[1][2].body)["message"]


async def test_money_that_nobody_collects_here_is_told_aloud(api, new_telegram, book):
    async with new_telegram(handle, collector=book.collector()) as front:
        link = await link_of(front)
        front._intake._invoices._collector = None
        front._intake._invoices._asked = book.approve  # as if it had agreed before the account was taken away
        with capture_logs() as logs:
            await api.pay(ANN, link)
            await until(lambda: api._world.updates.pending() == ())

    assert "payment_without_account" in [line["event"] for line in logs]
