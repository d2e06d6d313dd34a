"""`moongate audit`: prove that the book is as it was written."""

import sys

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import with_book


@main.group()
def audit() -> None:
    """Prove that nobody has rewritten the order book.

    Every change of an order is an entry that holds the hash of the one before, and the order holds the last.
    """


@audit.command()
@plainly()
def verify() -> None:
    """Check every order's chain, its head, its ledger, and that its rows stand as the audit says.

    Prints one line per fault and exits with 1 when there is one. The digest stands for all heads at that moment: note it
    with a backup, and the backup can be told from a changed one.
    """
    from bot.orders.proof import prove  # noqa: PLC0415  # heavy

    proof = with_book(start(), prove)
    for fault in proof.faults:
        click.echo(f"no  {fault}", err=True)
    if proof.faults:
        sys.exit(1)
    click.echo(f"ok  {proof.orders} orders, {proof.entries} entries, digest {proof.digest}")
