"""A picture is a stranger's: it is measured before it is opened."""

import io
import struct
import zlib

import pytest
from PIL import Image

from bot.runtime.picture import qr_png
from bot.runtime.scanner import PIXELS_MAX, read_code


def png_of(width, height, body=b""):
    """A picture that says it is that large; `body` is what its pixels are packed from."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(body, 9))
        + chunk(b"IEND", b"")
    )


def animation():
    frames = [Image.open(io.BytesIO(qr_png(f"frame {number}"))).convert("L") for number in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.fault("L5")
@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (PIXELS_MAX + 1, 1), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_unpacks_beyond_the_limit_is_not_unpacked(width, height):
    assert read_code(png_of(width, height, bytes(4_000_000))) is None


@pytest.mark.fault("L5")
@pytest.mark.parametrize(
    "picture",
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", qr_png("x")[:-40], b"%PDF-1.7" + qr_png("x"), png_of(0, 0)],
    ids=["nothing", "a beginning", "a head", "cut", "a file before it", "no pixels"],
)
def test_what_is_no_whole_picture_is_no_code_and_no_accident(picture):
    assert read_code(picture) in {None, "x"}


@pytest.mark.fault("L5")
def test_of_moving_pictures_the_first_counts():
    assert read_code(animation()) == "frame 0"


def test_the_code_on_a_picture_is_read():
    assert read_code(qr_png("weixin://wxpay/bizpayurl?pr=abc")) == "weixin://wxpay/bizpayurl?pr=abc"
