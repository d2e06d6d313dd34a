"""Finds the plugins that are installed, checks each, and refuses a bad one by name while the rest go on.

A mini program or a provider is somebody else's code: importing it is caught here as broadly as running it is at the
three edges, so that one broken plugin cannot keep the house closed.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol, TypeVar

from miniprograms.sdk import App
from providers.sdk.contract import ProviderPlugin, ProviderSettings

PROGRAMS: Final = "moongate.miniprograms"
PROVIDERS: Final = "moongate.providers"
TESTING: Final = "moongate.testing"
OURS: Final = "moongate"
ROOMS: Final = ("bot", "miniprograms", "providers")

# Stands in addresses (`/notify/<id>/…`) and, in capitals, in front of variables.
_PROVIDER_ID: Final = re.compile(r"[a-z][a-z0-9]{1,31}", re.ASCII)


class PluginRefusedError(Exception):
    """One plugin cannot be used; the text says why and what its author can do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A mini program that can be opened. `distribution` is the package it came with."""

    name: str
    app: App
    distribution: str


@dataclass(frozen=True, slots=True)
class Institution:
    """A provider that can be configured."""

    name: str
    plugin: ProviderPlugin
    distribution: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A plugin that was left out, and why."""

    group: str
    name: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution}) is left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is installed and sound, in the order of names; and what was refused."""

    programs: tuple[Program, ...]
    providers: tuple[Institution, ...]
    refusals: tuple[Refused, ...]
    testing: tuple[str, ...] = ()

    @property
    def apps(self) -> dict[str, App]:
        """The mini programs by `app_id`."""
        return {program.app.manifest.app_id: program.app for program in self.programs}

    @property
    def plugins(self) -> dict[str, ProviderPlugin]:
        """The providers by id."""
        return {provider.name: provider.plugin for provider in self.providers}


def read_catalogue() -> Catalogue:
    """Load every plugin installed beside this host. Never raises for a plugin's fault."""
    programs, unfit = _keep(entry_points(group=PROGRAMS), _program, lambda one: one.app.manifest.app_id)
    providers, unsound = _keep(entry_points(group=PROVIDERS), _provider, lambda one: one.name)
    kits = tuple(sorted({point.name for point in entry_points(group=TESTING)}))
    return Catalogue(programs, providers, (*unfit, *unsound), kits)


def misplaced_rooms(search: Sequence[str] | None = None) -> tuple[str, ...]:
    """One sentence for each of our three import names that would lead to somebody else's code; empty when all is well.

    The names are common words, and a folder called `providers` beside the operator's own scripts is enough.
    """
    home = Path(__file__).resolve().parent.parent
    return tuple(filter(None, (_misplaced(room, home, search) for room in ROOMS)))


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def distribution(self) -> str: ...


N = TypeVar("N", bound=_Named)


def _keep(
    points: Iterable[EntryPoint], read: Callable[[EntryPoint], N], key: Callable[[N], str]
) -> tuple[tuple[N, ...], tuple[Refused, ...]]:
    """Those that load and have an id of their own. Nobody takes one of ours; two strangers with one id both go."""
    claims: dict[str, list[tuple[EntryPoint, N]]] = {}
    refusals = []
    for point in sorted(
        _distinct(points), key=lambda point: (_source(point) != OURS, point.name, _source(point))
    ):
        try:
            plugin = read(point)
        except PluginRefusedError as refusal:
            refusals.append(_refused(point, str(refusal)))
        else:
            claims.setdefault(key(plugin), []).append((point, plugin))
    kept = []
    for name, (first, *others) in claims.items():
        alone = not others or first[1].distribution == OURS
        if alone:
            kept.append(first[1])
        holders = " and ".join(f"{plugin.name} of {plugin.distribution}" for _, plugin in (first, *others))
        losers = others if alone else [first, *others]
        refusals += [
            _refused(point, f"the id {name!r} is claimed by {holders}; remove one.") for point, _ in losers
        ]
    return tuple(sorted(kept, key=lambda plugin: plugin.name)), tuple(refusals)


def _refused(point: EntryPoint, reason: str) -> Refused:
    return Refused(point.group, point.name, _source(point), reason)


def _distinct(points: Iterable[EntryPoint]) -> Iterator[EntryPoint]:
    """One package may stand on the path twice (editable and built); that is no conflict."""
    seen = set()
    for point in points:
        identity = (point.name, point.value, _source(point))
        if identity not in seen:
            seen.add(identity)
            yield point


def _source(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # somebody else's code, see the module's docstring
        said = " ".join(str(error).split()) or "no message"
        raise PluginRefusedError(f"importing {point.value} raised {type(error).__name__}: {said}") from error


def _program(point: EntryPoint) -> Program:
    app = _load(point)
    if not isinstance(app, App):
        raise PluginRefusedError(f"{point.value} is a {type(app).__name__}; it must be an App.")
    try:
        app.check_complete()
    except Exception as error:  # an App may be subclassed by its author
        raise PluginRefusedError(str(error)) from error
    return Program(point.name, app, _source(point))


def _provider(point: EntryPoint) -> Institution:
    plugin = _load(point)
    if not isinstance(plugin, ProviderPlugin):
        raise PluginRefusedError(f"{point.value} is a {type(plugin).__name__}; it must be a ProviderPlugin.")
    objection = _objection(point, plugin)
    if objection:
        raise PluginRefusedError(objection)
    return Institution(point.name, plugin, _source(point))


def _objection(point: EntryPoint, plugin: ProviderPlugin) -> str:
    info = plugin.info
    settings: object = plugin.settings
    if info.id != point.name:
        return f"its info.id is {info.id!r}; it must equal the entry point's name, {point.name!r}."
    if not _PROVIDER_ID.fullmatch(info.id):
        return "its id must be 2 to 32 small letters and digits, a letter first."
    if not (isinstance(settings, type) and issubclass(settings, ProviderSettings)):
        return "its settings must be a subclass of ProviderSettings."
    if bare := [name for name, field in settings.model_fields.items() if not field.description]:
        return f"settings without a description: {', '.join(bare)}."
    return _quality_objection(point)


def _quality_objection(point: EntryPoint) -> str:
    """`quality.toml` stands beside the plugin and can be read: what holds, and what its author is not sure of."""
    module = sys.modules.get(point.module)
    path = Path(getattr(module, "__file__", None) or "").parent / "quality.toml"
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return f"{path.name} is missing beside {point.module}; write what holds and what is unsure."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return f"{path.name} cannot be read: {error}."
    return ""


def _misplaced(room: str, home: Path, search: Sequence[str] | None) -> str:
    spec = find_spec(room) if search is None else PathFinder.find_spec(room, search)
    origin = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
    if origin == home / room:
        return ""
    where = str(origin) if origin else "nowhere"
    return (
        f"The import name {room!r} leads to {where} instead of {home / room}: start Moongate from another directory, "
        "or take that one off PYTHONPATH."
    )
