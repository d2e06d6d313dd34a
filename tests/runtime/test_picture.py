"""The picture says exactly the text it was made of, to a reader that is not ours."""

import io
import string

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.runtime.picture import MODULE_PX, QUIET_MODULES, TEXT_BYTES_MAX, qr_png

CODES = [
    "https://moongate.example/p/0Zk3vQ9sX7bT1mL5",
    "weixin://wxpay/bizpayurl?pr=p4lpSuKzz",
    "https://qr.alipay.com/bax03431ljhokirwl38f00a7",
    "https://qr.95516.com/00010001/62042010049001123456789012345678",
    "00020101021226550016A000000677010111011301150066812345678520441115303156540518.005802CN5905Latte6304ABCD",
    "13" + "4" * 16,
    "拿铁咖啡 ¥18.00 收款码",
    "云闪付：" + "付" * 200,
    "🥮 Ω ß é",
    "A",
    " x ",
]


def image(png):
    return Image.open(io.BytesIO(png))


def read(png):
    found = zxingcpp.read_barcode(image(png))
    assert found is not None
    return found.text


@pytest.mark.fault("L7")
@pytest.mark.parametrize("text", CODES)
def test_a_reader_reads_the_text_that_was_drawn(text):
    assert read(qr_png(text)) == text


@settings(max_examples=60, deadline=None)
@given(st.text(string.ascii_letters + string.digits + "/:?&=.%-_ ", min_size=1, max_size=512))
def test_any_code_text_is_read_back(text):
    assert read(qr_png(text)) == text


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=120))
def test_any_chinese_text_is_read_back(text):
    assert read(qr_png(text)) == text


def test_the_error_correction_is_level_m():
    found = zxingcpp.read_barcode(image(qr_png(CODES[0])))

    assert found.ec_level == "M"


def test_the_picture_has_one_bit_per_pixel_and_a_quiet_zone():
    picture = image(qr_png(CODES[0]))
    border = QUIET_MODULES * MODULE_PX

    assert picture.mode == "1"
    assert picture.size[0] == picture.size[1]
    assert MODULE_PX >= 5
    assert picture.crop((0, 0, picture.size[0], border)).getextrema() == (255, 255)
    assert picture.getpixel((border, border)) == 0


def test_a_scaled_and_recompressed_picture_is_still_read():
    small = io.BytesIO()
    image(qr_png(CODES[4])).convert("L").resize((320, 320)).save(small, "JPEG", quality=50)

    assert read(small.getvalue()) == CODES[4]


def test_the_same_text_is_the_same_picture():
    assert qr_png(CODES[0]) == qr_png(CODES[0])


@pytest.mark.fault("L1")
@pytest.mark.parametrize("text", ["", "x" * (TEXT_BYTES_MAX + 1), "付" * TEXT_BYTES_MAX])
def test_a_text_that_cannot_be_a_code_is_refused(text):
    with pytest.raises(ValueError, match="cannot be drawn"):
        qr_png(text)


def test_the_longest_text_still_fits():
    assert read(qr_png("x" * TEXT_BYTES_MAX)) == "x" * TEXT_BYTES_MAX
