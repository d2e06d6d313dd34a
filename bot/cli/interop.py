"""The command that shows the interconnection table."""

from datetime import datetime

import click

from bot.cli.front import main, plainly


@main.command()
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day, YYYY-MM-DD; today when left out.")
@click.option(
    "--svg", is_flag=True, help="The picture in place of the lines, of the table's own date unless --on."
)
@plainly()
def interop(on: datetime | None, svg: bool) -> None:
    """Show which wallet may pay whose code on a day, through which clearing house, and who says so.

    The table is data with a source and a mark, CONFIRMED or UNSURE, for every row. The picture in the README is
    `moongate interop --svg > docs/interop.svg`.
    """
    from bot.cli import matrix  # noqa: PLC0415  # reads tables that no other command needs

    if svg:
        click.echo(matrix.picture(on.date()) if on else matrix.picture(), nl=False)
        return
    for line in matrix.lines((on or _today()).date()):
        click.echo(line)


def _today() -> datetime:
    from bot.machine import MachineClock  # noqa: PLC0415  # with it
    from providers.sdk.clock import BEIJING  # noqa: PLC0415  # with it

    return MachineClock().now().astimezone(BEIJING)
