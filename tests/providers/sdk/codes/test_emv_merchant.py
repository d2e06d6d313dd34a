import binascii

import cemacqr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sdk.codes import CodeError, DataObject, EmvMerchant, read_emv_merchant, template
from providers.sdk.money import EXPONENTS, Money
from tests.providers.sdk.codes.samples import (
    ANNEX_B,
    CAMBODIA,
    CAMBODIA_LONG_CITY,
    MERCHANT_PRESENTED,
    NEPAL_SMALL_CRC,
)

SHOP = template("26", ("00", "org.example.pay"), ("01", "12345678"))


def signed(body: str) -> str:
    return f"{body}6304{binascii.crc_hqx(f'{body}6304'.encode(), 0xFFFF):04X}"


def shop(*more: DataObject, amount: Money | None = None) -> EmvMerchant:
    return EmvMerchant.compose(
        accounts=[SHOP],
        name="MOON TEA",
        city="BEIJING",
        country="CN",
        currency="CNY",
        amount=amount,
        more=more,
    )


@pytest.mark.parametrize("text", MERCHANT_PRESENTED.values(), ids=MERCHANT_PRESENTED)
def test_a_published_code_is_written_again_as_it_was_but_for_the_case_of_its_checksum(text: str) -> None:
    code = read_emv_merchant(text)

    assert code.encode() == text[:-4] + text[-4:].upper()


@pytest.mark.parametrize("text", [ANNEX_B, CAMBODIA])
def test_a_code_within_the_standard_passes_the_strict_reader(text: str) -> None:
    assert read_emv_merchant(text, strict=True) == read_emv_merchant(text)


def test_the_standard_s_own_example_says_what_the_standard_says() -> None:
    code = read_emv_merchant(ANNEX_B, strict=True)

    assert len(ANNEX_B) == 248
    assert len(ANNEX_B.encode()) == 260
    assert code.name == "BEST TRANSPORT"
    assert code.dynamic
    assert code.amount() == Money.cny("23.72")
    assert [(account.id, account.part("00")) for account in code.accounts] == [
        ("29", "D15600000000"),
        ("31", "D15600000001"),
    ]
    assert [(part.id, part.value) for part in code.template("64").parts] == [
        ("00", "ZH"),
        ("01", "最佳运输"),
        ("02", "北京"),
    ]
    assert code.template("62").part("06") == "***"
    assert [code.value(each) for each in ("52", "53", "55", "58", "60")] == [
        "4111",
        "156",
        "01",
        "CN",
        "BEIJING",
    ]
    assert code.template("91").part("07") == "12345678"
    assert code.unionpay is None


def test_unionpay_s_account_is_split_into_its_three_numbers() -> None:
    account = read_emv_merchant(NEPAL_SMALL_CRC).unionpay

    assert (account.acquirer, account.forwarder, account.merchant) == (
        "27330524",
        "00020344",
        "100500000000001",
    )


def test_a_city_of_one_letter_too_many_is_read_in_the_street_and_refused_by_the_book() -> None:
    assert read_emv_merchant(CAMBODIA_LONG_CITY).value("60") == "Banteay Meanchey"
    with pytest.raises(CodeError, match="has 16 characters; 1 to 15"):
        read_emv_merchant(CAMBODIA_LONG_CITY, strict=True)


@pytest.mark.fault("L4")
@pytest.mark.fault("L4")
def test_one_changed_character_anywhere_is_refused() -> None:
    for at, letter in enumerate(CAMBODIA):
        changed = CAMBODIA[:at] + ("1" if letter != "1" else "2") + CAMBODIA[at + 1 :]

        with pytest.raises(CodeError):
            read_emv_merchant(changed)


def test_a_code_that_is_cut_short_anywhere_is_refused() -> None:
    for length in range(len(CAMBODIA)):
        with pytest.raises(CodeError):
            read_emv_merchant(CAMBODIA[:length])


ACCOUNT = "153137210116372101160123456789ABCDE"
BODY = f"000201{ACCOUNT}5204411353031565802CN5903TEA6004CITY"


def test_the_body_of_the_next_tests_is_a_right_code() -> None:
    assert read_emv_merchant(signed(BODY), strict=True).name == "TEA"


@pytest.mark.fault("L4")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("5903TEA", "says one thing twice"),
        ("540199", "damaged|cut short"),
        ("5499", "cut short"),
        ("5400", "damaged"),
        ("54011"[:4], "cut short"),
        ("５４011", "damaged"),
        ("54040.00", "amount"),
        ("54041,00", "amount"),
        ("5404-100", "amount"),
        ("5403.10", "amount"),
        ("54051.0.0", "amount"),
        ("541412345678901234", "amount"),
        ("5403１２３", "amount"),
        ("550202", "contradicts"),
        ("56041.00", "contradicts"),
        ("55020256040.00", "fixed fee"),
        ("5502035706100.00", "percent fee"),
        ("550204", "tip indicator"),
        ("63041234", "two checksums"),
    ],
)  # fmt: skip
def test_what_could_mislead_about_money_or_shape_is_refused_in_both_modes(more: str, why: str) -> None:
    for strict in (False, True):
        with pytest.raises(CodeError, match=why):
            read_emv_merchant(signed(BODY + more), strict=strict)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("6205xxxxx", "damaged"),
        ("62300126" + "B" * 26, "25 are allowed"),
        ("62070903AMA", "consumer data request"),
        ("62060902AX", "consumer data request"),
        ("64060002ZH", "language template"),
        ("6414000212010" + "4月亮茶馆", "two letters"),
        ("62065002xx", "payment system"),
        ("62085004xx00", "payment system"),
        ("62105006000099", "payment system"),
        ("26080104abcd", "name of its scheme"),
        ("80080104abcd", "name of its scheme"),
        ("010213", "neither 11"),
        ("61111234567890A", "postal code"),
    ],
)
def test_the_small_rules_bind_the_strict_reader_only(more: str, why: str) -> None:
    text = signed(BODY + more)

    assert read_emv_merchant(text).name == "TEA"
    with pytest.raises(CodeError, match=why):
        read_emv_merchant(text, strict=True)


@pytest.mark.parametrize("gone", ["5802CN", "5303156", "52044113", "5903TEA", "6004CITY", ACCOUNT])
def test_what_the_standard_requires_is_required_strictly(gone: str) -> None:
    text = signed(BODY.replace(gone, ""))

    assert read_emv_merchant(text).objects
    with pytest.raises(CodeError, match="lacks"):
        read_emv_merchant(text, strict=True)


@pytest.mark.fault("L4")
def test_templates_are_opened_one_level_deep_and_no_deeper() -> None:
    nested = "x"
    for _ in range(20):
        nested = f"00{len(nested):02d}{nested}"
    code = read_emv_merchant(signed(f"{BODY}80{len(nested):02d}{nested}"))

    assert [part.parts for part in code.template("80").parts] == [()]


def test_a_code_of_more_than_512_characters_is_neither_read_nor_written() -> None:
    fat = [DataObject(f"{number}", "x" * 99) for number in range(65, 71)]

    with pytest.raises(CodeError, match="512"):
        shop(*fat)
    with pytest.raises(CodeError, match="512"):
        read_emv_merchant(signed(BODY + "6599" + "x" * 500))


def test_a_code_whose_letters_take_more_than_512_bytes_is_not_written() -> None:
    wide = [DataObject(f"{number}", "月" * 60) for number in range(65, 68)]

    with pytest.raises(CodeError, match="512 bytes"):
        shop(*wide)


def test_the_amount_of_a_currency_this_house_does_not_know_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(CodeError, match="does not settle"):
        read_emv_merchant(NEPAL_SMALL_CRC).amount()


@pytest.mark.parametrize(("text", "minor"), [("98.73", 9873), ("98", 9800), ("98.", 9800), ("0098.5", 9850)])
def test_amounts_in_the_standard_s_forms_are_money(text: str, minor: int) -> None:
    code = read_emv_merchant(signed(f"{BODY}54{len(text):02d}{text}"), strict=True)

    assert code.amount() == Money(minor, "CNY")


@pytest.mark.parametrize(
    "odd", [DataObject("6", "x"), DataObject("６１", "x"), DataObject("61", ""), DataObject("61", "x" * 100)]
)
def test_an_object_that_could_not_be_read_again_is_not_written(odd: DataObject) -> None:
    with pytest.raises(CodeError, match="1 to 99"):
        shop(odd)


def test_our_code_without_an_amount_may_be_used_again() -> None:
    assert (shop().dynamic, shop().amount(), shop(amount=Money.cny("1")).dynamic) == (False, None, True)


@pytest.mark.parametrize(
    "wrong",
    [{"name": "月亮茶"}, {"name": "M" * 26}, {"country": "cn"}, {"currency": "XTR"}, {"accounts": []}, {"city": "\ud800"}],
)  # fmt: skip
def test_a_code_outside_the_standard_is_not_written(wrong: dict) -> None:
    right = {"accounts": [SHOP], "name": "M", "city": "B", "country": "CN", "currency": "CNY"}

    with pytest.raises(CodeError):
        EmvMerchant.compose(**{**right, **wrong})


ans = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=15)
chinese = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=15)
payable = sorted(currency for currency in EXPONENTS if currency != "XTR")


@given(ans, ans, chinese, st.integers(1, 10**9), st.sampled_from(payable))
def test_whatever_we_write_reads_back_as_what_was_meant(
    name: str, bill: str, title: str, minor: int, currency: str
) -> None:
    amount = Money(minor, currency)
    code = EmvMerchant.compose(
        accounts=[SHOP],
        name=name,
        city="BEIJING",
        country="CN",
        currency=currency,
        amount=amount,
        more=[template("62", ("01", bill)), template("64", ("00", "ZH"), ("01", title))],
    )

    again = read_emv_merchant(code.encode(), strict=True)

    assert again == code
    assert (again.name, again.amount()) == (name, amount)
    assert (again.template("62").part("01"), again.template("64").part("01")) == (bill, title)


@given(ans, chinese, st.integers(1, 10**9))
def test_what_we_write_is_read_the_same_by_an_independent_decoder(name: str, title: str, minor: int) -> None:
    amount = Money(minor, "CNY")
    code = shop(template("62", ("01", name)), template("64", ("00", "ZH"), ("01", title)), amount=amount)

    read = cemacqr.parse_payload(code.encode())

    assert read.crc_ok
    assert (read.get("59"), read.get("54"), read.get("53")) == ("MOON TEA", amount.decimal, "156")
    assert (read.get_in("26", "00"), read.get_in("62", "01"), read.get_in("64", "01")) == (
        "org.example.pay",
        name,
        title,
    )
