"""The command `moongate`. Each command ends with one clear sentence and a non-zero status when something is wrong."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Final, ParamSpec

import click
import structlog
import uvloop

from bot.catalogue import Catalogue, misplaced_rooms, read_catalogue
from bot.errors import NotReadyError
from bot.log import set_up_logging
from bot.settings import AccountName, Settings, read_merchants, read_settings
from bot.stores import StoreError
from bot.telegram.errors import BadTokenError, SilentError, WebhookUnsafeError
from providers.sdk.contract import ProviderSettings
from providers.sdk.errors import ConfigurationError

P = ParamSpec("P")

# What an operator can mend; everything else is a bug and shows its traceback.
_PLAIN: Final = (
    BadTokenError,
    ConfigurationError,
    NotReadyError,
    SilentError,
    StoreError,
    WebhookUnsafeError,
)
_log = structlog.get_logger(__name__)


def _plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Say an operator's mistake in one line on standard error, and exit with 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BaseExceptionGroup as group:
            plain, rest = group.split(_PLAIN)
            if rest is not None or plain is None:
                raise
            sys.exit(f"moongate: {_first(plain)}")
        except _PLAIN as error:
            sys.exit(f"moongate: {error}")

    return run


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="moongate")
def main() -> None:
    """A chat-bot host for mini programs that any wallet can pay.

    Start with `moongate sandbox`: a chat and wallets with play money in your browser. No token and no account are
    needed. Settings come from the environment and from `.env`; `.env.example` names them all.
    """


@main.command()
@_plainly
def sandbox() -> None:
    """Open the sandbox: the whole house, with play money, in your browser.

    Every mini program and provider installed here takes part, yours too after `pip install -e .` in its folder. Chats,
    orders and balances are kept in DATA_DIR and are there again after a restart.
    """
    settings = _start()
    catalogue = _catalogue()
    _run(_keep_sandbox(settings, catalogue))


@main.command()
@_plainly
def run() -> None:
    """Run the bot for real.

    Needs TELEGRAM_BOT_TOKEN, and PROVIDERS with the settings of each account to take money. UPDATES chooses polling
    or webhook.
    """
    settings = _start()
    if not settings.telegram_bot_token.get_secret_value():
        raise NotReadyError(
            "There is no bot token: set TELEGRAM_BOT_TOKEN (from @BotFather), or try `moongate sandbox` first."
        )
    catalogue = _catalogue()
    merchants = read_merchants(settings, catalogue.plugins)
    _run(_keep(settings, catalogue, merchants))


@main.command()
@_plainly
def check() -> None:
    """Check every plugin and every setting without starting anything.

    Prints one line for each and exits with 1 when something is refused.
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
    except ConfigurationError as error:
        wrong.append(str(error))
    _end(wrong)


@main.command()
@_plainly
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


def _end(wrong: Iterable[str]) -> None:
    lines = list(wrong)
    for line in lines:
        click.echo(f"no  {line}", err=True)
    if lines:
        sys.exit(1)


def _start() -> Settings:
    settings = read_settings()
    set_up_logging(settings.log_level, settings.log_format)
    if misplaced := misplaced_rooms():
        raise NotReadyError(" ".join(misplaced))
    return settings


def _catalogue() -> Catalogue:
    catalogue = read_catalogue()
    for refusal in catalogue.refusals:
        _log.error("plugin_refused", plugin=refusal.name, reason=refusal.reason)
    return catalogue


def _run(house: Coroutine[None, None, None]) -> None:
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
    async with open_host(settings, catalogue, outside) as host:
        await host.run()


async def _keep_sandbox(settings: Settings, catalogue: Catalogue) -> None:
    from bot.sandbox.house import open_sandbox  # noqa: PLC0415  # heavy

    async with open_sandbox(settings, catalogue) as (host, url):
        click.echo(f"\n  Moongate's sandbox is open: {url}\n  Press Ctrl+C to close it.\n")
        await host.run()
