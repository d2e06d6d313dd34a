"""A copy of a SQLite order book, made while the host goes on writing (SQLite, "Online Backup API")."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from bot.errors import NotReadyError

_WAIT_S: Final = 30


def copy_book(book: Path, target: Path) -> int:
    """Copy `book` to `target`, whole, checked, on the disk, and readable by this user only. Its size in bytes.

    The copy is one moment of the book: all of a transaction or nothing of it. `target` appears when it is complete and
    is never written over. Raises `NotReadyError`.
    """
    if target.exists():
        raise NotReadyError(f"{target} exists already and is left alone: name another file.")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        _copy(book, part)
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise NotReadyError(f"The copy could not be made at {target}: {error}.") from error
    return target.stat().st_size


def _copy(book: Path, part: Path) -> None:
    source = sqlite3.connect(f"{book.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
    with closing(source), closing(sqlite3.connect(part)) as copy:
        source.backup(copy)  # all pages in one step: a reader of one moment, which keeps no writer waiting
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        [(said,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
    if said != "ok":
        raise sqlite3.DatabaseError(f"the book does not pass SQLite's integrity check ({said})")


def _flush(path: Path) -> None:
    """A file's content, or a directory's names, are on the disk when this returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
