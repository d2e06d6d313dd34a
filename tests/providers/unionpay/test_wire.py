"""Forms and answers survive any text; what masks secrets leaves the rest alone."""

from hypothesis import given
from hypothesis import strategies as st

from providers.unionpay import wire
from providers.unionpay.signing import signing_text

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
FIELDS = st.dictionaries(NAMES, st.text(max_size=80), min_size=1, max_size=12)
RAW = st.dictionaries(
    NAMES, st.text(st.characters(exclude_characters="&", codec="utf-8")), min_size=1, max_size=12
)


@given(FIELDS)
def test_any_form_comes_back_as_it_went(fields):
    assert wire.decode_form(wire.encode_form(fields)) == fields


@given(RAW)
def test_any_raw_answer_comes_back_as_it_went(fields):
    assert wire.decode_reply(wire.encode_reply(fields)) == fields


@given(FIELDS)
def test_the_signing_text_is_sorted_and_leaves_out_what_is_empty(fields):
    kept = sorted(name for name, value in fields.items() if value and name != "signature")

    assert signing_text(fields) == "&".join(f"{name}={fields[name]}" for name in kept)


def test_a_plus_and_an_equals_sign_in_an_answer_stay_what_they_are():
    assert wire.decode_reply(b"accNo=a+b/c==&respCode=00") == {"accNo": "a+b/c==", "respCode": "00"}


def test_secrets_are_masked_wherever_they_stand():
    transcript = (
        b"POST /x\r\n\r\nqrNo=6221234567890123456&accNo=a+b/c==&phoneNo=13800000000&txnAmt=1&merId=1"
        b" 6229999999999999999 https://qr.95516.com/00010001/62" + b"1" * 30
    )

    masked = wire.scrub(transcript)

    assert masked == (
        b"POST /x\r\n\r\nqrNo=***&accNo=***&phoneNo=***&txnAmt=1&merId=1"
        b" *** https://qr.95516.com/00010001/62" + b"1" * 30
    )
