"""Yesterday's backup under a real host: it notices, asks, and opens; nothing that was paid is lost."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
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


def _readiness(port: str) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            found: dict[str, str] = json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        found = json.loads(refusal.read())
    except OSError:
        return {}
    return found


def _tide(mark: Path) -> int:
    return int(json.loads(mark.read_text())["tide"]) if mark.is_file() else 0


@pytest.mark.fault("H7")
def test_a_host_on_a_restored_book_asks_before_it_takes_new_payments(
    world: dict[str, str], tmp_path: Path
) -> None:
    env = {**world, "DATA_DIR": str(tmp_path / "data"), "LOG_FORMAT": "json"}
    book, copy = tmp_path / "data" / "orders.sqlite3", tmp_path / "copy.sqlite3"
    mark = tmp_path / "data" / "book-mark.json"
    process = _host(tmp_path, env)
    person = Person(world["TELEGRAM_API_BASE"], 8301)
    try:
        wait_for("the host to be ready", lambda: _ready(world["WEB_PORT"]), 90)
        code = person.order_coffee()
        bill = person.scan("wechat", code)["bill"]
        _type(tmp_path, env, "backup", str(copy))
        before = _tide(mark)
        person.pay("wechat", bill)
        person.see("✅")
        wait_for("the mark to pass the payment", lambda: _tide(mark) > before, 30)
        process.kill()
        process.wait(30)
        for end in ("", "-wal", "-shm"):
            book.with_name(book.name + end).unlink(missing_ok=True)
        shutil.copy(copy, book)

        process = _host(tmp_path, env)
        wait_for("the host to be ready again", lambda: _ready(world["WEB_PORT"]), 90)

        log = (tmp_path / "host.log").read_text()
        assert "book_is_behind" in log
        assert "book_is_open" in log
        assert _readiness(world["WEB_PORT"])["payments"] == "ok"
        assert "  paid  " in _type(tmp_path, env, "orders", "list")
        _type(tmp_path, env, "recover")
        wait_for(
            "the till to be closed, or to be open again", lambda: "payments" in _readiness(world["WEB_PORT"])
        )
        wait_for(
            "the second round",
            lambda: (tmp_path / "host.log").read_text().count("book_is_open") >= 2,  # twice
            60,
        )
    finally:
        person.close()
        process.terminate()
        assert process.wait(30) == 0, (tmp_path / "host.log").read_text()[-3000:]
