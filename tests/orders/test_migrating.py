"""A schema is whole or as it was: killed anywhere in a migration, and started twice at once, on both stores."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bot.orders.book import open_book
from bot.orders.migrations import revisions
from bot.orders.schema import metadata
from tests.orders.conftest import BOTH_STORES

SCRIPT = Path(__file__).with_name("migrating.py")
ROOT = Path(__file__).parents[2]


def started(url, kill_at=0):
    words = [sys.executable, str(SCRIPT), url, str(kill_at)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)


async def is_whole(url):
    """Opened once more by whoever comes next."""
    book = await open_book(url)

    def look(connection):
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        versions = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        return differences, versions

    try:
        return await book.read(lambda connection: connection.run_sync(look)) == ([], [revisions()[-1]])
    finally:
        await book.close()


@pytest.mark.fault("F12")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
@pytest.mark.parametrize("statement", [3, 12, 25])
async def test_a_start_after_a_kill_in_mid_migration_finds_or_makes_the_whole_schema(empty_url, statement):
    process = started(empty_url, statement)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL

    assert await is_whole(empty_url)


@pytest.mark.fault("F12", "H8")
@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_processes_that_start_at_once_migrate_once(empty_url):
    processes = [started(empty_url) for _ in range(3)]

    said = [process.communicate(timeout=120)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert await is_whole(empty_url)
