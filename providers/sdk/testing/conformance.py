"""The kit as one class for pytest.

In your own tests:

    from pathlib import Path
    from providers.sdk.testing.conformance import ProviderConformance
    from mypay import plugin

    class TestMyPay(ProviderConformance):
        plugin = plugin
        proofs = {"vectors": [Path(__file__).with_name("test_vectors.py")]}

or without a line of code: `pytest --provider mypay:plugin`. One test per check; `-k` chooses among them by name.
A check of a capability that `quality.toml` exempts is skipped, and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from providers.sdk.contract import ProviderPlugin
from providers.sdk.testing.kit import CHECKS, Check, Verdict, attempt

PROVIDER, PART = "moongate provider", "moongate part"  # properties of a report: whose check, of which part


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is held to the contract, and the author's own tests by the rule that they prove."""

    plugin: ProviderPlugin
    proofs: Mapping[str, Sequence[Path]]


class ProviderConformance:
    """Holds one provider, with its gateway, to the contract. Subclass it as `Test…` and set `plugin`."""

    plugin: ClassVar[ProviderPlugin]
    proofs: ClassVar[Mapping[str, Sequence[Path]]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per check."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", CHECKS, ids=lambda check: check.name)

    @pytest.fixture
    def subject(self) -> Subject:
        """The provider of this class."""
        return Subject(self.plugin, self.proofs)

    def test_holds(
        self, subject: Subject, check: Check, record_property: Callable[[str, object], None]
    ) -> None:
        """The rule whose name stands in brackets."""
        record_property(PROVIDER, subject.plugin.info.id)
        record_property(PART, check.part.value)
        outcome = attempt(check, subject.plugin, subject.proofs)
        if outcome.verdict is Verdict.NOT_ASKED:
            pytest.skip(outcome.said)
        if outcome.verdict is Verdict.BROKEN:
            pytest.fail(f"{check.doc}\nBroken: {outcome.said}", pytrace=False)
