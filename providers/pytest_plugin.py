"""`pytest --provider mypay:plugin`: the conformance kit, pointed at a provider. Costs nothing where it is not asked."""

import sys
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from providers.sdk.contract import ProviderPlugin
    from providers.sdk.testing.conformance import Subject

SUBJECTS: "Final[pytest.StashKey[list[Subject]]]" = pytest.StashKey()
_KIT: Final = Path(__file__).parent / "sdk" / "testing" / "pointed.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options, both repeatable."""
    group = parser.getgroup("moongate", "conformance kit of payment providers")
    group.addoption(
        "--provider",
        action="append",
        default=[],
        metavar="MODULE[:PLUGIN]",
        help="hold this provider to the contract; PLUGIN is `plugin` unless named",
    )
    group.addoption(
        "--proof",
        action="append",
        default=[],
        metavar="RULE=FILE",
        help="the test file that proves a rule no kit can prove: vectors=…, key_rotation=…",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the kit: instead of everything, or beside what was named."""
    named: list[str] = config.getoption("--provider")
    if not named:
        return
    from providers.sdk.testing.conformance import Subject  # noqa: PLC0415  # only where it is asked for

    proofs: defaultdict[str, list[Path]] = defaultdict(list)
    for line in config.getoption("--proof"):
        rule, _, path = line.partition("=")
        proofs[rule].append(Path(path))
    config.stash[SUBJECTS] = [Subject(load(name), proofs) for name in named]
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
    if str(_KIT) not in config.args:
        config.args.append(str(_KIT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The capabilities as a Markdown table, and part by part what held."""
    subjects = config.stash.get(SUBJECTS, [])
    if not subjects:
        return
    from providers.sdk.testing.matrix import Tally, matrix, parts  # noqa: PLC0415  # only where it is asked for

    tallies: defaultdict[str, Tally] = defaultdict(Counter)
    for ending in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(ending, []):
            told = dict(report.user_properties)
            if "moongate provider" in told:
                tallies[told["moongate provider"]][told["moongate part"], ending] += 1
    terminalreporter.section("capabilities")
    terminalreporter.write_line(matrix([subject.plugin for subject in subjects]))
    terminalreporter.write_line(f"\n{parts(tallies)}")


def load(name: str) -> "ProviderPlugin":
    """The plugin that a name on the command line means. Raises `UsageError` saying what is wrong with it."""
    from providers.sdk.contract import ProviderPlugin  # noqa: PLC0415  # only where it is asked for

    module, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        plugin = getattr(import_module(module), attribute or "plugin")
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(f"--provider {name}: {error}") from error
    if not isinstance(plugin, ProviderPlugin):
        raise pytest.UsageError(f"--provider {name} is a {type(plugin).__name__}; name a ProviderPlugin.")
    return plugin
