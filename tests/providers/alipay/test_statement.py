"""The trade bill: found, fetched from the pinned host, unpacked and read."""

import io
import zipfile
from datetime import UTC, date, datetime

import pytest

from providers.alipay import wire
from providers.alipay.bill import COLUMNS, FILE_OCTETS_MAX, read_bill
from providers.sdk.errors import ProviderError, ReplyError
from providers.sdk.money import Money
from providers.sdk.results import StatementKind
from providers.sdk.transport import HttpReply
from tests.providers.alipay.counter import LATTE, Counter

DAY = date(2026, 7, 1)


async def lines(stall, day=DAY):
    return [line async for line in stall.provider.statement(day, stall.call)]


def packed(*files):
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for place, (text, encoding) in enumerate(files):
            archive.writestr(f"{place}.csv", text.encode(encoding))
    return pack.getvalue()


HEADER = ",".join(COLUMNS)


def detail(*rows, header=HEADER):
    return "\r\n".join(["#支付宝业务明细查询", header, *rows, "#---"])


def row(**cells):
    known = {
        "支付宝交易号": "2026070122001", "商户订单号": "Latte1", "业务类型": "交易", "商品名称": "拿铁",
        "完成时间": "2026-07-01 12:00:00", "订单金额（元）": "18.00", "商家实收（元）": "18.00",
        "服务费（元）": "-0.10", **cells,
    }  # fmt: skip
    return ",".join(f"{known.get(name, '')}\t" for name in COLUMNS)


async def test_a_days_payments_and_refunds_are_its_lines(either):
    _, ref = await either.paid(title="拿铁, 大杯")
    await either.provider.refund(either.refund(ref, Money.cny("5.00")), either.call)
    either.clock.advance(86400)

    payment, refund = await lines(either)

    assert (payment.kind, payment.number, payment.amount) == (StatementKind.PAYMENT, ref.number, LATTE)
    assert payment.fee == Money.cny("0.10")
    assert payment.at == datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    assert (refund.kind, refund.number) == (StatementKind.REFUND, "Refund20260701A1")
    assert (refund.attempt_number, refund.amount, refund.fee) == (ref.number, Money.cny("5.00"), None)
    assert payment.line_key != refund.line_key


async def test_a_day_without_business_has_no_lines(stall):
    stall.clock.advance(86400)

    assert await lines(stall) == []


async def test_today_has_no_bill_yet(stall):
    await stall.paid()

    with pytest.raises(ReplyError, match="INVAILID_ARGUMENTS"):
        await lines(stall)


async def test_the_address_dies_after_half_a_minute(stall):
    await stall.paid()
    stall.clock.advance(86400)
    send = stall.transport.send

    async def dawdle(request):
        if request.method == "GET":
            stall.clock.advance(30)
        return await send(request)

    stall.transport.send = dawdle

    with pytest.raises(ReplyError, match="403"):
        await lines(stall)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/downloadBillFile.resource?x=1",
        "https://institution.test@evil.example/x",
        "https://institution.test.evil.example/x",
        "https://institution.test:8443/x",
        "//evil.example/x",
        "file:///etc/passwd",
        "/x",
    ],
)
async def test_a_bill_on_another_host_is_not_fetched(stall, url):
    stall.answer_with(wire.BILL, {"code": "10000", "bill_download_url": url})

    with pytest.raises(ReplyError, match="bill_url"):
        await lines(stall)


async def test_an_address_with_http_is_fetched_by_the_scheme_of_the_setting(stall):
    seen = []

    async def send(request):
        seen.append(request.url)
        if request.method == "POST":
            url = "http://institution.test/downloadBillFile.resource?fileId=1"
            return stall.signed(wire.BILL, {"code": "10000", "bill_download_url": url})
        return HttpReply(200, body=packed((detail(), "gbk")))

    stall.transport.send = send

    assert await lines(stall) == []
    assert seen[1] == "https://institution.test/downloadBillFile.resource?fileId=1"


async def test_a_bill_is_not_believed_without_a_signed_address(stall):
    async def send(request):
        del request
        reply = stall.signed(wire.BILL, {"code": "10000", "bill_download_url": "https://institution.test/x"})
        return HttpReply(200, body=reply.body.replace(b"test", b"tost"))

    stall.transport.send = send

    with pytest.raises(ProviderError):
        await lines(stall)


def test_only_the_known_host_of_statements_is_pinned_by_default():
    fields = Counter().plugin.settings.model_fields

    assert fields["bill_url"].default == "https://dwbillcenter.alipay.com"
    assert "dwbillcenter.alipay.com" in Counter().plugin.info.hosts


# The file.


@pytest.mark.fault("Q4")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_every_encoding_is_read(encoding):
    [line] = read_bill(packed((detail(row()), encoding)))

    assert (line.number, line.amount, line.fee) == ("Latte1", LATTE, Money.cny("0.10"))


def test_the_summary_is_passed_over_wherever_it_stands():
    summary = ("#汇总\n门店编号,门店名称,交易订单总笔数\n合计,,1", "gbk")

    assert len(list(read_bill(packed(summary, (detail(row()), "gbk"), summary)))) == 1


def test_a_comma_in_a_title_splits_nothing():
    [line] = read_bill(packed((detail(row(商品名称="一,二,三")), "gbk")))

    assert line.amount == LATTE


@pytest.mark.parametrize(
    ("order", "received", "amount"), [("-5.00", "-4.50", "5.00"), ("18.00", "-5.00", "5.00")]
)
def test_a_refund_is_what_went_back(order, received, amount):
    cells = {
        "业务类型": "退款",
        "订单金额（元）": order,
        "商家实收（元）": received,
        "退款批次号/请求号": "R1",
    }

    [line] = read_bill(packed((detail(row(**cells)), "gbk")))

    assert (line.amount, line.number, line.line_key) == (Money.cny(amount), "R1", "2026070122001/R1")


def test_lines_of_other_kinds_are_passed_over():
    assert list(read_bill(packed((detail(row(业务类型="分账")), "gbk")))) == []


@pytest.mark.fault("Q4")
@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"PK\x03\x04 broken",
        packed(),
        packed(("a,b\n1,2", "gbk")),
        packed((detail("1,2"), "gbk")),
        packed((detail(row(**{"订单金额（元）": "many"})), "gbk")),
        packed((detail(row(完成时间="noon")), "gbk")),
        packed((detail(row(), header=HEADER.replace("服务费（元）", "别的")), "gbk")),
        packed((detail(row()), "utf-16")),
    ],
)
def test_a_broken_bill_is_an_error_and_not_an_empty_day(octets):
    with pytest.raises(ReplyError):
        list(read_bill(octets))


def test_a_bill_that_would_fill_the_memory_is_refused():
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"0" * (FILE_OCTETS_MAX + 1))

    with pytest.raises(ReplyError, match="too large"):
        list(read_bill(pack.getvalue()))
