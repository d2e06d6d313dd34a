"""A chat in which the coffee shop is open."""

import pytest

SHOP = "com.moongate.coffee"


@pytest.fixture
def shop(chat):
    return chat.open(SHOP)


@pytest.fixture
def checkout(shop):
    """One latte on the counter."""
    return shop.tap("Latte").tap("Checkout")
