"""`moongate backup`: a copy of the order book while the host runs."""

from pathlib import Path

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import book_file
from bot.errors import NotReadyError
from bot.orders.copying import copy_book


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@plainly()
def backup(file: Path) -> None:
    """Copy the order book to FILE while the host runs, whole and checked.

    The keys and the host's secret lie beside it in DATA_DIR and are not in it: copy them once. PostgreSQL is copied with
    its own pg_dump. A copy is proven by `DATABASE_URL=sqlite:///FILE moongate audit verify`.
    """
    book = book_file(start())
    if book is None:
        raise NotReadyError(
            "The order book is in PostgreSQL: copy it with `pg_dump --format=custom`, which reads one moment of it."
        )
    size = copy_book(book, file)
    click.echo(f"ok  {file}: {size} bytes")
