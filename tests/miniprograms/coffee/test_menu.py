"""The coffee shop up to the checkout."""

import pytest


def test_the_menu_shows_cups_prices_and_the_total(shop):
    shop.tap("Latte").tap("Latte").tap("Jasmine tea")

    assert shop.buttons == (
        "Latte ¥18.00 ×2",
        "Mocha ¥22.00 ×0",
        "Jasmine tea ¥12.50 ×1",
        "Empty cart",
        "My orders",
        "Checkout ¥48.50",
    )


def test_the_order_lists_what_is_in_the_cart(shop):
    shop.tap("Latte").tap("Latte").tap("Jasmine tea")

    shop.tap("Checkout")

    shop.see("Latte ×2\nJasmine tea ×1\nTotal ¥48.50")


def test_an_empty_cart_is_not_checked_out(shop):
    shop.tap("Checkout")

    assert shop.toast == "Your cart is empty."
    shop.see("Coffee shop")


def test_a_cart_can_be_emptied(shop):
    shop.tap("Mocha").tap("Empty cart")

    assert "Mocha ¥22.00 ×0" in shop.buttons


def test_the_tray_holds_twenty(shop):
    for _ in range(20):
        shop.tap("Latte")

    shop.tap("Latte")

    assert shop.toast == "The tray is full."
    assert "Latte ¥18.00 ×20" in shop.buttons


def test_a_link_puts_the_first_cup_in(chat):
    chat.open("com.moongate.coffee", "pages/menu/menu", sku="mocha")

    assert "Mocha ¥22.00 ×1" in chat.buttons


def test_a_link_to_a_checkout_of_nothing_leads_to_the_menu(chat):
    chat.open("com.moongate.coffee", "pages/checkout/checkout", sku="latte")

    chat.see("Coffee shop")


@pytest.mark.fault("J7")
def test_a_link_cannot_order_more_than_the_tray_holds(chat):
    chat.open("com.moongate.coffee", "pages/checkout/checkout", latte=1000)

    chat.see("Latte ×20")


def test_the_cart_outlives_the_host(shop):
    shop.tap("Latte").restart_host()

    shop.tap("Latte")

    assert "Latte ¥18.00 ×2" in shop.buttons


def test_the_shop_speaks_chinese(world):
    li = world.person("李雷", language="zh-hans")

    li.open("com.moongate.coffee").see("咖啡店\n想喝点什么？")


def test_two_people_have_two_carts(world):
    ann, bob = (world.person(name).open("com.moongate.coffee") for name in ("Ann", "Bob"))

    ann.tap("Latte")

    assert "Latte ¥18.00 ×1" in ann.buttons
    assert "Latte ¥18.00 ×0" in bob.buttons
