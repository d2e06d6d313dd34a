"""An operator's commands beside a running host: two processes on one SQLite book, real calls to the institution."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.walk.house import Person, wait_for
from tests.walk.test_run import MOONGATE, _host, _ready, _world

pytestmark = [pytest.mark.slow, pytest.mark.deep]
__all__ = ["_world"]  # the fixture `world`


def _type(folder: Path, env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [MOONGATE, *words], env={**os.environ, **env}, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_refund_typed_beside_the_running_host_reaches_the_wallet_and_the_chat(
    world: dict[str, str], tmp_path: Path
) -> None:
    env = {**world, "DATA_DIR": str(tmp_path / "data"), "LOG_FORMAT": "json"}
    process = _host(tmp_path, env)
    person = Person(world["TELEGRAM_API_BASE"], 8201)
    try:
        wait_for("the host to be ready", lambda: _ready(world["WEB_PORT"]), 90)
        code = person.order_coffee()
        person.pay("wechat", person.scan("wechat", code)["bill"])
        person.see("✅")
        before = person.balance("wechat")

        order = _type(tmp_path, env, "orders", "list", "--state", "paid").split()[0]
        said = _type(tmp_path, env, "orders", "refund", order, "--reason", "cold", "--key", "t-1")
        again = _type(
            tmp_path, env, "orders", "refund", order, "--amount", "18.00", "--reason", "cold", "--key", "t-1"
        )

        assert said.split()[1] == again.split()[1]
        wait_for("the money to be back", lambda: person.balance("wechat") > before)
        assert _type(tmp_path, env, "audit", "verify").startswith("ok  1 orders")
    finally:
        person.close()
        process.terminate()
        assert process.wait(30) == 0, (tmp_path / "host.log").read_text()[-3000:]
