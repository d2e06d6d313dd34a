"""`quality.toml`: what a provider's author claims, rule by rule. The kit compares the claim with the behaviour."""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from providers.sdk.contract import ProviderPlugin

RULES: Final = (
    "create", "query", "close", "refund", "query_refund", "notification", "payer_code", "in_app", "payout",
    "statement", "key_rotation", "vectors", "scrub", "gateway", "faults",
)  # fmt: skip
STATES: Final = ("done", "todo", "exempt")


@dataclass(frozen=True, slots=True)
class Claim:
    """One line: `done`, or `todo` or `exempt` with the reason."""

    state: str
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the kit holds the provider to it."""
        return self.state == "done"


@dataclass(frozen=True, slots=True)
class Quality:
    """The whole file. `faulty` names lines that are no claim."""

    claims: Mapping[str, Claim]
    unsure: Mapping[str, str]
    faulty: tuple[str, ...] = ()

    def of(self, rule: str) -> Claim:
        """The claim for a rule; a line that is not there claims nothing."""
        return self.claims.get(rule, Claim("todo", "quality.toml does not mention it."))


def folder_of(plugin: ProviderPlugin) -> Path:
    """Where the provider's six files are: the nearest folder of its settings class that has a `quality.toml`."""
    module = sys.modules[plugin.settings.__module__]
    home = Path(module.__file__ or "").resolve().parent
    depth = plugin.settings.__module__.count(".") + 1
    for folder in (home, *home.parents[:depth]):
        if (folder / "quality.toml").is_file():
            return folder
    raise FileNotFoundError(f"No quality.toml stands beside {plugin.settings.__module__}.")


def read_quality(plugin: ProviderPlugin) -> Quality:
    """Read the file beside the plugin. Raises `FileNotFoundError`, or `TOMLDecodeError`."""
    lines = tomllib.loads((folder_of(plugin) / "quality.toml").read_text(encoding="utf-8"))
    unsure = lines.pop("unsure", {})
    claims = {rule: claim for rule, line in lines.items() if (claim := _claim(line)) is not None}
    faulty = tuple(sorted(set(lines) - set(claims)))
    return Quality(claims, {name: str(text) for name, text in dict(unsure).items()}, faulty)


def _claim(line: object) -> Claim | None:
    match line:
        case "done":
            return Claim("done")
        case {"todo": str(reason)} if reason.strip():
            return Claim("todo", reason)
        case {"exempt": str(reason)} if reason.strip():
            return Claim("exempt", reason)
    return None
