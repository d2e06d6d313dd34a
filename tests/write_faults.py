"""`.venv/bin/python -m tests.write_faults` writes `docs/faults.md` from the catalogue and the marks in the tests."""

from collections import defaultdict
from pathlib import Path

from tests.faults.marks import KIT_TEST, Catalogue, Chapter, marked_tests, read_catalogue

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
HEAD = """# What can go wrong, and the tests that show what happens then

Written from `tests/faults/catalogue.toml` and from the marks `@pytest.mark.fault("A1")` in the tests by
`python -m tests.write_faults`; a test notices when a row is missing or this page is stale. All tests of one row:
`.venv/bin/pytest --fault A1`. `kit` is a check of the conformance kit, which every provider must pass.

{count} rows: {shown} are shown by a test, {untested} are not, with the reason.
"""


def page() -> str:
    catalogue, tests = read_catalogue(), marked_tests()
    untested = len(catalogue.untested)
    head = HEAD.format(count=len(catalogue.rows), shown=len(catalogue.rows) - untested, untested=untested)
    return "\n".join([head, *(_chapter(chapter, catalogue, tests) for chapter in catalogue.chapters)])


def _chapter(chapter: Chapter, catalogue: Catalogue, tests: dict[str, list[str]]) -> str:
    lines = [
        f"## {chapter.letter}. {chapter.title}",
        "",
        "| | What happens | Shown by |",
        "| --- | --- | --- |",
    ]
    for row, text in chapter.rows.items():
        lines.append(f"| {row} | {text} | {_shown(row, catalogue, tests)} |")
    return "\n".join([*lines, ""])


def _shown(row: str, catalogue: Catalogue, tests: dict[str, list[str]]) -> str:
    """The tests of a row, file by file; or why there are none."""
    if row in catalogue.untested:
        return catalogue.untested[row]
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests.get(row, []):
        file, _, name = test.partition("::")
        by_file[file].append(name.replace("::", "."))
    shown = [f"[{file}](../{file}): {', '.join(names)}".rstrip(": ") for file, names in by_file.items()]
    if row in catalogue.kit:
        file = KIT_TEST.partition("::")[0]
        shown.append(f"[kit](../{file}): {', '.join(catalogue.kit[row])}")
    return "; ".join(shown)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
