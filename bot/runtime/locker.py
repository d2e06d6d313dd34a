"""One program's storage of one person during one turn: reads go through, writes wait for the turn to be saved."""

from dataclasses import dataclass, field

import orjson

from bot.runtime.store import SessionStore, Write
from miniprograms.sdk.actions import StorageInfo
from miniprograms.sdk.data import Json, encode
from miniprograms.sdk.errors import StorageError
from miniprograms.sdk.limits import STORAGE_BYTES_MAX, STORAGE_KEY_BYTES_MAX


@dataclass(slots=True)
class Locker:
    """`writes` is the turn's; nothing of it reaches Redis when the turn is undone."""

    store: SessionStore
    user_id: int
    app_id: str
    writes: list[Write]
    _pending: dict[str, bytes | None] = field(default_factory=dict)
    _kept: dict[str, int] = field(default_factory=dict)  # bytes in Redis under the keys of _pending
    _total: int | None = None  # bytes in Redis when the turn began
    _cleared: bool = False

    async def read(self, key: str) -> Json | None:
        """The value as this turn sees it."""
        if key in self._pending:
            body = self._pending[key]
        else:
            body = None if self._cleared else await self.store.read(self.user_id, self.app_id, key)
        return None if body is None else orjson.loads(body)

    async def write(self, key: str, value: Json) -> None:
        """Raises `StorageError` in WeChat's words when the value or the whole would be too large."""
        body = encode(value)
        size = len(key.encode()) + len(body)
        if size > STORAGE_KEY_BYTES_MAX:
            raise StorageError(
                "setStorage:fail:exceed storage item max length",
                f"{size} bytes under one key; {STORAGE_KEY_BYTES_MAX} are allowed.",
            )
        total = await self._size_without(key) + size
        if total > STORAGE_BYTES_MAX:
            raise StorageError(
                "setStorage:fail:exceed storage max size",
                f"This person's storage would hold {total} bytes; {STORAGE_BYTES_MAX} are allowed.",
            )
        self._pending[key] = body
        self.writes.append(Write("put", self.app_id, key, body))

    async def remove(self, key: str) -> None:
        """Forget a key."""
        await self._size_without(key)
        self._pending[key] = None
        self.writes.append(Write("del", self.app_id, key))

    async def clear(self) -> None:
        """Forget everything."""
        self._pending.clear()
        self._kept.clear()
        self._total, self._cleared = 0, True
        self.writes.append(Write("clear", self.app_id))

    async def info(self) -> StorageInfo:
        """The keys and sizes as this turn sees them."""
        stored = () if self._cleared else await self.store.keys(self.user_id, self.app_id)
        present = {key for key in stored if key not in self._pending}
        present |= {key for key, body in self._pending.items() if body is not None}
        return StorageInfo(
            keys=tuple(sorted(present)),
            current_bytes=await self._size_without(None),
            limit_bytes=STORAGE_BYTES_MAX,
        )

    async def _size_without(self, key: str | None) -> int:
        """Bytes this turn would leave, not counting `key`."""
        if self._total is None or (key is not None and key not in self._kept and not self._cleared):
            total, old = await self.store.room(self.user_id, self.app_id, key or "")
            self._total = total if self._total is None else self._total
            if key is not None:
                self._kept[key] = old + len(key.encode()) if old else 0
        gone = sum(size for name, size in self._kept.items() if name in self._pending or name == key)
        put = sum(
            len(name.encode()) + len(body)
            for name, body in self._pending.items()
            if body is not None and name != key
        )
        return self._total - gone + put
