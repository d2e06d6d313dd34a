"""Across the last wall, in real processes: paid in with one wallet, claimed with the other, whatever dies on the way."""

import contextlib
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.walk.house import House, Person, open_house, wait_for

pytestmark = pytest.mark.slow
AMOUNT = 2000
PATIENCE_S = 300  # a house that is killed takes a while to open again on a busy machine
DAY_S = 25 * 3600
CROSSINGS = [("alipay", "wechat"), ("wechat", "alipay")]
PROVIDERS = {"alipay": "alipay", "wechat": "wechatpay"}


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house"), {"PROVIDER_DEADLINE_S": "3"}) as house:
        yield house


@pytest.fixture(name="person")
def _person(house: House, request: pytest.FixtureRequest) -> Iterator[Person]:
    person = Person(house.url, 7000 + abs(hash(request.node.name)) % 900_000)
    person.call("POST", "/sandbox/reset")
    yield person
    person.call("POST", "/sandbox/faults", clear=True)
    person.close()


def pay_in(person: Person, wallet: str, *faults: str) -> None:
    """From `/start` to the money being taken."""
    person.send("/start")
    person.tap("Transfer")
    person.tap("Send money")
    person.see("Write an amount")
    person.send("20.00")
    person.tap("Pay ¥20.00")
    code = wait_for("the one code", lambda: newest_code(person, "/p/"))
    assert person.pay(wallet, person.scan(wallet, code)["bill"], *faults) == "paid"


def newest_code(person: Person, part: str) -> str | None:
    codes = [(message["photo"] or {}).get("qr_text") or "" for message in person.chat()]
    return next((code for code in reversed(codes) if part in code), None)


def claim_link(person: Person) -> str:
    """The code on the transfer's card."""
    return wait_for(f"a claim code in {person.chat()}", lambda: newest_code(person, "/c/"))


def payouts(person: Person) -> list[str]:
    return [payout["state"] for order in person.orders() for payout in order["payouts"]]


def moves(person: Person, wallet: str) -> list[int]:
    """What moved that wallet's money, newest first."""
    lines = person.call("GET", f"/sandbox/wallets/{wallet}/history")["moves"]
    return [int(line["minor"]) for line in lines]


def lose_the_answer(person: Person, wallet: str) -> None:
    """The payout is made and its answer lost; consent and identity, which are asked for first, are not."""
    provider = PROVIDERS[wallet]
    person.call("POST", "/sandbox/faults", provider=provider, fault="timeout_after", spare=2)


def until_received(person: Person, wallet: str, link: str) -> None:
    """Time passes, and the payee looks again now and then, as one does."""

    def look() -> bool:
        person.call("POST", "/sandbox/clock", advance_s=10)
        with contextlib.suppress(AssertionError):
            person.scan(wallet, link)
        return payouts(person) == ["done"]

    wait_for(f"the payout to be done; {person.orders()}", look)


@pytest.mark.parametrize(("payer", "payee"), CROSSINGS)
def test_money_crosses_between_the_wallets_that_cannot_reach_each_other(
    person: Person, payer: str, payee: str
) -> None:
    before = person.balance(payer), person.balance(payee)
    pay_in(person, payer)

    seen = person.scan(payee, claim_link(person))

    assert (seen["scheme"], seen["amount_minor"], seen["state"]) == ("claim", AMOUNT, "received")
    person.see("Received")
    assert (person.balance(payer), person.balance(payee)) == (before[0] - AMOUNT, before[1] + AMOUNT)
    [order] = person.orders()
    assert order["state"] == "paid"
    assert [(one["state"], one["wallet"]) for one in order["payouts"]] == [("done", payee)]


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize(("payer", "payee"), CROSSINGS)
def test_killed_between_the_legs_it_arrives_once(
    house: House, person: Person, payer: str, payee: str
) -> None:
    pay_in(person, payer, "notify_late")
    house.kill()
    house.start()
    person.call("POST", "/sandbox/clock", advance_s=300)

    person.scan(payee, claim_link(person))

    person.see("Received")
    assert (moves(person, payer), moves(person, payee)) == ([-AMOUNT], [AMOUNT])


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize(("payer", "payee"), CROSSINGS)
def test_killed_while_the_institution_is_asked_to_pay_it_is_paid_once(
    house: House, person: Person, payer: str, payee: str
) -> None:
    pay_in(person, payer)
    link = claim_link(person)
    lose_the_answer(person, payee)

    def claim() -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{house.url}/sandbox/wallets/{payee}/scan", json={"code": link}, timeout=30)

    claiming = threading.Thread(target=claim)
    claiming.start()
    wait_for("the call to be on its way", lambda: payouts(person) == ["unknown"])
    time.sleep(0.5)
    house.kill()
    claiming.join()
    house.start()

    until_received(person, payee, link)
    assert moves(person, payee) == [AMOUNT]


@pytest.mark.parametrize(("payer", "payee"), CROSSINGS)
def test_a_payout_whose_answer_is_lost_is_paid_once(person: Person, payer: str, payee: str) -> None:
    pay_in(person, payer)
    link = claim_link(person)
    lose_the_answer(person, payee)

    person.scan(payee, link)

    until_received(person, payee, link)
    assert moves(person, payee) == [AMOUNT]


def test_two_wallets_at_once_are_one_claim(house: House, person: Person) -> None:
    pay_in(person, "quickpass")
    link = claim_link(person)

    def claim(wallet: str) -> None:
        httpx.post(f"{house.url}/sandbox/wallets/{wallet}/scan", json={"code": link}, timeout=30)

    both = [threading.Thread(target=claim, args=(wallet,)) for wallet in ("wechat", "alipay")]
    for one in both:
        one.start()
    for one in both:
        one.join()

    wait_for("the payout to be done", lambda: payouts(person) == ["done"])
    assert sorted(moves(person, "wechat") + moves(person, "alipay")) == [AMOUNT]


def test_the_same_wallet_twice_is_one_claim(person: Person) -> None:
    pay_in(person, "alipay")
    link = claim_link(person)
    person.scan("wechat", link)

    status, reason = person.refused("POST", "/sandbox/wallets/wechat/scan", code=link)

    assert (status, bool(reason)) == (422, True)
    assert moves(person, "wechat") == [AMOUNT]


@pytest.mark.parametrize("payer", ["alipay", "wechat"])
def test_unclaimed_it_goes_back_to_the_payer(person: Person, payer: str) -> None:
    pay_in(person, payer)
    link = claim_link(person)

    person.call("POST", "/sandbox/clock", advance_s=DAY_S)

    person.see("Returned to you")
    wait_for("the refund", lambda: moves(person, payer) == [AMOUNT, -AMOUNT])
    status, reason = person.refused("POST", "/sandbox/wallets/wechat/scan", code=link)
    assert (status, bool(reason)) == (422, True)
    assert payouts(person) == ["withdrawn"]


def test_a_wallet_that_cannot_be_paid_out_to_is_told_so(person: Person) -> None:
    pay_in(person, "alipay")

    status, reason = person.refused("POST", "/sandbox/wallets/ecny/scan", code=claim_link(person))

    assert status == 422
    assert "cannot receive" in reason
