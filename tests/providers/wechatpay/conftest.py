from collections.abc import Callable
from typing import Any

import pytest

from providers.sdk.results import Created
from providers.sdk.testing import Stall
from providers.wechatpay import plugin


@pytest.fixture
def stall() -> Stall:
    return Stall(plugin)


@pytest.fixture
def stall_with() -> Callable[..., Stall]:
    """A stall whose merchant has some settings replaced."""

    def make(**overrides: Any) -> Stall:
        return Stall(plugin, overrides=overrides)

    return make


@pytest.fixture
def opened(stall: Stall) -> Callable[..., Any]:
    """Open an order and give intent, ref and what create answered."""

    async def open_order(money: Any, **more: Any) -> Any:
        intent = stall.intent(money, **more)
        created = await stall.provider.create(intent, stall.call)
        assert isinstance(created, Created)
        return intent, stall.ref(intent, created), created

    return open_order
