"""Part 14: the smallest and the largest amount arrive as they are, and nothing on the wire is a float."""

import json
import re
from typing import NoReturn
from urllib.parse import unquote_to_bytes

from providers.sdk.money import Money
from providers.sdk.results import NotFound, Snapshot
from providers.sdk.testing.kit.bench import Bench, Broken, hold
from providers.sdk.testing.kit.check import Part, check


async def _carried(bench: Bench, minor: int) -> None:
    """Opened and paid, the amount is the same at every place that tells it."""
    amount = Money(minor, bench.currency)
    bench.stall.purses.left[bench.wallet] = max(bench.stall.purses.left[bench.wallet], 2 * minor)
    opened = await bench.open(amount)
    answer = await bench.query(opened)
    if isinstance(answer, NotFound):  # the trade begins with the scan
        bench.pay(opened)
        answer = await bench.query(opened)
    if not isinstance(answer, Snapshot):
        raise Broken(f"an order of {amount} is {answer}")
    hold(answer.amount == amount, f"an order of {amount} is told as {answer.amount}")
    hold(type(answer.amount.minor) is int, "an amount is not an int")


@check(Part.MONEY)
async def the_smallest_amount_is_carried(bench: Bench) -> None:
    """`min_minor`: one fen is one fen."""
    await _carried(bench, bench.info.min_minor)


@check(Part.MONEY)
async def the_largest_amount_is_carried(bench: Bench) -> None:
    """`max_minor` goes out and comes back without losing a digit."""
    await _carried(bench, bench.info.max_minor)


@check(Part.MONEY)
async def awkward_amounts_are_carried(bench: Bench) -> None:
    """What binary fractions cannot hold: 0.07, 0.29, 1.10, 19.99, 1,000.01 yuan."""
    for minor in (7, 29, 110, 1999, 100_001):
        if bench.info.min_minor <= minor <= bench.info.max_minor:
            await _carried(bench, minor)


@check(Part.MONEY)
async def one_unit_is_paid_told_and_returned(bench: Bench) -> None:
    """The smallest amount through a whole life: charged, told, given back."""
    amount = Money(bench.info.min_minor, bench.currency)
    paid = await bench.paid(amount)
    told = [getattr(verdict, "fact", None) for verdict in bench.stall.read_post()]
    hold([getattr(fact, "amount", None) for fact in told] == [amount] or not told, f"told: {told}")
    if bench.quality.of("refund").is_done:
        done = await bench.refund_done(await bench.refund(paid))
        hold(done.amount == amount, f"{amount} went back as {done.amount}")
        hold(bench.money_moved() == 0, "one unit went out and did not come back")


@check(Part.MONEY)
async def no_float_is_on_the_wire(bench: Bench) -> None:
    """No JSON number with a point or an exponent in any request."""
    opened = await bench.paid(Money(min(bench.info.max_minor, 123_456), bench.currency))
    await bench.query(opened)
    for request in bench.stall.transport.requests:
        try:
            json.loads(request.body, parse_float=_refuse)
        except Broken:
            raise
        except ValueError:
            continue


def _refuse(text: str) -> NoReturn:
    raise Broken(f"a request holds the number {text}; amounts are integers or decimal text")


@check(Part.MONEY)
async def amounts_are_exact_text_on_the_wire(bench: Bench) -> None:
    """The amount stands in the request in digits: as minor units, or as a decimal with all of its places."""
    amount = Money(min(bench.info.max_minor, 123_457), bench.currency)
    await bench.open(amount)
    requests = bench.stall.transport.requests
    sent = b" ".join(unquote_to_bytes(request.url) + unquote_to_bytes(request.body) for request in requests)
    forms = (str(amount.minor), amount.decimal)
    hold(
        any(re.search(rb"(?<![0-9.])" + re.escape(form.encode()) + rb"(?![0-9.])", sent) for form in forms),
        f"neither {forms[0]} nor {forms[1]} stands in the request",
    )
