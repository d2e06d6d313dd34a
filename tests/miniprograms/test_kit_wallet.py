"""The test kit's wallets: each outcome reaches the page as it would in the street, through every installed provider."""

import pytest

from bot.catalogue import read_catalogue
from miniprograms.sdk import Money
from miniprograms.sdk.testing import Case, Outcome, PlayError
from providers.sdk.contract import Way

SCANNED = sorted(
    {
        wallet
        for plugin in read_catalogue().plugins.values()
        if plugin.info.ways & {Way.MERCHANT_CODE, Way.LINK}
        for wallet in plugin.info.wallets
    }
)


@pytest.fixture
def counter(stall):
    """Eight yuan are asked for."""
    return stall.tap("Pay")


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", SCANNED)
def test_every_outcome_with_every_wallet(counter, wallets, kind, outcome):
    Case(outcome).play(counter, wallets[kind])


def test_a_scan_shows_the_bill_and_moves_nothing(counter, wallet):
    bill = wallet.scan()

    assert (bill.amount, bill.title) == (Money.cny("8.00"), "Plums")
    assert wallet.charged == Money.cny("0")
    assert counter.results == ()


def test_what_was_paid_left_the_wallet(counter, wallet):
    wallet.scan()
    before = wallet.balance

    wallet.approve()

    assert before - wallet.balance == wallet.charged == Money.cny("8.00")


def test_the_wallet_takes_what_the_chat_shows(counter, wallet):
    counter.tap("Cloud QuickPass")

    wallet.approve()

    assert wallet.kind == "quickpass"


def test_the_code_on_the_screen_may_be_another_wallet_s(counter, wallets):
    counter.tap("WeChat Pay")

    with pytest.raises(PlayError, match=r"Alipay can.t pay this code of WeChat Pay\. There is a wall"):
        wallets["alipay"].approve()

    counter.tap("Other wallets")
    wallets["quickpass"].approve().see("heard=¥8.00:paid:")


def test_a_refused_payment_leaves_the_order_to_another_wallet(counter, wallets):
    wallets["wechat"].decline(give_up=False)
    assert counter.results == ()

    counter.tap("Other wallets").tap("Cloud QuickPass")

    wallets["quickpass"].approve().see("heard=¥8.00:paid:")


def test_a_declined_payment_fails_when_its_time_is_over(counter, wallet):
    wallet.decline().see("heard=¥8.00:failed:expired")


def test_a_cancelled_payment_that_was_on_its_way_arrives(counter, wallet):
    wallet.cancel().see("heard=¥8.00:cancelled:")

    wallet.late().see("¥8.00:paid:late")


@pytest.mark.parametrize("kind", SCANNED)
def test_an_expired_payment_that_was_on_its_way_arrives(counter, wallets, kind):
    wallets[kind].decline()

    wallets[kind].late().see("¥8.00:paid:late")


def test_a_silent_institution_ends_no_order(counter, wallet):
    wallet.late(after_s=1200).see("heard=¥8.00:paid:")

    assert [order.state for order in counter.orders] == ["paid"]


def test_nobody_knows_and_then_it_is_paid(counter, wallet):
    wallet.pending().see("heard=¥8.00:pending:")

    wallet.approve().see("¥8.00:paid:")


def test_nobody_knows_until_the_time_is_over(counter, wallet):
    wallet.pending()

    counter.advance(hours=2).see("heard=¥8.00:pending:,¥8.00:failed:expired")


def test_pending_comes_before_a_scan(counter, wallet):
    wallet.scan()

    with pytest.raises(PlayError, match="before a scan"):
        wallet.pending()


def test_nothing_to_pay_is_told_with_the_screen(stall, wallet):
    with pytest.raises(PlayError, match=r"Nothing is to be paid here.\nThe screen shows:\n    stall"):
        wallet.approve()


def test_what_is_paid_is_not_paid_again(counter, wallet):
    wallet.approve()

    with pytest.raises(PlayError, match="The newest order is paid"):
        wallet.approve()


def test_a_wallet_that_nobody_takes_is_named_with_those_that_are_taken(wallets):
    with pytest.raises(PlayError, match=r"the wallet 'purse'. There are: .*quickpass"):
        wallets["purse"]


def test_an_order_that_no_wallet_takes_fails_by_itself(stall, wallet):
    if any("XTR" in plugin.info.currencies for plugin in read_catalogue().plugins.values()):
        pytest.skip("An installed provider takes stars.")

    stall.tap("Pay in stars").see("heard=★50:failed:")

    with pytest.raises(PlayError, match="The newest order is failed"):
        wallet.approve()


def test_a_text_that_is_no_code_is_told(counter, wallet):
    with pytest.raises(PlayError, match="No institution here has issued the code 'hello'"):
        wallet.scan("hello")


def test_the_second_of_two_orders_is_the_one_to_pay(stall, wallet):
    stall.tap("Two at once")

    wallet.approve()

    assert {str(order.amount): order.state for order in stall.orders} == {"¥1.00": "pending", "¥2.00": "paid"}
