"""A till in a chat over real processes, by the person's calls alone: an amount, a photo of a payer's code, the money."""

from collections.abc import Iterator

import httpx
import pytest

from tests.walk.house import House, Person, open_house, wait_for

pytestmark = pytest.mark.slow

AT_TILL = ("wechat", "alipay", "quickpass", "bank", "cmpay", "bestpay", "ecny")
TELEPHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile"


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(name="till")
def _till(house: House, request: pytest.FixtureRequest) -> Iterator[Person]:
    person = Person(house.url, 7200 + abs(hash(request.node.name)) % 900_000)
    person.send("/start")
    person.tap("Cashier")
    yield person
    person.close()


def payer_code(person: Person, wallet: str) -> str:
    wallets = person.call("GET", "/sandbox/wallets")["wallets"]
    return str(next(one["payer_code"] for one in wallets if one["id"] == wallet))


def photograph(person: Person, text: str) -> None:
    person.call("POST", f"/sandbox/users/{person.user_id}/send", qr=text)


def ask_for(person: Person, yuan: str, wallet: str) -> str:
    """The amount is written, the code photographed; the code comes back."""
    person.send(yuan)
    person.see("Photograph the customer's payment code")
    code = payer_code(person, wallet)
    photograph(person, code)
    if wallet == "cmpay":  # its codes begin as WeChat's may
        person.tap("China Mobile Hebao")
    return code


def state_of(person: Person) -> str:
    mine = [order for order in person.orders() if order["user_id"] == person.user_id]
    return str(mine[-1]["state"])


@pytest.mark.parametrize("wallet", AT_TILL)
def test_a_photo_of_a_payer_s_code_is_paid(till: Person, house: House, wallet: str) -> None:
    before = till.balance(wallet)

    code = ask_for(till, "18", wallet)

    till.see("✅ Paid ¥18.00")
    assert before - till.balance(wallet) == 1800
    assert code not in house.log
    data = [path for path in (house.folder / "data").rglob("*") if path.is_file()]
    ours = [
        path for path in data if "sandbox" not in path.name
    ]  # what is not Telegram's or the wallets' side
    assert ours
    assert not [path for path in ours if code.encode() in path.read_bytes()]


def test_a_password_is_waited_for_and_entered(till: Person) -> None:
    till.call("POST", "/sandbox/wallets/alipay/password", wanted=True)
    ask_for(till, "5", "alipay")
    till.see("The customer is entering the password")

    till.call("POST", "/sandbox/wallets/alipay/password", wanted=False)

    till.see("✅ Paid")


def test_a_customer_who_walks_away_is_not_charged(till: Person) -> None:
    before = till.balance("wechat")
    till.call("POST", "/sandbox/wallets/wechat/password", wanted=True)
    ask_for(till, "18", "wechat")
    till.see("The customer is entering the password")

    for _ in range(4):
        till.call("POST", "/sandbox/clock", advance_s=20)

    till.see("The charge was reversed")
    assert till.balance("wechat") == before
    assert state_of(till) == "pending"


def test_a_code_on_the_counter_is_scanned_by_any_wallet(till: Person, house: House) -> None:
    till.tap("Codes")
    till.send("6.50")
    till.see("¥6.50 each time")
    code = till.shown_code()

    for wallet in ("wechat", "alipay"):
        till.pay(wallet, till.scan(wallet, code)["bill"])

    wait_for("two receipts", lambda: till.count("✅ Paid ¥6.50") == 2)
    page = httpx.get(code, headers={"User-Agent": TELEPHONE})
    assert "¥6.50" in page.text
    till.tap("Today")
    till.see("Today: 2 paid, ¥13.00 stays.")
