"""Which test shows which fault: read from the marks in the tests' source, without running any."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
CATALOGUE: Final = Path(__file__).with_name("catalogue.toml")
KIT_TEST: Final = "tests/providers/test_conformance.py::TestEveryProvider::test_holds"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One letter of the catalogue: its rows by number, such as `A1`."""

    letter: str
    title: str
    rows: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All chapters; what the conformance kit shows, by row; why a row is shown by nothing here."""

    chapters: tuple[Chapter, ...]
    kit: Mapping[str, list[str]]
    untested: Mapping[str, str]

    @property
    def rows(self) -> frozenset[str]:
        """The numbers of all rows."""
        return frozenset(row for chapter in self.chapters for row in chapter.rows)


def read_catalogue() -> Catalogue:
    """The catalogue as it is written."""
    tables = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    kit, untested = tables.pop("kit"), tables.pop("untested")
    chapters = tuple(
        Chapter(letter, rows["title"], {row: text for row, text in rows.items() if row != "title"})
        for letter, rows in tables.items()
    )
    return Catalogue(chapters, kit, untested)


def marked_tests() -> dict[str, list[str]]:
    """Test ids by row, `tests/orders/test_table.py::test_paid_beats_everything`, sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        name = path.relative_to(TESTS.parent).as_posix()
        for test, rows in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            for row in rows:
                found[row].append(f"{name}::{test}" if test else name)
    return {row: sorted(set(tests)) for row, tests in found.items()}


def _marks(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for statement in module.body:
        yield from _marks_of(statement, "")


def _marks_of(statement: ast.stmt, inside: str) -> Iterator[tuple[str, list[str]]]:
    """A class's mark is the class's; a mark that decorates nothing, such as `pytestmark`, is the whole file's."""
    match statement:
        case ast.ClassDef(name=name, body=body, decorator_list=decorators):
            yield f"{inside}{name}", _rows(decorators)
            for inner in body:
                yield from _marks_of(inner, f"{inside}{name}::")
        case (
            ast.FunctionDef(name=name, decorator_list=decorators)
            | ast.AsyncFunctionDef(name=name, decorator_list=decorators)
        ):
            yield f"{inside}{name}", _rows(decorators)
        case ast.Assign():
            yield inside.removesuffix("::"), _rows([statement])


def _rows(nodes: list[ast.expr] | list[ast.stmt]) -> list[str]:
    calls = (node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call))
    return [
        str(argument.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "fault"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]
