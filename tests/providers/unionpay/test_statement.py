"""The reconciliation file: fixed widths in bytes, a ZIP in a deflate stream in base64."""

import base64
import io
import zipfile
import zlib
from datetime import date

import pytest

from providers.sdk.errors import ReplyError
from providers.sdk.money import Money
from providers.sdk.results import Created, StatementKind
from providers.sdk.wallets import Wallet
from providers.unionpay import statement
from providers.unionpay.statement import COLUMNS, read_file, write_file

DAY = date(2026, 7, 1)
ROW = {
    "code": "S22", "trace": "000001", "sent": "0701120000", "amount": "000000001800",
    "query_id": "202607011200000000001", "order": "Latte20260701A1", "fee": "D000000000006", "type": "01",
}  # fmt: skip


def packed(members):
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return base64.b64encode(zlib.compress(pack.getvalue())).decode()


async def lines_of(stall, day=DAY):
    return [line async for line in stall.provider.statement(day, stall.call)]


def test_the_published_widths_are_kept():
    published = (
        "3,11,11,6,10,19,12,4,2,21,2,32,2,6,10,13,13,4,15,2,2,6,2,4,32,1,21,15,1,15,32,13,13,8,32,13,13,12,2,1,"
        "32,98"
    )

    assert ",".join(str(width) for _, width in COLUMNS) == published


async def test_a_days_payments_and_refunds_are_its_lines(stall):
    intent = stall.intent(Money.cny("18.00"))
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    stall.pay(created.code, Wallet.BANK)
    request = stall.refund(stall.ref(intent), Money.cny("5.00"))
    await stall.provider.refund(request, stall.call)

    payment, refund = await lines_of(stall)

    assert (payment.kind, payment.number, payment.amount) == (
        StatementKind.PAYMENT,
        intent.number,
        intent.amount,
    )
    assert payment.attempt_number == intent.number
    assert payment.fee == Money(6, "CNY")
    assert payment.at == stall.clock.now()
    assert (refund.kind, refund.number, refund.amount) == (
        StatementKind.REFUND,
        request.number,
        Money.cny("5.00"),
    )
    assert refund.attempt_number == intent.number
    assert payment.line_key != refund.line_key


async def test_a_day_without_trade_has_no_file_and_no_lines(stall):
    assert await lines_of(stall) == []


async def test_after_23_00_a_payment_is_of_the_next_clearing_day(stall):
    stall.clock.advance(11 * 3600)
    created = await stall.provider.create(stall.intent(Money.cny("18.00")), stall.call)
    stall.pay(created.code, Wallet.BANK)

    assert await lines_of(stall) == []
    assert len(await lines_of(stall, date(2026, 7, 2))) == 1


def test_columns_are_cut_by_bytes_not_by_characters():
    [text] = zlib_lines(write_file([ROW], "INN07"))
    chinese = text[:46] + "中国银联".encode("gbk") + text[54:]  # inside the account column
    content = packed({"INN07ZM": chinese})

    [line] = read_file(content, DAY)

    assert line.amount == Money.cny("18.00")
    assert line.number == "Latte20260701A1"


def zlib_lines(content):
    with zipfile.ZipFile(io.BytesIO(zlib.decompress(base64.b64decode(content)))) as archive:
        return archive.read(archive.namelist()[0]).splitlines()


def test_error_lines_and_other_kinds_are_left_out():
    other = {**ROW, "type": "02"}
    [row, foreign] = zlib_lines(write_file([ROW, other], "INN07"))

    assert len(list(read_file(packed({"INN07ZM": row + b"\n" + foreign, "INN07ZME": b"E" * 300}), DAY))) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not base64!",
        base64.b64encode(b"not zlib").decode(),
        base64.b64encode(zlib.compress(b"not a zip")).decode(),
        packed({"INN07ZM": b"short 01"}).replace("A", "B", 1),
    ],
    ids=["empty", "no base64", "no zlib", "no zip", "spoilt"],
)
def test_a_file_that_cannot_be_unpacked_is_an_error(content):
    with pytest.raises(ReplyError):
        list(read_file(content, DAY))


def test_a_line_of_other_widths_is_an_error():
    [row] = zlib_lines(write_file([ROW], "INN07"))

    with pytest.raises(ReplyError):
        list(read_file(packed({"INN07ZM": row.replace(b"000000001800", b"     18.00  ")}), DAY))


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bomb_is_not_unpacked(monkeypatch, packing):
    monkeypatch.setattr(statement, "_FILE_BYTES_MAX", 4096)
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", packing) as archive:
        archive.writestr("INN07ZM", b"0" * 8192)
    bomb = base64.b64encode(zlib.compress(pack.getvalue())).decode()

    with pytest.raises(ReplyError, match="too large"):
        list(read_file(bomb, DAY))


def test_december_lines_in_a_january_file_are_of_the_old_year():
    [line] = read_file(write_file([{**ROW, "sent": "1231233000"}], "INN01"), date(2026, 1, 1))

    assert line.at.isoformat() == "2025-12-31T15:30:00+00:00"
