import pytest

from providers.sdk.testing import Stall
from providers.telegramstars import plugin


@pytest.fixture
def stall() -> Stall:
    return Stall(plugin)
