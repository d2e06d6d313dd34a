"""`moongate gateway`: one simulated institution by itself, for software that is not ours."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from bot.catalogue import Catalogue, read_catalogue
from bot.cli.front import main, plainly, start
from bot.cli.house import keep_until_told
from bot.errors import NotReadyError
from bot.settings import AccountName
from providers.sdk.contract import ProviderPlugin
from providers.sdk.gateway import Fault

_PORT: Final = click.IntRange(0, 65535)


@main.command()
@click.argument("provider")
@click.option("--port", type=_PORT, default=0, help="Where it listens on 127.0.0.1; 0: any free port.")
@click.option("--payer-port", type=_PORT, default=0, help="Where a person pays; 0: any free port.")
@click.option("--faults", default="", help="Faults to begin with, by comma: timeout_after,notify_twice …")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep keys, trades and balances here; without it, each start is a new institution.",
)
@plainly()
def gateway(provider: str, port: int, payer_port: int, faults: str, data_dir: Path | None) -> None:
    """Start one provider's simulated institution alone, for any software that speaks its wire.

    Prints the base URL and the settings of a test merchant; keys and certificates are written to files, whose names
    stand in the settings. Point a published SDK at the base URL and change nothing else.

    At the second address a person pays, in JSON:

    \b
      POST /pay      {"code": "weixin://…", "wallet"?: "wechat", "faults"?: ["notify_twice"]}
      GET  /wallets  balances, and the payer codes that wallets show now
      POST /faults   {"faults": ["timeout_after"]}, each spent once
      POST /clock    {"advance_s": 3600}

    Notifications go to addresses on this machine only.
    """  # noqa: D301  # click's own mark for lines that stay as they are
    start()
    plugin = _plugin(read_catalogue(), provider)
    armed = _faults(faults)
    with _folder(data_dir) as folder:
        keep_until_told(_serve(plugin, folder, port, payer_port, armed))


def write_merchant(folder: Path, provider: str, merchant: Mapping[str, str]) -> list[str]:
    """Lines for `.env`. What is PEM goes into files beside each other, for this user only, and its path into the line."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = []
    for name, value in merchant.items():
        shown = value
        if "-----BEGIN" in value:
            path = folder / f"{name}.pem"
            path.touch(mode=0o600)
            path.write_text(value, encoding="ascii")
            shown = str(path)
        lines.append(f"{AccountName(provider).prefix}{name.upper()}={shown}")
    return lines


def _plugin(catalogue: Catalogue, provider: str) -> ProviderPlugin:
    plugin = catalogue.plugins.get(provider)
    if plugin is None:
        raise NotReadyError(
            f"There is no provider {provider!r}; installed: {', '.join(catalogue.plugins) or 'none'}."
        )
    return plugin


def _faults(text: str) -> tuple[Fault, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - {fault.value for fault in Fault})
    if unknown:
        raise NotReadyError(f"There is no fault {', '.join(unknown)}; there are {', '.join(Fault)}.")
    return tuple(Fault(name) for name in names)


@contextmanager
def _folder(data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir.expanduser().absolute()
        return
    with tempfile.TemporaryDirectory(prefix="moongate-gateway-") as folder:
        yield Path(folder)


async def _serve(
    plugin: ProviderPlugin, folder: Path, port: int, payer_port: int, faults: tuple[Fault, ...]
) -> None:

    from bot.sandbox.alone import open_alone  # noqa: PLC0415  # heavy

    async with open_alone(plugin, folder, port=port, payer_port=payer_port, faults=faults) as alone:
        institution = alone.institution
        lines = write_merchant(folder / "merchant", plugin.info.id, institution.merchant)
        click.echo(f"\n  {plugin.info.name_en} ({plugin.info.name_zh}), simulated: {institution.base_url}")
        click.echo(f"  A person pays at {alone.payer_url}, see --help. Press Ctrl+C to close.\n")
        click.echo("\n".join(lines) + "\n")
        await asyncio.Event().wait()
