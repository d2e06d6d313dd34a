"""Reading a code from a picture a person sent. The picture is a stranger's: its size is checked before its pixels."""

import io
from typing import Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

PIXELS_MAX: Final = 25_000_000  # a phone's photo; Telegram sends 1280 px a side


def read_code(content: bytes) -> str | None:
    """The text of the first code in the picture, None when there is none or it is no picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                return None
            found = zxingcpp.read_barcodes(picture.convert("L"))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    texts = [code.text for code in found if code.valid and code.text]
    return texts[0] if texts else None
