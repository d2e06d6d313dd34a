"""Sessions and storage in Redis: one round trip takes a seat and loads it, one saves it and gives it back.

The lock is taken *before* the load, so a turn always works on the newest session. The save compares the session's
sequence number and the lock's owner, so a turn that lost its lock writes nothing. All keys of a person carry the hash
tag `{u<user>}` and live in one slot of a Redis Cluster:

    <prefix>:{u7}:s:<chat>          hash   seq, body, live (message of the screen), last (newest message seen), by (process)
    <prefix>:{u7}:l:<chat>          string the lock's owner, expires
    <prefix>:{u7}:d:<app_id>        hash   k<key> -> JSON, size
    <prefix>:{u7}:m:<event key>     string an event that must never have its effect twice, for thirty days
    <prefix>:{u7}:c:<order id>      string the message an order's cashier was moved to
"""

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Literal

from redis.asyncio import Redis

from bot.runtime.errors import BusyError
from bot.runtime.events import Seat
from bot.runtime.scripts import NOTE, RELEASE, SAVE, TAKE, Bytes
from providers.sdk.clock import Random

SESSION_LIVES_S: Final = 30 * 24 * 3600
MARK_LIVES_S: Final = 30 * 24 * 3600
RACE_S: Final = 3.0  # draws of two processes that are this close may reach the messenger in the other order
# A client of Telegram waits about this long for the answer to a tap; who waits longer taps again.
_WAIT_S_MAX: Final = 20.0
_PAUSE_S_MIN: Final = 0.002
_PAUSE_S_MAX: Final = 0.05


class Saved(IntEnum):
    """What became of a save."""

    DONE = 1
    SEAT_LOST = 0
    CHANGED = -1


@dataclass(frozen=True, slots=True)
class Write:
    """One change of a person's storage, or a mark (`app_id` is then the event key)."""

    verb: Literal["put", "del", "clear", "mark"]
    app_id: str
    key: str = ""
    value: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """A seat that is ours until it is saved or released. `raced`: another process saved it a moment ago."""

    seat: Seat
    owner: str
    seq: int
    body: bytes | None
    live: int | None
    last: int
    marked: bool
    raced: bool


class SessionStore:
    """All that the runtime keeps in Redis. `prefix` tells several bots on one server apart."""

    def __init__(
        self, redis: Redis, random: Random, *, prefix: str = "mg", lock_lives_s: float = 15.0
    ) -> None:
        self._redis = redis
        self._random = random
        self._prefix = prefix
        self._lock_lives_s = lock_lives_s
        self._owner = random.text(16)
        self._count = 0

    async def take(self, seat: Seat, mark: str = "", *, lock_lives_s: float | None = None) -> Taken:
        """Lock the seat, then load it; `mark` is looked up on the way. Raises `BusyError` after a bounded wait."""
        lock_ms = int((lock_lives_s or self._lock_lives_s) * 1000)
        self._count += 1
        owner = f"{self._owner}:{self._count}"
        keys = [
            self._key(seat.user_id, "l", seat.chat_id),
            self._session(seat),
            self._key(seat.user_id, "m", mark),
        ]
        waited, pause = 0.0, _PAUSE_S_MIN
        while True:
            reply = await TAKE.run(self._redis, keys, [owner, lock_ms])
            if reply[0] == 1:
                return self._taken(seat, owner, reply)
            if waited >= _WAIT_S_MAX:
                raise BusyError("The seat stays locked: another process is at work on it, or died there.")
            nap = pause * (0.5 + self._jitter())
            # Real time, not the host's clock: the lock's life is measured by Redis.
            await asyncio.sleep(nap)
            waited += nap
            pause = min(pause * 1.5, _PAUSE_S_MAX)

    def _taken(self, seat: Seat, owner: str, reply: list[Any]) -> Taken:
        _, seq, body, live, last, marked, by, lives_ms = reply
        age_s = SESSION_LIVES_S - lives_ms / 1000
        return Taken(
            seat=seat,
            owner=owner,
            seq=int(seq or 0),
            body=body,
            live=int(live) if live else None,
            last=int(last or 0),
            marked=bool(marked),
            raced=by is not None and by.decode() != self._owner and age_s < RACE_S,
        )

    async def seq(self, seat: Seat) -> int:
        """The number of the newest save."""
        return int(await self._redis.hget(self._session(seat), "seq") or 0)

    async def save(self, taken: Taken, body: bytes, *, last: int, writes: list[Write]) -> Saved:
        """Write everything at once, or nothing, and give the seat back."""
        keys = [self._key(taken.seat.user_id, "l", taken.seat.chat_id), self._session(taken.seat)]
        args: list[Bytes] = [taken.owner, taken.seq, body, SESSION_LIVES_S, last, self._owner]
        for write in writes:
            key = self._key(taken.seat.user_id, "m" if write.verb == "mark" else "d", write.app_id)
            if key not in keys:
                keys.append(key)
            args += [write.verb, keys.index(key) + 1, write.key, write.value]
        return Saved(await SAVE.run(self._redis, keys, args))

    async def release(self, taken: Taken) -> None:
        """Give the seat back as it was."""
        await RELEASE.run(
            self._redis, [self._key(taken.seat.user_id, "l", taken.seat.chat_id)], [taken.owner]
        )

    async def note(self, seat: Seat, *, live: int = 0, last: int = 0) -> None:
        """A new message stands in the chat; `live` when it is the screen."""
        await NOTE.run(self._redis, [self._session(seat)], [live, last])

    async def read(self, user_id: int, app_id: str, key: str) -> bytes | None:
        """A stored JSON value."""
        return _bytes(await self._redis.hget(self._key(user_id, "d", app_id), "k" + key))

    async def room(self, user_id: int, app_id: str, key: str) -> tuple[int, int]:
        """Bytes this program keeps of this person, and how many of them are the value under `key`."""
        name = self._key(user_id, "d", app_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(name, "size")
            pipe.hstrlen(name, "k" + key)
            size, old = await pipe.execute()
        return int(size or 0), int(old)

    async def keys(self, user_id: int, app_id: str) -> tuple[str, ...]:
        """The keys this program keeps of this person."""
        names = map(_bytes, await self._redis.hkeys(self._key(user_id, "d", app_id)))
        return tuple(sorted(name.decode()[1:] for name in names if name and name.startswith(b"k")))

    async def moved_cashier(self, user_id: int, order_id: str) -> int | None:
        """The message an order's cashier was moved to."""
        found = await self._redis.get(self._key(user_id, "c", order_id))
        return int(found) if found else None

    async def move_cashier(self, user_id: int, order_id: str, message_id: int) -> None:
        """The cashier of this order lives in this message from now on."""
        await self._redis.set(self._key(user_id, "c", order_id), message_id, ex=MARK_LIVES_S)

    async def keep_link(self, text: bytes, lives_s: int) -> str:
        """Store what a short link stands for under an unguessable token."""
        token = self._random.text(24)
        await self._redis.set(f"{self._prefix}:link:{token}", text, ex=lives_s)
        return token

    async def find_link(self, token: str) -> bytes | None:
        """What the token stands for."""
        return _bytes(await self._redis.get(f"{self._prefix}:link:{token}"))

    def _session(self, seat: Seat) -> str:
        return self._key(seat.user_id, "s", seat.chat_id)

    def _key(self, user_id: int, kind: str, name: str | int) -> str:
        return f"{self._prefix}:{{u{user_id}}}:{kind}:{name}"

    def _jitter(self) -> float:
        return ord(self._random.text(1)) % 32 / 32


def _bytes(reply: bytes | str | None) -> bytes | None:
    """The client is opened for bytes; its types cannot say so."""
    return reply.encode() if isinstance(reply, str) else reply
