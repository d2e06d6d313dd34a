"""Part 9: the institution's own list, read line by line, the same every time."""

from datetime import date, timedelta

from providers.sdk.clock import BEIJING
from providers.sdk.contract import Call
from providers.sdk.errors import NoReplyError, ProviderError
from providers.sdk.results import StatementKind, StatementLine
from providers.sdk.testing.kit.bench import Bench, Broken, Opened, hold
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.verbs import UNBELIEVABLE, on
from providers.sdk.testing.kit.wires import ODD_REPLIES, Scripted

_CALLS_MAX = 4


async def _lines(bench: Bench, day: date, call: Call | None = None) -> list[StatementLine]:
    return [line async for line in bench.stall.provider.statement(day, call or bench.stall.call)]


async def _day(bench: Bench) -> tuple[date, Opened]:
    """A day with a payment and, where there are refunds, one of a part of it; now it is the day after."""
    bench.need("statement")
    paid = await bench.paid()
    if bench.quality.of("refund").is_done:
        await bench.refund_done(await bench.refund(paid, 1 if bench.info.partial_refunds else None))
    day = bench.stall.clock.now().astimezone(BEIJING).date()
    bench.stall.clock.advance(86_400)
    return day, paid


@check(Part.STATEMENT)
async def a_day_is_listed_line_by_line(bench: Bench) -> None:
    """The payment and its refund stand there under our numbers, with their amounts and keys of their own."""
    day, paid = await _day(bench)
    lines = await _lines(bench, day)
    payments = [line for line in lines if line.kind is StatementKind.PAYMENT]
    hold([line.number for line in payments] == [paid.intent.number], f"payments listed: {payments}")
    hold(payments[0].amount == paid.intent.amount, f"listed with {payments[0].amount}")
    refunds = [line for line in lines if line.kind is StatementKind.REFUND]
    hold(bool(refunds) == bench.quality.of("refund").is_done, f"refunds listed: {refunds}")
    hold(len({line.line_key for line in lines}) == len(lines), "two lines share a line_key")
    hold(all(line.at is None or line.at.tzinfo for line in lines), "a line's moment has no zone")


@check(Part.STATEMENT)
async def a_statement_may_be_imported_twice(bench: Bench) -> None:
    """Asked again, the lines are the same with the same keys: importing twice adds nothing."""
    day, _ = await _day(bench)
    hold(await _lines(bench, day) == await _lines(bench, day), "a day reads differently the second time")


@check(Part.STATEMENT)
async def a_day_without_trade_has_no_lines(bench: Bench) -> None:
    """A day on which nothing happened is empty, not an error."""
    day, _ = await _day(bench)
    hold(await _lines(bench, day - timedelta(days=2)) == [], "a day without trade has lines")


@check(Part.STATEMENT)
async def a_statement_that_cannot_be_read_is_an_error(bench: Bench) -> None:
    """No answer, an odd one, a spoilt one: `ProviderError`. A day is never taken for empty by accident."""
    day, _ = await _day(bench)
    wires = [Scripted(NoReplyError("No answer in time.")), *map(Scripted, ODD_REPLIES)]
    for index, wire in enumerate(wires):
        await _raises(bench, day, on(bench, wire), f"odd reply {index}")
    for fault in UNBELIEVABLE:
        bench.stall.faults.arm(fault, _CALLS_MAX)
        try:
            await _lines(bench, day)
        except ProviderError:
            bench.stall.faults.clear()
            continue
        left = sum(bench.stall.faults.take(fault) for _ in range(_CALLS_MAX))
        hold(left == _CALLS_MAX, f"{fault}: the statement was read all the same")


async def _raises(bench: Bench, day: date, call: Call, told: str) -> None:
    try:
        lines = await _lines(bench, day, call)
    except ProviderError:
        return
    raise Broken(f"{told}: the statement was read as {len(lines)} lines; it must raise a ProviderError")
