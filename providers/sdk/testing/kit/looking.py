"""Parts 3 and 4: a query tells what is, and every answer is about the order that was asked for."""

from dataclasses import replace

from providers.sdk.contract import Provider
from providers.sdk.gateway import BillGone, Fault
from providers.sdk.money import Money
from providers.sdk.results import AlreadyPaid, Closed, NotFound, Paid, RefundSnapshot, Snapshot, Unknown
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked, Opened, hold, is_paid
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.verbs import on
from providers.sdk.testing.kit.wires import Replayed


async def _snapshot(bench: Bench, opened: Opened) -> Snapshot:
    """What a query says, about our order and nobody else's."""
    answer = await bench.query(opened)
    if not isinstance(answer, Snapshot):
        raise Broken(f"a query of an order that is there answered {answer}")
    hold(answer.number == opened.intent.number, f"the snapshot speaks of {answer.number}")
    hold(answer.merchant == bench.stall.settings.merchant, f"the snapshot's merchant is {answer.merchant}")
    hold(answer.amount == opened.intent.amount, f"the snapshot says {answer.amount}")
    return answer


@check(Part.QUERY)
async def an_open_order_is_unpaid(bench: Bench) -> None:
    """Nobody has paid: `UNPAID` with number, merchant and amount; or `NotFound` where a trade begins with the scan."""
    opened = await bench.open()
    if isinstance(opened.first, Snapshot):
        raise NotAsked("merchant_code: not offered")
    if isinstance(await bench.query(opened), NotFound):
        return
    answer = await _snapshot(bench, opened)
    hold(answer.state is Paid.UNPAID, f"an order that nobody paid is {answer.state}")
    hold(answer.paid_at is None, "an order that nobody paid has a moment of payment")


@check(Part.QUERY)
async def a_paid_order_is_paid(bench: Bench) -> None:
    """After the payment: `PAID`, the institution's own number, and a moment with its zone."""
    opened = await bench.paid()
    answer = await _snapshot(bench, opened)
    hold(answer.state is Paid.PAID, f"an order that was paid is {answer.state}")
    hold(answer.provider_ref, "a payment has no number of the institution")
    hold(answer.paid_at is None or answer.paid_at.tzinfo is not None, "paid_at has no zone")
    hold(answer.wallet is None or answer.wallet in bench.info.wallets, f"paid by {answer.wallet}")


@check(Part.QUERY)
async def an_unknown_number_is_not_found(bench: Bench) -> None:
    """A number that nobody sent is `NotFound`, a word that the institution must have said."""
    answer = await bench.stall.provider.query(bench.stall.ref(bench.intent()), bench.stall.call)
    hold(isinstance(answer, NotFound), f"a number that nobody sent is {answer}")


@check(Part.QUERY)
async def what_is_closed_cannot_be_paid(bench: Bench) -> None:
    """Closed means closed: the code is dead, and a query does not call it paid or failed."""
    bench.need("close")
    bench.need_record()
    opened = await bench.open()
    await bench.closed(opened)
    try:
        bench.pay(opened)
    except (BillGone, Broken):
        pass
    else:
        raise Broken("an order that was closed could still be paid")
    answer = await bench.query(opened)
    over = isinstance(answer, NotFound) or (isinstance(answer, Snapshot) and answer.state is Paid.CLOSED)
    hold(over, f"a closed order is {answer}")


@check(Part.QUERY)
async def what_is_paid_cannot_be_closed(bench: Bench) -> None:
    """The payer was faster: `AlreadyPaid`, and the money stays where it is."""
    bench.need("close")
    opened = await bench.paid()
    bench.stall.clock.advance(120)
    answer = await bench.stall.provider.close(opened.ref, bench.stall.call)
    hold(isinstance(answer, AlreadyPaid), f"closing a paid order answered {answer}")
    hold(bench.money_moved() == opened.intent.amount.minor, "closing a paid order moved money")
    hold(is_paid(await bench.query(opened)), "closing a paid order lost the payment")


@check(Part.QUERY)
async def closing_twice_is_closing(bench: Bench) -> None:
    """A second `close` is answered like the first, or not decided; never with a payment."""
    bench.need("close")
    opened = await bench.open()
    await bench.closed(opened)
    answer = await bench.stall.provider.close(opened.ref, bench.stall.call)
    hold(isinstance(answer, Closed | Unknown), f"closing a closed order answered {answer}")


@check(Part.QUERY)
async def an_expired_order_is_never_paid(bench: Bench) -> None:
    """After its time and a day, the code is dead and no query says paid."""
    bench.need_record()
    opened = await bench.open()
    if isinstance(opened.first, Snapshot):
        raise NotAsked("merchant_code: not offered")
    bench.stall.clock.advance(bench.info.expires_after_max_s + 86_400)
    try:
        bench.pay(opened)
    except (BillGone, Broken):
        pass
    else:
        raise Broken("an order that had expired could still be paid")
    hold(not is_paid(await bench.query(opened)), "an order that nobody paid turned paid by waiting")


@check(Part.QUERY)
async def a_refunded_order_stays_paid(bench: Bench) -> None:
    """After a partial and after a full refund an order was still paid: never unpaid, closed or failed."""
    bench.need("refund")
    opened = await bench.paid()
    parts = (1, opened.intent.amount.minor - 1) if bench.info.partial_refunds else (None,)
    for minor in parts:
        await bench.refund_done(await bench.refund(opened, minor))
        answer = await _snapshot(bench, opened)
        hold(is_paid(answer), f"after a refund a paid order is {answer.state}")


@check(Part.INTEGRITY)
async def a_wrong_amount_is_told_as_it_is(bench: Bench) -> None:
    """An answer with another amount is passed on with that amount, or not believed: never with the amount asked."""
    opened = await bench.paid()
    bench.stall.faults.arm(Fault.WRONG_AMOUNT)
    answer = await bench.query(opened)
    if bench.stall.faults.take(Fault.WRONG_AMOUNT):
        raise Broken("the gateway does not know the fault wrong_amount in a reply")
    echoed = isinstance(answer, Snapshot) and answer.amount == opened.intent.amount
    hold(not echoed, "the answer carried another amount, and the snapshot has the one that was asked")
    hold(isinstance(answer, Snapshot | Unknown), f"a wrong amount was answered with {answer}")


@check(Part.INTEGRITY)
async def the_answer_to_another_question_is_not_believed(bench: Bench) -> None:
    """Two replies were swapped: a snapshot of the other order is not one of ours."""
    bench.need_record()
    ours, other = await bench.open(), await bench.paid()
    await bench.query(other)
    swapped = on(bench, Replayed(bench.stall.transport.replies))
    answer = await bench.stall.provider.query(ours.ref, swapped)
    honest = isinstance(answer, Unknown) or (
        isinstance(answer, Snapshot) and answer.number == other.intent.number
    )
    hold(honest, f"the reply about another order was taken for ours: {answer}")


@check(Part.INTEGRITY)
async def the_answer_about_another_refund_is_not_believed(bench: Bench) -> None:
    """Two replies were swapped: a refund snapshot of the other refund is not one of ours."""
    bench.need_record()
    bench.need("refund")
    bench.need("query_refund")
    first, second = await bench.paid(), await bench.paid()
    ours = await bench.refund(first, 1 if bench.info.partial_refunds else None)
    other = await bench.refund(second)
    await bench.refund_done(other)
    swapped = on(bench, Replayed(bench.stall.transport.replies))
    answer = await bench.stall.provider.query_refund(bench.stall.refund_ref(ours), swapped)
    honest = isinstance(answer, Unknown) or (
        isinstance(answer, RefundSnapshot) and answer.number == other.number
    )
    hold(honest, f"the reply about another refund was taken for ours: {answer}")


@check(Part.INTEGRITY)
async def a_notification_of_a_wrong_amount_is_told_as_it_is(bench: Bench) -> None:
    """A notification with another amount is told with that amount, or rejected."""
    notification = await bench.told(Fault.WRONG_AMOUNT)
    fact = getattr(bench.stall.read(notification), "fact", None)
    wrong = isinstance(fact, Snapshot) and fact.amount == bench.price
    hold(not wrong, "the notification carried another amount, and the snapshot has the right one")


@check(Part.INTEGRITY)
async def a_notification_says_what_a_query_says(bench: Bench) -> None:
    """Number, merchant, amount, state and the institution's number are the same through both doors."""
    opened = await bench.open()
    bench.pay(opened)
    asked = await _snapshot(bench, opened)
    verdicts = [getattr(verdict, "fact", None) for verdict in bench.stall.read_post()]
    told = next((fact for fact in verdicts if isinstance(fact, Snapshot)), None)
    if told is None:
        raise Broken("no notification tells of the payment")
    for name in ("number", "merchant", "amount", "state", "provider_ref"):
        here, there = getattr(told, name), getattr(asked, name)
        hold(here == there, f"the notification says {name} {here}, the query {there}")
    hold(told.amount.currency in bench.info.currencies, f"told in {told.amount.currency}")


def _of_another_merchant(bench: Bench) -> tuple[Provider, str]:
    """The same keys under another merchant's number, and that number."""
    settings, number = bench.stall.settings, bench.stall.settings.merchant
    names = (settings.merchant_field, *bench.plugin.settings.model_fields)  # the field may depend on the mode
    field = next(name for name in names if getattr(settings, name) == number)
    other = number[:-1] + ("1" if number[-1] != "1" else "2")
    return bench.plugin.build(bench.stall.settings_with(**{field: other}), bench.stall.keys), other


@check(Part.INTEGRITY)
async def another_merchants_notification_is_not_ours(bench: Bench) -> None:
    """Read for another merchant, it is rejected, or names a merchant that is not the reader's."""
    notification, _ = await bench.genuine()
    reader, other = _of_another_merchant(bench)
    verdict = reader.read_notification(notification.request, bench.stall.clock.now())
    fact = getattr(verdict, "fact", None)
    ours = isinstance(fact, Snapshot) and fact.merchant == other
    hold(not ours, "a notification about another merchant was told as about this one")


@check(Part.INTEGRITY)
async def another_merchants_refund_is_not_ours(bench: Bench) -> None:
    """A refund names no merchant, so the provider itself must reject one of another merchant."""
    bench.need("refund")
    bench.need("notification")
    opened = await bench.paid()
    bench.stall.courier.take()
    await bench.refund_done(await bench.refund(opened))
    post = bench.stall.courier.take()
    if not post:
        raise NotAsked("notification: refunds are not notified")
    reader, _ = _of_another_merchant(bench)
    for notification in post:
        verdict = reader.read_notification(notification.request, bench.stall.clock.now())
        fact = getattr(verdict, "fact", None)
        hold(not isinstance(fact, RefundSnapshot), "another merchant's refund was told as one of ours")


@check(Part.INTEGRITY)
async def the_amount_is_never_taken_from_the_question(bench: Bench) -> None:
    """Asked about a paid order with another amount in mind, a query tells what was paid, or is not sure."""
    opened = await bench.paid()
    believed = replace(opened.ref, amount=Money(opened.intent.amount.minor + 1, bench.currency))
    answer = await bench.stall.provider.query(believed, bench.stall.call)
    same = isinstance(answer, Snapshot) and answer.amount == opened.intent.amount
    hold(same or isinstance(answer, Unknown), f"{opened.intent.amount} was paid, the query says {answer}")
