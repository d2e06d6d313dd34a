"""Is this store fit to hold what people have paid? Asked at start; live payments wait for the answer.

A store can be up, answer quickly, and lose a commit that it has confirmed. These are the settings by which it would.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders.book import Book, new_engine

_VERSION_MIN: Final = 130000  # PostgreSQL 13
_MOUNTS: Final = Path("/proc/self/mounts")
# sqlite.org/howtocorrupt, 2.1: file locks that are broken or missing. Linux's names of such file systems.
_AFAR: Final = frozenset({
    "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "lustre",
    "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
})  # fmt: skip
# Each pragma: what is expected, in SQLite's own numbers, and the cure.
_PRAGMAS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "journal_mode": (frozenset({"wal"}), "put the file on a local disk that this user may write to"),
    "synchronous": (frozenset({"2", "3"}), "start the host's own program on it, which sets FULL"),
    "foreign_keys": (frozenset({"1"}), "use an SQLite library that was built with foreign keys"),
}
_SETTINGS: Final = (
    "fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names", "server_version_num",
    "server_version", "server_encoding", "transaction_read_only", "zero_damaged_pages",
)  # fmt: skip


async def book_findings(book: Book) -> tuple[str, ...]:
    """What must be mended before live payments, each with the cure; empty when all is well."""
    return await book.read(_sqlite if book.single_writer else _postgresql)


async def findings_at(url: str) -> tuple[str, ...]:
    """The same for a store that no host has opened; it is not migrated. Raises SQLAlchemy's errors."""
    book = Book(new_engine(url))
    try:
        return await book_findings(book)
    finally:
        await book.close()


def postgresql_objections(settings: Mapping[str, str], *, standby: bool) -> Iterator[str]:
    """What in the server's own words of itself loses money. Pure."""
    if int(settings["server_version_num"]) < _VERSION_MIN:
        yield f"PostgreSQL {settings['server_version']} is too old: Moongate needs 13 or newer."
    if standby or settings["transaction_read_only"] == "on":
        yield "PostgreSQL only reads here (a standby, or default_transaction_read_only): name the primary in DATABASE_URL."
    if settings["fsync"] == "off":
        yield "PostgreSQL confirms what is not on its disk: set `fsync = on` in postgresql.conf."
    if settings["full_page_writes"] == "off":
        yield "PostgreSQL may tear pages when the power fails: set `full_page_writes = on` in postgresql.conf."
    commit = settings["synchronous_commit"]
    if commit == "off":
        yield "PostgreSQL confirms commits before they are kept: set `synchronous_commit = on` for this database."
    if commit == "local" and settings["synchronous_standby_names"]:
        yield (
            "PostgreSQL does not wait for the standby it names, so a failover loses commits: set "
            "`synchronous_commit = on` for this database."
        )
    if settings["zero_damaged_pages"] == "on":
        yield "PostgreSQL erases damaged pages without a word: set `zero_damaged_pages = off`."
    if settings["server_encoding"] != "UTF8":
        yield f"The database holds {settings['server_encoding']} text: make one with `createdb -E UTF8 -T template0`."


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of the file system that holds the path, as `/proc/self/mounts` tells; empty where it does not. Pure."""
    kind, longest = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004  # fstab(5): device, mount point, type
            continue
        point = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) > longest:
            kind, longest = fields[2], len(point.parts)
    return kind


def sqlite_objections(pragmas: Mapping[str, str], file: str, mounts: str) -> Iterator[str]:
    """What in SQLite's own words of itself loses money. Pure."""
    if not file:
        yield "The order book is in memory alone: name a file, as DATABASE_URL=sqlite:////var/lib/moongate/orders.sqlite3."
        return
    for pragma, (wanted, cure) in _PRAGMAS.items():
        if pragmas[pragma] not in wanted:
            yield f"SQLite keeps the order book with {pragma} = {pragmas[pragma]}: {cure}."
    kind = file_system_of(Path(file), mounts)
    if kind in _AFAR:
        yield (
            f"The order book lies on a network file system ({kind}), whose locks SQLite cannot trust: move DATA_DIR to a "
            "local disk, or set DATABASE_URL to a PostgreSQL server."
        )


async def _sqlite(connection: AsyncConnection) -> tuple[str, ...]:
    pragmas = {name: str(await connection.scalar(text(f"PRAGMA {name}"))) for name in _PRAGMAS}
    listed = await connection.execute(text("PRAGMA database_list"))  # a connection may have others beside it
    file = next((row.file for row in listed if row.name == "main"), "")
    mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace") if _MOUNTS.exists() else ""
    return tuple(sqlite_objections(pragmas, file, mounts))


async def _postgresql(connection: AsyncConnection) -> tuple[str, ...]:
    settings = {name: str(await connection.scalar(text(f"SHOW {name}"))) for name in _SETTINGS}
    standby = bool(await connection.scalar(text("SELECT pg_is_in_recovery()")))
    return tuple(postgresql_objections(settings, standby=standby))
