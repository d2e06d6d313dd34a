"""Anything that can happen, in any order, to one host on SQLite: what must hold, holds. `make model` tries more of it."""

import pytest

from tests.proof.model import FAULTS, HABITS, Street

Street.TestCase.settings = HABITS
TestStreet = pytest.mark.timeout(0)(pytest.mark.fault(*FAULTS)(Street.TestCase))
