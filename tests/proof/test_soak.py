"""Money under load and faults, for a short while: `bench/soak.py` counts every yuan and says so by its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.orders import postgres

ROOT = Path(__file__).parents[2]


def soaked(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "bench/soak.py", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.fault("A28", "B2", "B3", "C3", "I2", "G2")
def test_a_few_people_buy_while_everything_breaks_and_every_charge_is_somewhere() -> None:
    said = soaked("--chats", "3", "--seconds", "6")

    assert "Nothing lost, nothing doubled." in said
    assert said.startswith("SEED ")


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.fault("F3", "F9", "G13", "H5")
@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_likewise_while_the_host_and_its_servers_are_killed(store: str) -> None:
    if store == "postgres" and postgres.binaries() is None:
        pytest.skip(postgres.NO_SERVER)

    said = soaked("--chats", "5", "--seconds", "25", "--kill", "--store", store)

    assert "kill -9 of" in said
