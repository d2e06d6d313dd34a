"""Part 2, the opening of orders: one number is one order, one charge, and can be found whatever got lost."""

from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.results import Created, Declined, NotFound, Paid, Snapshot, Unknown
from providers.sdk.testing.kit.bench import Bench, Broken, hold, is_paid
from providers.sdk.testing.kit.check import Part, check


@check(Part.TRANSPORT)
async def create_opens_an_order(bench: Bench) -> None:
    """`create` gives something to pay with, usable no longer than the order lives."""
    opened = await bench.open()
    if isinstance(opened.first, Created):
        until = opened.first.usable_until
        hold(opened.codes, "Created carries no code, link, in-app parameters or invoice")
        hold(until is None or until <= opened.intent.expires_at, "the code outlives its order")
        hold(until is None or until.tzinfo is not None, "usable_until has no zone")


@check(Part.TRANSPORT)
async def in_app_gives_what_the_wallets_bridge_takes(bench: Bench) -> None:
    """The in-app way gives the parameters of the wallet's own bridge, and they pay the order."""
    bench.need("in_app")
    opened = await bench.open(way=Way.IN_APP)
    given = opened.first.in_app if isinstance(opened.first, Created) else None
    hold(given, "create by in_app gives no in_app parameters")
    bench.pay(opened)
    hold(is_paid(await bench.query(opened)), "the order is not paid after its bridge was used")


@check(Part.TRANSPORT)
async def a_repeated_create_is_one_order(bench: Bench) -> None:
    """The same intent again opens no second order: one payment, and nothing left that can be paid."""
    opened = await bench.open()
    again = await bench.stall.provider.create(opened.intent, bench.stall.call)
    hold(isinstance(again, Created | Snapshot | Declined | Unknown), f"create answered {again}")
    bench.pay(opened)
    hold(bench.money_moved() == opened.intent.amount.minor, "the payer was charged another amount")
    bench.need_record()
    third = await bench.stall.provider.create(opened.intent, bench.stall.call)
    hold(not isinstance(third, Created), "an order that is paid was created once more")


@check(Part.TRANSPORT)
async def another_amount_under_a_number_is_never_created(bench: Bench) -> None:
    """A number that is known with another amount is refused, not opened again."""
    bench.need_record()
    opened = await bench.open()
    more = bench.intent(bench.price + bench.price, number=opened.intent.number)
    answer = await bench.stall.provider.create(more, bench.stall.call)
    hold(isinstance(answer, Declined | Unknown), f"a number with another amount was answered with {answer}")


@check(Part.TRANSPORT)
async def a_lost_request_may_be_sent_again(bench: Bench) -> None:
    """Nothing arrived: a query finds nothing, and the same number opens the order afterwards."""
    intent = bench.intent()
    bench.stall.faults.arm(Fault.TIMEOUT_BEFORE)
    lost = await bench.stall.provider.create(intent, bench.stall.call)
    found = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    again = await bench.stall.provider.create(intent, bench.stall.call)
    hold(isinstance(lost, Unknown), f"create without an answer said {lost}")
    hold(isinstance(found, NotFound), f"an order that never arrived is {found}; it is NotFound")
    hold(isinstance(again, Created | Snapshot), f"the same number, sent again, was answered with {again}")


@check(Part.TRANSPORT)
async def a_lost_answer_is_found_by_our_number(bench: Bench) -> None:
    """The order was made and its answer lost: a query finds it, or the same number gives its code again."""
    intent = bench.intent()
    bench.stall.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await bench.stall.provider.create(intent, bench.stall.call)
    found = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    again = await bench.stall.provider.create(intent, bench.stall.call)
    hold(isinstance(lost, Unknown), f"create without an answer said {lost}")
    known = isinstance(found, Snapshot) or isinstance(again, Created)
    hold(known, f"an order whose answer was lost is {found}, and created again it is {again}")


@check(Part.TRANSPORT)
async def a_payer_code_is_charged_once(bench: Bench) -> None:
    """A payer code pays at once or says that the payer is at it, and the same intent again charges nothing more."""
    bench.need("payer_code")
    opened = await bench.open(way=Way.PAYER_CODE)
    again = await bench.stall.provider.create(opened.intent, bench.stall.call)
    hold(isinstance(opened.first, Snapshot), f"a payer code was answered with {opened.first}")
    hold(not isinstance(again, Created), "a payer code was answered with an open order")
    hold(bench.money_moved() == opened.intent.amount.minor, "the payer was not charged exactly once")
    hold(is_paid(await bench.query(opened)), "the payment by payer code is not found")


@check(Part.TRANSPORT)
async def a_lost_charge_is_found(bench: Bench) -> None:
    """The payer was charged and the answer lost: `Unknown`, and a query finds the payment."""
    bench.need("payer_code")
    intent = bench.intent(way=Way.PAYER_CODE)
    bench.stall.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await bench.stall.provider.create(intent, bench.stall.call)
    found = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    hold(isinstance(lost, Unknown), f"a charge without an answer said {lost}; the payer was charged")
    hold(is_paid(found), f"a charge whose answer was lost is {found}")


@check(Part.TRANSPORT)
async def a_payer_at_the_password_is_waited_for(bench: Bench) -> None:
    """A payer who is entering the password has neither paid nor failed; later queries tell."""
    bench.need("payer_code")
    bench.stall.faults.arm(Fault.USER_PAYING)
    intent = bench.intent(way=Way.PAYER_CODE)
    first = await bench.stall.provider.create(intent, bench.stall.call)
    if bench.stall.faults.take(Fault.USER_PAYING):
        raise Broken("the gateway does not know the fault user_paying")
    waiting = isinstance(first, Unknown) or (isinstance(first, Snapshot) and first.state is Paid.PAYING)
    hold(waiting, f"a payer at the password was answered with {first}")
    seen: list[object] = []
    for _ in range(4):
        bench.stall.clock.advance(5)
        seen.append(await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call))
    hold(is_paid(seen[-1]), f"the payer entered the password, and queries say {seen}")


@check(Part.TRANSPORT)
async def a_refused_payer_code_is_declined(bench: Bench) -> None:
    """The wallet refuses: a definite no in the institution's words, or a query that says so; no money moves."""
    bench.need("payer_code")
    bench.stall.faults.arm(Fault.DECLINED)
    intent = bench.intent(way=Way.PAYER_CODE)
    answer: object = await bench.stall.provider.create(intent, bench.stall.call)
    if bench.stall.faults.take(Fault.DECLINED):
        raise Broken("the gateway does not know the fault declined")
    if not isinstance(answer, Declined):
        answer = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    failed = isinstance(answer, Snapshot) and answer.state in {Paid.FAILED, Paid.CLOSED}
    hold(isinstance(answer, Declined) or failed, f"a refused payer code ends as {answer}")
    hold(bench.money_moved() == 0, "a refused payer code moved money")


@check(Part.TRANSPORT)
async def a_strange_payer_code_is_declined_before_it_is_sent(bench: Bench) -> None:
    """Digits that no wallet of this provider shows are declined, and nobody is asked."""
    bench.need("payer_code")
    for digits in ("", "12", "99999999999999999999999999", "13456789012345678x"):
        intent = bench.intent(way=Way.PAYER_CODE, payer_code=digits)
        answer = await bench.stall.provider.create(intent, bench.stall.call)
        hold(isinstance(answer, Declined), f"{digits!r} as a payer code was answered with {answer}")
    if bench.stall.transport.requests:
        raise Broken("a payer code that is none was sent to the institution")
