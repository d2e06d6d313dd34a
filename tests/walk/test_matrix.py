"""Every wallet on every provider's raw code, and on the one code: in a real process, by the person's calls alone.

What is expected stands here twice: as the table of the real world, and as a list written by hand, so that a wrong row of
the table is caught as surely as a wrong switch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.cli import matrix
from bot.cli.matrix import Look
from providers.sdk.codes import Issuer
from providers.sdk.interconnection import Clearing, connection
from providers.sdk.wallets import WALLET_NAMES, Wallet
from tests.walk.house import Person, open_house, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # in peace it takes half a minute
ROOT = Path(__file__).parents[2]
WALLETS = [wallet for wallet in Wallet if wallet is not Wallet.TELEGRAM]
# The provider, whose button in the chat leads to its raw code, and whose codes those are.
PROVIDERS = {
    "wechatpay": (Wallet.WECHAT, Issuer.WECHAT),
    "alipay": (Wallet.ALIPAY, Issuer.ALIPAY),
    "unionpay": (Wallet.QUICKPASS, Issuer.UNIONPAY),
    "cmpay": (Wallet.CMPAY, Issuer.CMPAY),
    "bestpay": (Wallet.BESTPAY, Issuer.BESTPAY),
    "unicompay": (Wallet.UNICOMPAY, Issuer.UNICOMPAY),
    "ecny": (Wallet.ECNY, Issuer.ECNY),
}
OPEN = {
    ("wechat", "wechatpay"): "own",
    ("alipay", "alipay"): "own",
    ("quickpass", "unionpay"): "own",
    ("bank", "unionpay"): "own",
    ("cmpay", "cmpay"): "own",
    ("bestpay", "bestpay"): "own",
    ("unicompay", "unicompay"): "own",
    ("ecny", "ecny"): "own",
    ("quickpass", "wechatpay"): "unionpay",
    ("bank", "wechatpay"): "unionpay",
    ("bestpay", "wechatpay"): "netsunion",
    ("unicompay", "wechatpay"): "unpublished",
    ("quickpass", "alipay"): "unionpay",
    ("bank", "alipay"): "unionpay",
}


@dataclass
class Walk:
    """One house, a new person for every order, and what came of every scan."""

    url: str
    outcomes: dict[tuple[str, str], str] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    paid: list[tuple[str, str, str]] = field(default_factory=list)  # order, wallet, provider
    people: list[Person] = field(default_factory=list)

    def one_code(self) -> tuple[Person, str, str]:
        """A new person's order: who it is, the order, its one code."""
        person = Person(self.url, 9000 + len(self.people))
        self.people.append(person)
        code = person.order_coffee()
        mine = [order for order in person.orders() if order["user_id"] == person.user_id]
        return person, mine[-1]["id"], code

    def raw_code(self, provider: str) -> tuple[Person, str, str]:
        """The same, with the institution's own code behind the button of its wallet."""
        person, order, one_code = self.one_code()
        person.tap(WALLET_NAMES[PROVIDERS[provider][0]][0])

        def shown() -> str | None:
            code = person.shown_code()
            return None if code == one_code else code

        return person, order, wait_for(f"the code of {provider}", shown)

    def scan(self, person: Person, wallet: str, code: str) -> tuple[int, dict[str, Any]]:
        reply = httpx.post(f"{self.url}/sandbox/wallets/{wallet}/scan", json={"code": code}, timeout=30)
        return reply.status_code, reply.json()

    def cell(self, wallet: str, provider: str, at: tuple[Person, str, str]) -> bool:
        """Scan and, where the wallet may, pay; whether the order is used up."""
        person, order, code = at
        status, told = self.scan(person, wallet, code)
        if status == 422:
            self.outcomes[wallet, provider], self.reasons[wallet, provider] = "refused", told["error"]
            return False
        assert (status, told["provider"]) == (200, provider), told
        assert person.pay(wallet, told["bill"]) == "paid"
        self.outcomes[wallet, provider] = told["clearing"]
        self.paid.append((order, wallet, provider))
        return True

    def states(self) -> dict[str, dict[str, Any]]:
        orders = httpx.get(f"{self.url}/sandbox/orders", timeout=30).json()["orders"]
        return {order["id"]: order for order in orders}

    def all_paid(self) -> dict[str, dict[str, Any]] | None:
        states = self.states()
        return states if all(states[order]["state"] == "paid" for order, _, _ in self.paid) else None


@pytest.fixture(name="walk", scope="module")
def _walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        walk = Walk(house.url)
        yield walk
        for person in walk.people:
            person.close()


def _today(url: str) -> date:
    return datetime.fromisoformat(httpx.get(f"{url}/sandbox/clock").json()["now"]).date()


def _expected(on: date) -> dict[tuple[str, str], str]:
    """What the table of the real world says of every pair."""
    said = {}
    for wallet in WALLETS:
        for provider, (_, issuer) in PROVIDERS.items():
            row = connection(wallet, issuer)
            said[wallet.value, provider] = row.clearing.value if row and row.may_pay(on) else "refused"
    return said


def test_every_wallet_on_every_raw_code_does_what_the_matrix_says(
    walk: Walk, capsys: pytest.CaptureFixture[str]
) -> None:
    for provider in PROVIDERS:
        at = None  # a code serves until somebody has paid it
        for wallet in sorted(WALLETS, key=lambda one: (one.value, provider) in OPEN):
            at = at or walk.raw_code(provider)
            if walk.cell(wallet.value, provider, at):
                at = None

    by_hand = {
        (wallet.value, provider): OPEN.get((wallet.value, provider), "refused")
        for wallet in WALLETS
        for provider in PROVIDERS
    }
    assert len(by_hand) == 8 * 7
    assert walk.outcomes == by_hand
    assert walk.outcomes == _expected(_today(walk.url))
    orders = wait_for("every paid code to be a paid order", walk.all_paid)
    for order, _, provider in walk.paid:
        assert [a["provider"] for a in orders[order]["attempts"] if a["state"] == "paid"] == [provider]
    _check_reasons(walk)
    _check_picture(walk)
    with capsys.disabled():
        print("\n" + "\n".join(list(matrix.lines(_today(walk.url)))[:11]))  # noqa: T201  # what the walk is for


def _check_reasons(walk: Walk) -> None:
    """A refusal names the code's owner, the wallet, why not, and what would work."""
    for (wallet, provider), reason in walk.reasons.items():
        row = connection(Wallet(wallet), PROVIDERS[provider][1])
        assert reason.startswith(f"{WALLET_NAMES[Wallet(wallet)][0]} can't pay this code of "), reason
        assert "What works: " in reason
        walled = {("wechat", "alipay"), ("alipay", "wechatpay")}
        assert ("There is a wall" in reason) is ((wallet, provider) in walled), reason
        assert ("not confirmed" in reason) is ((wallet, provider) == ("unicompay", "unionpay")), reason
        assert row is None or row.clearing is not Clearing.OWN


def _check_picture(walk: Walk) -> None:
    """The picture in the README is drawn from the same table, and shows as open what has just been paid."""
    assert (ROOT / "docs" / "interop.svg").read_text() == matrix.picture()
    for (wallet, provider), outcome in walk.outcomes.items():
        shown = matrix.look(connection(Wallet(wallet), PROVIDERS[provider][1]), _today(walk.url))
        assert (shown in {Look.OWN, Look.OPEN}) is (outcome != "refused"), (wallet, provider)


def test_every_wallet_pays_the_one_code(walk: Walk) -> None:
    before = len(walk.paid)
    for wallet in WALLETS:
        person, order, code = walk.one_code()
        status, told = walk.scan(person, wallet.value, code)
        assert status == 200, told
        assert told["clearing"] == "own"
        assert person.pay(wallet.value, told["bill"]) == "paid"
        walk.paid.append((order, wallet.value, told["provider"]))

    orders = wait_for("eight paid orders", walk.all_paid)

    assert len(walk.paid) == before + 8
    for order, wallet_name, _ in walk.paid[before:]:
        assert [a["wallet"] for a in orders[order]["attempts"] if a["state"] == "paid"] == [wallet_name]


def test_a_cleared_payment_is_told_truly_and_comes_back_to_the_wallet_that_paid(walk: Walk) -> None:
    person, order, code = walk.raw_code("wechatpay")
    held = {wallet: person.balance(wallet) for wallet in ("quickpass", "wechat")}

    person.pay("quickpass", person.scan("quickpass", code)["bill"])

    # The payer had tapped WeChat Pay; WeChat Pay names no payer of its own, so the receipt does not guess.
    assert "With a code of WeChat Pay" in person.see("✅ Paid")["text"]
    assert person.balance("quickpass") == held["quickpass"] - 1800
    assert person.balance("wechat") == held["wechat"]
    person.call("POST", f"/sandbox/orders/{order}/refund", amount_minor=1800, reason="cold")
    wait_for("the money in Cloud QuickPass", lambda: person.balance("quickpass") == held["quickpass"])
    assert person.balance("wechat") == held["wechat"]
