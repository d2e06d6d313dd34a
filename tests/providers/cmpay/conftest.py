import pytest

from providers.cmpay import plugin
from providers.sdk.testing import Stall


@pytest.fixture
def stall() -> Stall:
    return Stall(plugin)
