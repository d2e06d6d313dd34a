"""What would lose a confirmed commit is named with its cure, and keeps live payments away."""

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.orders.book import Book, new_engine
from bot.orders.fitness import (
    _sqlite,
    book_findings,
    file_system_of,
    findings_at,
    postgresql_objections,
    sqlite_objections,
)

SOUND = {
    "server_version_num": "150004", "server_version": "15.4", "server_encoding": "UTF8", "fsync": "on",
    "full_page_writes": "on", "synchronous_commit": "on", "synchronous_standby_names": "",
    "transaction_read_only": "off", "zero_damaged_pages": "off",
}  # fmt: skip
PRAGMAS = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
MOUNTS = """\
/dev/vda / ext4 rw 0 0
nas:/x /srv nfs4 rw 0 0
/dev/vdb /srv/local xfs rw 0 0
//nas/y /mnt/my\\040share cifs rw 0 0
short line
"""


async def test_a_book_of_our_own_on_a_local_disk_is_fit(shop):
    assert await book_findings(shop.book) == ()
    assert await findings_at(shop.url) == ()


async def test_a_book_in_memory_is_refused():
    [finding] = await findings_at("sqlite:///:memory:")

    assert "in memory alone" in finding


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", "OFF"), ("foreign_keys", "OFF")])
async def test_the_pragmas_are_read_from_the_connection_itself(store_url, pragma, value):
    engine = new_engine(store_url)
    book = Book(engine)

    @event.listens_for(engine.sync_engine, "connect")
    def weaken(connection, _record):
        connection.execute(f"PRAGMA {pragma} = {value}")

    [finding] = await book_findings(book)
    await book.close()

    assert f"{pragma} = 0: " in finding


@pytest.mark.parametrize(
    ("pragmas", "words"),
    [
        ({"journal_mode": "delete"}, "put the file on a local disk"),
        ({"synchronous": "1"}, "which sets FULL"),
        ({"foreign_keys": "0"}, "SQLite library"),
    ],
)
def test_each_pragma_has_its_cure(pragmas, words):
    [finding] = sqlite_objections({**PRAGMAS, **pragmas}, "/var/book.db", MOUNTS)

    assert words in finding


@pytest.mark.parametrize(
    ("file", "kind", "refused"),
    [
        ("/var/book.db", "ext4", False),
        ("/srv/book.db", "nfs4", True),
        ("/srv/local/book.db", "xfs", False),
        ("/mnt/my share/book.db", "cifs", True),
        ("book.db", "", False),
    ],
)
def test_a_network_file_system_is_refused_for_sqlite(file, kind, refused):
    found = list(sqlite_objections(PRAGMAS, file, MOUNTS))

    assert file_system_of(Path(file), MOUNTS) == kind
    assert bool(found) == refused
    assert all("PostgreSQL server" in finding for finding in found)


@pytest.mark.parametrize(
    ("settings", "standby", "cure"),
    [
        ({}, False, ""),
        ({"fsync": "off"}, False, "set `fsync = on`"),
        ({"full_page_writes": "off"}, False, "set `full_page_writes = on`"),
        ({"synchronous_commit": "off"}, False, "set `synchronous_commit = on`"),
        ({"synchronous_commit": "local", "synchronous_standby_names": "b"}, False, "failover loses commits"),
        ({"synchronous_commit": "local"}, False, ""),
        ({"synchronous_commit": "remote_apply"}, False, ""),
        ({"transaction_read_only": "on"}, False, "name the primary"),
        ({}, True, "name the primary"),
        ({"server_version_num": "120011", "server_version": "12.11"}, False, "13 or newer"),
        ({"zero_damaged_pages": "on"}, False, "zero_damaged_pages = off"),
        ({"server_encoding": "SQL_ASCII"}, False, "createdb -E UTF8"),
    ],
)
def test_each_setting_of_postgresql_has_its_cure(settings, standby, cure):
    found = " ".join(postgresql_objections({**SOUND, **settings}, standby=standby))

    assert (cure in found) if cure else found == ""


@pytest.mark.parametrize(
    "empty_url",
    [pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres")])],
    indirect=True,
)
async def test_a_real_server_without_fsync_and_with_lazy_commits_is_refused(empty_url):
    name = empty_url.split("/")[3].partition("?")[0]
    connection = await asyncpg.connect(host=empty_url.partition("host=")[2], user="postgres", database=name)
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.close()

    found = " ".join(await findings_at(empty_url))

    assert "`fsync = on`" in found
    assert "`synchronous_commit = on`" in found
    assert "name the primary" in found


async def test_a_server_that_is_not_there_raises(tmp_path):
    with pytest.raises((OperationalError, OSError)):
        await findings_at(f"postgresql://postgres@/none?host={tmp_path}")


async def test_a_connection_with_temporary_tables_is_still_asked_about_the_book(shop):
    async def work(connection):
        await connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS scratch (x)")
        return await _sqlite(connection)

    assert await shop.book.write(work) == ()
