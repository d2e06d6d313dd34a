"""UnionPay's reconciliation file: base64 of zlib of a ZIP of fixed-width GBK lines. Reads and writes it.

`…ZM…` lists what was cleared. Its columns are sliced by bytes, one separator byte between them. Widths are published
(reconciliation-file interface of ACP); names of the columns stand in several merchants' sources, which agree.
"""

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine

# Only the columns with a name here are read; the number is the published width in bytes.
COLUMNS: Final = (
    ("code", 3), ("", 11), ("", 11), ("trace", 6), ("sent", 10), ("", 19), ("amount", 12), ("", 4), ("", 2),
    ("query_id", 21), ("", 2), ("order", 32), ("", 2), ("", 6), ("", 10), ("fee", 13), ("", 13), ("", 4), ("", 15),
    ("type", 2), ("", 2), ("", 6), ("", 2), ("", 4), ("", 32), ("", 1), ("", 21), ("merchant", 15), ("", 1), ("", 15),
    ("", 32), ("", 13), ("", 13), ("", 8), ("", 32), ("", 13), ("", 13), ("", 12), ("", 2), ("", 1), ("original", 32),
    ("", 98),
)  # fmt: skip

_FILE_BYTES_MAX: Final = 32 * 1024 * 1024
_KINDS: Final = {
    "01": StatementKind.PAYMENT,
    "04": StatementKind.REFUND,
    "31": StatementKind.REFUND,
}


def read_file(content: str, day: date) -> Iterator[StatementLine]:
    """The payments and returns of a `fileContent`. Raises `ReplyError` when it cannot be unpacked."""
    for text in _cleared(content):
        for row in text.splitlines():
            if row.strip():
                line = _line(_cells(row), day)
                if line is not None:
                    yield line


def write_file(rows: Iterable[Mapping[str, str]], name: str) -> str:
    """A `fileContent` with one ZM file of these rows, which name columns as `COLUMNS` does."""
    lines = [b" ".join(_cell(row.get(column, ""), width) for column, width in COLUMNS) for row in rows]
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}ZM", b"".join(line + b"\r\n" for line in lines))
    return base64.b64encode(zlib.compress(pack.getvalue())).decode()


def _cleared(content: str) -> list[bytes]:
    """The ZM members; the ZME ones list errors, which are no lines of ours."""
    try:
        inflater = zlib.decompressobj()
        packed = inflater.decompress(base64.b64decode(content, validate=True), _FILE_BYTES_MAX)
        if inflater.unconsumed_tail:
            raise ReplyError("The reconciliation file is too large.")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [item for item in archive.infolist() if "ZM" in item.filename]
            if sum(item.file_size for item in members) > _FILE_BYTES_MAX:
                raise ReplyError("The reconciliation file is too large.")
            return [archive.read(item) for item in members if "ZME" not in item.filename]
    except (binascii.Error, zlib.error, zipfile.BadZipFile, RuntimeError):  # RuntimeError: a locked member
        raise ReplyError("The reconciliation file cannot be unpacked.") from None


def _cells(row: bytes) -> dict[str, str]:
    cells: dict[str, str] = {}
    at = 0
    for name, width in COLUMNS:
        if name:
            cells[name] = row[at : at + width].decode("gbk", errors="replace").strip()
        at += width + 1
    return cells


def _cell(text: str, width: int) -> bytes:
    return text.encode("gbk")[:width].ljust(width)


def _line(cells: Mapping[str, str], day: date) -> StatementLine | None:
    kind = _KINDS.get(cells["type"])
    if kind is None:
        return None
    if not cells["amount"].isdecimal() or not cells["query_id"].isdecimal() or not cells["order"]:
        raise ReplyError("A line of the reconciliation file is not of the published widths.")
    payment = kind is StatementKind.PAYMENT
    return StatementLine(
        line_key=cells["query_id"],
        kind=kind,
        number=cells["order"],
        attempt_number=cells["order"] if payment else cells["original"],
        amount=Money(int(cells["amount"]), "CNY"),
        fee=_fee(cells["fee"]),
        provider_ref=cells["query_id"],
        at=_sent_at(cells["sent"], day),
    )


def _fee(text: str) -> Money | None:
    """`D` (we pay) or `C` (we get back) and twelve digits; only the size is told on."""
    digits = text[1:] if text[:1] in {"C", "D"} else text
    return Money(int(digits), "CNY") if digits.isdecimal() else None


def _sent_at(text: str, day: date) -> datetime | None:
    """`MMDDhhmmss` around the clearing day; on New Year's Day it may be of the old year."""
    year = day.year - 1 if text.startswith("12") and day.month == 1 else day.year
    try:
        return from_beijing(f"{year}{text}", "%Y%m%d%H%M%S")
    except ValueError:
        return None
