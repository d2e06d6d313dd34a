"""What is said of a code, from the code and the table alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.code_card import code_screen, looks_like_code, refused_screen
from providers.sdk.codes import CodeError, Flaw, recognise
from tests.providers.sdk.codes.samples import ANNEX_B, CAMBODIA, MERCHANT_PRESENTED, ONE_CARD, TWO_CARDS
from tests.runtime.paper import said

TODAY = date(2026, 7, 1)
WECHAT = "https://payapp.weixin.qq.com/qr/AQEabc"
ALIPAY = "https://qr.alipay.com/bax03431ljhokirwl38f00a7"
PAYER_CODES = [
    "134567890123456789",
    "1345 6789 0123 4567 89",
    "100498904982440770",
    "2812345678901234",
    "6222123456789012345",
    "0112345678901234567",
    "fp" + "a1" * 16 + "b",
]


def card(text: str, language: str = "en", on: date = TODAY) -> str:
    return said(code_screen(recognise(text), language, on))


def part(text: str, heading: str) -> list[str]:
    """The bullets under a heading."""
    return [line[2:] for line in text.partition(f"{heading}\n")[2].split("\n\n")[0].splitlines() if line]


def test_an_alipay_code_can_be_paid_by_alipay_and_through_unionpay_and_never_by_wechat():
    text = card(ALIPAY)

    assert text.startswith("🔎 Alipay\nA code for one payment.\n")
    assert part(text, "Can be paid today with") == [
        "Alipay (its own network)",
        "Cloud QuickPass (through UnionPay)",
        "Bank app (through UnionPay)",
    ]
    assert part(text, "Cannot") == ["WeChat Pay: a wall; neither side lets it through"]
    assert "Not confirmed by anybody: China Mobile Hebao, " in text


def test_a_wechat_code_can_also_be_paid_by_two_carriers_wallets():
    text = card(WECHAT)

    assert "A person's collection code." in text
    assert part(text, "Can be paid today with") == [
        "WeChat Pay (its own network)",
        "Cloud QuickPass (through UnionPay)",
        "China Telecom BestPay (through NetsUnion)",
        "China Unicom Wo Wallet (connected; through whom is not published)",
        "Bank app (through UnionPay)",
    ]
    assert part(text, "Cannot") == ["Alipay: a wall; neither side lets it through"]


def test_the_table_is_read_for_the_day():
    text = card(ALIPAY, on=date(2021, 12, 1))

    assert part(text, "Can be paid today with") == ["Alipay (its own network)"]
    assert "Cloud QuickPass: not before 2021-12-02" in part(text, "Cannot")


def test_a_chinese_reader_reads_chinese():
    text = card(ALIPAY, "zh-hans")

    assert text.startswith("🔎 支付宝\n单笔订单的收款码。")
    assert "• 云闪付 (经银联)" in text
    assert "微信支付：双方未互通" in text


def test_unionpay_s_wrapper_says_whose_code_it_carries_and_only_unionpay_s_apps_can_pay_it():
    text = card(
        "https://qr.95516.com/qrcGtwWeb-web/api/open?qrCode=https%3A%2F%2Fpayapp.weixin.qq.com%2Fqr%2FAQEabc"
    )

    assert "It carries a code of WeChat Pay." in text
    assert part(text, "Can be paid today with") == [
        "Cloud QuickPass (its own network)",
        "Bank app (its own network)",
    ]


def test_an_unpublished_form_is_called_that():
    assert "look twice before you pay" in card("https://qr.alipay.com/tsx12345")


def test_a_network_that_nobody_here_can_pay_is_still_named():
    text = card("https://i.qianbao.qq.com/wallet/sqrcode.htm?m=tenpay&a=1")

    assert text.startswith("🔎 QQ Wallet")
    assert "none of the wallets known here" in text


def test_an_emvco_code_says_who_is_paid_how_much_and_through_whom():
    text = card(ANNEX_B)

    assert "For one payment." in text
    assert "Paid to: BEST TRANSPORT · 最佳运输 · BEIJING CN" in text
    assert "Amount: ¥23.72" in text
    assert "D15600000000, D15600000001" in text
    assert "none of the wallets known here" in text
    assert "收款方：最佳运输 · BEST TRANSPORT · BEIJING CN" in card(ANNEX_B, "zh")


def test_an_emvco_code_with_unionpay_s_account_can_be_paid_by_unionpay_s_apps():
    text = card(CAMBODIA)

    assert "Networks named in it: UnionPay" in text
    assert "Cloud QuickPass (its own network)" in part(text, "Can be paid today with")


@pytest.mark.parametrize("text", MERCHANT_PRESENTED.values(), ids=MERCHANT_PRESENTED)
def test_every_published_code_has_a_card_also_when_its_money_is_foreign(text):
    assert "Amount: " in card(text)


@pytest.mark.parametrize("text", PAYER_CODES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_payer_code_is_warned_of_and_nothing_of_it_is_repeated(text, language):
    words = card(text, language)

    assert words.startswith("⚠️")
    digits = text.replace(" ", "")
    assert not any(digits[at : at + 4] in words.replace(" ", "") for at in range(len(digits) - 3))


def test_a_payer_code_that_may_be_of_two_networks_names_both():
    assert "(WeChat Pay or China Mobile Hebao)" in card("100498904982440770")


@pytest.mark.parametrize("text", [ONE_CARD, TWO_CARDS])
def test_a_card_s_code_is_warned_of_and_no_card_is_named(text):
    words = card(text)

    assert words.startswith("⚠️")
    assert "3458" not in words
    assert "Product" not in words


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_flaw_has_words_of_its_own(language):
    words = {said(refused_screen(CodeError("secret", flaw), language)) for flaw in Flaw}

    assert len(words) == len(Flaw)
    assert not any("secret" in each for each in words)


@pytest.mark.fault("L3", "L4")
@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("https://qr.аlipay.com/bax03431", Flaw.LOOK_ALIKE),
        ("https://qr.alipay.com/\u202ebax1", Flaw.HIDDEN),
        ("https://evil.example/", Flaw.UNKNOWN),
        ("1" * 17, Flaw.UNKNOWN),
        (CAMBODIA[:-1] + "1", Flaw.DAMAGED),
        (CAMBODIA[:-30], Flaw.DAMAGED),
        ("https://x.example/" + "x" * 3000, Flaw.TOO_LONG),
        ("000201" + "6" * 600, Flaw.TOO_LONG),
        (ONE_CARD[:-3], Flaw.DAMAGED),
        (" ", Flaw.EMPTY),
    ],
)
def test_a_refusal_knows_what_is_wrong(text, flaw):
    with pytest.raises(CodeError) as refusal:
        recognise(text)

    assert refusal.value.flaw is flaw


@pytest.mark.parametrize(
    "text",
    [
        ALIPAY,
        WECHAT,
        ANNEX_B,
        ONE_CARD,
        "wxp://f2f0abc",
        "https://qr.аlipay.com/bax1",
        "\n" + ALIPAY,
        *PAYER_CODES,
    ],
)
def test_a_line_that_is_meant_as_a_code_is_told_from_talk(text):
    assert looks_like_code(text)


@pytest.mark.parametrize(
    "text", ["hello?", "", "12", "call me at 13800138000", f"look: {ALIPAY}", "re:order", "2026-07-01 12:00"]
)
def test_talk_is_no_code(text):
    assert not looks_like_code(text)


@given(
    st.text(max_size=300) | st.sampled_from([ALIPAY, ANNEX_B, *PAYER_CODES]), st.sampled_from(["en", "zh"])
)
def test_any_text_ends_in_a_card_or_a_refusal_that_fits_a_message(text, language):
    try:
        screen = code_screen(recognise(text), language, TODAY)
    except CodeError as error:
        screen = refused_screen(error, language)

    assert 0 < len(said(screen)) < 4096
