"""Part 8: what goes back is never more than what came, and goes back once."""

from datetime import timedelta

from providers.sdk.contract import AttemptRef, RefundRequest
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Declined, NotFound, RefundSnapshot, Returned, Unknown
from providers.sdk.testing.kit.bench import Bench, NotAsked, Opened, hold
from providers.sdk.testing.kit.check import Part, check


def _ask(bench: Bench, attempt: AttemptRef, minor: int) -> RefundRequest:
    return bench.stall.refund(attempt, Money(minor, bench.currency), bench.number("Ref"))


async def _send(bench: Bench, request: RefundRequest) -> object:
    return await bench.stall.provider.refund(request, bench.stall.call)


def _kept(bench: Bench, minor: int, why: str) -> None:
    hold(bench.money_moved() == minor, f"{why}: the payers gave {bench.money_moved()}, not {minor}")


async def _paid(bench: Bench) -> Opened:
    bench.need("refund")
    return await bench.paid()


def _in_parts(bench: Bench) -> None:
    if not bench.info.partial_refunds:
        raise NotAsked("partial_refunds: not offered")


@check(Part.REFUND)
async def a_full_refund_gives_everything_back(bench: Bench) -> None:
    """All of it, to the payer's purse, under our number."""
    paid = await _paid(bench)
    request = await bench.refund(paid)
    done = await bench.refund_done(request)
    hold(done.number == request.number, f"the refund speaks of {done.number}")
    hold(done.attempt_number == paid.intent.number, f"the refund speaks of order {done.attempt_number}")
    hold(done.amount == paid.intent.amount, f"the refund says {done.amount}")
    _kept(bench, 0, "after a full refund")


@check(Part.REFUND)
async def partial_refunds_add_up(bench: Bench) -> None:
    """Each tells its own amount, not the running total; together they may reach what was paid."""
    _in_parts(bench)
    paid = await _paid(bench)
    whole = paid.intent.amount.minor
    for minor in (1, whole // 3, whole - 1 - whole // 3):
        done = await bench.refund_done(await bench.refund(paid, minor))
        hold(done.amount.minor == minor, f"a refund of {minor} is told as {done.amount.minor}")
    _kept(bench, 0, "after refunds of every part")


@check(Part.REFUND)
async def more_than_was_paid_never_goes_back(bench: Bench) -> None:
    """One unit too much, at once or in the second part: a definite no, and no money moves."""
    paid = await _paid(bench)
    whole = paid.intent.amount.minor
    too_much = await _send(bench, _ask(bench, paid.ref, whole + 1))
    hold(isinstance(too_much, Declined), f"a refund of more than was paid was answered with {too_much}")
    _kept(bench, whole, "after a refund of too much")
    await bench.refund_done(await bench.refund(paid))
    once_more = await _send(bench, _ask(bench, paid.ref, 1))
    hold(isinstance(once_more, Declined), f"a refund after a full refund was answered with {once_more}")
    _kept(bench, 0, "after a refund of what was gone")


@check(Part.REFUND)
async def two_halves_and_one_unit_are_too_much(bench: Bench) -> None:
    """The second part may not pass what is left."""
    _in_parts(bench)
    paid = await _paid(bench)
    whole = paid.intent.amount.minor
    await bench.refund_done(await bench.refund(paid, whole // 2))
    answer = await _send(bench, _ask(bench, paid.ref, whole - whole // 2 + 1))
    hold(isinstance(answer, Declined), f"the second half and one unit was answered with {answer}")
    _kept(bench, whole - whole // 2, "after a half and a refusal")


@check(Part.REFUND)
async def a_refund_of_nothing_moves_nothing(bench: Bench) -> None:
    """Zero is refused, or not decided; it never counts as done."""
    paid = await _paid(bench)
    answer = await _send(bench, _ask(bench, paid.ref, 0))
    hold(isinstance(answer, Declined | Unknown), f"a refund of nothing was answered with {answer}")
    _kept(bench, paid.intent.amount.minor, "after a refund of nothing")


@check(Part.REFUND)
async def a_repeated_refund_returns_once(bench: Bench) -> None:
    """The same number again, three times: one refund, one record."""
    paid = await _paid(bench)
    minor = 1 if bench.info.partial_refunds else None
    request = await bench.refund(paid, minor)
    for _ in range(3):
        again = await _send(bench, request)
        hold(isinstance(again, RefundSnapshot | Unknown), f"a repeated refund was answered with {again}")
    done = await bench.refund_done(request)
    _kept(bench, paid.intent.amount.minor - done.amount.minor, "after the same refund four times")


@check(Part.REFUND)
async def another_amount_under_a_refund_number_returns_nothing(bench: Bench) -> None:
    """A refund number that is known with another amount gives nothing more back."""
    _in_parts(bench)
    paid = await _paid(bench)
    request = await bench.refund(paid, 1)
    await bench.refund_done(request)
    other = bench.stall.refund(paid.ref, Money(2, bench.currency), request.number)
    answer = await _send(bench, other)
    more = isinstance(answer, RefundSnapshot) and answer.amount.minor != 1
    hold(not more, f"a refund number with another amount was answered with {answer}")
    _kept(bench, paid.intent.amount.minor - 1, "after a refund number was used twice")


@check(Part.REFUND)
async def a_lost_refund_is_found_by_our_number(bench: Bench) -> None:
    """An answer was lost on the way of a refund: `Unknown`; asked and sent again by our number, it is made once."""
    paid = await _paid(bench)
    request = _ask(bench, paid.ref, paid.intent.amount.minor)
    bench.stall.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await _send(bench, request)
    hold(isinstance(lost, Unknown), f"a refund without an answer said {lost}")
    bench.stall.clock.advance(60)
    found = await bench.stall.provider.query_refund(bench.stall.refund_ref(request), bench.stall.call)
    made = not bench.money_moved()
    hold(not (made and isinstance(found, NotFound)), "a refund that was made is not found")
    await _send(bench, request)
    await bench.refund_done(request)
    _kept(bench, 0, "after a refund whose answer was lost")


@check(Part.REFUND)
async def a_refund_that_never_arrived_is_not_found(bench: Bench) -> None:
    """Nothing was sent under that number: `NotFound`, not failed."""
    bench.need("query_refund")
    paid = await _paid(bench)
    ref = bench.stall.refund_ref(_ask(bench, paid.ref, 1))
    answer: object = None
    for wait_s in (0, 60, 3600):  # some institutions may not be asked at once
        bench.stall.clock.advance(wait_s)
        answer = await bench.stall.provider.query_refund(ref, bench.stall.call)
        hold(isinstance(answer, NotFound | Unknown), f"a refund that nobody sent is {answer}")
    hold(isinstance(answer, NotFound), f"a refund that nobody sent is {answer}")


@check(Part.REFUND)
async def an_order_nobody_paid_gives_nothing_back(bench: Bench) -> None:
    """A refund of an open order is refused, or not decided; no purse gains."""
    bench.need("refund")
    opened = await bench.open()
    answer = await _send(bench, _ask(bench, opened.ref, 1))
    if bench.money_moved() > 0:
        raise NotAsked("merchant_code: not offered")
    hold(
        not (isinstance(answer, RefundSnapshot) and answer.state is Returned.DONE),
        f"unpaid, refunded: {answer}",
    )
    _kept(bench, 0, "after a refund of an order that nobody paid")


@check(Part.REFUND)
async def after_the_window_a_refund_has_a_reason(bench: Bench) -> None:
    """Past `refund_window` the answer is a plain no, or the refund passes whole: it is never half of either."""
    paid = await _paid(bench)
    window = bench.info.refund_window or timedelta()
    bench.stall.clock.advance((window + timedelta(days=1)).total_seconds())
    request = _ask(bench, paid.ref, paid.intent.amount.minor)
    answer = await _send(bench, request)
    if isinstance(answer, Declined):
        hold(answer.code or answer.message, "a refusal without a word of the institution")
        _kept(bench, paid.intent.amount.minor, "after a refund that came too late")
    else:
        await bench.refund_done(request)
        _kept(bench, 0, "after a late refund that passed")
