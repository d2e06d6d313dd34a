"""A stall in a world of its own."""

import pytest

from tests.fakes.stall import stall_app


@pytest.fixture
def app(tmp_path):
    return stall_app(tmp_path / "stall")


@pytest.fixture
def stall(chat, app):
    return chat.open(app)
