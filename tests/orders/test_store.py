"""What any store of the order book must do: one class, SQLite and PostgreSQL."""

import asyncio
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.orders import statement_rows
from bot.orders.audit import Cause, CauseKind
from bot.orders.book import StaleError, insert_once, open_book
from bot.orders.columns import Moment, metadata
from bot.orders.migrations import SchemaError, revisions
from bot.orders.order import AttemptState
from bot.orders.posting import Posting
from bot.orders.rows import load, save
from bot.orders.schema import APPEND_ONLY, attempts, audit, orders, outbox
from bot.orders.statement import Verdict
from bot.orders.table import OrderEvent
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine
from providers.sdk.testing import NOON
from tests.orders.conftest import BOTH_STORES
from tests.orders.shop import Shop

CAUSE = Cause(CauseKind.OPERATOR, "test")


async def put_into_suspense(shop):
    line = StatementLine(
        line_key="1", kind=StatementKind.PAYMENT, number="Nobody1", attempt_number="Nobody1",
        amount=Money.cny("1"), fee=None, provider_ref="", at=None,
    )  # fmt: skip
    account, day = ("unionpay", "main"), NOON.date()

    async def work(connection):
        await statement_rows.keep(connection, account, day, [line])
        [stored] = await statement_rows.lines_of(connection, account, day, 0, 1)
        await statement_rows.settle(connection, account, stored, Verdict.UNKNOWN, NOON)

    await shop.book.write(work)


def mode_of(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
class TestStore:
    async def test_the_migrations_make_exactly_the_tables_of_the_schema(self, shop):
        def differences(connection):
            return compare_metadata(MigrationContext.configure(connection), metadata)

        async def work(connection):
            return await connection.run_sync(differences)

        assert await shop.book.read(work) == []

    async def test_opening_again_keeps_what_is_there(self, shop):
        order = await shop.place()

        await shop.restart()

        assert await shop.look(order) == order

    @pytest.mark.fault("H8")
    async def test_a_store_of_a_newer_program_is_refused(self, shop):
        async def pretend(connection):
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        await shop.book.write(pretend)

        with pytest.raises(SchemaError, match="newer version"):
            await open_book(shop.url)

    @pytest.mark.fault("F12")
    async def test_a_migration_that_dies_half_way_leaves_nothing(self, empty_url, monkeypatch):
        def half_way(connection):
            migrate(connection)
            raise ConnectionError("The power went out.")

        from bot.orders import book as module

        migrate = module.migrate
        monkeypatch.setattr(module, "migrate", half_way)
        with pytest.raises(ConnectionError):
            await open_book(empty_url)
        monkeypatch.undo()

        book = await open_book(empty_url)
        assert await book.read(lambda connection: connection.scalar(select(orders.c.id))) is None
        await book.close()

    async def test_an_order_comes_back_as_it_was_stored(self, shop):
        opened = await shop.opened_order()

        assert await shop.look(opened.order) == opened.order

    @pytest.mark.fault("F10")
    async def test_a_failed_transaction_leaves_nothing(self, shop):
        order = await shop.place()

        async def work(connection):
            await connection.execute(update(orders).values(title="something else"))
            raise ConnectionError("The power went out.")

        with pytest.raises(ConnectionError):
            await shop.book.write(work)
        assert (await shop.look(order)).title == order.title

    @pytest.mark.fault("C10")
    async def test_a_change_to_an_older_version_is_refused(self, shop):
        order = await shop.place()
        stale = replace(order, version=order.version - 1)

        async def work(connection):
            posting = Posting(stale, CAUSE, NOON, lambda: "n")
            posting.move_order(OrderEvent.CHANGED)
            await save(connection, posting)

        with pytest.raises(StaleError):
            await shop.book.write(work)
        assert await shop.look(order) == order

    @pytest.mark.fault("C7")
    async def test_fifty_changes_at_once_are_all_made(self, shop):
        order = await shop.place()

        def work(posting):
            posting.move_order(OrderEvent.CHANGED)

        await asyncio.gather(*(shop.checkout.till.change(order.id, CAUSE, work) for _ in range(50)))

        assert (await shop.look(order)).version == order.version + 50

    @pytest.mark.parametrize("table", APPEND_ONLY)
    async def test_what_is_append_only_can_be_neither_changed_nor_deleted(self, shop, table):
        await shop.paid_order()
        await put_into_suspense(shop)
        target = metadata.tables[table]

        for statement in (update(target).values(at=NOON), delete(target)):
            with pytest.raises(DBAPIError, match="append-only"):
                await shop.book.write(lambda connection, one=statement: connection.execute(one))

    async def test_two_paid_attempts_of_one_order_cannot_be(self, shop):
        order = await shop.paid_order()

        with pytest.raises(IntegrityError):
            await self._twin(shop, order, state=AttemptState.PAID, number="twin")

    async def test_two_open_attempts_at_one_institution_cannot_be(self, shop):
        opened = await shop.opened_order()

        with pytest.raises(IntegrityError):
            await self._twin(shop, opened.order, state=AttemptState.UNKNOWN, number="twin")

    async def test_an_open_attempt_without_a_next_check_cannot_be(self, shop):
        await shop.opened_order()

        with pytest.raises(IntegrityError):
            await shop.book.write(lambda one: one.execute(update(attempts).values(next_check_at=None)))

    async def test_an_opened_attempt_that_was_never_called_cannot_be(self, shop):
        await shop.opened_order()

        with pytest.raises(IntegrityError):
            await shop.book.write(lambda one: one.execute(update(attempts).values(called_at=None)))

    @pytest.mark.fault("D1")
    async def test_more_refunds_than_money_cannot_be(self, shop):
        await shop.paid_order()

        with pytest.raises(IntegrityError):
            await shop.book.write(
                lambda one: one.execute(update(attempts).values(refunding_minor=attempts.c.amount_minor + 1))
            )

    async def test_an_attempt_without_an_order_cannot_be(self, shop):
        opened = await shop.opened_order()

        with pytest.raises(IntegrityError):
            await self._twin(shop, opened.order, order_id="nobody", number="twin")

    async def test_an_unknown_state_cannot_be(self, shop):
        await shop.place()

        with pytest.raises(IntegrityError):
            await shop.book.write(lambda one: one.execute(update(orders).values(state="settled")))

    async def test_an_entry_without_a_cause_cannot_be(self, shop):
        order = await shop.place()
        values = {
            "order_id": order.id, "n": 99, "subject": "order", "event": "paid", "before": "", "after": "",
            "cause_kind": "query", "cause_id": "", "note": "", "at": NOON, "prev_hash": "", "hash": "h",
        }  # fmt: skip

        with pytest.raises(IntegrityError):
            await shop.book.write(lambda one: one.execute(insert(audit).values(**values)))

    async def test_a_key_is_taken_once(self, shop):
        order = await shop.place()

        async def work(connection):
            values = {
                "dedupe_key": "k", "kind": "tell", "order_id": order.id, "version": 1, "status": "paid",
                "text": "", "state": "new", "created_at": NOON, "next_try_at": NOON, "tries": 0,
            }  # fmt: skip
            return [await insert_once(connection, outbox, **values) for _ in range(2)]

        assert await shop.book.write(work) == [True, False]

    async def test_a_reader_sees_no_half_of_a_change(self, shop):
        order = await shop.place()
        seen = []

        async def write(connection):
            await connection.execute(update(orders).values(title="half"))
            seen.append(await shop.look(order))

        await shop.book.write(write)

        assert seen[0].title == order.title
        assert (await shop.look(order)).title == "half"

    async def _twin(self, shop, order, **changes):
        async def work(connection):
            row = (await connection.execute(select(attempts).limit(1))).one()
            await connection.execute(insert(attempts).values(**{**row._mapping, **changes}))

        await shop.book.write(work)


async def test_the_file_is_durable_and_nobody_elses(empty_url):
    async def pragmas(connection):
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [(await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in names]

    book = await open_book(empty_url)
    full = 2
    assert await book.read(pragmas) == ["wal", full, 1]
    assert mode_of(empty_url.removeprefix("sqlite:///")) == 0o600
    await book.close()


@pytest.mark.fault("E6")
async def test_a_moment_keeps_its_microseconds_and_needs_a_zone():
    moment = Moment()
    exact = NOON.replace(microsecond=123457)

    assert moment.process_result_value(moment.process_bind_param(exact, None), None) == exact
    with pytest.raises(ValueError, match="time zone"):
        moment.process_bind_param(NOON.replace(tzinfo=None), None)


def test_revisions_are_counted_from_the_first():
    assert revisions()[0] == "0001"


async def test_an_empty_book_has_no_orders(shop):
    assert await shop.book.read(lambda one: load(one, "nobody")) is None
    assert await shop.checkout.orders_of(None) == ()


@pytest.mark.fault("H1")
async def test_another_writer_of_the_file_is_waited_for(fresh_file, tmp_path):
    path = tmp_path / "book.db"
    path.write_bytes(fresh_file.read_bytes())
    shop = await Shop.opened(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    placing = asyncio.gather(*(shop.place(f"cart-{number}") for number in range(5)))
    await asyncio.sleep(0.5)
    waited = not placing.done()
    other.execute("COMMIT")
    placed = await placing

    other.close()
    assert waited
    assert len({order.id for order in placed}) == len(await shop.checkout.orders_of(None)) == 5
    await shop.close()
