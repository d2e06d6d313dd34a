"""`pytest --provider plainpay`: what a stranger types, in a folder of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from providers.pytest_plugin import load

PLAINPAY = Path(__file__).parents[1] / "plugins" / "plainpay"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def typed(tmp_path):
    """Run pytest as typed; its exit status and all it said."""

    def run(*words):
        paths = os.pathsep.join([str(PLAINPAY), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_provider_is_held_to_the_contract_and_its_capabilities_are_printed(typed):
    status, said = typed("--provider", "plainpay:plugin")

    assert status == 0, said
    assert "| PlainPay 白付 | Bank app | yes | – | – | yes | 30 days | – | – | 0 |" in said
    assert "| verify | 16 of 16 |" in said
    assert "| statement | – |" in said


def test_what_a_provider_breaks_is_said_and_counted(typed, tmp_path):
    text = "from dataclasses import replace\nfrom plainpay import plugin\n"
    text += "other = replace(plugin, info=replace(plugin.info, name_zh=''))\n"
    (tmp_path / "mypay.py").write_text(text)

    status, said = typed("--provider", "mypay:other", "-k", "info_is_whole or settings_explain")

    assert status == 1
    assert "Broken: info needs a name in English and one in Chinese" in said
    assert "| claims | 1 of 2 |" in said


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere", "No module named"),
        ("plainpay:nothing", "has no attribute"),
        ("plainpay:build", "name a ProviderPlugin"),
    ],
)
def test_a_wrong_name_is_a_usage_error(monkeypatch, name, complaint):
    monkeypatch.syspath_prepend(PLAINPAY)

    with pytest.raises(pytest.UsageError, match=complaint):
        load(name)
