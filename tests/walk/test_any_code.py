"""Any code that a person sends into the chat is looked at, by DESIGN's scripted calls alone."""

from collections.abc import Iterator

import pytest

from providers.sdk.codes import OneCode, write_emv_one_code
from providers.sdk.money import Money
from tests.walk.house import House, Person, open_house, wait_for

pytestmark = [pytest.mark.slow]
PAYER_CODE = "281234567890123456"


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def anna(house: House) -> Iterator[Person]:
    person = Person(house.url, 7101)
    yield person
    person.close()


def show(person: Person, text: str) -> None:
    person.call("POST", f"/sandbox/users/{person.user_id}/send", qr=text)


def test_a_stranger_s_code_is_explained_from_a_photo_and_from_its_text(anna: Person) -> None:
    anna.send("/start")
    show(anna, "https://qr.alipay.com/bax03431ljhokirwl38f00a7")

    assert "Cloud QuickPass (through UnionPay)" in anna.see("🔎 Alipay")["text"]
    anna.send("https://payapp.weixin.qq.com/qr/AQEabc")
    assert "a wall" in anna.see("🔎 WeChat Pay")["text"]


def test_a_payer_code_is_warned_of_and_is_nowhere_in_the_log(anna: Person, house: House) -> None:
    show(anna, PAYER_CODE)
    anna.send(PAYER_CODE)

    warned = anna.see("⚠️ This is a payer code (Alipay)")

    assert PAYER_CODE not in warned["text"]
    assert PAYER_CODE not in house.log


def test_one_s_own_order_is_opened_and_another_s_is_led_to_its_page(house: House) -> None:
    anna, bo = Person(house.url, 7102), Person(house.url, 7103)
    code = anna.order_coffee()
    [order] = anna.orders()

    sent = anna.call("POST", f"/sandbox/users/{anna.user_id}/send", qr=code)["message_id"]
    bo.send(code)

    seen = bo.see("A payment link of this house.")
    assert code in seen["text"] + str(seen["buttons"])
    assert order["id"] not in seen["text"]
    wait_for(
        "the order under the code",
        lambda: any(m["message_id"] > sent and order["id"] in m["text"] for m in anna.chat()),
    )
    assert anna.pay("alipay", anna.scan("alipay", code)["bill"]) == "paid"
    anna.see("✅")
    anna.close()
    bo.close()


def test_emvco_s_form_of_the_one_code_is_paid_like_the_link(house: House) -> None:
    carl = Person(house.url, 7104)
    link = carl.order_coffee()
    [order] = [order for order in carl.orders() if order["user_id"] == carl.user_id]
    code = write_emv_one_code(
        OneCode(link.rpartition("/")[2]), house.web_url, amount=Money.cny("18.00"), name="Moongate", city="Beijing",
        reference=order["id"],
    )  # fmt: skip

    assert carl.pay("ecny", carl.scan("ecny", code)["bill"]) == "paid"
    carl.see("✅")
    carl.close()
