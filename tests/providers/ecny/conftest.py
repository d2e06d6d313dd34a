import pytest

from providers.ecny import plugin
from providers.sdk.testing import Stall


@pytest.fixture
def stall() -> Stall:
    return Stall(plugin)
