"""The trade bill of Alipay: a ZIP with two CSV files, of which the detail is read line by line.

Source: Alipay open platform documents, "download statements"; the columns as merchants' files have them. The encoding
is not documented: UTF-8 is tried strictly, then GB18030, which holds all of GBK.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from providers.alipay.wire import TIME
from providers.sdk.clock import from_beijing
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine

COLUMNS: Final = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员",
    "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）",
    "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）", "卡消费金额（元）",
    "退款批次号/请求号", "服务费（元）", "分润（元）", "备注",
)  # fmt: skip
FILE_OCTETS_MAX: Final = 64 * 1024 * 1024
_TITLE: Final = "商品名称"
_KINDS: Final = {"交易": StatementKind.PAYMENT, "退款": StatementKind.REFUND}


def read_bill(packed: bytes) -> Iterator[StatementLine]:
    """The payments and refunds of the detail file. Raises `ReplyError` when it cannot be read."""
    names: list[str] = []
    for text in _files(packed):
        rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        header = [cell.strip() for cell in rows[0].split(",")] if rows else []
        if COLUMNS[0] not in header:
            continue  # the summary
        names = header
        for row in rows[1:]:
            yield from _line(_cells(row, names))
    if not names:
        raise ReplyError("The bill holds no file of details.")


def _files(packed: bytes) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > FILE_OCTETS_MAX:
                raise ReplyError("The bill is too large.")
            files = [archive.read(member) for member in members if not member.is_dir()]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError):  # RuntimeError: a locked member
        raise ReplyError("The bill cannot be unpacked; fetch it again.") from None
    yield from map(_decoded, files)


def _decoded(octets: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReplyError("The bill is neither UTF-8 nor GBK.")


def _cells(row: str, names: list[str]) -> dict[str, str]:
    """The cells by column. A comma inside a title makes a row longer than its header: the surplus is the title's."""
    cells = [cell.strip() for cell in row.split(",")]
    surplus = len(cells) - len(names)
    if surplus > 0 and _TITLE in names:
        at = names.index(_TITLE)
        cells[at : at + surplus + 1] = [",".join(cells[at : at + surplus + 1])]
    if len(cells) != len(names):
        raise ReplyError("A row of the bill has another number of columns than its header.")
    return dict(zip(names, cells, strict=True))


def _line(row: Mapping[str, str]) -> Iterator[StatementLine]:
    kind = _KINDS.get(_cell(row, "业务类型"))
    if kind is None:
        return
    trade, number = _cell(row, "支付宝交易号"), _cell(row, "商户订单号")
    request = _cell(row, "退款批次号/请求号", "退款批次号")
    try:
        yield StatementLine(
            line_key=trade if kind is StatementKind.PAYMENT else f"{trade}/{request}",
            kind=kind,
            number=number if kind is StatementKind.PAYMENT else request,
            attempt_number=number,
            amount=_amount(row, kind),
            fee=_money(_cell(row, "服务费（元）")) if kind is StatementKind.PAYMENT else None,
            provider_ref=trade,
            at=from_beijing(_cell(row, "完成时间"), TIME),
        )
    except ValueError:
        raise ReplyError("A row of the bill has a time or an amount that cannot be read.") from None


def _amount(row: Mapping[str, str], kind: StatementKind) -> Money:
    """A refund stands as a negative amount; where the order's amount is the payment's, as what the merchant gave."""
    order = _cell(row, "订单金额（元）")
    if kind is StatementKind.REFUND and not order.startswith("-"):
        return _money(_cell(row, "商家实收（元）"))
    return _money(order)


def _money(cell: str) -> Money:
    return Money.parse(cell.removeprefix("-"), "CNY")


def _cell(row: Mapping[str, str], *names: str) -> str:
    for name in names:
        if name in row:
            return row[name]
    raise ReplyError(f"The bill has no column {names[0]}.")
