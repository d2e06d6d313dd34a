"""The commands that open a house, and those that look at what is installed."""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import click
import uvloop

from bot.catalogue import Catalogue, misplaced_rooms, read_catalogue
from bot.cli.front import main, plainly, show_refusals, start
from bot.errors import NotReadyError
from bot.settings import AccountName, Settings, read_merchants, read_settings
from bot.stores import StoreError, database_url, open_redis, redis_findings
from bot.watchdog import watched
from providers.sdk.contract import ProviderSettings
from providers.sdk.errors import ConfigurationError


@main.command()
@plainly()
def sandbox() -> None:
    """Open the sandbox: the whole house, with play money, in your browser.

    Every mini program and provider installed here takes part, yours too after `pip install -e .` in its folder. Chats,
    orders and balances are kept in DATA_DIR and are there again after a restart.
    """
    settings = start()
    catalogue = show_refusals(read_catalogue())
    keep_until_told(_keep_sandbox(settings, catalogue))


@main.command()
@plainly()
def run() -> None:
    """Run the bot for real.

    Needs TELEGRAM_BOT_TOKEN, and PROVIDERS with the settings of each account to take money. UPDATES chooses polling
    or webhook.
    """
    settings = start()
    if not settings.telegram_bot_token.get_secret_value():
        raise NotReadyError(
            "There is no bot token: set TELEGRAM_BOT_TOKEN (from @BotFather), or try `moongate sandbox` first."
        )
    catalogue = show_refusals(read_catalogue())
    merchants = read_merchants(settings, catalogue.plugins)
    keep_until_told(_keep(settings, catalogue, merchants))


@main.command()
@plainly()
def check() -> None:
    """Check every plugin and setting, and whether the stores are fit for live payments, without starting anything.

    Prints one line for each and exits with 1 when something is refused, with the cure.
    """
    wrong = [*misplaced_rooms()]
    catalogue = read_catalogue()
    for program in catalogue.programs:
        click.echo(f"ok  mini program {program.name}: {program.app.manifest.app_id}")
        for note in program.app.manifest.notes:
            click.echo(f"    note: {note}")
    for provider in catalogue.providers:
        click.echo(f"ok  provider {provider.name}")
    wrong += map(str, catalogue.refusals)
    try:
        settings = read_settings()
        merchants = read_merchants(settings, catalogue.plugins)
        for name in merchants:
            click.echo(f"ok  account {name}")
        wrong += _look_at_stores(settings)
    except (ConfigurationError, StoreError) as error:
        wrong.append(str(error))
    _end(wrong)


@main.command()
@plainly()
def plugins() -> None:
    """List the mini programs and providers that are installed, and those that are refused with the reason."""
    catalogue = read_catalogue()
    for program in catalogue.programs:
        manifest = program.app.manifest
        click.echo(
            f"mini program  {program.name:<14} {manifest.version.name:<8} {manifest.app_id}  ({program.distribution})"
        )
    for provider in catalogue.providers:
        wallets = ", ".join(sorted(provider.plugin.info.wallets))
        click.echo(f"provider      {provider.name:<14} pays with {wallets}  ({provider.distribution})")
    for refusal in catalogue.refusals:
        click.echo(f"refused       {refusal}", err=True)


def _look_at_stores(settings: Settings) -> list[str]:
    """What of the stores that exist would keep live payments away. A store of our own that is not there yet is made well."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  # heavy
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # with it

    from bot.orders.fitness import findings_at  # noqa: PLC0415  # with it

    found = list[str]()
    if settings.redis_url.get_secret_value():
        found += asyncio.run(_look_at_redis(settings))
        click.echo("ok  redis answers")
    url = make_url(database_url(settings))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return found
    try:
        found += asyncio.run(findings_at(url.render_as_string(hide_password=False)))
    except (SQLAlchemyError, OSError) as error:
        return [
            *found,
            f"The order book does not open ({type(error).__name__}): check DATABASE_URL and its server.",
        ]
    click.echo("ok  order book answers")
    return found


async def _look_at_redis(settings: Settings) -> tuple[str, ...]:
    async with open_redis(settings) as redis:
        return await redis_findings(redis)


def _end(wrong: Iterable[str]) -> None:
    lines = list(wrong)
    for line in lines:
        click.echo(f"no  {line}", err=True)
    if lines:
        sys.exit(1)


def keep_until_told(house: Coroutine[None, None, None]) -> None:
    """Until SIGINT or SIGTERM, which close the house in order."""

    async def until_told() -> None:
        task = asyncio.ensure_future(house)
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    uvloop.run(until_told())


# The rooms below are heavy (aiogram alone takes seconds to import), and `check`, `plugins` and most mistakes end
# before they are needed.


async def _keep(
    settings: Settings, catalogue: Catalogue, merchants: Mapping[AccountName, ProviderSettings]
) -> None:
    from bot.app import Outside, open_host  # noqa: PLC0415  # heavy
    from bot.machine import MachineClock, MachineRandom  # noqa: PLC0415  # with it

    outside = Outside(clock=MachineClock(), random=MachineRandom(), merchants=merchants)
    async with open_host(settings, catalogue, outside) as host, watched(settings.stall_deadline_s):
        await host.run()


async def _keep_sandbox(settings: Settings, catalogue: Catalogue) -> None:
    from bot.sandbox.house import open_sandbox  # noqa: PLC0415  # heavy

    async with open_sandbox(settings, catalogue) as (host, url):
        click.echo(f"\n  Moongate's sandbox is open: {url}\n  Press Ctrl+C to close it.\n")
        await host.run()
