"""The catalogue is whole: every fault is shown by a test, or it says why it is not; and the page says the same."""

import ast

from providers.sdk.testing.kit import CHECKS
from tests.faults.marks import _marks, marked_tests, read_catalogue
from tests.write_faults import PAGE, page

CATALOGUE = read_catalogue()
MARKED = marked_tests()


def test_there_are_229_rows():
    assert len(CATALOGUE.rows) == 229


def test_every_row_is_shown_by_a_test_or_says_why_not():
    answered = set(MARKED) | set(CATALOGUE.kit) | set(CATALOGUE.untested)

    assert sorted(CATALOGUE.rows - answered) == []


def test_no_mark_names_a_row_that_is_not_there():
    assert sorted(set(MARKED) - CATALOGUE.rows) == []
    assert sorted((set(CATALOGUE.kit) | set(CATALOGUE.untested)) - CATALOGUE.rows) == []


def test_no_row_is_called_untested_that_a_test_shows():
    assert sorted(set(CATALOGUE.untested) & (set(MARKED) | set(CATALOGUE.kit))) == []


def test_a_reason_is_a_sentence():
    assert [row for row, why in CATALOGUE.untested.items() if len(why) < 30 or not why.endswith(".")] == []


def test_every_check_of_the_kit_that_is_named_is_in_the_kit():
    known = {check.name for check in CHECKS}

    assert sorted({name for names in CATALOGUE.kit.values() for name in names} - known) == []


def test_the_page_is_what_the_tests_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `.venv/bin/python -m tests.write_faults`"


def test_a_mark_is_found_on_a_function_a_class_a_method_a_case_and_a_file():
    source = """
pytestmark = pytest.mark.fault("A1")

@pytest.mark.fault("A2", "A3")
async def test_one(): ...

@pytest.mark.parametrize("case", [pytest.param(1, marks=pytest.mark.fault("A4")), 2])
def test_two(case): ...

@pytest.mark.fault("A5")
class TestThree:
    @pytest.mark.fault("A6")
    def test_four(self): ...
"""

    found = {test: rows for test, rows in _marks(ast.parse(source)) if rows}

    assert found == {
        "": ["A1"],
        "test_one": ["A2", "A3"],
        "test_two": ["A4"],
        "TestThree": ["A5"],
        "TestThree::test_four": ["A6"],
    }
