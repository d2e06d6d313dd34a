"""`moongate reconcile`: our book against the institutions' statements of a day. Made for cron."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import with_checkout
from bot.errors import NotReadyError
from providers.sdk.clock import BEIJING
from providers.sdk.money import Money

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.checkout import Checkout
    from bot.orders.reconciling import Comparison, Difference

_DIFFERS: Final = 1
_COULD_NOT: Final = 2


@main.command()
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The institutions' own day, such as 2026-07-01; without it, yesterday in Beijing.",
)
@plainly(_COULD_NOT)
def reconcile(day: datetime | None) -> None:
    """Compare every account's statement of a day with the order book.

    Statements are ready from about ten in the morning, Beijing time, of the next day. May be run again: lines are stored
    once. Where the book is behind, the institution is asked and the book put right; what nothing explains hangs in
    suspense. Exits with 0 when all agrees, 1 when something differed, 2 when a statement could not be had.
    """

    async def compare(checkout: "Checkout") -> "tuple[Sequence[Comparison], Mapping[str, int]]":
        wanted = day.date() if day else _yesterday(checkout.till.clock.now())
        if not checkout.till.accounts:
            raise NotReadyError("There is no account to compare: set PROVIDERS.")
        done = await checkout.reconcile(wanted)
        return done, await checkout.reconciling.suspense()

    done, suspense = with_checkout(start(), compare)
    for line in _report(done, suspense):
        click.echo(line)
    if any(one.problem for one in done):
        sys.exit(_COULD_NOT)
    if any(one.differences for one in done):
        sys.exit(_DIFFERS)


def _yesterday(now: datetime) -> date:
    return now.astimezone(BEIJING).date() - timedelta(days=1)


def _report(done: "Sequence[Comparison]", suspense: Mapping[str, int]) -> Iterator[str]:
    for one in done:
        name = f"{one.provider}/{one.account} {one.day}"
        if one.by_hand:
            yield f"--  {name}: gives no statement; compare in its console"
        elif one.problem:
            yield f"no  {name}: could not be compared: {one.problem}"
        else:
            sign = "no" if one.differences else "ok"
            count = f"{one.lines} lines, {one.matched} matched, {len(one.differences)} differ"
            yield f"{sign}  {name}: {count}"
        yield from map(_row, one.differences)
    for currency, minor in suspense.items():
        yield f"    suspense: {'-' if minor < 0 else ''}{Money(abs(minor), currency)}"


def _row(one: "Difference") -> str:
    from bot.orders.story import plain  # noqa: PLC0415  # heavy

    return (
        f"    {one.what:<8}  {one.kind:<7}  {plain(one.number):<32}  theirs {one.theirs or '-'!s:>10}  "
        f"ours {one.ours or '-'!s:>10}  {plain(one.note)}"
    )
