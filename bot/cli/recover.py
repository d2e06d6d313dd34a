"""`moongate recover`: after a restore, ask before new payments are taken."""

import asyncio
from typing import TYPE_CHECKING

import click
from redis.asyncio import Redis

from bot.cli.front import main, plainly, start
from bot.cli.office import with_book
from bot.settings import Settings
from bot.stores import prepare_data_dir

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.tide import Mark


@main.command()
@click.option(
    "--open", "opened", is_flag=True, help="Take payments again, whatever has not been answered yet."
)
@plainly()
def recover(*, opened: bool) -> None:
    """Have the order book checked at the institutions before the host takes new payments.

    The host does so by itself when it finds its book set back; say it yourself when you know more, for example after
    restoring the data directory and Redis as well. A running host obeys within seconds, one that is not running when it
    starts. Notifications are stored and acknowledged meanwhile, and /readyz tells the reason.
    """
    from bot.orders.tide import Mark, tide_of  # noqa: PLC0415  # heavy

    settings = start()
    tide = with_book(settings, lambda book: book.read(tide_of))
    asyncio.run(_write(settings, Mark(tide=tide, recovering=not opened)))
    click.echo("The host takes payments again." if opened else "The host asks before it takes new payments.")


async def _write(settings: Settings, mark: "Mark") -> None:
    from bot.orders.tide import Marks  # noqa: PLC0415  # heavy

    url = settings.redis_url.get_secret_value()
    redis = Redis.from_url(url) if url else None
    try:
        await Marks(prepare_data_dir(settings), redis).write(mark)
    finally:
        if redis is not None:
            await redis.aclose()
