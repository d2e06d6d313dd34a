"""The envelope of an answer is cut by hand: what is verified and what is read must be the same text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.alipay import wire
from providers.sdk.errors import ReplyError, SignatureError

KEY = "alipay_trade_query_response"


def opened(text):
    return wire.open_envelope(text.encode(), wire.QUERY)


@pytest.mark.parametrize(
    "signed",
    [
        '{"code":"10000","subject":"a}b"}',
        '{"code":"10000","subject":"}}}{\\"}","more":{"deep":[{"a":"]"}]}}',
        '{"code":"10000","url":"https:\\/\\/qr.alipay.com\\/bax1"}',
        '{ "code" : "10000" ,\n"subject":"\\\\" }',
        '{"code":"10000","subject":"\\",\\"sign\\":\\"x"}',
        '{"code":"10000","subject":"拿铁 \\u62ff"}',
    ],
)
def test_the_signed_text_is_the_object_as_it_stands(signed):
    envelope = opened(f'{{"{KEY}":{signed},"alipay_cert_sn":"ab12","sign":"c2lnbg=="}}')

    assert envelope.signed == signed
    assert (envelope.signature, envelope.cert_sn) == ("c2lnbg==", "ab12")
    assert envelope.fields() == json.loads(signed)


def test_what_is_read_comes_from_the_first_of_two_objects_of_one_name():
    first, second = '{"trade_status":"WAIT_BUYER_PAY"}', '{"trade_status":"TRADE_SUCCESS"}'

    envelope = opened(f'{{"{KEY}":{first},"sign":"one","{KEY}":{second},"sign":"two"}}')

    assert envelope.signed == first
    assert envelope.signature == "one"
    assert envelope.fields()["trade_status"] == "WAIT_BUYER_PAY"


def test_an_object_of_that_name_deeper_inside_is_not_taken_for_the_answer():
    outer = f'{{"note":{{"{KEY}":{{"code":"evil"}}}},"{KEY}":{{"code":"10000"}},"sign":"s"}}'

    assert opened(outer).signed == '{"code":"10000"}'


def test_an_error_of_the_gateway_is_an_answer_too():
    assert opened('{"error_response":{"code":"40002"},"sign":"s"}').fields() == {"code": "40002"}


@pytest.mark.parametrize("sign", ["", ',"sign":""', ',"sign":null', ',"sign":7', ',"sign":{}'])
def test_an_answer_without_signature_is_refused_in_its_own_words(sign):
    inner = '{"code":"40002","sub_code":"isv.invalid-app-id","sub_msg":"<script>"}'

    with pytest.raises(SignatureError, match=r"40002 isv\.invalid-app-id") as refusal:
        opened(f'{{"{KEY}":{inner}{sign}}}')

    assert "script" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>502</html>",
        "[]",
        "null",
        f'{{"{KEY}":',
        f'{{"{KEY}":"text","sign":"s"}}',
        f'{{"{KEY}":[{{}}],"sign":"s"}}',
        f'{{"{KEY}":{{"code":"10000"}},"sign":"s"}} trailing',
        f'{{"{KEY}":{{"code":"10000"}} "sign":"s"}}',
        '{"alipay_trade_pay_response":{"code":"10000"},"sign":"s"}',
        "[" * 100_000,
        f'{{"{KEY}":' + '{"a":' * 100_000,
    ],
)
def test_anything_else_is_no_answer(text):
    with pytest.raises(ReplyError):
        opened(text)


def test_an_answer_in_another_encoding_is_no_answer():
    with pytest.raises(ReplyError):
        wire.open_envelope(f'{{"{KEY}":{{"code":"拿铁"}},"sign":"s"}}'.encode("gbk"), wire.QUERY)


values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(document=st.dictionaries(st.text(), values, max_size=5), ascii_only=st.booleans())
def test_any_object_survives_the_cutting(document, ascii_only):
    signed = json.dumps(document, ensure_ascii=ascii_only).replace("/", "\\/")
    whole = f'{{"{KEY}":{signed},"sign":"c2lnbg=="}}'
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in whole):
        return

    envelope = opened(whole)

    assert envelope.signed == signed
    assert envelope.fields() == document


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("拿铁 Latte", "拿铁 Latte"),
        ("1/2 & a=b", "1／2 ＆ a＝b"),
        ("  two\n lines\t", "two lines"),
        ("", "Order"),
        ("\x00\x07", "Order"),
        ("汉" * 100, "汉" * 85),
    ],
)
def test_a_title_is_made_one_that_alipay_takes(title, subject):
    assert wire.subject(title) == subject


@pytest.mark.parametrize("body", [b"a", b"a=1&a=2", b"=1", b"a=%FF", "a=拿".encode(), b"", b"a=1&&b=2"])
def test_an_ambiguous_form_is_refused(body):
    with pytest.raises(ReplyError):
        wire.decode_form(body)


def test_a_form_is_decoded_exactly_once():
    assert wire.decode_form(b"a=%252B+%2B") == {"a": "%2B +"}
