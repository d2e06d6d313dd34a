"""The data directory, and the address of the SQL store."""

import os
import stat
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.settings import Settings
from bot.stores.errors import StoreError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_SQLITE: Final = frozenset({"sqlite", "sqlite+aiosqlite"})


def prepare_data_dir(settings: Settings) -> Path:
    """Make the data directory, for this user only, and return its absolute path.

    Keys and orders lie in it: one that others can write to is refused, one that others can read is closed.
    """
    path = settings.data_dir.expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)
    except OSError as error:
        raise StoreError(
            f"DATA_DIR {path} cannot be used ({error.strerror}): make it a directory of this user's."
        ) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise StoreError(f"DATA_DIR {path} is not writable for this user: change its owner, or set DATA_DIR.")
    return path


def database_url(settings: Settings) -> str:
    """`DATABASE_URL` as SQLAlchemy's asyncio drivers want it; a SQLite file in the data directory when it is empty.

    Common spellings are accepted: `postgres://`, libpq's `sslmode=` (asyncpg names it `ssl`), `sqlite:///file`.
    """
    given = settings.database_url.get_secret_value()
    if not given:
        return URL.create(
            "sqlite+aiosqlite", database=str(prepare_data_dir(settings) / "orders.sqlite3")
        ).render_as_string()
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise StoreError(
            "DATABASE_URL is no database address: write postgresql://user:password@host/name, or unset it for SQLite."
        ) from None
    if url.drivername in _POSTGRESQL:
        return _for_asyncpg(url).render_as_string(hide_password=False)
    if url.drivername in _SQLITE:
        return url.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False)
    raise StoreError(
        f"DATABASE_URL names {url.drivername!r}, which Moongate does not speak: use postgresql:// or unset it for SQLite."
    )


def _for_asyncpg(url: URL) -> URL:
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)
