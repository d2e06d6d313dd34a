"""`moongate run` as an operator runs it: its own Redis server, PostgreSQL, polling and webhook; and how it says no."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.orders import postgres
from tests.walk.house import Person, free_port, wait_for

pytestmark = pytest.mark.slow
MOONGATE = str(Path(sys.executable).with_name("moongate"))
SECRET = "a-secret-of-the-webhook"


@pytest.fixture(name="redis_url", scope="module")
def _redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    words = [
        server,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--appendonly",
        "yes",
        "--save",
        "",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(words, stdout=log) as process:
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture(name="database_url", scope="module")
def _database_url() -> Iterator[str]:
    if postgres.binaries() is None:
        pytest.skip(postgres.NO_SERVER)
    with postgres.server(durable=True) as folder:
        yield f"postgresql://postgres@/postgres?host={folder}"


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Telegram, institutions and wallets, with nobody's host on them; what a host's environment needs."""
    folder = tmp_path_factory.mktemp("world")
    script = Path(__file__).with_name("outside.py")
    words = [sys.executable, str(script), str(folder), str(free_port()), str(free_port())]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=env, cwd=folder) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.kill()


def _host(folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "host.log").open("wb") as log:
        return subprocess.Popen(
            [MOONGATE, "run"],
            env={**os.environ, **env},
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )


@pytest.mark.postgres
@pytest.mark.parametrize("updates", ["polling", "webhook"])
def test_a_purchase_with_a_redis_server_and_postgresql(
    world: dict[str, str], redis_url: str, database_url: str, tmp_path: Path, updates: str
) -> None:
    env = {
        **world, "UPDATES": updates, "TELEGRAM_WEBHOOK_SECRET": SECRET, "REDIS_URL": redis_url,
        "DATABASE_URL": database_url, "DATA_DIR": str(tmp_path / "data"), "LOG_FORMAT": "json",
    }  # fmt: skip
    process = _host(tmp_path, env)
    person = Person(world["TELEGRAM_API_BASE"], {"polling": 8101, "webhook": 8102}[updates])
    try:
        wait_for("the host to be ready", lambda: _ready(world["WEB_PORT"]))

        code = person.order_coffee()
        person.pay("wechat", person.scan("wechat", code)["bill"])

        person.see("✅")
        assert person.count("✅") == 1
        assert not (tmp_path / "data" / "orders.sqlite3").exists()
    finally:
        person.close()
        process.terminate()
        assert process.wait(30) == 0, (tmp_path / "host.log").read_text()[-3000:]


def _ready(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "@BotFather"),
        ({"TELEGRAM_BOT_TOKEN": "1:x", "PROVIDERS": "paypal"}, "not installed"),
        ({"TELEGRAM_BOT_TOKEN": "1:x", "PROVIDERS": "wechatpay"}, "WECHATPAY_MCHID"),
        (
            {"TELEGRAM_BOT_TOKEN": "1:x", "REDIS_URL": "http://127.0.0.1:1/0"},
            "REDIS_URL starts with redis://",
        ),
        ({"TELEGRAM_BOT_TOKEN": "1:x", "DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "DATABASE_URL"),
        ({"WEB_PORT": "no"}, "WEB_PORT"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, env: dict[str, str], said: str) -> None:
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), **env}

    done = subprocess.run(
        [MOONGATE, "run"], env=clean, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("moongate: ")
    assert said in last
    assert "Traceback" not in done.stderr
    assert "nonsense" not in done.stderr


def test_a_port_in_use_is_said_in_one_line(world: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {"PATH": os.environ["PATH"], **world, "WEB_PORT": str(port), "DATA_DIR": str(tmp_path / "data")}

        done = subprocess.run(
            [MOONGATE, "run"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )

    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in done.stderr.strip().splitlines()[-1]


def test_a_token_that_telegram_does_not_know_is_said_in_one_line(
    world: dict[str, str], tmp_path: Path
) -> None:
    env = {"PATH": os.environ["PATH"], **world, "TELEGRAM_BOT_TOKEN": "8080:AAanotherbotstokenthatwasrevoked0000000",
           "DATA_DIR": str(tmp_path / "data")}  # fmt: skip

    done = subprocess.run(
        [MOONGATE, "run"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 1
    assert "@BotFather" in done.stderr.strip().splitlines()[-1]
    assert "AAanother" not in done.stderr
