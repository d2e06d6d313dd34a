"""Our one code in EMVCo's form: whatever we write leads back to the same order, and nobody else's does."""

import string

import cemacqr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sdk.codes import (
    CodeError,
    EmvMerchant,
    OneCode,
    house_identifier,
    read_emv_merchant,
    recognise,
    template,
    write_emv_one_code,
)
from providers.sdk.money import Money

BASE = "https://pay.example.org"
TOKEN = "kQ3-v_9ZxY7mN2pLsT4uWg"
ORDER = "2611282131446403BsGFDCUfSn3"


def write(token: str = TOKEN, base: str = BASE, **more: object) -> str:
    fields = {"amount": Money.cny("18.00"), "name": "MOON TEA", "city": "SHANGHAI", "reference": ORDER}
    return write_emv_one_code(OneCode(token), base, **{**fields, **more})


tokens = st.text(
    string.ascii_letters + string.digits + "_-", min_size=16, max_size=59
)  # what a template has room for
bases = st.sampled_from(
    [
        BASE,
        "https://pay.example.org/gate",
        "http://127.0.0.1:8081",
        "https://a-very-long-name.of-a-shop.example.com.cn",
    ]
)
names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=25)


@given(tokens, bases, names, st.integers(1, 10**9), st.text(string.ascii_letters + string.digits, min_size=1))
def test_whatever_we_write_keeps_the_standard_and_leads_back_to_the_same_order(
    token: str, base: str, name: str, minor: int, reference: str
) -> None:
    amount = Money(minor, "CNY")
    text = write(token, base, amount=amount, name=name, reference=reference)

    code = read_emv_merchant(text, strict=True)

    assert recognise(text, base_url=base, strict=True) == OneCode(token)
    assert (code.amount(), code.value("53"), code.name, code.dynamic) == (amount, "156", name, True)
    assert code.template("62").part("05") == reference[-25:]


@given(tokens, st.integers(1, 10**9))
def test_a_stranger_s_reader_finds_the_same_in_it(token: str, minor: int) -> None:
    amount = Money(minor, "CNY")

    read = cemacqr.parse_payload(write(token, amount=amount))

    assert read.crc_ok
    assert (read.get_in("26", "00"), read.get_in("26", "01")) == ("org.example.pay", token)
    assert [read.get(each) for each in ("53", "54", "58", "59", "60")] == [
        "156", amount.decimal, "CN", "MOON TEA", "SHANGHAI",
    ]  # fmt: skip
    assert read.get_in("62", "05") == ORDER[-25:]


@pytest.mark.parametrize(
    "stranger",
    [
        "https://pay.example.com",
        "https://evil.example",
        "https://pay.example.org.evil.example",
        BASE + "/other",
        "",
    ],
)
def test_another_house_s_code_is_a_merchant_code_and_not_ours(stranger: str) -> None:
    assert isinstance(recognise(write(), base_url=stranger), EmvMerchant)
    assert recognise(write(), base_url=BASE) == OneCode(TOKEN)


@pytest.mark.parametrize("token", ["short", "x" * 65, "no/../where1234567", "tokenTOKENtoken 0123456"])
def test_our_identifier_without_a_token_of_ours_is_refused(token: str) -> None:
    code = EmvMerchant.compose(
        accounts=[template("26", ("00", house_identifier(BASE)), ("01", token))],
        name="M", city="C", country="CN", currency="CNY",
    )  # fmt: skip

    with pytest.raises(CodeError, match="not a payment code of this shop"):
        recognise(code.encode(), base_url=BASE)


@pytest.mark.parametrize(
    ("base", "identifier"),
    [
        ("https://pay.example.org", "org.example.pay"),
        ("HTTPS://PAY.Example.org/", "org.example.pay"),
        ("https://shop.example", "example.shop"),
    ],
)
def test_a_house_is_called_by_its_domain_in_reverse(base: str, identifier: str) -> None:
    assert house_identifier(base) == identifier


def test_a_house_that_a_domain_does_not_tell_apart_has_a_uuid_of_its_address() -> None:
    odd = [
        "http://127.0.0.1:8081", "http://127.0.0.1:8082", "http://localhost", "https://pay.example.org/a",
        "https://pay.example.org/b", "https://pay.example.org:8443", "https://" + "x" * 40 + ".example",
        "https://10.0.0.1",
    ]  # fmt: skip
    found = {house_identifier(base) for base in odd}

    assert len(found) == len(odd)
    assert all(len(each) == 32 and set(each) <= set(string.hexdigits) for each in found)


@pytest.mark.parametrize(
    "wrong", [{"name": "月亮茶"}, {"city": ""}, {"amount": Money(5, "XTR")}, {"name": "x" * 26}]
)
def test_what_emvco_cannot_say_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CodeError):
        write(**wrong)
