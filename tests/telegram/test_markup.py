"""A screen in Telegram's form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.runtime.screen import Key, Screen
from bot.telegram.markup import (
    CAPTION_UNITS_MAX,
    TEXT_UNITS_MAX,
    asks_for_reply,
    keyboard,
    written,
)
from miniprograms.sdk.view import Bold, Code, Style, Text

TEXTS = st.lists(st.builds(Text, st.text(max_size=3000), st.sampled_from(Style)), min_size=1, max_size=4).map(
    tuple
)


def units(text):
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.fault("K9", "M1", "M2")
def test_styles_become_entities_and_the_text_stays_plain():
    body = (Bold("Latte"), Text(" & <b>x</b> *y* "), Code("0Zk3"), Text("\n"), Text("gone", Style.STRIKE))

    text, entities = written(Screen(body))

    assert text == "Latte & <b>x</b> *y* 0Zk3\ngone"
    assert [(entity.type, entity.offset, entity.length) for entity in entities] == [
        ("bold", 0, 5),
        ("code", 21, 4),
        ("strikethrough", 26, 4),
    ]


def test_offsets_count_utf_16_units_as_telegram_does():
    text, entities = written(Screen((Text("🥮拿铁"), Bold("€"))))

    assert (entities[0].offset, entities[0].length) == (4, 1)
    assert text.encode("utf-16-le")[8:10].decode("utf-16-le") == "€"


@settings(deadline=None)
@given(TEXTS, st.booleans())
def test_no_text_is_longer_than_telegram_takes_and_every_entity_lies_within(body, with_picture):
    limit = CAPTION_UNITS_MAX if with_picture else TEXT_UNITS_MAX

    text, entities = written(Screen(body, picture=b"png" if with_picture else None))

    assert units(text) <= limit
    assert all(entity.offset + entity.length <= units(text) for entity in entities)
    text.encode()


def test_a_cut_text_shows_that_there_was_more():
    text, _ = written(Screen((Text("x" * 5000),)))

    assert text == "x" * 4095 + "…"


def test_a_cut_never_splits_a_sign_in_two():
    text, _ = written(Screen((Text("🥮" * 3000),)))

    assert set(text) == {"🥮", "…"}


def test_half_a_surrogate_pair_is_shown_as_a_question_mark():
    assert written(Screen((Text("a\ud83eb"),)))[0] == "a?b"


def test_a_screen_without_words_can_still_be_sent():
    assert written(Screen((Text(" \n"),)))[0] == "…"
    assert written(Screen((), picture=b"png"))[0] == ""


def test_buttons_carry_what_the_keys_carry():
    keys = (
        Key("Pay", data="t:1", primary=True),
        Key("Site", url="https://x.example/"),
        Key("Copy", copy="0Zk3"),
    )

    [[pay, site, copy]] = keyboard(Screen((), (keys,))).inline_keyboard

    assert (pay.text, pay.callback_data, pay.style) == ("Pay", "t:1", "primary")
    assert (site.url, site.callback_data, site.style) == ("https://x.example/", None, None)
    assert copy.copy_text.text == "0Zk3"


def test_a_screen_without_buttons_has_no_keyboard():
    assert keyboard(Screen((Text("x"),))) is None
    assert keyboard(Screen((Text("x"),), ((),))) is None


def test_a_wide_row_is_broken_and_an_endless_keyboard_is_cut():
    rows = tuple(tuple(Key(str(n), data=f"t:{n}") for n in range(20)) for _ in range(10))

    markup = keyboard(Screen((), rows)).inline_keyboard

    assert max(len(row) for row in markup) == 8
    assert sum(len(row) for row in markup) == 100


@pytest.mark.parametrize(
    ("hint", "rows", "placeholder"),
    [("Your name", (), "Your name"), ("x" * 80, (), "x" * 64), ("", (), None)],
)
def test_a_hint_opens_the_text_field(hint, rows, placeholder):
    assert asks_for_reply(Screen((), rows, input_hint=hint)).input_field_placeholder == placeholder


def test_beside_buttons_a_hint_is_a_line_of_text():
    shown = Screen((Text("Who are you?"),), ((Key("Back", data="t:b"),),), input_hint="Your name")

    assert asks_for_reply(shown) is None
    assert written(shown)[0] == "Who are you?\n\n✍️ Your name"
    assert asks_for_reply(Screen(())) is None
