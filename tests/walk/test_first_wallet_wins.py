"""One order, two wallets at once: it is paid once, the second is told, and gets back what it paid."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.walk.house import House, Person, open_house, wait_for
from tests.walk.test_run import MOONGATE

pytestmark = [pytest.mark.slow]


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


def _story(house: House, order: str) -> str:
    """What an operator types beside the running house."""
    env = {**os.environ, "DATA_DIR": str(house.folder / "data" / "sandbox")}
    done = subprocess.run(
        [MOONGATE, "orders", "show", order], env=env, cwd=house.folder, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _order(person: Person) -> dict[str, object]:
    return next(order for order in person.orders() if order["user_id"] == person.user_id)


@pytest.mark.fault("C4")
def test_of_two_wallets_on_one_code_the_first_to_pay_wins_and_the_other_is_told(house: House) -> None:
    person = Person(house.url, 9501)
    code = person.order_coffee()
    held = {wallet: person.balance(wallet) for wallet in ("wechat", "alipay")}
    first = person.scan("wechat", code)["bill"]
    second = person.scan("alipay", code)[
        "bill"
    ]  # the house closes the first wallet's bill before it opens this

    assert person.pay("alipay", second) == "paid"
    bill_status, bill_said = person.refused("POST", "/sandbox/wallets/wechat/pay", bill=first)
    person.see("✅ Paid")
    page_status, page_said = person.refused("POST", "/sandbox/wallets/wechat/scan", code=code)

    assert (bill_status, page_status) == (422, 422)
    assert bill_said
    assert "Paid" in page_said or "已付" in page_said
    assert person.balance("wechat") == held["wechat"]
    assert person.balance("alipay") == held["alipay"] - 1800
    assert [a["state"] for a in _order(person)["attempts"]].count("paid") == 1
    assert _order(person)["refunds"] == []
    person.close()


@pytest.mark.fault("C3")
def test_when_the_money_of_both_has_moved_the_second_payment_goes_back(house: House) -> None:
    """Wo Wallet's bills close by time only, so the house can warn, and must return what comes all the same."""
    person = Person(house.url, 9502)
    code = person.order_coffee()
    held = {wallet: person.balance(wallet) for wallet in ("unicompay", "alipay")}
    first = person.scan("unicompay", code)["bill"]
    second = person.scan("alipay", code)["bill"]

    assert person.pay("alipay", second) == "paid"
    person.see("✅ Paid")
    assert person.pay("unicompay", first) == "paid"

    told = person.see("A second payment of ¥18.00 arrived")["text"]
    wait_for("the second payment to be back", lambda: person.balance("unicompay") == held["unicompay"])
    person.see("¥18.00 refunded")
    order = _order(person)
    assert "✅ Paid ¥18.00" in told
    assert order["state"] == "paid"
    assert sorted(a["state"] for a in order["attempts"]) == ["overpaid", "paid"]
    assert [(r["state"], r["amount_minor"]) for r in order["refunds"]] == [("done", 1800)]
    assert person.balance("alipay") == held["alipay"] - 1800
    assert person.count("✅") == 1
    story = _story(house, str(order["id"]))
    assert "overpaid" in story
    assert story.count("Refund 1:") == 1
    assert "unicompay/main" in story
    person.close()
