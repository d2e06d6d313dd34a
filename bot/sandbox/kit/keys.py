"""The simulated institutions' keys: made once per process, and kept in a folder between processes when there is one.

Making them is most of what a first test would wait for. What is kept is what a gateway has in its drawer on its first
day, so it holds for that version of the provider only.
"""

import contextlib
import hashlib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from providers.sdk.contract import ProviderPlugin, ProviderSettings
from providers.sdk.gateway import FaultBox, GatewayContext
from providers.sdk.testing import NOON, FixedRandom, JsonDrawer, ListCourier, ManualClock, OpenPurses


@dataclass(frozen=True, slots=True)
class FirstDay:
    """An institution as every world finds it: its drawer, and our merchant account there."""

    drawer: Mapping[str, str] = field(repr=False)
    settings: ProviderSettings = field(repr=False)


_made: Final[dict[str, FirstDay]] = {}


def first_day(plugin: ProviderPlugin, base_url: str, folder: Path | None) -> FirstDay:
    """The keys of an institution at that address. A file that cannot be read is made anew."""
    if plugin.info.id not in _made:
        texts, merchant = _kept(plugin, base_url, folder)
        _made[plugin.info.id] = FirstDay(texts, plugin.settings.model_validate(merchant))
    return _made[plugin.info.id]


def _kept(
    plugin: ProviderPlugin, base_url: str, folder: Path | None
) -> tuple[dict[str, str], dict[str, str]]:
    path = None if folder is None else folder / f"{plugin.info.id}-{_version(plugin, base_url)}.json"
    if path is not None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            return kept["drawer"], kept["merchant"]
    texts, merchant = _make(plugin, base_url)
    if path is not None:
        _write(path, json.dumps({"drawer": texts, "merchant": merchant}))
    return texts, merchant


def _make(plugin: ProviderPlugin, base_url: str) -> tuple[dict[str, str], dict[str, str]]:
    drawer, faults = JsonDrawer(), FaultBox()
    gateway = plugin.gateway(
        GatewayContext(
            clock=ManualClock(),
            random=FixedRandom(plugin.info.id),
            drawer=drawer,
            purses=OpenPurses(),
            courier=ListCourier(faults),
            faults=faults,
        )
    )
    merchant = dict(gateway.merchant(base_url))
    return drawer.texts, merchant


def _version(plugin: ProviderPlugin, base_url: str) -> str:
    """Changes with the provider's own code."""
    module = inspect.getmodule(plugin.gateway)
    folder = Path(getattr(module, "__file__", None) or __file__).parent
    digest = hashlib.sha256(f"{base_url} {NOON.isoformat()}".encode())
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """Whole or not at all: several test processes start at once."""
    part = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
