"""The institutions' statements against our book, on the institutions' own wire."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from bot.orders import statement_rows
from bot.orders.audit import Cause, CauseKind
from bot.orders.order import OrderState, RefundState
from bot.orders.rows import ledger_of
from bot.orders.schema import statement_lines, suspense_entries
from bot.orders.statement import Ours, days_of, is_missing, window
from providers.sdk.contract import Intent, Way
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import RefundSnapshot, Returned, StatementKind, StatementLine, Unknown
from providers.sdk.wallets import Wallet
from providers.wechatpay import plugin as wechatpay
from tests.orders.conftest import BOTH_STORES
from tests.orders.test_foreign import refund_in_console

DAY = date(2026, 7, 1)
NEXT = date(2026, 7, 2)
OVERNIGHT_S = 24 * 3600


@pytest.fixture
def shop(shop):
    shop.also(wechatpay)
    return shop


async def compared(shop, day=DAY, name="unionpay"):
    done = {one.provider: one for one in await shop.checkout.reconcile(day)}[name]
    assert done.problem == ""
    return done


async def differences(shop, day=DAY, name="unionpay"):
    return [(one.what, one.number) for one in (await compared(shop, day, name)).differences]


async def held(shop):
    return await shop.checkout.reconciling.suspense()


async def pay_a_stranger(shop, name="unionpay", number="STRANGER0000001"):
    """Somebody took money with our merchant account, and not through this house."""
    stall, now = shop.stalls[name], shop.clock.now()
    wallet = {"unionpay": Wallet.QUICKPASS, "wechatpay": Wallet.WECHAT}[name]
    opened = await stall.provider.create(
        Intent(
            number=number, amount=Money.cny("7"), title="?", way=Way.MERCHANT_CODE, wallet=wallet, created_at=now,
            expires_at=now.replace(minute=10), notify_url="https://elsewhere.example/",
        ),
        stall.call,
    )  # fmt: skip
    stall.pay(opened.code, wallet)
    shop.post(name)


@pytest.mark.fault("Q4")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
@pytest.mark.parametrize(("name", "wallet"), [("unionpay", Wallet.QUICKPASS), ("wechatpay", Wallet.WECHAT)])
async def test_a_day_on_which_all_agrees_is_clean_however_often_it_is_compared(shop, name, wallet):
    order = await shop.paid_order(wallet)
    assert order.attempts[-1].provider == name
    await shop.checkout.refund(order.id, Money.cny("6"), "cold", "operator:li")
    await shop.deliver()
    shop.clock.advance(OVERNIGHT_S)

    once, again = await compared(shop, name=name), await compared(shop, name=name)

    lines = await shop.book.read(lambda one: one.execute(select(statement_lines.c.id)))
    assert (once.lines, once.matched, once.differences) == (2, 2, [])
    assert once == again
    assert len(lines.all()) == 2
    assert await held(shop) == {}
    assert shop.watch.alerts == []


@pytest.mark.fault("Q1")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_money_that_nothing_of_ours_explains_hangs_in_suspense_once(shop):
    await shop.paid_order(Wallet.QUICKPASS)
    await pay_a_stranger(shop)
    shop.clock.advance(OVERNIGHT_S)

    assert await differences(shop) == [("unknown", "STRANGER0000001")]
    assert await differences(shop) == [("unknown", "STRANGER0000001")]

    entries = await shop.book.read(lambda one: one.execute(select(suspense_entries.c.minor)))
    assert await held(shop) == {"CNY": 700}
    assert sum(entries.scalars()) == 0
    assert "STRANGER0000001" in shop.watch.alerts[0]


@pytest.mark.fault("Q1")
async def test_a_payment_we_never_heard_of_is_asked_about_and_booked(shop):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    shop.pay(opened)
    shop.post("unionpay")  # lost
    shop.clock.advance(OVERNIGHT_S)

    assert await differences(shop) == [("healed", opened.attempt.number)]
    assert await differences(shop) == []
    assert (await shop.look(opened.order)).paid


async def test_a_payment_we_cannot_ask_about_stays_a_difference(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    shop.pay(opened)
    shop.post("unionpay")
    shop.clock.advance(OVERNIGHT_S)

    async def silent(*_):
        return Unknown("cut")

    monkeypatch.setattr(shop.stalls["unionpay"].provider, "query", silent)

    assert await differences(shop) == [("behind", opened.attempt.number)]
    await shop.worker.send_outbox()
    assert any("is behind" in text for text in shop.watch.alerts)
    assert not (await shop.look(opened.order)).paid


@pytest.mark.parametrize(("name", "wallet"), [("unionpay", Wallet.QUICKPASS), ("wechatpay", Wallet.WECHAT)])
async def test_a_refund_made_in_the_console_that_nobody_told_us_of_is_booked(shop, name, wallet):
    order = await shop.paid_order(wallet)
    await refund_in_console(shop, order)
    shop.post(name)  # lost
    shop.clock.advance(OVERNIGHT_S)

    assert await differences(shop, name=name) == [("healed", "CONSOLE00000001")]
    assert await differences(shop, name=name) == []

    done = await shop.look(order)
    lines = await shop.book.read(lambda one: ledger_of(one, order.id))
    assert done.state is OrderState.PARTLY_REFUNDED
    assert [refund.state for refund in done.refunds] == [RefundState.DONE]
    assert sum(line.minor for line in lines if line.account in {"orders", "revenue"}) == -1200


@pytest.mark.fault("Q3")
async def test_another_amount_on_the_statement_changes_nothing_and_calls_a_person_once(shop, monkeypatch):
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    stated(shop, monkeypatch, line_of(order, amount=Money.cny("17.99")))

    assert await differences(shop) == [("amount", order.attempts[0].number)]
    assert await differences(shop) == [("amount", order.attempts[0].number)]

    await shop.worker.drain()
    assert len([text for text in shop.watch.alerts if "¥17.99" in text]) == 1
    assert await shop.look(order) == replace(order, message_id=(await shop.look(order)).message_id)


async def test_a_second_line_of_one_payment_hangs_in_suspense(shop, monkeypatch):
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    stated(shop, monkeypatch, line_of(order), line_of(order, line_key="2"))

    assert await differences(shop) == [("twice", order.attempts[0].number)]
    assert await held(shop) == {"CNY": 1800}


async def test_a_line_that_stands_otherwise_the_second_time_is_told_and_the_first_is_kept(shop, monkeypatch):
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    stated(shop, monkeypatch, line_of(order))
    await compared(shop)

    stated(shop, monkeypatch, line_of(order, amount=Money.cny("1")))

    assert await differences(shop) == [("changed", order.attempts[0].number)]


@pytest.mark.fault("Q2")
async def test_ours_without_a_line_is_told(shop, monkeypatch):
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    stated(shop, monkeypatch)

    assert await differences(shop) == [("missing", order.attempts[0].number)]
    await shop.worker.send_outbox()
    assert any("is missing" in text for text in shop.watch.alerts)


@pytest.mark.fault("E8")
async def test_a_payment_after_unionpays_cut_off_stands_in_the_next_statement(shop):
    shop.clock.advance(11 * 3600 + 1800)  # 23:30 in Beijing
    order = await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(2 * OVERNIGHT_S)

    assert await differences(shop, DAY) == []
    done = await compared(shop, NEXT)

    assert (done.lines, done.matched, done.differences) == (1, 1, [])
    assert order.attempts[0].number


async def test_what_is_explained_later_leaves_suspense(shop, monkeypatch):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)
    line = line_of(opened.order, number="LATER0000001")
    stated(shop, monkeypatch, line)
    assert await differences(shop) == [("unknown", "LATER0000001")]

    async def explain(connection):
        [stored] = await statement_rows.lines_of(connection, ("unionpay", "main"), DAY, 0, 1)
        await statement_rows.settle(
            connection, ("unionpay", "main"), stored, stored.verdict.MATCHED, shop.clock.now()
        )

    assert await held(shop) == {"CNY": 1800}
    await shop.book.write(explain)
    assert await held(shop) == {}


@pytest.mark.fault("Q4")
@pytest.mark.parametrize("mishap", [ReplyError("not whole"), KeyError("column")])
async def test_a_statement_that_cannot_be_had_is_a_problem_of_that_account_alone(shop, monkeypatch, mishap):
    await shop.paid_order(Wallet.QUICKPASS)
    shop.clock.advance(OVERNIGHT_S)

    async def broken(day, call):
        raise mishap
        yield

    monkeypatch.setattr(shop.stalls["wechatpay"].provider, "statement", broken)
    done = {one.provider: one for one in await shop.checkout.reconcile(DAY)}

    assert done["wechatpay"].problem
    assert done["unionpay"].matched == 1
    assert done["plainpay"].by_hand


async def test_a_day_that_is_not_over_is_not_compared(shop):
    shop.clock.advance(11 * 3600)  # 23:00 in Beijing

    [unionpay, *_] = await shop.checkout.reconcile(DAY)

    assert "not over" in unionpay.problem


def line_of(order, **more):
    [attempt] = order.attempts
    line = StatementLine(
        line_key="1", kind=StatementKind.PAYMENT, number=attempt.number, attempt_number=attempt.number,
        amount=attempt.amount, fee=Money.cny("0.11"), provider_ref="r", at=attempt.paid_at,
    )  # fmt: skip
    return replace(line, **more)


def stated(shop, monkeypatch, *lines):
    async def statement(day, call):
        for line in lines:
            yield line

    monkeypatch.setattr(shop.stalls["unionpay"].provider, "statement", statement)


def moment(text):
    return datetime.fromisoformat(f"2026-{text}:00+08:00").astimezone(UTC)


@pytest.mark.fault("E8")
@pytest.mark.parametrize(
    ("moments", "days"),
    [
        (["07-01T12:00"], ["07-01"]),
        (["07-01T22:59"], ["07-01"]),
        (["07-01T23:00"], ["07-01", "07-02"]),
        (["07-01T00:00"], ["07-01"]),
        (["07-01T12:00", "07-03T01:00"], ["07-01", "07-03"]),
        ([], []),
    ],
)
def test_a_line_may_stand_in_these_statements(moments, days):
    expected = {date.fromisoformat(f"2026-{day}") for day in days}

    found = days_of(moment(text) for text in moments)

    assert found == expected
    if expected:
        since, until = window(max(expected))
        assert any(since <= moment(text) < until for text in moments)


def test_something_is_missing_only_when_every_statement_that_could_have_it_is_here():
    late = Ours("o", "n", Money.cny("1"), "paid", settled=True, moments=(moment("07-01T23:30"),))

    assert not is_missing(late, DAY, frozenset({DAY}))
    assert not is_missing(late, NEXT, frozenset({NEXT}))
    assert is_missing(late, NEXT, frozenset({DAY, NEXT}))


async def test_a_refund_we_gave_up_and_they_made_is_a_difference_for_a_person(shop, monkeypatch):
    order = await shop.paid_order(Wallet.QUICKPASS)
    await shop.checkout.refund(order.id, Money.cny("6"), "cold", "operator:li")
    [refund] = (await shop.look(order)).refunds
    fact = RefundSnapshot(
        number=refund.number,
        attempt_number=refund.attempt_number,
        amount=refund.amount,
        state=Returned.FAILED,
    )
    await shop.checkout.apply(fact, Cause(CauseKind.OPERATOR, "test"), provider_id="unionpay", account="main")
    assert (await shop.look(order)).refunds[0].state is RefundState.FAILED
    shop.clock.advance(OVERNIGHT_S)

    assert await differences(shop) == [("behind", refund.number)]
