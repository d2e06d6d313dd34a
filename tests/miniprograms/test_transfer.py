"""The transfer mini program: from any wallet to any wallet, once, or back."""

import pytest

from miniprograms.sdk.testing import PlayError
from miniprograms.transfer import app

CROSSINGS = [("alipay", "wechat"), ("wechat", "alipay"), ("quickpass", "wechat"), ("wechat", "wechat")]


@pytest.fixture(name="ann")
def _ann(world):
    return world.person("Ann")


@pytest.fixture(name="bo")
def _bo(world):
    return world.person("Bo")


def send(chat, wallet="alipay", amount="20", note=""):
    """From the home page to the card."""
    chat.open(app).tap("Send money")
    if note:
        chat.tap("Note").send(note)
    chat.send(amount).tap("Pay ¥")
    chat.wallets[wallet].approve()
    return chat


@pytest.mark.parametrize(("payer", "payee"), CROSSINGS)
def test_money_crosses_from_wallet_to_wallet(ann, bo, payer, payee):
    before = bo.wallets[payee].balance.minor - (2000 if payer == payee else 0)
    send(ann, payer, "20.00", "for lunch").see("Waiting to be claimed").see("for lunch")

    bo.wallets[payee].claim(ann.shown_code)

    ann.see("Received ✓")
    assert bo.wallets[payee].balance.minor - before == 2000
    assert [result.status for result in ann.payouts] == ["open", "claimed", "paid"]


def test_the_recipient_sees_amount_note_and_wallets_on_the_card(ann, bo):
    send(ann, note="for lunch")

    bo.follow(ann.link("Open the card"))

    bo.see("¥20.00").see("for lunch").see("WeChat").see("Alipay")
    bo.wallets["wechat"].claim(bo.shown_code)
    bo.tap("Look again").see("Received ✓")


def test_it_is_claimed_once(ann, bo):
    code = send(ann).shown_code
    bo.wallets["wechat"].claim(code)

    with pytest.raises(PlayError, match="not_claimable"):
        bo.wallets["alipay"].claim(code)


def test_unclaimed_for_a_day_it_comes_back(ann, bo):
    before = ann.wallets["alipay"].balance
    code = send(ann).shown_code

    ann.advance(hours=25)

    ann.see("Returned to you")
    assert ann.wallets["alipay"].balance == before
    with pytest.raises(PlayError):
        bo.wallets["wechat"].claim(code)


def test_the_sender_takes_it_back(ann):
    before = ann.wallets["alipay"].balance
    send(ann).tap("Take it back")

    ann.see("Returned to you")
    assert ann.wallets["alipay"].balance == before


def test_what_is_claimed_cannot_be_taken_back(ann, bo):
    code = send(ann).shown_code
    assert "Take it back" in ann.buttons
    bo.wallets["wechat"].claim(code)

    assert "Take it back" not in ann.buttons


def test_a_transfer_for_one_person_shows_nobody_else_the_way(world, ann, bo):
    bo.open(app)
    bo_id = next(line for line in bo.screen.splitlines() if line.startswith("o"))
    ann.open(app).tap("Send money").tap("For one person").send(bo_id).tap("¥50.00").tap("Pay ¥")
    ann.wallets["alipay"].approve()
    card = ann.link("Open the card")
    assert "/c/" not in ann.shown_code

    cy = world.person("Cy").follow(card)
    cy.see("for somebody else")
    assert "Open the page" not in cy.buttons
    bo.follow(card).see("¥50.00")
    bo.wallets["alipay"].claim(bo.shown_code)
    ann.see("Received ✓")


@pytest.mark.parametrize("words", ["0.09", "2000.01", "abc", "-5", "1e3"])
def test_an_amount_outside_the_limits_is_not_taken(ann, words):
    ann.open(app).tap("Send money").send(words)

    assert not [label for label in ann.buttons if label.startswith("Pay")]
    assert not ann.orders


def test_the_limit_of_a_day_is_told_before_anything_is_paid(ann):
    for _ in range(2):
        ann.open(app, "pages/home/home")
        send(ann, "wechat", "2000")
    ann.launch("pages/home/home").tap("Send money").see("¥1000.00")

    ann.send("1000.01").see("can be sent")

    assert len(ann.orders) == 2


def test_a_note_has_fifty_characters(ann):
    send(ann, note="长" * 60)

    assert "长" * 50 in ann.screen
    assert "长" * 51 not in ann.screen


def test_the_page_that_asked_may_be_gone(ann, bo):
    ann.open(app).tap("Send money").send("20").tap("Pay ¥")
    wallet = ann.wallets["alipay"]
    ann.launch("pages/home/home").restart_host()
    wallet.approve()

    ann.launch("pages/home/home").tap("¥20.00 ·").see("Waiting to be claimed")
    bo.wallets["wechat"].claim(ann.shown_code)
    ann.see("Received ✓")


def test_it_speaks_chinese(world):
    li = world.person("Li", language="zh-hans")
    li.open(app).tap("我要转账").send("20").tap("付款")
    li.wallets["alipay"].approve()

    li.see("等待领取").tap("撤回").see("已退回")
