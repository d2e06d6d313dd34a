"""`.venv/bin/python -m tests.write_providers` writes `docs/providers.md` from what the providers say of themselves."""

import sys
from pathlib import Path

from bot.catalogue import read_catalogue
from providers.sdk.contract import ProviderPlugin
from providers.sdk.testing.kit.quality import folder_of, read_quality

PAGE = Path(__file__).parent.parent / "docs" / "providers.md"
HEAD = """# Providers

What an operator should know of each, and what no public document settles: the setting that decides, and why. Written
from the packages and their `quality.toml` by `python -m tests.write_providers`; a test notices when it is stale.
"""


def page() -> str:
    ours = [provider.plugin for provider in read_catalogue().providers if provider.distribution == "moongate"]
    return "\n".join([HEAD, *map(_section, sorted(ours, key=lambda plugin: plugin.info.id))])


def _section(plugin: ProviderPlugin) -> str:
    said = sys.modules[f"providers.{plugin.info.id}"].__doc__ or ""
    folder = f"[`providers/{folder_of(plugin).name}`](../providers/{folder_of(plugin).name}/)"
    prefix = plugin.info.id.upper()
    settings = (
        f"Settings: `PROVIDERS={plugin.info.id}` and `{prefix}_…` in [`.env.example`](../.env.example)."
    )
    unsure = [f"- `{name}`: {text}" for name, text in read_quality(plugin).unsure.items()]
    lines = [
        f"## {plugin.info.name_en} ({plugin.info.name_zh})",
        "",
        said.strip(),
        "",
        f"{settings} Code: {folder}.",
        "",
    ]
    return "\n".join([*lines, "What is unsure:", "", *unsure, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
