"""A chat that is a till."""

import pytest

from miniprograms.cashier import app


@pytest.fixture
def till(chat):
    return chat.open(app)


@pytest.fixture
def charge(till):
    """Eighteen yuan are to be paid, and a code is waited for."""
    return till.send("18")
