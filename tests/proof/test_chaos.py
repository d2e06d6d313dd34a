"""A real house that is killed in mid-purchase loses nothing; and nothing but a proof can make it die."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.crashpoint import POINTS, arm, crashpoint, disarm
from tests.orders import postgres
from tests.proof.chaos import Case, cases, main, prepare, table
from tests.proof.life import TwoWallets

ROOMS = Path(__file__).parents[2]
SOURCES = {
    path: path.read_text()
    for room in ("bot", "miniprograms", "providers")
    for path in (ROOMS / room).rglob("*.py")
}
HOME = ROOMS / "bot" / "crashpoint.py"


async def outcomes_of(*chosen):
    stores = tuple({case.store for case in chosen})
    async with AsyncExitStack() as stack:
        proof = await prepare(stack, stores)
        return await asyncio.gather(*map(proof.run, chosen))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.fault("F4", "F8", "F10", "D4")
def test_a_house_that_is_killed_in_mid_purchase_loses_nothing():
    outcomes = asyncio.run(
        outcomes_of(
            Case("create.answered", "sqlite"),
            Case("notification.stored", "sqlite"),
            Case("notice.applied", "sqlite", 2, TwoWallets),
            Case("refund.answered", "sqlite"),
        )
    )

    assert [outcome.fault for outcome in outcomes] == [""] * 4
    assert all(outcome.killed for outcome in outcomes)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.postgres
@pytest.mark.skipif(postgres.binaries() is None, reason=postgres.NO_SERVER)
@pytest.mark.fault("F9", "F12")
def test_likewise_on_postgresql():
    outcomes = asyncio.run(
        outcomes_of(Case("book.migrating", "postgresql"), Case("notice.taken", "postgresql"))
    )

    assert [outcome.fault for outcome in outcomes] == ["", ""]


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.postgres
@pytest.mark.timeout(1200)
@pytest.mark.fault(
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F12", "C3", "C4", "I6", "A6", "B14"
)
def test_a_house_that_is_killed_at_any_point_loses_nothing(capsys):
    status = asyncio.run(main([]))

    assert status == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_point_that_is_never_reached_is_a_failure():
    [outcome] = asyncio.run(outcomes_of(Case("order.placed", "sqlite", 99)))

    assert not outcome.killed
    assert "never reached" in outcome.fault


def test_every_point_is_in_the_code_and_every_point_of_the_code_is_proven():
    written = [
        name for path, text in SOURCES.items() for name in re.findall(r'\bcrashpoint\("([^"]+)"\)', text)
    ]

    assert sorted(written) == sorted(POINTS)
    assert len(POINTS) >= 15
    assert {(case.point, case.store) for case in cases(("sqlite", "postgresql"))} >= {
        (point, store) for point in POINTS for store in ("sqlite", "postgresql")
    }


def test_the_documentation_has_every_point():
    document = (ROOMS / "docs" / "crash-points.md").read_text()

    assert f"<!-- points -->\n{table()}\n<!-- /points -->" in document


def test_nothing_in_the_house_can_arm_a_point():
    users = [
        path
        for path, text in SOURCES.items()
        if re.search(r"\b(arm|disarm|_armed)\b", text) and "crashpoint" in text
    ]

    assert users == [HOME]
    assert "import os" not in HOME.read_text()


def test_a_point_does_nothing_until_a_proof_arms_it():
    reached = []
    crashpoint("order.placed")

    arm(reached.append)
    crashpoint("order.placed")
    disarm()
    crashpoint("order.placed")

    assert reached == ["order.placed"]
