"""Finding a moment in a list that is read by position."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sdk.contract import Way
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import StatementKind
from providers.sdk.wallets import Wallet
from providers.telegramstars.ledger import Ledger

FIRST = datetime(2026, 7, 1, tzinfo=UTC)


class Lines:
    """A bot's ledger: one payment after the other, some of them in the same second."""

    def __init__(self, seconds):
        start = int(FIRST.timestamp())
        user = {"id": 7, "is_bot": False, "first_name": "Ann"}
        self.calls = 0
        self.lines = [
            {
                "id": f"c{number}",
                "amount": 1,
                "date": start + second,
                "source": {
                    "type": "user",
                    "transaction_type": "invoice_payment",
                    "user": user,
                    "invoice_payload": f"n{number}",
                },
            }
            for number, second in enumerate(seconds)
        ]

    async def fetch(self, offset, limit):
        self.calls += 1
        return {"transactions": self.lines[offset : offset + limit]}


async def numbers_since(lines, second):
    moment = FIRST + timedelta(seconds=second)
    return [one.number async for one in Ledger(lines.fetch).since(moment)]


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 199, 200, 201, 400, 401, 1000, 5001])
async def test_every_moment_of_a_ledger_is_found(length):
    for second in {0, 1, 50, 99, 100, 101, length // 2, length - 1, length, length + 9}:
        lines = Lines(range(length))

        assert await numbers_since(lines, second) == [f"n{one}" for one in range(max(second, 0), length)]


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.integers(0, 3), max_size=700), second=st.integers(0, 1500), data=st.integers(0, 1))
async def test_lines_of_one_second_are_all_found(steps, second, data):
    seconds = [sum(steps[: place + 1]) for place in range(len(steps))]
    lines = Lines(seconds)

    found = await numbers_since(lines, second)

    assert found == [f"n{number}" for number, at in enumerate(seconds) if at >= second]


async def test_a_long_ledger_takes_few_calls():
    lines = Lines(range(100_000))

    assert await numbers_since(lines, 99_990) == [f"n{number}" for number in range(99_990, 100_000)]
    assert lines.calls < 25

    short = Lines(range(20))
    await numbers_since(short, 15)
    assert short.calls == 1


async def test_lines_that_are_no_invoices_are_passed_over():
    lines = Lines(range(3))
    lines.lines[1] = {
        "id": "w", "amount": 1000, "date": lines.lines[1]["date"], "receiver": {"type": "fragment"},
    }  # fmt: skip

    assert await numbers_since(lines, 0) == ["n0", "n2"]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "one"},
        {"amount": -1},
        {"date": "today"},
        {"date": True},
        {"id": ""},
        {"nanostar_amount": 5},
    ],
)
async def test_a_line_that_is_not_as_documented_is_no_answer(change):
    lines = Lines(range(1))
    lines.lines[0] |= change

    with pytest.raises(ReplyError):
        await numbers_since(lines, 0)


async def test_a_statement_has_the_payments_and_refunds_of_one_beijing_day(stall):
    stall.clock.advance(11 * 3600 + 1800)  # half past eleven in the evening, in Beijing

    async def sold(number):
        intent = stall.intent(Money(5, "XTR"), number, way=Way.INVOICE)
        created = await stall.provider.create(intent, stall.call)
        stall.pay(created.link, Wallet.TELEGRAM)
        return stall.ref(intent, created)

    first = await sold("Order20260701A1")
    await stall.provider.refund(stall.refund(first, Money(5, "XTR")), stall.call)
    stall.clock.advance(3600)
    await sold("Order20260702A1")
    today = stall.clock.now().date()  # in UTC still the first of July

    lines = [line async for line in stall.provider.statement(today, stall.call)]

    assert [(line.kind, line.number, line.attempt_number) for line in lines] == [
        (StatementKind.PAYMENT, "Order20260701A1", "Order20260701A1"),
        (StatementKind.REFUND, "", "Order20260701A1"),
    ]
    assert lines[0].provider_ref == lines[1].provider_ref
    assert len({line.line_key for line in lines}) == 2
