"""The same as `test_model.py`, to two hosts on one PostgreSQL, as far as its row locks can be simulated."""

import pytest

from tests.proof.model import FAULTS, HABITS, Street


class StreetOfTwoHosts(Street):
    hosts = 2


StreetOfTwoHosts.TestCase.settings = HABITS
TestStreetOfTwoHosts = pytest.mark.timeout(0)(pytest.mark.fault(*FAULTS)(StreetOfTwoHosts.TestCase))
