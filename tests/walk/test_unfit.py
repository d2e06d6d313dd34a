"""Stores that would lose what they have confirmed: the host does not open for live payments, and says what to mend."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from bot.stores.embedded import redis_binary
from tests.orders import postgres
from tests.walk.test_run import MOONGATE, _host, _world

pytestmark = [pytest.mark.slow]
__all__ = ["_world"]  # the fixture `world`


@pytest.fixture
def bare_redis(tmp_path: Path) -> Iterator[str]:
    """As Debian ships it: no append-only file, and here it also evicts."""
    path = tmp_path / "r.sock"
    words = [
        redis_binary(),
        "--port",
        "0",
        "--unixsocket",
        path,
        "--save",
        "",
        "--maxmemory-policy",
        "allkeys-lru",
    ]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        with Redis(unix_socket_path=str(path), retry_on_error=[ConnectionError]) as client:
            for _ in range(200):
                if path.exists() and client.ping():
                    break
                asyncio.run(asyncio.sleep(0.02))
        yield f"unix://{path}"
        server.terminate()


def _said(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    assert process.wait(60) == 1
    return (folder / "host.log").read_text()


@pytest.mark.fault("G6")
def test_a_host_with_accounts_does_not_open_on_a_redis_that_forgets(
    world: dict[str, str], bare_redis: str, tmp_path: Path
) -> None:
    env = {**world, "REDIS_URL": bare_redis, "DATA_DIR": str(tmp_path / "data")}

    said = _said(_host(tmp_path, env), tmp_path)
    checked = subprocess.run(
        [MOONGATE, "check"],
        env={**env, "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    for words in ("Live payments are refused.", "`appendonly yes`", "`maxmemory-policy noeviction`"):
        assert words in said
    assert checked.returncode == 1
    assert "no  Redis keeps no append-only file: set `appendonly yes`" in checked.stderr


@pytest.mark.postgres
def test_a_host_with_accounts_does_not_open_on_a_postgresql_without_fsync(
    world: dict[str, str], tmp_path: Path
) -> None:
    if postgres.binaries() is None:
        pytest.skip(postgres.NO_SERVER)
    with postgres.server() as folder:
        url = f"postgresql://postgres@/postgres?host={folder}"
        env = {**world, "DATABASE_URL": url, "DATA_DIR": str(tmp_path / "data")}

        said = _said(_host(tmp_path, env), tmp_path)

    assert "Live payments are refused." in said
    assert "set `fsync = on` in postgresql.conf" in said
