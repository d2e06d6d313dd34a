"""What `pytest --provider mypay:plugin` collects. Never imported otherwise."""

import pytest

from providers.pytest_plugin import SUBJECTS
from providers.sdk.testing.conformance import ProviderConformance


class TestProvider(ProviderConformance):
    """Every provider that the command line points at."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per check and provider."""
        super().pytest_generate_tests(metafunc)
        subjects = metafunc.config.stash[SUBJECTS]
        metafunc.parametrize("subject", subjects, ids=[subject.plugin.info.id for subject in subjects])
