"""`moongate inbox`: notifications of institutions that could not be applied."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import with_book
from bot.errors import NotReadyError
from bot.settings import keep_host_secret

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.book import Book
    from providers.sdk.transport import HttpRequest

_LISTED_MAX: Final = 1000


@main.group()
def inbox() -> None:
    """See which notifications were set aside, and have them worked off again.

    Every one is verified and kept: an `orphan` is of a number that is not in this book (another program may use the same
    merchant account, or a backup was restored), a `dead` one could not be applied after many tries.
    """


@inbox.command("list")
@plainly()
def list_notices() -> None:
    """List what was set aside or has failed and waits: number, state, account, event, arrival, tries, reason."""

    async def shelved(book: "Book") -> list[str]:
        from bot.orders import inbox as notices  # noqa: PLC0415  # heavy
        from bot.orders.story import at, plain  # noqa: PLC0415  # with it

        found = await book.read(lambda connection: notices.set_aside(connection, _LISTED_MAX))
        return [
            f"{one.id:>8}  {one.state:<6}  {one.provider}/{one.account}  {plain(one.event)}  "
            f"arrived {at(one.received_at)}  {one.tries:>3} tries  {plain(one.note)}"
            for one in found
        ]

    for line in with_book(start(), shelved):
        click.echo(line.rstrip())


@inbox.command()
@click.argument("number", type=int)
@plainly()
def show(number: int) -> None:
    """Print a notification as it came, for a dispute. It may name the payer: it is sealed in the book for that reason."""
    settings = start()

    async def look(book: "Book") -> "HttpRequest | None":
        from bot.machine import MachineRandom  # noqa: PLC0415  # heavy
        from bot.orders import inbox as notices  # noqa: PLC0415  # with it
        from bot.orders.sealing import Seal, SealError  # noqa: PLC0415  # with it

        seal = Seal(keep_host_secret(settings, MachineRandom()), MachineRandom())
        try:
            return await book.read(lambda connection: notices.raw(connection, number, seal))
        except SealError as error:
            raise NotReadyError(str(error)) from error

    request = with_book(settings, look)
    if request is None:
        raise NotReadyError(f"No notification {number}, or INBOX_KEEPS_DAYS have passed since it came.")
    click.echo(f"{request.method} {request.url}")
    for name, value in request.headers.lines:
        click.echo(f"{name}: {value}")
    click.echo(f"\n{request.body.decode('utf-8', 'replace')}")


@inbox.command()
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that are listed.")
@plainly()
def retry(numbers: Sequence[int], everything: bool) -> None:
    """Work notifications off again, as numbered by `moongate inbox list`.

    The running host does it within a second or two; what was applied before changes nothing again.
    """
    if bool(numbers) == everything:
        raise NotReadyError("Say which: the numbers of `moongate inbox list`, or --all.")

    async def again(book: "Book") -> list[int]:
        from bot.machine import MachineClock  # noqa: PLC0415  # heavy
        from bot.orders import inbox as notices  # noqa: PLC0415  # with it

        chosen = None if everything else list(numbers)
        return await book.write(lambda connection: notices.retry(connection, chosen, MachineClock().now()))

    found = with_book(start(), again)
    click.echo(
        f"{len(found)} to be worked off again" + (f": {', '.join(map(str, found))}." if found else ".")
    )
    if missing := sorted(set(numbers) - set(found)):
        raise NotReadyError(f"Not set aside, or not in the inbox: {', '.join(map(str, missing))}.")
