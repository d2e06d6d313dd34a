"""The operator's commands, as typed: what they print, and with which status they end."""

import asyncio
import sqlite3
import stat
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from bot.cli import main, office
from bot.orders import outbox as letters
from bot.orders.copying import copy_book
from bot.orders.order import RefundState
from bot.orders.schema import attempts
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet
from tests.orders.shop import Shop


class Counter:
    """An operator at a terminal, and the shop whose book they look into."""

    def __init__(self, folder, monkeypatch):
        self.file = folder / "orders.sqlite3"
        self.url = f"sqlite:///{self.file}"
        self.monkeypatch = monkeypatch
        self.shop = None

    def keep(self, story):
        """Run `story(shop)` on the book, as a host would have, and leave."""

        async def run():
            self.shop = await Shop.opened(self.url)
            try:
                return await story(self.shop)
            finally:
                await self.shop.close()

        return asyncio.run(run())

    def join(self):
        """Commands that speak to institutions find those of the last shop, with its clock."""

        @asynccontextmanager
        async def opened_checkout(_settings):
            shop = self.shop
            await shop.restart()
            try:
                yield shop.checkout
            finally:
                await shop.close()

        self.monkeypatch.setattr(office, "opened_checkout", opened_checkout)

    def type(self, *words, status=0):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == status, done.output
        return done.output


@pytest.fixture
def counter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return Counter(tmp_path, monkeypatch)


def behind_the_back(file, statement):
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


def paid(shop):
    return shop.paid_order(Wallet.BANK)


@pytest.mark.parametrize("words", [("orders", "list"), ("audit", "verify"), ("orders", "show", "1")])
def test_where_there_is_no_book_none_is_made(counter, words):
    said = counter.type(*words, status=1)

    assert "There is no order book" in said
    assert not counter.file.exists()


def test_orders_are_listed_and_found_by_any_of_their_numbers(counter):
    order = counter.keep(paid)

    listed = counter.type("orders", "list", "--state", "paid")
    by_order = counter.type("orders", "show", order.id)
    by_attempt = counter.type("orders", "show", order.attempts[0].number)

    assert order.id in listed
    assert "¥18.00" in listed
    assert by_order == by_attempt
    assert "The order is paid" in by_order
    assert counter.type("orders", "list", "--state", "failed") == ""
    assert "see `moongate orders list`" in counter.type("orders", "show", "nothing", status=1)


def test_a_refund_is_made_once_per_key_and_never_beyond_what_is_left(counter):
    order = counter.keep(paid)
    counter.join()
    words = ("orders", "refund", order.id, "--reason", "cold")

    first = counter.type(*words, "--amount", "9.00", "--key", "ticket-9")
    again = counter.type(*words, "--amount", "9.00", "--key", "ticket-9")
    too_much = counter.type(*words, "--amount", "9.01", status=1)
    rest = counter.type(*words)
    nothing = counter.type(*words, status=1)

    assert first == again
    assert "¥9.00: done" in first
    assert "over_budget" in too_much
    assert "¥9.00: done" in rest
    assert "nothing of it is left" in nothing
    assert "--amount" in counter.type(*words, "--amount", "nine", status=1)


def test_a_refund_without_a_clear_answer_is_left_to_the_host(counter, monkeypatch):
    order = counter.keep(paid)
    counter.join()

    async def silence(*_):
        return Unknown("cut")

    with monkeypatch.context() as cut:
        cut.setattr(counter.shop.stalls["plainpay"].provider, "refund", silence)
        said = counter.type("orders", "refund", order.id, "--reason", "cold")

    async def go_on():
        await counter.shop.restart()
        await counter.shop.pass_time(60, step=5)
        done = await counter.shop.look(order)
        await counter.shop.close()
        return done

    [refund] = asyncio.run(go_on()).refunds
    assert "unknown" in said
    assert refund.state is RefundState.DONE
    assert refund.amount == Money.cny("18.00")


def test_a_book_that_was_rewritten_is_refused_with_status_1(counter):
    counter.keep(paid)
    assert counter.type("audit", "verify").startswith("ok  1 orders, ")

    behind_the_back(counter.file, "UPDATE orders SET state = 'refunded'")

    assert "the audit says paid" in counter.type("audit", "verify", status=1)


def test_a_message_that_was_given_up_is_listed_and_sent_again_by_the_host(counter, monkeypatch):
    async def nobody_listens(shop):
        monkeypatch.setattr(letters, "TRIES_MAX", 2)
        shop.teller.broken = True
        await shop.place()
        await shop.pass_time(10, step=2)

    async def listens_again(shop):
        shop.clock.advance(86400 * 365 * 10)  # later than the machine's own clock, which resend reads
        await shop.worker.send_outbox()
        return [order.title for order in shop.teller.shown]

    counter.keep(nobody_listens)
    listed = counter.type("outbox", "list")
    assert "dead" in listed
    assert "show" in listed

    counter.type("outbox", "resend", status=1)
    assert "Not stuck" in counter.type("outbox", "resend", "999", status=1)
    assert counter.type("outbox", "resend", "--all").startswith("1 to be sent again: ")

    assert counter.keep(listens_again) == ["拿铁 Latte"]
    assert counter.type("outbox", "list") == ""


def test_a_statement_is_compared_for_cron_by_exit_status(counter, monkeypatch):
    async def a_day(shop):
        await shop.paid_order(Wallet.QUICKPASS)
        shop.clock.advance(24 * 3600)

    counter.keep(a_day)
    counter.join()
    clean = counter.type("reconcile")
    unionpay = counter.shop.stalls["unionpay"].provider

    async def empty(day, call):
        for line in ():
            yield line

    async def broken(day, call):
        raise ReplyError("The file is not whole.")
        yield

    monkeypatch.setattr(unionpay, "statement", empty)
    same = counter.type("reconcile", "--day", "2026-07-01")
    behind_the_back(counter.file, "DELETE FROM statement_lines")
    differs = counter.type("reconcile", "--day", "2026-07-01", status=1)
    monkeypatch.setattr(unionpay, "statement", broken)
    could_not = counter.type("reconcile", "--day", "2026-07-01", status=2)

    assert "ok  unionpay/main 2026-07-01: 1 lines, 1 matched, 0 differ" in clean
    assert "--  plainpay/main 2026-07-01: gives no statement" in clean
    assert same == clean
    assert "missing   payment" in differs
    assert "could not be compared: The file is not whole." in could_not


def test_without_accounts_or_with_wrong_settings_nothing_could_be_compared(counter, monkeypatch):
    counter.keep(paid)

    assert "set PROVIDERS" in counter.type("reconcile", status=2)

    monkeypatch.setenv("PROVIDERS", "paypal")
    assert "not installed" in counter.type("reconcile", status=2)


def test_a_copy_is_the_book_of_one_moment_while_the_host_writes(counter, tmp_path, monkeypatch):
    copy = tmp_path / "copies" / "book.backup"
    copy.parent.mkdir()

    async def a_busy_host(shop):
        await paid(shop)
        busy = asyncio.create_task(_orders_without_end(shop))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(copy_book, counter.file, copy)
        busy.cancel()
        await asyncio.wait([busy])
        return len(await shop.checkout.orders_of(None, 10_000))

    written = counter.keep(a_busy_host)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{copy}")
    said = counter.type("audit", "verify")

    assert 1 <= int(said.split()[1]) <= written
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def _orders_without_end(shop):
    for n in range(10_000):
        await shop.place(f"busy-{n}")


def test_a_copy_never_writes_over_anything_and_says_why_it_cannot_be_made(counter, tmp_path, monkeypatch):
    counter.keep(paid)
    copy = tmp_path / "book.backup"

    assert counter.type("backup", str(copy)).startswith(f"ok  {copy}: ")
    kept = copy.read_bytes()
    assert "exists already" in counter.type("backup", str(copy), status=1)
    assert "could not be made" in counter.type("backup", str(tmp_path / "no" / "x"), status=1)
    assert copy.read_bytes() == kept
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []

    monkeypatch.setenv("DATABASE_URL", "postgresql://host/name")
    assert "pg_dump" in counter.type("backup", str(tmp_path / "other"), status=1)


async def doubted(shop):
    """An institution that reports ¥17.00 for ¥18.00."""
    opened = await shop.opened_order(Wallet.BANK)
    provider, merchant = shop.stalls["plainpay"].provider, shop.account("plainpay").merchant
    real = provider.query

    async def wrong(ref, _call):
        return Snapshot(number=ref.number, merchant=merchant, amount=Money.cny("17"), state=Paid.PAID)

    provider.query = wrong
    await shop.checkout.checking.check(opened.attempt.number)
    provider.query = real
    return await shop.look(opened.order)


def test_an_order_under_review_is_settled_by_the_institutions_word(counter):
    order = counter.keep(doubted)
    counter.join()

    said = counter.type("orders", "settle", order.attempts[0].number, "--reason", "the payer has left")
    again = counter.type("orders", "settle", order.id, "--reason", "once more", status=1)

    assert said == f"Order {order.id} of ¥18.00: failed.\n"
    assert "not under review" in again
    assert "the payer has left" in counter.type("orders", "show", order.id)


def test_what_lies_in_the_inbox_is_listed_and_worked_off_again(counter):
    async def orphaned(shop):
        opened = await shop.opened_order(Wallet.BANK)
        shop.pay(opened)
        [notification] = shop.post("plainpay")
        number = opened.attempt.number
        await shop.book.write(lambda one: one.execute(update(attempts).values(number="Missing")))
        await shop.receive("plainpay", notification)
        await shop.worker.process_inbox()
        await shop.book.write(lambda one: one.execute(update(attempts).values(number=number)))
        return opened.order

    counter.keep(orphaned)

    listed = counter.type("inbox", "list")
    assert "orphan  plainpay/main" in listed
    assert "not in the book" in listed
    assert counter.type("inbox", "retry", "--all") == "1 to be worked off again: 1.\n"
    assert "Say which" in counter.type("inbox", "retry", status=1)
    assert "Not set aside" in counter.type("inbox", "retry", "7", status=1)
