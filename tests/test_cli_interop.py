import xml.etree.ElementTree as ET
from pathlib import Path

from click.testing import CliRunner

from bot.cli import main, matrix
from providers.sdk.interconnection import CONNECTIONS

ROOT = Path(__file__).parents[1]


def said(*words: str) -> str:
    result = CliRunner().invoke(main, ["interop", *words])
    assert result.exit_code == 0, result.output
    return result.output


def cells(output: str, wallet: str) -> list[str]:
    [line] = [line for line in output.splitlines() if line.startswith(f"{wallet} ") and " x " not in line]
    return line.split()[1:]


def test_the_matrix_of_a_day_shows_what_was_open_on_it() -> None:
    before, after = said("--on", "2019-06-01"), said("--on", "2022-01-01")

    assert cells(before, "quickpass")[:3] == ["-", "-", "own"]
    assert cells(after, "quickpass")[:5] == ["UnionPay", "2020-01", "UnionPay", "2021-12-02", "own"]
    assert cells(after, "wechat")[:2] == ["own", "wall"]


def test_every_row_is_printed_with_its_mark_and_source() -> None:
    output = said()

    for row in CONNECTIONS:
        assert f"{row.wallet} x {row.issuer}: {row.verdict}" in output
        assert f"{row.mark}. Source: {row.source}." in output


def test_a_day_that_is_none_is_refused() -> None:
    assert CliRunner().invoke(main, ["interop", "--on", "soon"]).exit_code == 2


def test_the_picture_in_the_readme_is_drawn_from_the_table() -> None:
    kept = (ROOT / "docs" / "interop.svg").read_text()

    assert kept == said("--svg"), "write `moongate interop --svg > docs/interop.svg` again"
    assert "(docs/interop.svg)" in (ROOT / "README.md").read_text()


def test_the_picture_of_another_day_is_another_picture() -> None:
    assert said("--svg", "--on", "2019-06-01") != said("--svg")


def test_the_picture_has_a_cell_for_every_pair_and_nothing_that_runs() -> None:
    drawn = ET.fromstring(matrix.picture())
    kinds = [element.tag.rpartition("}")[2] for element in drawn.iter()]

    assert kinds.count("rect") == 1 + len(matrix.PAYERS) * len(matrix.CODES) + 5
    assert set(kinds) == {"svg", "style", "rect", "text"}
