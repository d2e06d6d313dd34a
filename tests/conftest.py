"""`pytest --fault A1`: the tests of one row of the catalogue of faults."""

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure; what fails can be played again from what is printed.
_HOUSE = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("house", _HOUSE, max_examples=config.getoption("--examples"))
    settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--examples", type=int, default=100, help="how many examples of each property are tried")
    parser.addoption("--fault", metavar="ROW", help="run only what is marked as showing this row, such as A1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    row = config.getoption("--fault")
    if row is None:
        return
    others = [item for item in items if not any(row in mark.args for mark in item.iter_markers("fault"))]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]
