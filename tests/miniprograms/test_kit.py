"""The test kit's chat: what a person can do, what a test is told, and what a restart and time leave."""

import asyncio
import socket
import threading

import pytest

from bot.sandbox.world import World
from miniprograms.sdk import PaymentStatus
from miniprograms.sdk.testing import PlayError
from tests.fakes.stall import STALL


def test_a_program_is_opened_at_a_page_with_a_query(chat, app):
    chat.open(app, "home", say="hello").see("said=hello")


def test_a_program_can_be_opened_again_by_its_id(stall):
    stall.open(STALL, say="again").see("said=again")


def test_launch_goes_to_the_program_that_was_opened_last(stall):
    stall.launch("home", say="launched").see("said=launched")


def test_a_program_that_is_not_there_is_named_with_those_that_are(chat):
    with pytest.raises(PlayError, match=r"'org.example.none' is installed. Installed: .*com.moongate.coffee"):
        chat.open("org.example.none")


def test_an_exact_label_is_preferred_to_one_that_begins_so(stall):
    stall.tap("Pay")

    assert [str(order.amount) for order in stall.orders] == ["¥8.00"]


def test_words_inside_a_label_are_enough(stall):
    stall.tap("¥80")

    assert [str(order.amount) for order in stall.orders] == ["¥80.00"]


def test_a_missing_button_is_told_with_the_screen_and_its_buttons(stall):
    with pytest.raises(PlayError) as told:
        stall.tap("Mocha")

    assert str(told.value).startswith("There is no button 'Mocha'.\nThe screen shows:\n    stall said=")
    assert "Buttons: 'Pay', 'Pay ¥80'," in str(told.value)


def test_a_missing_text_is_told_with_the_screen_and_the_notice(stall):
    stall.tap("Whisper")

    with pytest.raises(PlayError) as told:
        stall.see("shout")

    assert "does not show 'shout'" in str(told.value)
    assert "Notice of the last tap: 'psst'." in str(told.value)


def test_a_text_that_should_not_be_there_is_told(stall):
    stall.not_see("plums")

    with pytest.raises(PlayError, match="should not show 'stall'"):
        stall.not_see("stall")


def test_an_empty_chat_says_what_to_do(chat):
    with pytest.raises(PlayError, match="open a program first"):
        chat.see("anything")


def test_a_notice_is_seen(stall):
    stall.tap("Whisper").see("psst")

    assert stall.toast == "psst"
    stall.send("louder").not_see("psst")


def test_text_is_written_to_the_page(stall):
    stall.send("two pounds").see("said=two pounds")


def test_commands_are_commands(stall):
    stall.send("/help").see("/orders")


def test_a_dialog_is_answered(stall):
    stall.tap("Ask").see("Sure?").tap("OK").see("said=yes")


def test_a_picture_of_a_code_is_read(stall):
    stall.tap("Scan").send_code("plum-17").see("said=plum-17")


def test_a_link_into_the_bot_is_followed(stall):
    stall.tap("Make a link").tap("Docs").see("said=hello")


def test_a_link_to_elsewhere_is_shown_and_not_followed(stall):
    assert stall.link("Docs") == "https://example.com/docs"
    with pytest.raises(PlayError, match=r"opens https://example\.com/docs"):
        stall.tap("Docs")
    with pytest.raises(PlayError, match="copies '4711'"):
        stall.tap("Copy")
    with pytest.raises(PlayError, match="opens no address"):
        stall.link("Pay")


def test_an_error_of_a_page_is_the_test_s_error_and_undone_in_the_chat(stall):
    with pytest.raises(ZeroDivisionError, match="no plums left"):
        stall.tap("Boom")

    stall.see("Something went wrong here").not_see("never kept")


def test_an_error_in_on_payment_is_the_test_s_error(stall, wallet):
    stall.tap("Pay ¥80")

    with pytest.raises(KeyError, match="the eightieth plum"):
        wallet.approve()

    assert stall.results == ()


def test_what_the_host_logs_can_be_read(world, stall):
    with pytest.raises(ZeroDivisionError):
        stall.tap("Boom")

    assert "turn_undone" in [entry["event"] for entry in world.log]


def test_a_nervous_thumb_makes_one_order(stall):
    stall.tap("Pay", twice=True)

    assert len(stall.orders) == 1
    assert stall.unanswered == ()


def test_a_restart_between_any_two_steps_loses_nothing(stall, wallet):
    stall.send("kept").restart_host()
    stall.tap("Pay").restart_host()
    wallet.scan()
    stall.restart_host()

    wallet.approve().restart_host()

    stall.see("said=kept heard=¥8.00:paid:")
    assert stall.unanswered == ()


def test_time_ends_an_order_at_its_moment(stall):
    stall.tap("Pay")

    stall.advance(minutes=14)
    assert stall.results == ()

    stall.advance(minutes=2).see("heard=¥8.00:failed:expired")


def test_a_year_passes_quickly(stall, world):
    before = world.clock.now()

    stall.tap("Pay").advance(days=365)

    assert (world.clock.now() - before).days == 365
    assert [order.state for order in stall.orders] == ["expired"]


def test_people_have_chats_of_their_own(world, app):
    ann, bob = world.person("Ann"), world.person("Bob", language="zh-hans")
    ann.open(app).tap("Pay")
    bob.open(app).tap("Pay")

    bob.wallet.approve()

    assert [result.status for result in bob.results] == [PaymentStatus.PAID]
    assert ann.results == ()
    ann.see("heard=").not_see("paid")
    assert world.person("Ann") is ann


def test_the_screen_is_the_page_and_its_cashier_the_history_is_all(stall):
    stall.tap("Two at once")

    assert stall.screen.count("Plums") == 2
    assert stall.history.startswith("stall said=")


def test_the_same_test_draws_the_same_numbers_and_inherits_nothing(app):
    def orders():
        with World() as world:
            return [order.id for order in world.chat.open(app).tap("Two at once").orders]

    first = orders()

    assert first == orders()
    assert len(set(first)) == 2


def test_an_async_test_is_told_to_be_a_plain_one(world):
    async def test():
        world.chat.open("com.moongate.coffee")

    with pytest.raises(PlayError, match="not `async def test_…`"):
        asyncio.run(test())


def test_a_purchase_opens_no_connection_and_starts_no_thread(stall, wallet, monkeypatch):
    def refuse(*_args):
        raise AssertionError("The test kit went outside.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)

    stall.tap("Scan").send_code("plum").tap("Pay")
    wallet.approve().see("heard=¥8.00:paid:")
