"""Brings a store to the schema this program was written for, in one transaction: all of it or nothing."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from bot.crashpoint import crashpoint

# Any number, the same in every process: only one of them migrates at a time (PostgreSQL, advisory locks).
_LOCK: Final = 7_220_117_433


class SchemaError(Exception):
    """The store has a schema this program does not know."""


def migrate(connection: Connection) -> None:
    """Upgrade to the newest revision. Raises `SchemaError` for a store that a newer program has already upgraded."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    try:
        command.upgrade(_config(connection), "head")
    except CommandError as error:
        raise SchemaError(
            "The order book was written by a newer version of this program; start that version, or restore a backup."
        ) from error
    crashpoint("book.migrating")


def revisions() -> tuple[str, ...]:
    """All revisions, oldest first."""
    scripts = ScriptDirectory.from_config(_config(None))
    return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def _config(connection: Connection | None) -> Config:
    config = Config()
    # Alembic reads options with %-interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
