"""Real servers of one's own, on free ports and in folders of their own, to be killed and started again."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.orders import postgres

_UP_WITHIN_S = 30.0
_STEP_S = 0.02


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """Debian's redis-server with its append-only file on, as an operator would run it."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.folder, self.options = folder, options
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        return Redis(port=self.port)

    async def start(self, *, wait: bool = True) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [
            binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
        ]
        words += ["--appendonly", "yes", *self.options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: ASYNC220  # returns at once
        if wait:
            await self.answering()

    async def answering(self) -> None:
        async with self.client() as client:
            for _ in range(int(_UP_WITHIN_S / _STEP_S)):
                try:
                    await client.ping()
                except (RedisError, OSError):
                    await asyncio.sleep(_STEP_S)
                else:
                    return
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class PostgresServer:
    """PostgreSQL with everything on that keeps a commit."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()

    @property
    def socket(self) -> Path:
        return self.home / f".s.PGSQL.{self.port}"

    def url(self, port: int = 0) -> str:
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/postgres"

    def make(self) -> None:
        folder = postgres.binaries()
        if folder is None:
            pytest.skip(postgres.NO_SERVER)
        self._binaries = folder
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.home, "postgres", "postgres")
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8")

    def start(self) -> None:
        options = f"-k {self.home} -p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=100"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self.home / "log", "-o", options, "start")

    def kill(self) -> None:
        """SIGKILL to the postmaster and every process of it, as when the machine's memory runs out."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            os.kill(each, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists() and "Z" not in _state(pid):
            pass
        for left_behind in (self._data / "postmaster.pid", *self.home.glob(".s.PGSQL.*")):
            left_behind.unlink(missing_ok=True)

    def stop(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _run(self, program: str, *words: object) -> None:
        postgres.run([self._binaries / program, *words])


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"
