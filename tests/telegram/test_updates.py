"""Which updates become events, and which are let pass."""

import pytest
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.runtime.events import Command, Origin, Photo, Seat, Tap, Words
from bot.telegram.updates import ALLOWED, read

ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "zh-hans"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann"}
GROUP = {"id": -100123, "type": "supergroup", "title": "Tea"}
ORIGIN = Origin(key="u55", seat=Seat(7, 7), language="zh-hans", message_id=3)
SIZES = [
    {"file_id": f"f{side}", "file_unique_id": f"q{side}", "width": side, "height": side}
    for side in (90, 1280, 320)
]


def message(**fields):
    return {"message_id": 3, "date": 1782878400, "chat": PRIVATE, "from": ANN, **fields}


def query(**fields):
    sent = message(text="menu", **{"from": {"id": 1, "is_bot": True, "first_name": "Bot"}})
    return {"id": "q9", "from": ANN, "chat_instance": "c", "data": "t:abc", "message": sent, **fields}


def event(kind="message", **fields):
    body = message(**fields) if "message" in kind or "post" in kind else query(**fields)
    return read(Update.model_validate({"update_id": 55, kind: body}), "moongate_bot")


def test_a_line_of_text_is_words():
    assert event(text="two lattes") == Words(ORIGIN, "two lattes")


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/start", "start", ""),
        ("/start pay_123", "start", "pay_123"),
        ("/start@moongate_bot  x y ", "start", "x y"),
        ("/START@Moongate_Bot", "start", ""),
        ("/orders\nnow", "orders", "now"),
    ],
)
def test_a_slash_at_the_beginning_is_a_command(text, name, argument):
    assert event(text=text) == Command(ORIGIN, name, argument)


@pytest.mark.parametrize("text", ["/", "/path/to/file", "and /start", "//x", "/s-t", "/ start"])
def test_what_only_looks_like_a_command_is_words(text):
    assert event(text=text) == Words(ORIGIN, text)


def test_a_command_to_another_bot_is_not_for_us():
    assert event(text="/start@other_bot") is None


def test_a_photo_is_taken_in_its_largest_size():
    assert event(photo=SIZES, caption="my code") == Photo(ORIGIN, "f1280", "my code")
    assert event(photo=SIZES) == Photo(ORIGIN, "f1280", "")


def test_a_picture_sent_as_a_file_is_a_photo_and_another_file_is_not():
    picture = {"file_id": "d", "file_unique_id": "u", "mime_type": "image/png"}

    assert event(document=picture) == Photo(ORIGIN, "d", "")
    assert event(document={**picture, "mime_type": "application/zip"}) is None


def test_a_tap_carries_its_data_its_message_and_its_query():
    expected = Origin(key="u55", seat=Seat(7, 7), language="zh-hans", message_id=3, callback_id="q9")

    assert event("callback_query") == Tap(expected, "t:abc")


def test_a_tap_on_a_message_too_old_to_see_is_still_a_tap():
    tapped = event("callback_query", message={"message_id": 3, "date": 0, "chat": PRIVATE})

    assert (tapped.data, tapped.origin.message_id, tapped.origin.seat) == ("t:abc", 3, Seat(7, 7))


def test_a_seat_is_the_person_in_the_chat():
    assert event(text="x", chat=GROUP).origin.seat == Seat(-100123, 7)


@pytest.mark.fault("J12")
def test_who_takes_another_ones_name_is_still_somebody_else():
    boss = {"id": 7, "is_bot": False, "first_name": "Ann", "username": "boss"}
    thief = {**boss, "id": 8}

    seats = {event(text="/orders", **{"from": one}).origin.seat.user_id for one in (boss, thief)}

    assert seats == {7, 8}


def test_a_person_without_a_language_is_spoken_to_in_english():
    unknown = {"id": 7, "is_bot": False, "first_name": "Ann"}

    assert event(text="x", **{"from": unknown}).origin.language == "en"


@pytest.mark.fault("J13")
def test_an_anonymous_administrator_and_a_channel_are_nobody():
    stand_in = {"id": 1087968824, "is_bot": True, "first_name": "Group"}

    assert event(text="/start", chat=GROUP, sender_chat=GROUP, **{"from": stand_in}) is None
    assert event(text="/start", chat=GROUP, sender_chat=GROUP) is None
    assert event("channel_post", text="/start", chat={**GROUP, "type": "channel"}) is None


def test_other_bots_are_nobody():
    assert event(text="/start", **{"from": {**ANN, "is_bot": True}}) is None
    assert event("callback_query", **{"from": {**ANN, "is_bot": True}}) is None


@pytest.mark.fault("J14")
def test_an_edited_message_does_nothing_again():
    assert event("edited_message", text="/start pay_123") is None
    assert not any("edited" in kind for kind in ALLOWED)


@pytest.mark.fault("J4")
def test_a_tap_on_an_inline_message_a_game_or_in_a_channel_is_not_for_us():
    assert event("callback_query", message=None, inline_message_id="i") is None
    assert event("callback_query", data=None, game_short_name="chess") is None
    in_channel = {"message_id": 3, "date": 0, "chat": {**GROUP, "type": "channel"}}
    assert event("callback_query", message=in_channel) is None


@pytest.mark.parametrize(
    "fields", [{"location": {"latitude": 1.0, "longitude": 2.0}}, {"new_chat_title": "x"}, {}]
)
def test_messages_of_other_kinds_are_let_pass(fields):
    assert event(**fields) is None


@pytest.mark.fault("I10")
def test_an_update_of_a_kind_from_the_future_is_let_pass():
    update = Update.model_validate({"update_id": 55, "telepathy": {"from": ANN, "thought": "latte"}})

    assert read(update) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_upsets_the_reader(text):
    found = event(text=text)

    assert found is None or found.origin == ORIGIN
