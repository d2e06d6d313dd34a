"""`moongate doctor`: what is wrong with each provider account, and how to mend it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.catalogue import Catalogue, read_catalogue
from bot.cli.front import main, plainly, show_refusals, start
from bot.settings import AccountName, Settings, read_account
from providers.sdk.doctor import Finding, Weight, mix_up, note, wrong
from providers.sdk.errors import ConfigurationError

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from aiohttp import ClientSession

    from bot.cli.checkup import Patient

_ENV_FILE: Final = Path(".env")


@main.command()
@click.option("--offline", is_flag=True, help="Look at settings, keys and certificates only; ask nobody.")
@plainly()
def doctor(offline: bool) -> None:
    """Examine every configured provider account and name what is wrong with it, with the cure.

    For each account: which key and serial, until when certificates hold, which bytes were signed, whether the
    institution accepts our signature and we verify its answer, how far its clock is from ours, and whether the
    notification address leads here. It asks each institution for an order that does not exist, and moves nothing. A
    wrong key, a swapped pair, another merchant's certificate, a short APIv3 key, PKCS#1 for PKCS#8 and GBK for UTF-8 are
    told by name. No secret is printed. Exits with 1 when something is wrong.
    """
    if _ENV_FILE.is_file() and (said := mix_up(_ENV_FILE.read_bytes())):
        _show("host", [wrong(str(_ENV_FILE), said)])
        sys.exit(1)
    settings = start()
    if asyncio.run(_examine(settings, show_refusals(read_catalogue()), offline=offline)):
        sys.exit(1)


async def _examine(settings: Settings, catalogue: Catalogue, *, offline: bool) -> bool:
    """Print account by account. True when something is wrong."""
    if not settings.accounts:
        _show(
            "host", [note("PROVIDERS", "It names no account: there is nothing to examine. See .env.example.")]
        )
    ill = False
    for name in settings.accounts:
        findings = [finding async for finding in _account(settings, catalogue, name, offline=offline)]
        _show(str(name), findings)
        ill = ill or any(finding.weight is Weight.WRONG for finding in findings)
    return ill


async def _account(
    settings: Settings, catalogue: Catalogue, name: AccountName, *, offline: bool
) -> AsyncIterator[Finding]:
    from bot.cli.checkup import examine, reach  # noqa: PLC0415  # heavy
    from bot.transport import close_client, open_client  # noqa: PLC0415  # with it

    async with AsyncExitStack() as stack:
        client = open_client()
        stack.push_async_callback(close_client, client)
        try:
            patient = _patient(settings, catalogue, name, client)
        except ConfigurationError as error:
            yield wrong("settings", str(error))
            return
        async for finding in examine(patient, offline=offline):
            yield finding
        if not offline:
            async for finding in reach(patient.notify_url, client):
                yield finding


def _patient(
    settings: Settings, catalogue: Catalogue, name: AccountName, client: "ClientSession"
) -> "Patient":
    """Raises `ConfigurationError` naming what is missing."""
    from bot.app import hosts_of  # noqa: PLC0415  # heavy
    from bot.cli.checkup import Patient  # noqa: PLC0415  # with it
    from bot.machine import MachineClock, MachineRandom  # noqa: PLC0415  # with it
    from bot.stores import prepare_data_dir  # noqa: PLC0415  # with it
    from bot.stores.keys import KeyFolder  # noqa: PLC0415  # with it
    from bot.transport import PinnedTransport  # noqa: PLC0415  # with it
    from providers.sdk.contract import Call  # noqa: PLC0415  # with it

    plugin = catalogue.plugins.get(name.provider)
    if plugin is None:
        raise ConfigurationError(f"PROVIDERS names {name.provider}, which is not installed.")
    merchant = read_account(plugin, name.account)
    hosts = frozenset(hosts_of(plugin.info.hosts, merchant))
    transport = PinnedTransport(client, hosts, deadline_s=settings.provider_deadline_s)
    return Patient(
        name=name,
        plugin=plugin,
        settings=merchant,
        keys=KeyFolder(prepare_data_dir(settings) / "keys" / name.provider / name.account),
        call=Call(transport, MachineClock(), MachineRandom()),
        notify_url=f"{settings.web_url}/notify/{name.provider}/{name.account}",
    )


def _show(whose: str, findings: list[Finding]) -> None:
    click.echo(whose)
    for finding in findings:
        click.echo(f"  {finding.weight:<4}  {finding.about}: {finding.text}")
