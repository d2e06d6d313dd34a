"""Each of the thirteen invariants bites: a violation that is planted is caught, by its name, and by no other."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.orders.audit import CauseKind
from bot.orders.order import OrderState
from bot.orders.schema import OutboxState
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.orders.shop import Shop
from tests.proof.invariants import INVARIANTS, check
from tests.proof.street import Charge, Purse
from tests.proof.world import Acknowledged, Shown, Told, read_book


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A world in which something has happened."""
    return asyncio.run(live(f"sqlite:///{tmp_path_factory.mktemp('world')}/book.db"))


async def live(url):
    """One order is paid twice and partly refunded, one has expired, one waits to be paid."""
    shop = await Shop.opened(url)
    first, second = await paid_twice(shop)
    await shop.checkout.refund(first.order.id, Money.cny("6"), "冷了", "operator:li")
    await shop.open(await shop.place("cart-2"), Wallet.BANK)
    await shop.deliver()
    await shop.pass_time(1200, step=60)
    await shop.open(await shop.place("cart-3"), Wallet.BANK)
    await shop.worker.drain()
    world = await shop.world(quiet=True)
    await shop.close()
    assert {order.state for order in world.orders} == {
        OrderState.PARTLY_REFUNDED, OrderState.EXPIRED, OrderState.PENDING
    }  # fmt: skip
    assert first.order.id == second.order.id
    return world


async def paid_twice(shop):
    order = await shop.place()
    first = await shop.open(order, Wallet.BANK)
    shop.stalls["plainpay"].transport.refuse()
    second = await shop.open(order, Wallet.QUICKPASS)
    shop.pay(first)
    shop.pay(second)
    await shop.deliver()
    await shop.pass_time(600)
    return first, second


def with_order(world, stands, **change):
    """The same world with one order, the first that stands so, changed."""
    old = first(world, stands)
    fresh = replace(old, **change)
    return replace(world, orders=tuple(fresh if one.id == old.id else one for one in world.orders))


def first(world, state):
    return next(order for order in world.orders if order.state is state)


def paid(world):
    return first(world, OrderState.PARTLY_REFUNDED)


def with_attempt(world, order, attempt, **change):
    attempts = tuple(
        replace(one, **change) if one.number == attempt.number else one for one in order.attempts
    )
    return with_order(world, order.state, attempts=attempts)


def became_unpaid(world):
    return replace(world, paid_before=frozenset({first(world, OrderState.EXPIRED).id}))


def refunded_too_much(world):
    [small] = [one for one in paid(world).refunds if one.amount == Money.cny("6")]
    more = replace(small, amount=Money.cny("18.01"))
    return with_order(
        world,
        OrderState.PARTLY_REFUNDED,
        refunds=tuple(more if one == small else one for one in paid(world).refunds),
    )


def told_twice(world):
    [letter] = [one for one in world.outbox if one.status == "paid"]
    return replace(world, outbox=(*world.outbox, replace(letter, id=999, key="another")))


def charge_without_an_order(world):
    assert world.purse is not None
    stray = Charge("plainpay", "Nobody", 5, 0)
    return replace(
        world,
        charges=(*world.charges, stray),
        purse=Purse(world.purse.taken_minor + 5, world.purse.back_minor),
    )


def ledger_is_off(world):
    return replace(world, lines=(replace(world.lines[0], minor=world.lines[0].minor + 1), *world.lines[1:]))


def with_entry(world, order, place, **change):
    trail = list(world.trails[order.id])
    trail[place] = replace(trail[place], **change)
    return replace(world, trails={**world.trails, order.id: tuple(trail)})


def audit_was_edited(world):
    return with_entry(world, paid(world), 1, note="tidied")


def a_timer_ended_it(world):
    order = first(world, OrderState.EXPIRED)
    place = next(n for n, entry in enumerate(world.trails[order.id]) if entry.after == "expired")
    return with_entry(world, order, place, cause_kind=CauseKind.HOUSE, cause_id="timer")


def acknowledged_and_lost(world):
    return replace(world, acknowledged=(*world.acknowledged, Acknowledged("plainpay", "paid:lost")))


def open_and_forgotten(world):
    order = first(world, OrderState.PENDING)
    return with_attempt(world, order, order.attempts[0], next_check_at=None)


def two_open_attempts(world):
    order = first(world, OrderState.PENDING)
    twin = replace(order.attempts[0], created_at=order.created_at + timedelta(seconds=1))
    return with_order(world, order.state, attempts=(*order.attempts, twin))


def message_left_lying(world):
    [*others, last] = world.outbox
    return replace(world, outbox=(*others, replace(last, state=OutboxState.NEW)))


def secret_in_an_output(world):
    return replace(world, outputs=(*world.outputs, f"key={world.canaries[0]}"))


def shown_before_it_was_committed(world):
    order = first(world, OrderState.PENDING)
    return replace(world, shown=(*world.shown, Shown(order.id, order.version, OrderState.PAID)))


def paid_and_taken_back(world):
    place = next(n for n, entry in enumerate(world.trails[paid(world).id]) if entry.before == "paid")
    return with_entry(world, paid(world), place, after="pending")


def institution_returned_too_much(world):
    [one, *others] = world.charges
    return replace(world, charges=(replace(one, returned_minor=one.minor + 1), *others))


def told_under_two_keys(world):
    [heard] = [one for one in world.told if one.status == "paid"]
    return replace(world, told=(*world.told, replace(heard, key="o999")))


def money_that_nobody_took(world):
    return replace(world, charges=world.charges[1:])


def second_payment_kept(world):
    """The return of the second payment never happened, here or there."""
    extra = next(one for one in paid(world).refunds if one.refund_key.startswith("extra:"))
    return with_order(
        world, OrderState.PARTLY_REFUNDED, refunds=tuple(one for one in paid(world).refunds if one != extra)
    )


def order_is_off(world):
    return replace(world, lines_of={**world.lines_of, paid(world).id: ()})


def row_differs_from_its_audit(world):
    return with_order(world, OrderState.EXPIRED, state=OrderState.CANCELLED)


def rests_on_a_notification_that_is_gone(world):
    return replace(world, inbox=())


def delivered_and_lost(world):
    return replace(world, acknowledged=(Acknowledged("plainpay", number="Nobody"),))


def told_what_the_outbox_does_not_have(world):
    return replace(world, told=(*world.told, Told("o999", paid(world).id, "pending")))


def told_before_it_was_paid(world):
    return replace(world, told=(*world.told, Told("o1", first(world, OrderState.PENDING).id, "paid")))


def shown_a_version_to_come(world):
    return replace(world, shown=(Shown(paid(world).id, paid(world).version + 1, OrderState.REFUNDED),))


PLANTED = [
    ("I1", became_unpaid),
    ("I1", paid_and_taken_back),
    ("I2", refunded_too_much),
    ("I2", institution_returned_too_much),
    ("I3", told_twice),
    ("I3", told_under_two_keys),
    ("I4", charge_without_an_order),
    ("I4", money_that_nobody_took),
    ("I4", second_payment_kept),
    ("I5", ledger_is_off),
    ("I5", order_is_off),
    ("I6", audit_was_edited),
    ("I6", row_differs_from_its_audit),
    ("I7", a_timer_ended_it),
    ("I7", rests_on_a_notification_that_is_gone),
    ("I8", acknowledged_and_lost),
    ("I8", delivered_and_lost),
    ("I9", open_and_forgotten),
    ("I10", two_open_attempts),
    ("I11", message_left_lying),
    ("I11", told_what_the_outbox_does_not_have),
    ("I12", secret_in_an_output),
    ("I13", shown_before_it_was_committed),
    ("I13", told_before_it_was_paid),
    ("I13", shown_a_version_to_come),
]


def test_a_world_as_it_should_be_has_no_violations(lived):
    check(lived)


def test_there_are_thirteen_and_each_is_bitten():
    assert [*INVARIANTS] == [f"I{n}" for n in range(1, 14)]
    assert {name for name, _ in PLANTED} == {*INVARIANTS}


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_a_planted_violation_is_caught_by_its_invariant(lived, name, plant):
    with pytest.raises(AssertionError, match=f"(?m)^{name}: "):
        check(plant(lived))


async def test_a_book_reads_the_same_from_its_address_after_the_process_is_gone(tmp_path):
    url = f"sqlite:///{tmp_path}/book.db"
    shop = await Shop.opened(url)
    order = await shop.paid_order(Wallet.BANK)
    seen = await shop.world()
    await shop.close()

    world = await read_book(url)

    assert order.id in world.trails
    assert (world.orders, world.trails, world.lines, world.inbox, world.outbox) == (
        seen.orders, seen.trails, seen.lines, seen.inbox, seen.outbox
    )  # fmt: skip
