"""The main job, in a real process, by the person's calls alone."""

from collections.abc import Iterator

import pytest

from tests.walk.house import House, Person, open_house, wait_for

pytestmark = pytest.mark.slow
RECEIPT = "✅"


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(name="person")
def _person(house: House, request: pytest.FixtureRequest) -> Iterator[Person]:
    user_id = 7000 + abs(hash(request.node.name)) % 900_000
    person = Person(house.url, user_id)
    yield person
    person.close()


def _newest(person: Person) -> dict[str, object]:
    return person.orders()[-1]


def _state_becomes(person: Person, order_id: object, state: str) -> None:
    wait_for(
        f"{order_id} to be {state}; orders: {person.orders()}",
        lambda: any(order["id"] == order_id and order["state"] == state for order in person.orders()),
    )


OWN_PROVIDER = {
    "wechat": "wechatpay", "alipay": "alipay", "quickpass": "unionpay", "bank": "unionpay", "cmpay": "cmpay",
    "bestpay": "bestpay", "unicompay": "unicompay", "ecny": "ecny",
}  # fmt: skip


@pytest.mark.parametrize(("wallet", "provider"), OWN_PROVIDER.items())
def test_a_latte_is_ordered_in_the_chat_and_paid_by_scanning_the_shown_code(
    person: Person, wallet: str, provider: str
) -> None:
    before = person.balance(wallet)
    code = person.order_coffee()

    bill = person.scan(wallet, code)
    status = person.pay(wallet, bill["bill"])

    assert status == "paid"
    assert bill["provider"] == provider
    person.see(RECEIPT)
    order = _newest(person)
    _state_becomes(person, order["id"], "paid")
    assert before - person.balance(wallet) == order["amount_minor"] == bill["amount_minor"] > 0
    assert person.count(RECEIPT) == 1
    half = order["amount_minor"] // 2
    person.call("POST", f"/sandbox/orders/{order['id']}/refund", amount_minor=half, reason="half a cup")
    _state_becomes(person, order["id"], "partly_refunded")
    wait_for(
        "half of it to come back", lambda: before - person.balance(wallet) == order["amount_minor"] - half
    )


def test_more_than_was_paid_cannot_be_given_back(person: Person) -> None:
    person.pay("alipay", person.scan("alipay", person.order_coffee())["bill"])
    person.see(RECEIPT)
    order = _newest(person)

    status, reason = person.refused("POST", f"/sandbox/orders/{order['id']}/refund", amount_minor=1801)

    assert status == 422
    assert reason


def test_an_order_is_stored_with_its_attempt_before_anyone_scans(person: Person) -> None:
    person.order_coffee()

    order = _newest(person)

    assert order["state"] in {"created", "pending"}
    assert len(order["attempts"]) == 1  # type: ignore[arg-type]  # JSON


def test_a_cancelled_order_is_cancelled_and_its_code_can_no_longer_be_paid(person: Person) -> None:
    code = person.order_coffee()
    order = _newest(person)

    person.tap("Cancel")

    _state_becomes(person, order["id"], "cancelled")
    status, reason = person.refused("POST", "/sandbox/wallets/wechat/scan", code=code)
    assert status == 422
    assert reason


def test_a_stranger_to_the_code_is_told_why_it_cannot_be_paid(person: Person) -> None:
    status, reason = person.refused("POST", "/sandbox/wallets/wechat/scan", code="https://example.com/")

    assert status == 422
    assert len(reason) > 10


@pytest.mark.fault("A1", "A9", "A12")
@pytest.mark.parametrize("fault", ["notify_twice", "notify_lost", "notify_forged", "notify_late"])
def test_whatever_happens_to_the_notification_there_is_one_receipt(person: Person, fault: str) -> None:
    code = person.order_coffee()
    order = _newest(person)

    person.pay("wechat", person.scan("wechat", code)["bill"], fault)
    person.call("POST", "/sandbox/clock", advance_s=300)

    _state_becomes(person, order["id"], "paid")
    person.see(RECEIPT)
    assert person.count(RECEIPT) == 1


def test_an_order_nobody_pays_expires_and_says_so(person: Person) -> None:
    person.order_coffee()
    order = _newest(person)

    person.call("POST", "/sandbox/clock", advance_s=3600)

    _state_becomes(person, order["id"], "expired")


@pytest.mark.fault("F9")
@pytest.mark.parametrize("moment", ["between scan and pay", "between pay and the notification"])
def test_after_kill_9_the_order_ends_paid_with_one_receipt(house: House, person: Person, moment: str) -> None:
    code = person.order_coffee()
    order = _newest(person)
    bill = person.scan("wechat", code)["bill"]

    if moment == "between scan and pay":
        house.kill()
        house.start()
        person.pay("wechat", bill)
    else:
        person.pay("wechat", bill, "notify_late")
        house.kill()
        house.start()
        person.call("POST", "/sandbox/clock", advance_s=300)

    person.see(RECEIPT)
    _state_becomes(person, order["id"], "paid")
    assert person.count(RECEIPT) == 1


@pytest.mark.fault("M7")
def test_the_log_holds_no_secret(house: House, person: Person) -> None:
    person.order_coffee()

    assert "PRIVATE KEY" not in house.log
    assert "WECHATPAY2-SHA256" not in house.log


def test_a_reset_makes_a_fresh_world_in_which_everything_works_again(house: House, person: Person) -> None:
    person.pay("wechat", person.scan("wechat", person.order_coffee())["bill"])
    person.see(RECEIPT)

    person.call("POST", "/sandbox/reset")

    assert (person.chat(), person.orders()) == ([], [])
    person.pay("wechat", person.scan("wechat", person.order_coffee())["bill"])
    person.see(RECEIPT)
    assert [order["state"] for order in person.orders()] == ["paid"]
    person.call("POST", "/sandbox/clock", advance_s=10)
    person.see(RECEIPT)
    assert "Traceback" not in house.log
    assert "book_is_behind" not in house.log
