"""Other people's plugins, installed with pip beside the house, at work in the sandbox; a broken one stays outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_catalogue import install
from tests.walk.house import House, Person, open_house, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = install(tmp_path_factory.mktemp("strangers"), "tipjar", "plainpay")
    _install_broken(path)
    with open_house(tmp_path_factory.mktemp("house"), {"PYTHONPATH": str(path)}) as house:
        yield house


def _install_broken(path: Path) -> None:
    """A mini program whose manifest is wrong."""
    package, record = path / "wonky", path / "wonky-1.dist-info"
    package.mkdir()
    record.mkdir()
    (package / "app.json").write_text(
        '{"app_id": "com.example.wonky", "version": {"name": "1", "code": "one"}, "pages": ["a"]}'
    )
    (package / "__init__.py").write_text("from miniprograms.sdk import App\n\napp = App(__file__)\n")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: wonky\nVersion: 1\n")
    (record / "entry_points.txt").write_text("[moongate.miniprograms]\nwonky = wonky:app\n")


def test_a_stranger_s_program_is_paid_through_a_stranger_s_provider(house: House) -> None:
    person = Person(house.url, 7301)

    person.send("/start")
    person.tap("Tip")
    person.tap("¥5")
    bill = person.scan("bank", person.shown_code())
    person.pay("bank", bill["bill"])

    person.see("Thank you! 1 tips so far.")
    assert bill["provider"] == "plainpay"
    wait_for("the order to be paid", lambda: [order["state"] for order in person.orders()] == ["paid"])
    person.close()


def test_a_broken_plugin_is_named_with_its_reason_and_the_rest_runs(house: House) -> None:
    person = Person(house.url, 7302)

    person.pay("wechat", person.scan("wechat", person.order_coffee())["bill"])

    person.see("✅")
    assert "plugin_refused" in house.log
    assert "$.version.code" in house.log
    person.close()
