"""The mark of the order book's tide, kept beside it: in a file of the data directory and in Redis."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis import asyncio as aioredis
from redis.exceptions import RedisError

FILE: Final = "book-mark.json"
KEY: Final = "moongate:book-mark"


async def read_marks(folder: Path, redis: aioredis.Redis | None) -> list[dict[str, Any]]:
    """What is kept in either place; what cannot be read is left out."""
    texts: list[bytes | str] = [await asyncio.to_thread(_read_file, folder / FILE)]
    if redis is not None:
        with suppress(RedisError, OSError):
            texts.append(await redis.get(KEY) or b"")
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(json.loads(text))
    return [record for record in found if isinstance(record, dict)]


async def write_marks(folder: Path, redis: aioredis.Redis | None, record: dict[str, Any]) -> None:
    """Keep it in both places. Redis may be away; the file is what counts then."""
    text = json.dumps(record)
    await asyncio.to_thread(_write_file, folder / FILE, text)
    if redis is not None:
        with suppress(RedisError, OSError):
            await redis.set(KEY, text)


def _read_file(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _write_file(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)
