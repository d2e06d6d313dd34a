"""The documents tell the truth: what they name is there, what they draw is the code's own."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.orders.diagram import diagrams
from miniprograms.sdk import App
from tests.write_providers import PAGE, page

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_file_a_document_names_is_there(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"`((?:bot|miniprograms|providers|tests|docs|bench)/[\w./-]+)`", text)
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]

    missing = [name for name in named if "<" not in name and not (ROOT / name).exists()]
    missing += [link for link in linked if not (document.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_command_a_document_names_is_there(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = [
        name for name in re.findall(r"(?:`|^)make ([a-z][\w-]*)", text, re.MULTILINE) if name not in targets
    ]
    for script, options in re.findall(r"python (bench/\w+\.py)([^`\n]*)", text):
        source = (ROOT / script).read_text() if (ROOT / script).exists() else ""
        missing += [script] if not source else []
        missing += [
            f"{script} {option}" for option in re.findall(r"--[\w-]+", options) if f'"{option}"' not in source
        ]
    missing += [path for path in re.findall(r"pytest (tests/[\w/.-]+)", text) if not (ROOT / path).exists()]

    assert missing == []


def test_the_drawn_states_are_those_of_the_table() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()

    drawn = text.split("<!-- states -->\n")[1].split("\n<!-- /states -->")[0]

    assert drawn == diagrams(), "write `python -m bot.orders.diagram` between the marks again"


def test_every_command_is_in_the_readme_and_has_a_help_worth_reading() -> None:
    readme = (ROOT / "README.md").read_text()

    for name, command in main.commands.items():
        assert f"`moongate {name}`" in readme, name
        said = CliRunner().invoke(main, [name, "--help"]).output
        assert len(said) > 150, f"{name}: {said}"
        assert command.help


def test_the_mini_program_of_the_readme_is_an_app_that_runs(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    manifest = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    program = re.search(r"```python\n(from miniprograms.*?)```", readme, re.DOTALL)
    assert manifest is not None
    assert program is not None
    (tmp_path / "app.json").write_text(manifest[1])

    space: dict[str, object] = {"__file__": str(tmp_path / "__init__.py"), "__name__": "tipjar"}
    exec(compile(program[1], "README.md", "exec"), space)  # the document's own code

    app = space["app"]
    assert isinstance(app, App)
    app.check_complete()
    assert app.manifest.app_id == "org.example.tipjar"


def test_every_provider_has_its_section() -> None:
    assert PAGE.read_text() == page(), "run `.venv/bin/python -m tests.write_providers`"
