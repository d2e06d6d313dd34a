"""What a camera makes of a picture: the text of the QR code on it."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

_KEPT: Final = 512
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


class QrReader:
    """Reads pictures by file id, each once: a file never changes."""

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._read: OrderedDict[str, str | None] = OrderedDict()

    def read(self, file_id: str) -> str | None:
        """The text of the first QR code on the picture, or None."""
        if file_id not in self._read:
            self._read[file_id] = qr_text(self._fetch(file_id))
            if len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return self._read[file_id]


def qr_text(picture: bytes) -> str | None:
    """The text of the first QR code on a picture, or None when there is none, or no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            found = zxingcpp.read_barcodes(image.convert("L"), formats=_QR)
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    return next((code.text for code in found if code.text), None)
