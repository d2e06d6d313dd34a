import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from providers.sdk.errors import ProviderError
from providers.sdk.gateway import CALL_FAULTS, Fault
from providers.sdk.money import Money
from providers.sdk.results import StatementKind
from providers.sdk.transport import HttpReply
from providers.sdk.wallets import Wallet
from providers.wechatpay.bill import read_bill, unpack

PRICE = Money.cny("18.00")
DAY = date(2026, 7, 1)
HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
# Two rows of wechatpay-php's tests/fixtures/bill.ALL.csv: a refund and a payment.
REFUND_ROW = (
    "`2019-02-19 05:01:46,`wxab8acd895ab1638a,`1921000401,`0,`harryma007,`4200000263201902167700134212,"
    "`autotest_20190216081946_82335,`oHkLxtx0vUqe-18p_AXTZ1innxkCY,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,"
    "`50000709672019011908420787722,`REF4200000263201902167700963919,`0.01,`0.00,`ORIGINAL,`SUCCESS,"
    "`系统拨测-cheeryin-test_micropay_succ,`,`0.00000,`39.00%,`0.00,`0.01,`"
)
PAYMENT_ROW = (
    "`2019-02-19 01:52:32,`wxab8acd895ab1638a,`1921000401,`0,`,`4200000263201902167700134902,"
    "`autotest_20190219015232_89201,`wxab8acb865bb1637e,`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.03,`0.00,`0,`0,`0.00,`0.00,"
    "`,`,`autotest,`,`0.01000,`39.00%,`0.03,`0.00,`"
)
SUMMARY = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n`2.0,`0.03,`0.01,`0.0,`0.01,`0.03,`0.01\n"


def bill(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, SUMMARY]).encode("utf-8-sig")


async def lines(stall, day: date = DAY, call=None):
    return [line async for line in stall.provider.statement(day, call or stall.call)]


@pytest.fixture
async def yesterday(stall, opened):
    """A day with a payment and a refund, and the day after it."""
    _, ref, created = await opened(PRICE, title="Latte, large")
    stall.pay(created.code, Wallet.WECHAT)
    await stall.provider.refund(stall.refund(ref, Money.cny("5.00")), stall.call)
    stall.clock.advance(24 * 3600)
    return ref


async def test_a_day_is_read_line_by_line(stall, yesterday) -> None:
    payment, refund = await lines(stall)

    assert (payment.kind, payment.number, payment.amount) == (StatementKind.PAYMENT, yesterday.number, PRICE)
    assert payment.at == datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    assert payment.provider_ref.startswith("4200")
    assert (refund.kind, refund.number) == (StatementKind.REFUND, "Refund20260701A1")
    assert (refund.attempt_number, refund.amount) == (yesterday.number, Money.cny("5.00"))
    assert payment.line_key != refund.line_key


async def test_a_day_without_trade_has_no_lines(stall, yesterday) -> None:
    assert await lines(stall, date(2026, 6, 30)) == []


async def test_today_has_no_bill_yet(stall, opened) -> None:
    with pytest.raises(ProviderError, match="no bill"):
        await lines(stall)


@pytest.mark.parametrize("fault", [*CALL_FAULTS, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE])
async def test_a_spoilt_answer_is_no_bill(stall, yesterday, fault) -> None:
    stall.faults.arm(fault)

    with pytest.raises(ProviderError):
        await lines(stall)


async def test_a_file_with_another_hash_is_refused(stall, yesterday) -> None:
    class Tampering:
        async def send(self, request) -> HttpReply:
            reply = await stall.transport.send(request)
            spoilt = unpack_any(reply.body).replace(b"`18.00", b"`19.00")
            return HttpReply(200, reply.headers, spoilt) if "billdownload" in request.url else reply

    def unpack_any(octets: bytes) -> bytes:
        import gzip

        return gzip.decompress(octets) if octets.startswith(b"\x1f\x8b") else octets

    with pytest.raises(ProviderError, match="hash"):
        await lines(stall, call=type(stall.call)(Tampering(), stall.clock, stall.random))


async def test_our_signature_goes_to_no_other_host(stall, yesterday) -> None:
    institution = stall.gateway._institution
    asked = []

    class Elsewhere:
        async def send(self, request) -> HttpReply:
            asked.append(request.url)
            document = {
                "hash_type": "SHA1",
                "hash_value": "0" * 40,
                "download_url": "https://institution.test.evil.example/v3/billdownload/file?token=1",
            }
            return institution.reply(200, document, stall.merchant["public_key_id"])

    with pytest.raises(ProviderError, match="another host"):
        await lines(stall, call=type(stall.call)(Elsewhere(), stall.clock, stall.random))
    assert len(asked) == 1


async def test_the_file_lives_half_a_minute(stall, yesterday) -> None:
    class Slow:
        async def send(self, request) -> HttpReply:
            if "billdownload" in request.url:
                stall.clock.advance(30)
            return await stall.transport.send(request)

    with pytest.raises(ProviderError):
        await lines(stall, call=type(stall.call)(Slow(), stall.clock, stall.random))


def test_the_published_rows_are_read() -> None:
    refund, payment = read_bill(bill(REFUND_ROW, PAYMENT_ROW))

    assert (refund.kind, refund.amount, refund.fee) == (StatementKind.REFUND, Money(1, "CNY"), None)
    assert refund.number == "REF4200000263201902167700963919"
    assert refund.line_key == "50000709672019011908420787722"
    assert refund.at == datetime(2019, 2, 18, 21, 1, 46, tzinfo=UTC)
    assert (payment.kind, payment.amount, payment.fee) == (
        StatementKind.PAYMENT,
        Money(3, "CNY"),
        Money(1, "CNY"),
    )
    assert payment.line_key == "4200000263201902167700134902"


def test_a_title_may_hold_commas_and_a_column_its_newer_name() -> None:
    row = PAYMENT_ROW.replace("`autotest,", "`Latte, large, 2 shots,").replace("`0.01000", "`0.00500")
    newer = HEADER.replace("微信订单号", "微信支付订单号").replace("应结订单金额", "总金额")

    [payment] = read_bill(bill(row, header=newer))

    assert payment.amount == Money(3, "CNY")
    assert payment.fee is None


@pytest.mark.parametrize(
    "octets",
    [
        bill(PAYMENT_ROW + ",`more"),
        bill(PAYMENT_ROW.replace("`0.03", "`-0.03")),
        bill(PAYMENT_ROW.replace("2019-02-19", "19-02-2019")),
        bill(PAYMENT_ROW, header=HEADER.replace("商户订单号", "x")),
    ],
)
def test_a_bill_of_another_form_is_refused(octets: bytes) -> None:
    with pytest.raises(ProviderError):
        list(read_bill(octets))


def test_a_zipped_file_is_hashed_unzipped_and_a_broken_one_refused() -> None:
    import gzip

    text = bill(PAYMENT_ROW)
    digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()

    assert unpack(gzip.compress(text), "SHA1", digest.upper()) == text
    for octets, kind, value in ((gzip.compress(text)[:-9], "SHA1", digest), (text, "MD5", digest)):
        with pytest.raises(ProviderError):
            unpack(octets, kind, value)


async def test_the_query_asks_for_the_whole_day_zipped(stall, yesterday) -> None:
    await lines(stall)

    asked = [request.url for request in stall.transport.requests if "tradebill" in request.url]
    assert asked == [
        "https://institution.test/v3/bill/tradebill?bill_date=2026-07-01&bill_type=ALL&tar_type=GZIP"
    ]
    assert json.loads(stall.transport.replies[-2].body)["hash_type"] == "SHA1"
