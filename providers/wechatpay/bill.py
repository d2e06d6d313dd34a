"""The trade bill of WeChat Pay: a CSV of its own kind, read line by line.

Source: WeChat Pay merchant documents, APIv3, "download bills".
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine

FILE_BYTES_MAX: Final = 64 * 1024 * 1024


def unpack(octets: bytes, hash_type: str, hash_value: str) -> bytes:
    """The file, unzipped when it came as GZIP. WeChat Pay signs no download: the announced hash vouches for it."""
    if octets.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(octets)) as file:
                octets = file.read(FILE_BYTES_MAX)
        except (OSError, EOFError, zlib.error):
            raise ReplyError("The bill is not whole; fetch it again.") from None
    digest = hashlib.sha1(octets, usedforsecurity=False).hexdigest()  # the only hash WeChat Pay offers
    if hash_type != "SHA1" or hash_value.lower() != digest:
        raise ReplyError("The bill does not have the hash WeChat Pay announced; fetch it again.")
    return octets


def read_bill(octets: bytes) -> Iterator[StatementLine]:
    """The lines of a trade bill of type ALL.

    UTF-8 with a byte order mark; a header without backticks; in data rows every value begins with a backtick, so a
    comma inside a title does not split it; amounts in yuan; the last two lines are a summary. Columns are found by
    name: WeChat Pay has renamed some over the years.
    """
    lines = octets.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    names = lines[0].split(",")
    for line in lines[1:]:
        if not line.startswith("`"):
            return  # the header of the summary
        cells = line[1:].split(",`")
        if len(cells) != len(names):
            raise ReplyError("A row of the bill has another number of columns than its header.")
        try:
            yield from _bill_line(dict(zip(names, cells, strict=True)))
        except ValueError:
            raise ReplyError("A row of the bill has a time or an amount that cannot be read.") from None


def _bill_line(row: Mapping[str, str]) -> Iterator[StatementLine]:
    order = _cell(row, "微信订单号", "微信支付订单号")
    number = _cell(row, "商户订单号")
    at = from_beijing(_cell(row, "交易时间"), "%Y-%m-%d %H:%M:%S")
    match _cell(row, "交易状态"):
        case "SUCCESS":
            yield StatementLine(
                line_key=order,
                kind=StatementKind.PAYMENT,
                number=number,
                attempt_number=number,
                amount=_yuan(_cell(row, "订单金额", "应结订单金额", "总金额"), row),
                fee=_fee(row),
                provider_ref=order,
                at=at,
            )
        case "REFUND" | "REVOKED":
            refund = _cell(row, "微信退款单号")
            yield StatementLine(
                line_key=refund,
                kind=StatementKind.REFUND,
                number=_cell(row, "商户退款单号"),
                attempt_number=number,
                amount=_yuan(_cell(row, "申请退款金额", "退款金额"), row),
                fee=None,  # what a refund gives back of the fee stands as a negative amount
                provider_ref=refund,
                at=at,
            )


def _cell(row: Mapping[str, str], *names: str) -> str:
    for name in names:
        if name in row:
            return row[name]
    raise ReplyError(f"The bill has no column {names[0]}.")


def _yuan(cell: str, row: Mapping[str, str]) -> Money:
    return Money.parse(cell, _cell(row, "货币种类"))


def _fee(row: Mapping[str, str]) -> Money | None:
    """Fees stand with five decimals; one that is not whole fen is left out rather than rounded."""
    try:
        return _yuan(_cell(row, "手续费"), row)
    except ValueError:
        return None
