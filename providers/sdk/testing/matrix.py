"""What each provider can do, as a Markdown table: from `info` and `quality.toml`, which the kit holds to be true.

`python -m providers.sdk.testing.matrix` prints the table of Moongate's own providers; the README's is made so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from importlib.metadata import entry_points
from typing import Final

from providers.sdk.contract import ProviderInfo, ProviderPlugin, Way
from providers.sdk.testing.kit.check import Part
from providers.sdk.testing.kit.quality import Quality, read_quality
from providers.sdk.wallets import wallet_name

Tally = Counter[tuple[str, str]]  # (part, ending) -> how many checks

_HEAD: Final = (
    "Provider", "Wallets", "Merchant code", "Payer code", "In-app", "Closes", "Refunds", "Payouts", "Statement",
    "Open questions",
)  # fmt: skip
_YES, _NO, _PARTLY = "yes", "–", "not yet"


def matrix(plugins: Iterable[ProviderPlugin]) -> str:
    """One row per provider, in the order of their names."""
    rows = [
        _row(plugin.info, read_quality(plugin)) for plugin in sorted(plugins, key=lambda one: one.info.id)
    ]
    return _table([_HEAD, *rows])


def parts(tallies: Mapping[str, Tally]) -> str:
    """Part by part how many checks held, of those that were asked."""
    names = sorted(tallies)
    rows = [(part.value, *(_score(tallies[name], part.value) for name in names)) for part in Part]
    return _table([("Part", *names), *rows])


def own_plugins() -> Iterator[ProviderPlugin]:
    """The providers that come with Moongate itself."""
    for point in entry_points(group="moongate.providers"):
        if point.dist is not None and point.dist.name == "moongate":
            yield point.load()


def _row(info: ProviderInfo, quality: Quality) -> tuple[str, ...]:
    return (
        f"{info.name_en} {info.name_zh}",
        ", ".join(wallet_name(wallet, "en") for wallet in sorted(info.wallets)),
        _YES if Way.MERCHANT_CODE in info.ways else _NO,
        _claim(quality, "payer_code"),
        _claim(quality, "in_app"),
        _claim(quality, "close"),
        _refunds(info),
        _claim(quality, "payout"),
        _claim(quality, "statement"),
        str(len(quality.unsure)),
    )


def _claim(quality: Quality, rule: str) -> str:
    return {"done": _YES, "exempt": _NO}.get(quality.of(rule).state, _PARTLY)


def _refunds(info: ProviderInfo) -> str:
    if info.refund_window is None:
        return _NO
    days = info.refund_window // timedelta(days=1)
    return f"{days} days" if info.partial_refunds else f"{days} days, in full"


def _score(tally: Tally, part: str) -> str:
    held, broken = tally[part, "passed"], tally[part, "failed"]
    return f"{held} of {held + broken}" if held + broken else _NO


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *rest = rows
    lines = [head, tuple("---" for _ in head), *rest]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(matrix(own_plugins()))  # noqa: T201  # this is what it is for
