"""A QR picture of a text, fast enough to draw for every order.

qrcode alone takes 6 to 9 ms: it draws all eight masks to compare them, then goes through an imaging library. Every
mask decodes to the same text, so one is fixed; and a one-bit PNG is a few chunks around zlib.
"""

import io
import struct
import zlib
from typing import Final

import qrcode
from PIL import Image, UnidentifiedImageError
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError

from miniprograms.sdk.limits import PICTURE_BYTES_MAX, PICTURE_RATIO_MAX, PICTURE_SIDES_MAX

TEXT_BYTES_MAX: Final = (
    2048  # real payment codes stay below 512; level M ends at 2331 (ISO/IEC 18004, table 7)
)
MODULE_PX: Final = 8
QUIET_MODULES: Final = 4  # the least light border a reader may ask for (ISO/IEC 18004, 9.1)
_MASK: Final = 0  # the checkerboard
_INK: Final = bytes.maketrans(b"\0\1", b"\xff\0")
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def qr_png(text: str) -> bytes:
    """PNG bytes, black on white, error correction level M. Raises `ValueError` when the text is empty or too long."""
    if not 0 < len(text.encode()) <= TEXT_BYTES_MAX:
        raise ValueError(f"A code of {len(text.encode())} bytes cannot be drawn; 1 to {TEXT_BYTES_MAX} can.")
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK)
    code.add_data(text)
    try:
        code.make()
    except DataOverflowError as error:  # pragma: no cover  # TEXT_BYTES_MAX is below every mode's capacity
        raise ValueError("The code is too long to be drawn.") from error
    return _png([bytes(map(bool, row)) for row in code.modules])


def check_picture(content: bytes) -> None:
    """Raises `ValueError`, which names the limit, for what no chat shows. Only the header is read."""
    if not 0 < len(content) <= PICTURE_BYTES_MAX:
        raise ValueError(f"{len(content)} bytes; 1 to {PICTURE_BYTES_MAX} can be shown.")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ValueError("it is neither PNG nor JPEG.") from error
    if width + height > PICTURE_SIDES_MAX or max(width, height) > PICTURE_RATIO_MAX * min(width, height):
        raise ValueError(
            f"{width} by {height} pixels; width and height are {PICTURE_SIDES_MAX} together at most, "
            f"and one is {PICTURE_RATIO_MAX} times the other at most."
        )


def _png(modules: list[bytes]) -> bytes:
    """One bit per pixel, 0 is black, every line unfiltered (PNG third edition, 9 and 11.2.1).

    Eight pixels to a module make each module one byte of a line.
    """
    edge = bytes(QUIET_MODULES)
    blank = b"\0" + b"\xff" * (len(modules) + 2 * QUIET_MODULES)
    margin = blank * (QUIET_MODULES * MODULE_PX)
    lines = (b"\0" + (edge + row + edge).translate(_INK) for row in modules)
    side = (len(blank) - 1) * MODULE_PX
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(margin + b"".join(line * MODULE_PX for line in lines) + margin, level=1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
