"""An e-CNY wallet of a chosen class, by the person's API, in front of the real simulated institution."""

import pytest

from providers.ecny import plugin as ecny


@pytest.fixture(name="person")
async def _person(open_sandbox):
    async with open_sandbox([ecny]) as person:
        yield person


async def seen(person):
    wallets = (await person.get("/sandbox/wallets"))["wallets"]
    return next(
        (wallet["wallet_class"], wallet["balance_minor"]) for wallet in wallets if wallet["id"] == "ecny"
    )


async def test_a_wallet_is_of_class_two_until_another_is_chosen_and_after_a_reset(person):
    assert await seen(person) == ("II", 100_000)

    told = await person.post("/sandbox/wallets/ecny/class", wallet_class="IV")
    assert told["wallet_class"] == "IV"
    await person.post("/sandbox/reset")

    assert await seen(person) == ("II", 100_000)


async def test_a_class_holds_no_more_than_it_may(person):
    await person.post("/sandbox/wallets/ecny/class", wallet_class="IV")
    await person.post("/sandbox/wallets/ecny/top_up", amount_minor=900_000)

    status, full = await person.refused("/sandbox/wallets/ecny/top_up", amount_minor=1)
    await person.post("/sandbox/wallets/ecny/class", wallet_class="I")
    await person.post("/sandbox/wallets/ecny/top_up", amount_minor=1)
    refused = await person.refused("/sandbox/wallets/ecny/class", wallet_class="IV")

    assert status == 422
    assert "a class IV wallet holds at most ¥10000.00" in full
    assert refused == (422, full)
    assert await seen(person) == ("I", 1_000_001)


async def test_a_class_that_is_none_is_refused_with_those_there_are(person):
    assert await person.refused("/sandbox/wallets/ecny/class", wallet_class="V") == (
        422, "There is no class V; there are IV, III, II, I.",
    )  # fmt: skip
