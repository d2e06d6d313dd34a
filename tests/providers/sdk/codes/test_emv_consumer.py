from base64 import b64decode, b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.sdk.codes import CodeError, read_emv_consumer
from providers.sdk.codes.ber import BerObject, read_ber, write_ber
from tests.providers.sdk.codes.samples import ONE_CARD, TWO_CARDS

CPV = bytes.fromhex("8505") + b"CPV01"
AID = bytes.fromhex("4F07A0000000555555")
PAN = bytes.fromhex("5A081234567890123458")


def code(*templates: tuple[int, bytes], start: bytes = CPV) -> str:
    return b64encode(start + b"".join(bytes([tag, len(body)]) + body for tag, body in templates)).decode()


def test_the_standard_s_first_example_is_one_card() -> None:
    [card] = read_emv_consumer(ONE_CARD).applications

    assert (card.aid, card.tail) == ("A0000000555555", "3458")


def test_the_standard_s_second_example_is_two_cards_with_what_they_share() -> None:
    read = read_emv_consumer(TWO_CARDS)
    shared = read.objects[-1]
    inner = next(part for part in shared.parts if part.tag == "64")

    assert [(card.aid, card.label, card.tail) for card in read.applications] == [
        ("A0000000555555", "Product1", "3458"),
        ("A0000000666666", "Product2", "3458"),
    ]
    assert shared.find("5F20") == b"CARDHOLDER/EMV"
    assert shared.find("5F2D") == b"ruesdeen"
    assert {part.tag: part.value.hex().upper() for part in inner.parts} == {
        "9F10": "06010A03000000",
        "9F26": "584FD385FA234BCC",
        "9F36": "0001",
        "9F37": "6D58EF13",
    }


@pytest.mark.parametrize("text", [ONE_CARD, TWO_CARDS])
def test_the_standard_s_examples_are_written_again_as_they_were(text: str) -> None:
    assert read_emv_consumer(text).encode() == text


@pytest.mark.parametrize("text", [ONE_CARD, TWO_CARDS])
def test_no_card_data_is_ever_printed(text: str) -> None:
    printed = repr(read_emv_consumer(text))

    assert "1234567890" not in printed
    assert "x12" not in printed
    assert "CARDHOLDER" not in printed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hQVDUFYwMQ==",
        ONE_CARD[:-1],
        ONE_CARD[:-2] + "9=",
        ONE_CARD.replace("=", ""),
        ONE_CARD + "AAAA",
        ONE_CARD + "\n",
        b64encode(b64decode(ONE_CARD)[:-1]).decode(),
        "hQVDUFYwMWEТ",
        ONE_CARD[:8] + "A" * 600,
    ],
)
def test_a_damaged_card_code_is_refused(text: str) -> None:
    with pytest.raises(CodeError):
        read_emv_consumer(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (code((0x61, AID + PAN), start=b""), "CPV01"),
        (code((0x61, AID + PAN), start=bytes.fromhex("8505") + b"CPV02"), "CPV01"),
        (code((0x61, AID + PAN), start=CPV + CPV), "twice"),
        (code((0x61, AID + AID + PAN)), "twice"),
        (code((0x61, AID + PAN + bytes.fromhex("63069F36009F3600"))), "twice"),
        (code((0x61, AID)), "card number"),
        (code((0x61, AID + bytes.fromhex("5A0B") + bytes(11))), "card number"),
        (code((0x61, PAN)), "no card scheme"),
        (code((0x61, bytes.fromhex("4F02A000") + PAN)), "wrong length"),
        (code((0x61, AID + PAN), (0x62, bytes.fromhex("5F2D027A68"))), "too few or too many"),
        (code(*[(0x61, AID + PAN)] * 3), "too few or too many"),
        (code((0x61, AID + PAN), (0x61, AID), (0x62, PAN)), "for one card and for both"),
        (code((0x61, bytes.fromhex("4F80") + PAN)), "no definite length"),
        (code((0x61, bytes.fromhex("7F"))), "cut short"),
        (code((0x61, AID + bytes.fromhex("9F"))), "cut short"),
        (code((0x61, AID + bytes.fromhex("5A"))), "cut short"),
        (code((0x61, AID + bytes.fromhex("5A8201"))), "cut short"),
        (code((0x61, AID + PAN + bytes.fromhex("630A6308630663046302630063"))), "deeper|cut short"),
    ],
)
def test_a_card_code_outside_the_standard_is_refused(text: str, why: str) -> None:
    with pytest.raises(CodeError, match=why):
        read_emv_consumer(text)


def test_a_card_whose_scheme_is_not_named_is_passed_over() -> None:
    read = read_emv_consumer(code((0x61, PAN), (0x61, AID + PAN)))

    assert [card.aid for card in read.applications] == ["A0000000555555"]


values = st.binary(max_size=300)
tags = st.sampled_from(["4F", "57", "5A", "9F10", "9F26", "DF8101"])


@given(st.lists(st.builds(BerObject, tags, values), max_size=5))
@example([BerObject("5A", bytes(length)) for length in (0, 127, 128, 255, 256, 300)])
def test_objects_read_back_as_they_were_written(objects: list[BerObject]) -> None:
    assert list(read_ber(write_ber(objects))) == objects


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_start_are_read_or_refused(content: bytes) -> None:
    try:
        read = read_emv_consumer(b64encode(CPV + content).decode())
    except CodeError:
        return
    assert read.applications
