"""`moongate new`: what is written runs, passes its own tests, and is ours by another name."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from providers.sdk.testing.kit import RULES
from tests.write_scaffold import TEMPLATES, templates


def written(tmp_path, kind, name):
    result = CliRunner().invoke(main, ["new", kind, name, "--into", str(tmp_path)])
    assert result.exit_code == 0, result.output
    return tmp_path / name


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.parametrize(("kind", "name"), [("provider", "acmepay"), ("miniprogram", "snackbar")])
def test_a_new_package_passes_its_own_tests(tmp_path, kind, name):
    home = written(tmp_path, kind, name)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_new_provider_has_its_six_files_an_entry_point_and_claims_nothing(tmp_path):
    home = written(tmp_path, "provider", "acmepay")

    files = {path.name for path in (home / "acmepay").iterdir()}
    points = tomllib.loads((home / "pyproject.toml").read_text())["project"]["entry-points"]
    quality = tomllib.loads((home / "acmepay" / "quality.toml").read_text())

    assert files == {"__init__.py", "provider.py", "wire.py", "signing.py", "gateway.py", "quality.toml"}
    assert points == {"moongate.providers": {"acmepay": "acmepay:plugin"}}
    assert set(quality) == {*RULES, "unsure"}
    assert all(set(quality[rule]) == {"todo"} for rule in RULES)
    assert not any(
        "@" in path.name or "@name@" in path.read_text() for path in home.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("Acme-Pay", "cannot be a name"), ("json", "is installed already"), ("there", "is there already")],
)
def test_a_name_that_would_not_work_is_refused_and_nothing_is_written(tmp_path, name, said):
    (tmp_path / "there").mkdir()

    result = CliRunner().invoke(main, ["new", "provider", name, "--into", str(tmp_path)])

    assert result.exit_code == 1
    assert said in result.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_the_templates_are_the_plugins_that_our_tests_hold_to_the_rules():
    stale = [name for name, text in templates() if (TEMPLATES / name).read_text() != text]

    assert stale == [], "Write them anew: .venv/bin/python -m tests.write_scaffold"
    assert Path("provider/@name@/quality.toml.tmpl") in {
        path.relative_to(TEMPLATES) for path in TEMPLATES.rglob("*.tmpl")
    }
