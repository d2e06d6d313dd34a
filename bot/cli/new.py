"""`moongate new`: a package to begin with, which runs and passes its tests before the first line is changed."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from bot.cli.front import main, plainly
from bot.errors import NotReadyError

_TEMPLATES: Final = Path(__file__).parent / "scaffold"
_END: Final = ".tmpl"
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,31}", re.ASCII)
_INTO: Final = click.option(
    "--into",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="Where the new folder goes; by default here.",
)


@main.group()
def new() -> None:
    """Begin a provider or a mini program: a folder with a package, its entry point and its tests.

    What is written works as it stands, on a sample wire or with a sample page. Change it piece by piece and keep the
    tests green.
    """


@new.command()
@click.argument("name")
@_INTO
@plainly()
def provider(name: str, into: Path) -> None:
    """Write a provider's six files, its tests with the conformance kit, and a quality.toml with every line at todo.

    The wire is a sample (one shared key, JSON) with its simulated institution. Replace wire.py and signing.py first,
    then the gateway, then the verbs, and turn lines of quality.toml to "done": from then on the kit holds you to them.
    """
    _write("provider", name, into)
    _say_next(name, into, "docs/write-a-provider.md")


@new.command()
@click.argument("name")
@_INTO
@plainly()
def miniprogram(name: str, into: Path) -> None:
    """Write a mini program with one page that takes money, its app.json and its tests.

    The tests play it in a chat with every wallet and every outcome of a payment. After installing it, `moongate sandbox`
    shows it beside ours.
    """
    _write("miniprogram", name, into)
    _say_next(name, into, "docs/test-a-mini-program.md")


def rendered(kind: str, name: str) -> Iterator[tuple[Path, str]]:
    """Every file of a new package, by its path in the new folder."""
    folder = _TEMPLATES / kind
    for path in sorted(folder.rglob(f"*{_END}")):
        place = str(path.relative_to(folder)).removesuffix(_END)
        yield Path(_filled(place, name)), _filled(path.read_text(encoding="utf-8"), name)


def _write(kind: str, name: str, into: Path) -> None:
    home = into / name
    if not _NAME.fullmatch(name):
        raise NotReadyError(f"{name!r} cannot be a name: 2 to 32 small letters and digits, a letter first.")
    if home.exists():
        raise NotReadyError(f"{home} is there already: choose another name, or --into another folder.")
    if find_spec(name) is not None:
        raise NotReadyError(f"A Python package {name!r} is installed already: choose another name.")
    for place, text in rendered(kind, name):
        target = home / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        click.echo(f"wrote  {target}")


def _say_next(name: str, into: Path, guide: str) -> None:
    click.echo(f"\nNext: cd {into / name} && pip install -e '.[dev]' && pytest\nThen read {guide}.")


def _filled(text: str, name: str) -> str:
    return text.replace("@name@", name).replace("@Name@", name.capitalize())
