import binascii
import pickle
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.sdk.codes import (
    CodeError,
    CodeKind,
    EmvConsumer,
    EmvMerchant,
    Issuer,
    Mark,
    MerchantCode,
    OneCode,
    PayerCode,
    recognise,
    write_emv_one_code,
)
from providers.sdk.codes.merchant_code import MERCHANT_PATTERNS
from providers.sdk.codes.payer_code import PAYER_PATTERNS
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet
from tests.providers.sdk.codes.samples import ANNEX_B, CAMBODIA, MERCHANT_PRESENTED, ONE_CARD, TWO_CARDS

BASE = "https://pay.example.org/gate"
TOKEN = "kQ3-v_9ZxY7mN2pLsT4uWg"

MERCHANT_CODES = [
    ("weixin://wxpay/bizpayurl?pr=p4lpSuKzz", Issuer.WECHAT, CodeKind.ORDER),
    ("weixin://wxpay/bizpayurl?appid=wx1&mch_id=2&nonce_str=3&product_id=4&time_stamp=5&sign=6", Issuer.WECHAT, CodeKind.ORDER),
    ("wxp://f2f0AbCdEf12345-_", Issuer.WECHAT, CodeKind.PERSONAL),
    ("https://payapp.weixin.qq.com/qr/AQEabc", Issuer.WECHAT, CodeKind.PERSONAL),
    ("https://payapp.wechatpay.cn/materialqr/entry/abc", Issuer.WECHAT, CodeKind.BUSINESS),
    ("https://sjt.wxpapp.wechatpay.cn/lnk/qr/abc", Issuer.WECHAT, CodeKind.BUSINESS),
    ("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=1", Issuer.WECHAT, CodeKind.LINK),
    ("https://qr.alipay.com/bax03431ljhokirwl38f00a7", Issuer.ALIPAY, CodeKind.ORDER),
    ("https://qr.alipay.com/fkx1234567?t=1", Issuer.ALIPAY, CodeKind.PERSONAL),
    ("HTTPS://QR.ALIPAY.COM/FKX1234567", Issuer.ALIPAY, CodeKind.PERSONAL),
    ("https://qr.alipay.com/tsx12345", Issuer.ALIPAY, CodeKind.OTHER),
    ("alipays://platformapi/startapp?appId=20000067&url=x", Issuer.ALIPAY, CodeKind.LINK),
    ("https://qr.95516.com/00010001/62042010049001123456789012345678", Issuer.UNIONPAY, CodeKind.ORDER),
    ("https://qr.95516.com/00010002/01042010049001123456789012345678", Issuer.UNIONPAY, CodeKind.PERSONAL),
    ("https://qr.95516.com/48020000/31103101", Issuer.UNIONPAY, CodeKind.OTHER),
    ("https://p.10086.cn/d?p=0a1b", Issuer.CMPAY, CodeKind.BUSINESS),
    ("https://p.10086.cn/info/wap/qrcodepay/downloadclient.html?SESSIONID=abc", Issuer.CMPAY, CodeKind.ORDER),
    ("http://m.bestpay.com.cn/#/apa/123face2face", Issuer.BESTPAY, CodeKind.PERSONAL),
    ("http://www.unicompayment.com/externalJump/1002/abc", Issuer.UNICOMPAY, CodeKind.BUSINESS),
    ("https://i.qianbao.qq.com/wallet/sqrcode.htm?m=tenpay&a=1", Issuer.QQWALLET, CodeKind.PERSONAL),
    ("dcep://uniwallet/unipay?x=1", Issuer.ECNY, CodeKind.LINK),
]  # fmt: skip


@pytest.mark.parametrize(("text", "issuer", "kind"), MERCHANT_CODES)
def test_a_merchant_code_is_known_by_its_address(text: str, issuer: Issuer, kind: CodeKind) -> None:
    code = recognise(text)

    assert isinstance(code, MerchantCode)
    assert (code.issuer, code.kind, code.text) == (issuer, kind, text)


def test_every_row_of_both_tables_names_its_source_and_is_met_by_a_test() -> None:
    texts = [text.replace("HTTPS://QR.ALIPAY.COM", "https://qr.alipay.com") for text, _, _ in MERCHANT_CODES]
    unmet = [row for row in MERCHANT_PATTERNS if not any(row.fits(text) for text in [*texts, WRAPPED])]

    assert [row for row in (*MERCHANT_PATTERNS, *PAYER_PATTERNS) if not row.source] == []
    assert unmet == []


WRAPPED = (
    "https://qr.95516.com/qrcGtwWeb-web/api/open?qrCode=https%3A%2F%2Fpayapp.weixin.qq.com%2Fqr%2FAQEabc"
)


def test_the_wechat_code_that_a_unionpay_app_wrapped_is_found_inside() -> None:
    code = recognise(WRAPPED)

    assert (code.issuer, code.kind) == (Issuer.UNIONPAY, CodeKind.WRAPPER)
    assert (code.inner.issuer, code.inner.kind) == (Issuer.WECHAT, CodeKind.PERSONAL)


@pytest.mark.parametrize(
    "carried", ["https%3A%2F%2Fevil.example%2F", "a%00b", "wxp%3A%2F%2Ff2f1&qrCode=wxp%3A%2F%2Ff2f2"]
)
def test_a_wrapper_of_something_else_is_refused(carried: str) -> None:
    with pytest.raises(CodeError):
        recognise(f"https://qr.95516.com/qrcGtwWeb-web/api/open?qrCode={carried}")


@pytest.mark.fault("L3")
@pytest.mark.fault("L3")
@pytest.mark.parametrize(
    "text",
    [
        "https://qr.аlipay.com/bax03431",
        "https://qr.alipay.com@evil.example/bax03431",
        "https://user:qr.alipay.com@evil.example/bax1",
        "https://qr.alipay.com.evil.example/bax1",
        "https://qr.alipay.com:444/bax1",
        "https://qr.alipay.com\\@evil.example/bax1",
        "https:\\\\qr.alipay.com/bax1",
        "https://xn--qr-lipay-8fg.com/bax1",
        "https://qr.alipay.com/\u202ebax1",
        "https://qr.alipay.com/bax\t1",
        "https://qr.alipay.com/bax1\n",
        "https://qr.alipay.com/bax1\x00",
        "https://qr.alipay.com/bax1 https://evil.example",
        "https://qr.alipay.com/bax1#@evil",
        "https://qr.alipay.com/../bax1",
        "https://qr.alipay.com/",
        "https://qr.alipay.com",
        "http://qr.alipay.com/bax1",
        "ｈttps://qr.alipay.com/bax1",
        "https://qr.95516.com/00010001/",
        "https://qr.95516.com/",
        "weixin://wxpay/bizpayurl",
        "weixin://dl/business",
        "wxp://evil",
        "javascript:alert(1)",
        "hello",
        "",
        "   ",
        "0002",
        "\ud800",
        "x" * 5000,
        "1" * 5000,
        "1" * 17,
        "１３" + "1" * 16,
        "٢٨" + "1" * 16,
        f"{BASE}.evil.example/p/{TOKEN}",
        f"https://evil.example/p/{TOKEN}",
        f"{BASE}/p/short",
        f"{BASE}/p/{TOKEN}/state",
        f"{BASE}/p/{TOKEN}?x=1",
        f"{BASE}/p/{'a' * 65}",
    ],
)  # fmt: skip
def test_junk_and_look_alikes_are_refused_in_a_sentence_that_does_not_repeat_them(text: str) -> None:
    with pytest.raises(CodeError) as refusal:
        recognise(text, base_url=BASE)

    said = str(refusal.value)
    assert said[0].isupper()
    assert said.endswith(".")
    assert len(text.strip()) < 6 or text not in said


def test_the_host_s_own_link_is_its_one_code() -> None:
    code = recognise(f"HTTPS://PAY.example.org/gate/p/{TOKEN}", base_url=BASE + "/")

    assert code == OneCode(TOKEN)
    assert recognise(code.link(BASE), base_url=BASE) == code
    assert TOKEN not in repr(code)


def test_without_a_base_url_no_link_is_ours() -> None:
    with pytest.raises(CodeError):
        recognise(f"{BASE}/p/{TOKEN}")


def test_emvco_codes_are_recognised_by_their_beginning() -> None:
    assert isinstance(recognise(ANNEX_B), EmvMerchant)
    assert isinstance(recognise(TWO_CARDS), EmvConsumer)


PAYER_CODES = [
    ("134567890123456789", (Wallet.WECHAT,), False),
    ("1345 6789 0123 4567 89", (Wallet.WECHAT,), False),
    ("100498904982440770", (Wallet.WECHAT, Wallet.CMPAY), True),
    ("2812345678901234", (Wallet.ALIPAY,), False),
    ("300123456789012345678901", (Wallet.ALIPAY,), False),
    ("fp" + "a1" * 16 + "b", (Wallet.ALIPAY,), False),
    ("6222123456789012345", (Wallet.QUICKPASS, Wallet.BANK), False),
    ("6250105123456789012", (Wallet.BANK, Wallet.QUICKPASS), False),
    ("515665002854886972", (Wallet.BESTPAY,), False),
    ("0112345678901234567", (Wallet.ECNY,), False),
    ("181234567890123456", (), False),
    ("911234567890123456", (), False),
]


@pytest.mark.parametrize(("text", "wallets", "ambiguous"), PAYER_CODES)
def test_a_payer_code_is_known_by_prefix_and_length(
    text: str, wallets: tuple[Wallet, ...], ambiguous: bool
) -> None:
    code = recognise(text)

    assert isinstance(code, PayerCode)
    assert (code.candidates, code.ambiguous) == (wallets, ambiguous)
    assert code.code.get_secret_value() == text.replace(" ", "")


def test_a_10_code_says_that_it_may_be_of_two_networks_and_how_sure_each_is() -> None:
    code = recognise("100498904982440770")

    assert code.issuers == (Issuer.WECHAT, Issuer.CMPAY)
    assert [row.mark for row in code.patterns] == [Mark.CONFIRMED, Mark.UNSURE]


@pytest.mark.parametrize("text", [text for text, _, _ in PAYER_CODES if text.isdigit()])
def test_one_digit_less_is_not_taken_for_the_same_wallet_s_unless_its_range_says_so(text: str) -> None:
    before = recognise(text)
    try:
        after = recognise(text[:-1])
    except CodeError:
        return
    assert after.issuers == before.issuers == (Issuer.ALIPAY,)


def test_payer_codes_are_never_printed() -> None:
    code = recognise("134567890123456789")

    assert "3456789" not in repr(code) + str(code)


def test_results_travel_between_processes() -> None:
    for text in (ANNEX_B, TWO_CARDS, "134567890123456789", WRAPPED):
        code = recognise(text)

        assert pickle.loads(pickle.dumps(code)) == code


# Anything at all: read, or refused by our own error.

known = [text for text, _, _ in MERCHANT_CODES] + [text for text, _, _ in PAYER_CODES]
known += [write_emv_one_code(OneCode(TOKEN), BASE, amount=Money.cny("1"), name="M", city="C", reference="O1")]
known += [*MERCHANT_PRESENTED.values(), ONE_CARD, TWO_CARDS, WRAPPED, f"{BASE}/p/{TOKEN}"]


def read_or_refuse(text: str) -> None:
    for strict in (False, True):
        try:
            recognise(text, base_url=BASE, strict=strict)
        except CodeError:
            continue


@given(st.text(st.characters(), max_size=300) | st.text("0123456789 ", max_size=300))
@example("https://[")
@example("https://qr.95516.com/qrcGtwWeb-web/api/open?qrCode=" + "&a=1" * 100)
@example("https://qr.95516.com/qrcGtwWeb-web/api/open?qrCode=%ff%fe")
@example("hQVDUFY")
@example("000201")
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)


@settings(max_examples=300)
@given(st.sampled_from(known), st.text(st.characters(), max_size=4), st.integers(0, 400), st.integers(0, 8))
def test_a_known_code_that_was_tampered_with_is_read_or_refused(
    text: str, put: str, at: int, cut: int
) -> None:
    read_or_refuse(text[:at] + put + text[at + cut :])


@pytest.mark.fault("L4")
@given(st.text("0123456789", max_size=200) | st.text(st.characters(), max_size=80), st.randoms())
def test_any_objects_under_a_right_checksum_are_read_or_refused(body: str, chance: random.Random) -> None:
    middle = CAMBODIA[6:-8] if chance.random() < 0.5 else ""
    text = f"000201{middle}{body}6304"
    checksum = binascii.crc_hqx(text.encode("utf-8", "surrogatepass"), 0xFFFF)

    read_or_refuse(f"{text}{checksum:04X}")
