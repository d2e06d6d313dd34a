"""A book that was rewritten behind the house's back is found out."""

import pytest
from sqlalchemy import text

from bot.orders import proof as module
from bot.orders.proof import prove
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.conftest import BOTH_STORES


async def tamper(shop, *statements):
    """Somebody with the keys of the store: the triggers go first."""

    async def work(connection):
        for statement in ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", *statements):
            await connection.execute(text(statement))

    await shop.book.write(work)


@pytest.fixture
async def shop(store_url):
    from tests.orders.shop import Shop

    shop = await Shop.opened(store_url)
    yield shop
    await shop.close()


@pytest.mark.parametrize("empty_url", BOTH_STORES, indirect=True)
async def test_a_book_as_it_was_written_holds_page_by_page(shop, monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 2)
    order = await shop.paid_order(Wallet.BANK)
    await shop.checkout.refund(order.id, Money.cny("6"), "冷了", "operator:li")
    for n in range(4):
        await shop.place(f"other-{n}")

    proof = await prove(shop.book)

    assert proof.faults == ()
    assert proof.orders == 5
    assert proof == await prove(shop.book)


@pytest.mark.fault("Q6")
@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit SET note = 'tidied' WHERE n = 2", "does not hold at entry 2"),
        ("DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)", "does not hold"),
        ("UPDATE orders SET state = 'refunded'", "order stands as refunded, but the audit says paid"),
        ("UPDATE attempts SET state = 'closed'", "stands as closed, but the audit says paid"),
        ("UPDATE orders SET audit_hash = 'x'", "does not hold"),
    ],
)
async def test_whatever_is_rewritten_is_named(shop, statement, fault):
    order = await shop.paid_order(Wallet.BANK)
    before = await prove(shop.book)

    await tamper(shop, statement)
    proof = await prove(shop.book)

    [found] = proof.faults
    assert order.id in found
    assert fault in found
    assert before.faults == ()


@pytest.mark.fault("Q5")
async def test_a_ledger_that_does_not_add_up_is_named(shop):
    await shop.paid_order(Wallet.BANK)

    await tamper(
        shop,
        "DROP TRIGGER ledger_entries_no_update",
        "UPDATE ledger_entries SET minor = minor + 1 WHERE minor > 0",
    )
    proof = await prove(shop.book)

    assert ["off by 1" in fault for fault in proof.faults] == [True]
