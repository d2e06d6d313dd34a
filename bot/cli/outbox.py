"""`moongate outbox`: messages to the chat that do not get through."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import with_book
from bot.errors import NotReadyError

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.book import Book

_LISTED_MAX: Final = 1000


@main.group()
def outbox() -> None:
    """See which messages to the chat are stuck, and send them again.

    A message is repeated for about four days (a chat may be blocked), or for two hours and a half
    when the page's own on_payment or on_refund raises, and then given up as dead.
    """


@outbox.command("list")
@plainly()
def list_letters() -> None:
    """List messages that were given up, and those that have failed and wait: number, kind, order, tries, next try."""

    async def stuck(book: "Book") -> list[str]:
        from bot.orders import outbox as letters  # noqa: PLC0415  # heavy
        from bot.orders.story import at, plain  # noqa: PLC0415  # with it

        found = await book.read(lambda connection: letters.stuck(connection, _LISTED_MAX))
        return [
            f"{one.id:>8}  {one.state:<5}  {one.kind:<6}  {one.order_id}  written {at(one.created_at)}  "
            f"{one.tries:>3} tries  {'given up' if one.state == 'dead' else at(one.next_try_at)}  {plain(one.text)}"
            for one in found
        ]

    for line in with_book(start(), stuck):
        click.echo(line.rstrip())


@outbox.command()
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that are listed.")
@plainly()
def resend(numbers: Sequence[int], everything: bool) -> None:
    """Try messages again that were given up or wait for a later try, as numbered by `moongate outbox list`.

    The running host sends them within a second or two. A message that had arrived after all does no harm.
    """
    if bool(numbers) == everything:
        raise NotReadyError("Say which: the numbers of `moongate outbox list`, or --all.")

    async def again(book: "Book") -> list[int]:
        from bot.machine import MachineClock  # noqa: PLC0415  # heavy
        from bot.orders import outbox as letters  # noqa: PLC0415  # with it

        chosen = None if everything else list(numbers)
        return await book.write(lambda connection: letters.resend(connection, chosen, MachineClock().now()))

    sent = with_book(start(), again)
    click.echo(f"{len(sent)} to be sent again" + (f": {', '.join(map(str, sent))}." if sent else "."))
    if missing := sorted(set(numbers) - set(sent)):
        raise NotReadyError(f"Not stuck, or not in the outbox: {', '.join(map(str, missing))}.")
