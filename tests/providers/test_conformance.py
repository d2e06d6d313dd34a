"""Every registered provider, and the stranger's PlainPay, is held to the contract by the kit that we ship."""

import re
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from providers.sdk.testing.conformance import ProviderConformance, Subject
from providers.sdk.testing.kit import CHECKS, Part, Verdict, attempt
from providers.sdk.testing.matrix import matrix, own_plugins
from providers.unionpay.gateway import UnionPayGateway

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "plainpay"))
from plainpay import plugin as plainpay  # found through the line above

ROOT = Path(__file__).parents[2]

PLUGINS = {plugin.info.id: plugin for plugin in (*own_plugins(), plainpay)}

# By which test names a provider's own tests prove what no kit can.
PROVING = {
    "vectors": r"def test_\w*(published|vector|recorded)",
    "key_rotation": r"def test_\w*(rotation|old_and_a_new|keys_change|second_key|old_one_still|both_keys|overlap)",
}


def proofs_of(provider):
    files = sorted((ROOT / "tests" / "providers" / provider).glob("test_*.py"))
    return {
        rule: [path for path in files if re.search(pattern, path.read_text())]
        for rule, pattern in PROVING.items()
    }


class TestEveryProvider(ProviderConformance):
    # One worker per provider: making an institution's keys takes longer than most checks.
    @pytest.fixture(
        params=[pytest.param(name, marks=pytest.mark.xdist_group(f"kit-{name}")) for name in sorted(PLUGINS)]
    )
    def subject(self, request):
        return Subject(PLUGINS[request.param], proofs_of(request.param))


class QraGateway(UnionPayGateway):
    """The same institution, for a merchant of its second interface."""

    def merchant(self, base_url):
        return {**super().merchant(base_url), "mode": "qra"}


QRA = replace(PLUGINS["unionpay"], gateway=QraGateway)
NOT_OF_QRA = re.compile("in_app|statement|day_is_listed|day_without_trade|proven_by_tests")


@pytest.mark.xdist_group("kit-unionpay")
@pytest.mark.parametrize(
    "check", [check for check in CHECKS if not NOT_OF_QRA.search(check.name)], ids=lambda check: check.name
)
def test_unionpays_second_mode_holds(check):
    outcome = attempt(check, QRA)

    assert outcome.verdict in {Verdict.HELD, Verdict.NOT_ASKED}, outcome.said


def test_every_registered_provider_is_held_to_the_contract():
    names = {point.name for point in entry_points(group="moongate.providers")}

    assert names <= set(PLUGINS)


def test_the_kit_has_a_check_for_each_of_its_parts():
    assert {check.part for check in CHECKS} == set(Part)
    assert all(check.doc.rstrip().endswith(".") for check in CHECKS)


def test_the_readmes_table_of_providers_is_true():
    readme = (ROOT / "README.md").read_text()

    written = readme.split("<!-- providers -->\n")[1].split("\n<!-- /providers -->")[0]

    assert written == matrix(own_plugins()), (
        "write what `python -m providers.sdk.testing.matrix` prints between the marks again"
    )
