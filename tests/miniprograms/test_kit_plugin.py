"""The fixtures in a project of its own, as pytest finds them: by entry point, without a conftest."""

import json
import os
import subprocess
import sys

import pytest

INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
PROGRAM = """
from miniprograms.sdk import App, Button, Money, Page, PageData, PaymentResult, View

app = App(__file__)


@app.page("pages/jar/jar")
class Jar(Page):
    class Data(PageData):
        tips: int = 0

    def render(self) -> View:
        return View(f"Tips so far: {self.data.tips}", [Button("Leave ¥5", self.tip, once=True)])

    async def tip(self) -> None:
        await self.request_payment(Money.cny("5.00"), "A tip", order_key=f"tip-{self.data.tips + 1}")

    async def on_payment(self, result: PaymentResult) -> None:
        if result.paid:
            await self.set_data(tips=self.data.tips + 1)
"""
MANIFEST = {
    "app_id": "org.example.tipjar",
    "version": {"name": "1.0.0", "code": 1},
    "pages": ["pages/jar/jar"],
    "permission": {"scope.payment": {"desc": "leave a tip"}},
}
PLAYS = """
import tipjar


def test_a_tip_is_left(chat, wallet):
    chat.open(tipjar.app)
    chat.tap("Leave ¥5")

    wallet.approve()

    chat.see("Tips so far: 1")


def test_the_next_test_finds_an_empty_jar(chat):
    chat.open(tipjar.app).see("Tips so far: 0")


def test_what_is_missing_is_told(chat):
    chat.open(tipjar.app).tap("Leave ¥50")


async def test_an_async_test(chat):
    chat.open(tipjar.app)
"""
STRANGER = """
import sys

HEAVY = {"bot", "aiogram", "aiohttp", "sqlalchemy", "fakeredis", "cryptography", "providers.wechatpay"}


def test_nothing_was_loaded():
    assert HEAVY & set(sys.modules) == set()


def test_the_names_are_free(world):
    assert world == "mine"
"""
STRANGERS_CONFTEST = """
import pytest


@pytest.fixture
def world():
    return "mine"
"""


@pytest.fixture
def run(tmp_path, pytestconfig):
    cache = pytestconfig.rootpath / pytestconfig.getini("cache_dir")  # with the keys that are already made

    def run(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        (tmp_path / "pytest.ini").write_text(INI)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:xdist",
            "-o",
            f"cache_dir={cache}",
            str(tmp_path),
        ]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )

    return run


@pytest.mark.slow
@pytest.mark.deep
def test_an_author_s_project_has_the_fixtures(run, tmp_path):
    (tmp_path / "app.json").write_text(json.dumps(MANIFEST))

    done = run(tipjar=PROGRAM, test_tipjar=PLAYS)

    assert "2 failed, 2 passed" in done.stdout, done.stdout
    assert "There is no button 'Leave ¥50'." in done.stdout
    assert "Buttons: 'Leave ¥5'." in done.stdout
    assert "write `def test_…`, not `async def test_…`" in done.stdout


@pytest.mark.slow
def test_a_project_that_does_not_play_is_left_alone(run):
    done = run(conftest=STRANGERS_CONFTEST, test_stranger=STRANGER)

    assert "2 passed" in done.stdout, done.stdout
