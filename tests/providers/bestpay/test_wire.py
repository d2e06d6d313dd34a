"""What is on the wire is read in one way or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bestpay import signing, wire
from providers.sdk.errors import ReplyError, SignatureError
from providers.sdk.results import DeclineReason

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NUMBERS = st.text(ALPHABET, min_size=6, max_size=32)


@given(NUMBERS)
def test_a_number_on_the_wire_has_an_even_length_and_leads_back(number):
    sent = wire.wire_number(number)

    assert len(sent) % 2 == 0
    assert sent.startswith(number)
    assert wire.own_number(sent) == number


@given(NUMBERS, NUMBERS)
def test_two_numbers_never_meet_on_the_wire(one, other):
    reversal = wire.reversal_number(one)

    assert (wire.wire_number(one) == wire.wire_number(other)) is (one == other)
    assert reversal != wire.wire_number(other)
    assert len(reversal) % 2 == 0


@pytest.mark.parametrize("text", ["", "1", "abc1x", "abcd", "abc2", "abcd22", "ab100"])
def test_a_number_that_was_never_ours_is_refused(text):
    with pytest.raises(ReplyError):
        wire.own_number(text)


def test_numbers_in_json_keep_their_spelling():
    message = wire.decode_json(b'{"a": 1.10, "b": 1E2, "c": 12345678901234567890, "d": -0}')

    assert wire.compact(message) == '{"a":1.10,"b":1E2,"c":12345678901234567890,"d":-0}'
    assert signing.signed_text(message) == "a=1.10&b=1E2&c=12345678901234567890&d=-0"


def test_a_number_and_its_text_are_signed_alike_only_at_the_top():
    number, text = (wire.decode_json(b'{"r": {"a": %s}}' % value) for value in (b"1", b'"1"'))

    assert signing.signed_text(number) == 'r={"a":1}'
    assert signing.signed_text(text) == 'r={"a":"1"}'


def test_names_are_sorted_at_every_depth_and_nulls_kept():
    message = wire.decode_json('{"b": {"z": [{"y": 1, "x": null}, true], "a": "é/中"}, "a": null}'.encode())

    assert signing.signed_text(message) == 'a=null&b={"a":"é/中","z":[{"x":null,"y":1},true]}'


def test_strings_are_spelt_as_bestpays_library_does():
    assert wire.compact('"\\/\b\t\n\f\r\x01\x1f\x7f\x9f\xa0\u2028') == (
        r'"\"\\/\b\t\n\f\r\u0001\u001F\u007F\u009F' + "\xa0" + r'\u2028"'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": 1, "a": 1}',
        b'{"r": {"a": 1, "a": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b"\xff{}",
        b'{"a": "' + b"x" * 65536 + b'"}',
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_what_is_not_plain_json_is_refused(body):
    with pytest.raises(ReplyError):
        wire.decode_json(body)


@pytest.mark.parametrize(
    "body", [b"", b"a=1&a=2", b"a=1&&b=2", b"=1", b"1a=1", b"a=%FF", b"a[]=1", b"\xff=1"]
)
def test_what_is_not_a_plain_form_is_refused(body):
    with pytest.raises(ReplyError):
        wire.decode_form(body)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True),
        st.text(st.characters(codec="utf-8")),
        min_size=1,
    )
)
def test_a_form_comes_back_as_it_was_sent(fields):
    assert wire.decode_form(wire.encode_form(fields)) == fields


def test_half_a_character_is_no_signature_error_of_ours():
    message = wire.decode_json(b'{"a": "\\ud800", "sign": "AAAA"}')

    with pytest.raises(SignatureError):
        signing.utf8(signing.signed_text(message))


def test_a_plain_value_is_asked_for_by_name():
    message = wire.decode_json(b'{"a": null, "b": 1, "c": {}, "d": false}')

    assert (wire.word(message, "a"), wire.word(message, "b"), wire.word(message, "gone")) == ("", "1", "")
    for name in ("c", "d"):
        with pytest.raises(ReplyError, match=name):
            wire.word(message, name)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("BE300001", DeclineReason.MISCONFIGURED),
        ("BE300013", DeclineReason.MISCONFIGURED),
        ("BARCODE_VALIDATE_ERROR", DeclineReason.PAYER),
        ("BE110078", DeclineReason.WINDOW),
        ("BE999999", None),
        ("-302", None),
        ("BE110062", None),
        ("", None),
    ],
)
def test_only_a_word_that_says_so_is_certain(code, reason):
    assert wire.certain_reason(code) is reason


def test_a_title_is_cut_between_characters():
    assert wire.cut("拿铁", 5) == "拿"
    assert wire.cut("Latte", 5) == "Latte"


@pytest.mark.parametrize("text", ["", "2026", "2026-07-01", "1782878400000"])
def test_a_time_in_another_form_is_no_time(text):
    assert wire.read_moment(text) is None


def test_both_spellings_of_a_time_are_beijings():
    assert wire.read_moment("20260701120000") == wire.read_moment("2026-07-01 12:00:00")
    assert wire.read_moment("20260701120000").hour == 4


def test_secrets_are_masked_wherever_they_stand():
    transcript = (
        b"merchantPwd=534231&barcode=515665002854886972&orderNo=A1 "
        b'{"buyerLoginNo":"13800138000"} {"bizContent":"{\\"service_cardno\\":\\"4401\\"}"} 515665002854886972'
    )

    masked = wire.scrub(transcript)

    assert not any(secret in masked for secret in (b"534231", b"5156650", b"13800138000", b"4401"))
    assert b"orderNo=A1" in masked
    assert wire.scrub(masked) == masked
